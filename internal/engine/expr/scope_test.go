package expr_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
)

const (
	putTakes    = expr.KindCondition
	updateTakes = expr.KindUpdate | expr.KindCondition
	queryTakes  = expr.KindFilter | expr.KindKeyCondition | expr.KindProjection
	scanTakes   = expr.KindFilter | expr.KindProjection
)

func TestScopeCheck(t *testing.T) {
	v := expr.Values{":v": str("x")}
	n := expr.Names{"#n": "a"}
	for _, c := range []struct {
		why        string
		takes, has expr.Kind
		names      expr.Names
		values     expr.Values
		fault      string
	}{
		{"nothing", putTakes, 0, nil, nil, ""},
		{"all there", putTakes, putTakes, n, v, ""},
		{"empty without an expression is as good as absent", putTakes, 0, expr.Names{}, expr.Values{}, ""},
		{"names alone", putTakes, 0, n, nil, "ExpressionAttributeNames can only be specified when using expressions"},
		{"names before values", putTakes, 0, n, v, "ExpressionAttributeNames can only be specified when using expressions"},
		{"put", putTakes, 0, nil, v, "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"},
		{"update", updateTakes, 0, nil, v, "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and ConditionExpression are null"},
		{"query", queryTakes, 0, nil, v, "ExpressionAttributeValues can only be specified when using expressions: FilterExpression and KeyConditionExpression are null"},
		{"scan", scanTakes, 0, nil, v, "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null"},
		{"a projection takes no values", scanTakes, expr.KindProjection, nil, v, "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null"},
		{"get takes no values at all", expr.KindProjection, expr.KindProjection, n, nil, ""},
		{"empty names", putTakes, putTakes, expr.Names{}, nil, "ExpressionAttributeNames must not be empty"},
		{"empty values", putTakes, putTakes, nil, expr.Values{}, "ExpressionAttributeValues must not be empty"},
		{"names without a sign", putTakes, putTakes, expr.Names{"a": "a"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		{"the wrong sign", putTakes, putTakes, expr.Names{":a": "a"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: ":a"`},
		{"a sign alone", putTakes, putTakes, expr.Names{"#": "a"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "#"`},
		{"a dash", putTakes, putTakes, expr.Names{"#a-b": "a"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"`},
		{"a dot", putTakes, putTakes, expr.Names{"#a.b": "a"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "#a.b"`},
		{"digits and underscores may begin", putTakes, putTakes, expr.Names{"#1": "a", "#_": "b"}, nil, ""},
		{"no key", putTakes, putTakes, expr.Names{"": "a"}, nil, "ExpressionAttributeNames contains invalid key: The expression attribute map contains an empty key;"},
		{"longest key", putTakes, putTakes, expr.Names{"#" + strings.Repeat("a", 254): "a"}, nil, ""},
		{"key too long", putTakes, putTakes, expr.Names{"#" + strings.Repeat("a", 255): "a"}, nil, "ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; size of key: 256"},
		{"empty name", putTakes, putTakes, expr.Names{"#a": ""}, nil, "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a"},
		{"keys before names", putTakes, putTakes, expr.Names{"#a": "", "b": "x"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "b"`},
		{"longest name", putTakes, putTakes, expr.Names{"#a": strings.Repeat("a", 65535)}, nil, ""},
		{"name too long", putTakes, putTakes, expr.Names{"#a": strings.Repeat("a", 65536)}, nil, "ExpressionAttributeNames contains invalid value: Attribute name is too large, must be less than 65536 bytes for key #a"},
		{"values without a sign", putTakes, putTakes, nil, expr.Values{"v": str("")}, `ExpressionAttributeValues contains invalid key: Syntax error; key: "v"`},
		{"values too large", putTakes, putTakes, nil, expr.Values{":v": str(strings.Repeat("x", 2<<20))}, "ExpressionAttributeValues exceeds max size"},
		{"names too large", putTakes, putTakes, manyNames(40), nil, "ExpressionAttributeNames exceeds max size"},
	} {
		t.Run(c.why, func(t *testing.T) {
			s := &expr.Scope{Names: c.names, Values: c.values}
			check(t, s.Check(c.takes, c.has), c.fault)
		})
	}
}

// check compares a fault with its text; none has the empty one.
func check(t *testing.T, err error, fault string) {
	t.Helper()
	if fault == "" {
		require.NoError(t, err)
		return
	}
	require.Equal(t, value.Error(fault), err)
}

func manyNames(n int) expr.Names {
	names := expr.Names{}
	for i := range n {
		names[fmt.Sprintf("#n%d", i)] = strings.Repeat("x", 60000)
	}
	return names
}

func TestCheckUsed(t *testing.T) {
	values := func(keys ...string) expr.Values {
		m := expr.Values{}
		for _, k := range keys {
			m[k] = str("x")
		}
		return m
	}
	for _, c := range []struct {
		why        string
		names      expr.Names
		values     expr.Values
		update     string
		conditions []string
		fault      string
	}{
		{"nothing to use", nil, nil, "REMOVE a", nil, ""},
		{"each expression uses its own", expr.Names{"#a": "a", "#b": "b"}, values(":v"), "SET #a = :v", []string{"attribute_exists(#b)"}, ""},
		{"two use the same", expr.Names{"#a": "a"}, values(":v"), "SET #a = :v", []string{"#a <> :v"}, ""},
		{"in a target, in an operand, in a function", expr.Names{"#a": "a", "#b": "b", "#c": "c"}, nil, "SET x.#a = if_not_exists(#b, y[0].#c)", nil, ""},
		{"a name", expr.Names{"#a": "a", "#c": "c"}, values(":v"), "SET #a = :v", nil, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#c}"},
		{"a value", nil, values(":v", ":w"), "SET a = :v", nil, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"},
		{"names come first", expr.Names{"#a": "a"}, values(":v"), "REMOVE a", nil, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"},
		{"used twice and unused once", nil, values(":v", ":w"), "SET a = :v", []string{"a = :v"}, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"},
		{
			"in the service's order", nil, values(":b", ":a", ":unused2", ":unused1", ":foo", ":bar"), "REMOVE a", nil,
			"Value provided in ExpressionAttributeValues unused in expressions: keys: {:bar, :a, :foo, :b, :unused1, :unused2}",
		},
		{
			"which the used ones affect", nil, values(":z", ":b", ":bs", ":l", ":m", ":n", ":N", ":mm", ":ss", ":v", ":big", ":ns"), "SET a = :v",
			[]string{"a <> :l"},
			"Value provided in ExpressionAttributeValues unused in expressions: keys: {:z, :b, :bs, :m, :N, :n, :mm, :ss, :big, :ns}",
		},
	} {
		t.Run(c.why, func(t *testing.T) {
			s := &expr.Scope{Names: c.names, Values: c.values}
			_, err := expr.ParseUpdate(c.update, s)
			require.NoError(t, err)
			for _, text := range c.conditions {
				_, err := expr.ParseCondition(expr.KindCondition, text, s)
				require.NoError(t, err)
			}
			check(t, s.CheckUsed(), c.fault)
		})
	}
}

func TestNames(t *testing.T) {
	names := expr.Names{"#p": "m", "#q": "x", "#dot": "a.b", "#r": "name", "#same": "m", "#i": "0"}
	it := stored.With("a.b", num("3")).With("name", str("ann"))
	for text, want := range map[string]string{
		"#p.#q = :n":                         "true",
		"#p.x = :n":                          "true",
		"m.#q = :n":                          "true",
		"#dot = :three":                      "true", // a name, not a path
		"#r = :v":                            "false",
		"attribute_exists(#r)":               "true",
		"#p = #same":                         "Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [m]",
		"m.l[0] = #p.l[0]":                   "Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [m, l, [0]]",
		"#p.#i = :n":                         "false",
		"#p.#undefined = :n":                 "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; attribute name: #undefined",
		"#undefined = :undefined":            "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; attribute name: #undefined",
		":undefined = #undefined":            "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :undefined",
		"contains(#p.#q, #p.#q)":             "Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [m, x]",
		"a BETWEEN #p.#q AND #p.#q":          "false",
		"#p.#q BETWEEN #p.#q AND #p.#q":      "Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: BETWEEN, first operand: [m, x]",
		"n IN (#undefined, #undefinedtoo)":   "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; attribute name: #undefined",
		"#P = :n":                            "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; attribute name: #P",
		"attribute_type(#p, :TM)":            "true",
		"size(#p.l) = :one AND #p.l[0] = :p": "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :p",
	} {
		t.Run(text, func(t *testing.T) {
			c, err := expr.ParseCondition(expr.KindCondition, text, &expr.Scope{Names: names, Values: given})
			if err != nil {
				require.Equal(t, want, err.Error())
				return
			}
			require.Equal(t, want, fmt.Sprint(c.Eval(it)))
		})
	}
}

// TestWording checks the texts that depend on the request.
func TestWording(t *testing.T) {
	long := strings.Repeat("a", 4097)
	const size = "Expression size has exceeded the maximum allowed size;"
	for _, c := range []struct {
		wording expr.Wording
		kind    expr.Kind
		text    string
		fault   string
	}{
		{expr.WordingScan, expr.KindFilter, long, "Invalid FilterExpression: " + size + " expression size: 4097"},
		{expr.WordingScan, expr.KindCondition, long, "Invalid ConditionExpression: " + size + " expression size: 4097"},
		{expr.WordingScan, expr.KindUpdate, long, "Invalid UpdateExpression: " + size},
		{expr.WordingScan, expr.KindProjection, long, "Invalid ProjectionExpression: " + size},
		{expr.WordingRead, expr.KindKeyCondition, long, "Invalid KeyConditionExpression: " + size},
		{expr.WordingRead, expr.KindFilter, long, "Invalid FilterExpression: " + size},
		{expr.WordingWrite, expr.KindCondition, long, "Invalid ConditionExpression: " + size},
		{expr.WordingRead, expr.KindFilter, "attribute_type(a, :v)", "Invalid FilterExpression: Invalid attribute type name found; type: x, valid types: {N,BS,L,B,NULL,M,S,SS,NS,BOOL}"},
		{expr.WordingWrite, expr.KindCondition, "attribute_type(a, :v)", "Invalid ConditionExpression: Invalid attribute type name found; type: x, valid types: {S,SS,N,NS,B,BS,BOOL,NULL,L,M}"},
	} {
		check(t, read(c.kind, c.text, &expr.Scope{Values: given, Wording: c.wording}), c.fault)
	}
}

// read reads an expression of any kind and returns its fault.
func read(kind expr.Kind, text string, s *expr.Scope) error {
	var err error
	switch kind {
	case expr.KindUpdate:
		_, err = expr.ParseUpdate(text, s)
	case expr.KindProjection:
		_, err = expr.ParseProjection(text, s)
	case expr.KindKeyCondition:
		var k *expr.KeyCondition
		if k, err = expr.ParseKeyCondition(text, s); err == nil {
			err = k.Check()
		}
	default:
		_, err = expr.ParseCondition(kind, text, s)
	}
	return err
}
