package expr_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
)

func parseUpdate(t *testing.T, text string) *expr.Update {
	t.Helper()
	u, err := expr.ParseUpdate(text, &expr.Scope{Values: given})
	require.NoError(t, err)
	return u
}

// TestUpdated checks what UPDATED_OLD and UPDATED_NEW return: the parts at the
// targets and no more, which is where DynamoDB Local returns whole attributes.
func TestUpdated(t *testing.T) {
	for _, c := range []struct{ text, old, updated string }{
		{"SET a = :v", "{}", "{a=S:x}"},
		{"SET s = s", "{s=S:str}", "{s=S:str}"},
		{"REMOVE s", "{s=S:str}", "{}"},
		{"REMOVE nope", "{}", "{}"},
		{"SET m.x = :v", "{m={x=N:1}}", "{m={x=S:x}}"},
		{"SET m.q = :v", "{}", "{m={q=S:x}}"},
		{"SET m.y.z = :v, m.x = :w", "{m={x=N:1 y={z=S:q}}}", "{m={x=S:y y={z=S:x}}}"},
		{"REMOVE m.y.z", "{m={y={z=S:q}}}", "{}"},
		{"SET l[1] = :v", "{l=L[S:b]}", "{l=L[S:x]}"},
		{"SET l[2] = :v, l[0] = :w", "{l=L[S:a S:c]}", "{l=L[S:y S:x]}"},
		{"SET l[7] = :v", "{}", "{}"},
		{"SET m.l[0] = :v", "{m={l=L[S:p]}}", "{m={l=L[S:x]}}"},
		{"ADD n :n", "{n=N:5}", "{n=N:6}"},
		{"DELETE ss :ss", "{ss=SS[S:a S:b S:c]}", "{ss=SS[S:c]}"},
		{"DELETE ns :ns", "{ns=NS[N:1 N:2]}", "{}"},
		{"SET s = :v REMOVE n", "{n=N:5 s=S:str}", "{s=S:x}"},
	} {
		t.Run(c.text, func(t *testing.T) {
			u := parseUpdate(t, c.text)
			changed, err := u.Apply(stored)
			require.NoError(t, err)
			require.Equal(t, c.old, u.Updated(stored).GoString())
			require.Equal(t, c.updated, u.Updated(changed).GoString())
		})
	}
}

func TestUpdateAttributes(t *testing.T) {
	u := parseUpdate(t, "SET b.c = a, a[0] = :v REMOVE d ADD n :n DELETE ss :ss")
	require.Equal(t, []string{"b", "a", "d", "n", "ss"}, slices.Collect(u.Attributes()))
	for range u.Attributes() {
		break // it may be left early
	}
	require.NoError(t, u.CheckKeys(keys))
	check(t, u.CheckKeys([]string{"pk", "n"}), "One or more parameter values were invalid: Cannot update attribute n. This attribute is part of the key")
	check(t, u.CheckScalars([]string{"b"}, false), "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: b")
	u = parseUpdate(t, "SET b = if_not_exists(c[1], :v)")
	check(t, u.CheckScalars([]string{"a", "c"}, true), "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: c")
}

// TestUpdateLeavesTheOldItem checks that items are immutable.
func TestUpdateLeavesTheOldItem(t *testing.T) {
	before := stored.Clone()
	for _, text := range []string{
		"SET m.y.z = :v, l[0] = :v, l[9] = :w, ll[0].x = :v REMOVE l[1], m.x, s ADD n :n, ss :ss DELETE ns :ns",
		"SET a = list_append(l, l), l = list_append(:l, l), m.l = list_append(m.l, l)",
		"REMOVE l[0], l[1], l[2], m, ss",
	} {
		_, err := parseUpdate(t, text).Apply(stored)
		require.NoError(t, err)
		require.True(t, before.Equal(stored), text)
	}
}

// TestUpdateNumbers checks that sums that can't be stored are faults.
func TestUpdateNumbers(t *testing.T) {
	values := expr.Values{
		":max": num("9.9999999999999999999999999999999999999E125"), ":min": num("1E-130"), ":one": num("1"),
		":long": num("12345678901234567890123456789012345678"), ":tenth": num("0.1"),
	}
	for text, want := range map[string]error{
		"SET a = :max + :max":    value.ErrOverflow,
		"ADD big :max":           value.ErrOverflow,
		"SET a = :max - :max":    nil,
		"SET a = :long + :tenth": value.ErrPrecision,
		"SET a = :long - :long":  nil,
		"SET a = :min + :min":    nil,
		"SET a = :min + :one":    value.ErrPrecision,
	} {
		u, err := expr.ParseUpdate(text, &expr.Scope{Values: values})
		require.NoError(t, err)
		_, err = u.Apply(item(map[string]value.Value{"big": values[":max"]}))
		require.Equal(t, want, err, text)
	}
}

func TestProjectionAttributes(t *testing.T) {
	p, err := expr.ParseProjection("m.x, l[0], m.y", &expr.Scope{})
	require.NoError(t, err)
	require.Equal(t, []string{"m", "l", "m"}, slices.Collect(p.Attributes()))
	check(t, p.CheckScalars([]string{"l"}, true), "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: l")
}

func TestConditionAttributes(t *testing.T) {
	c, err := expr.ParseCondition(expr.KindFilter, "sk = :v AND (pk > a.b OR NOT contains(size(pk), a)) AND x IN (y, :v)", &expr.Scope{Values: given})
	require.NoError(t, err)
	require.Equal(t, []string{"sk", "pk", "a", "pk", "a", "x", "y"}, slices.Collect(c.Attributes()))
	for range c.Attributes() {
		break
	}
	require.NoError(t, c.CheckFilter([]string{"other"}, "Filter Expression"))
	check(t, c.CheckFilter(keys, "Filter Expression"), "Filter Expression can only contain non-primary key attributes: Primary key attribute: pk")
	check(t, c.CheckScalars([]string{"a"}, false), "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: a")
}

// TestKeyValues checks what the table's key says of the values.
func TestKeyValues(t *testing.T) {
	binaryKey := expr.KeySchema{Partition: []expr.KeyAttr{{Name: "pk", Kind: value.B}}}
	values := expr.Values{":v": str("x"), ":e": str(""), ":be": value.Binary(""), ":k2": str(strings.Repeat("x", 2048)), ":k2b": str(strings.Repeat("x", 2049)), ":k1": str(strings.Repeat("x", 1024)), ":k1b": str(strings.Repeat("x", 1025)), ":n": num("1"), ":half": str(strings.Repeat("x", 600))}
	for _, c := range []struct {
		schema      expr.KeySchema
		text, fault string
	}{
		{tableKey, "pk = :e", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{tableKey, "pk = :v AND begins_with(sk, :e)", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: sk"},
		{binaryKey, "pk = :be", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty binary value. Key: pk"},
		{multiKey, "h1 = :e AND h2 = :n", "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ggg, IndexKey: h1"},
		{tableKey, "pk = :k2", ""},
		{tableKey, "pk = :k2b", "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{tableKey, "pk = :v AND sk = :k1", ""},
		{tableKey, "pk = :v AND sk BETWEEN :v AND :k1b", "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes"},
		{multiKey, "h1 = :v AND h2 = :n AND r1 = :half AND r2 = :half", "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes"},
		{tableKey, "pk = :be", "One or more parameter values were invalid: Condition parameter type does not match schema type"},
	} {
		k, err := expr.ParseKeyCondition(c.text, &expr.Scope{Values: values})
		require.NoError(t, err)
		require.NoError(t, k.Check())
		_, err = k.Range(c.schema)
		check(t, err, c.fault)
	}
}
