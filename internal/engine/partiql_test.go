package engine_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/engine"
)

// selected is the answer to a SELECT of sort keys.
type selected struct {
	Items            []struct{ SK struct{ N string } }
	NextToken        string
	ConsumedCapacity struct{ CapacityUnits float64 }
}

func execute(t testing.TB, e *engine.Engine, request map[string]any) selected {
	t.Helper()
	body, err := json.Marshal(request)
	require.NoError(t, err)
	var s selected
	require.NoError(t, json.Unmarshal([]byte(do(t, e, "ExecuteStatement", string(body))), &s))
	return s
}

// fill puts n items into each partition of the letters.
func fill(t testing.TB, e *engine.Engine, partitions string, n int) {
	t.Helper()
	for _, p := range partitions {
		for i := range n {
			do(t, e, "PutItem", `{"TableName":"app","Item":{"pk":{"S":"%c"},"sk":{"N":"%d"},"g":{"S":"g%d"}}}`, p, i, i%3)
		}
	}
}

// TestStatementPages follows statements from page to page: whatever the size
// of a page, all of them together are the whole.
func TestStatementPages(t *testing.T) {
	e := newApp(t, engine.Config{})
	fill(t, e, "abc", 7)
	for text, want := range map[string]string{
		`SELECT sk FROM app WHERE pk = 'a'`:                                         "0 1 2 3 4 5 6",
		`SELECT sk FROM app WHERE pk = 'a' ORDER BY sk DESC`:                        "6 5 4 3 2 1 0",
		`SELECT sk FROM app WHERE pk = 'a' AND sk > 1 AND sk < 5`:                   "2 3 4",
		`SELECT sk FROM app WHERE pk IN ['c', 'none', 'a'] AND sk >= 5`:             "5 6 5 6",
		`SELECT sk FROM app WHERE pk IN ['c', 'a'] AND sk < 2 ORDER BY pk, sk DESC`: "1 0 1 0",
		`SELECT sk FROM app WHERE pk = 'a' AND g = 'g1'`:                            "1 4",
		`SELECT sk FROM "app"."lsi" WHERE pk = 'a'`:                                 "0 3 6 1 4 2 5",
		`SELECT sk FROM "app"."gsi" WHERE g = 'g2' AND pk = 'b' ORDER BY sk DESC`:   "5 2",
		`SELECT sk FROM app WHERE pk = 'b' AND sk = 3`:                              "3",
		`SELECT sk FROM app WHERE pk = 'b' AND sk > 3 AND sk < 3`:                   "",
	} {
		for limit := range 9 {
			request := map[string]any{"Statement": text}
			if limit > 0 {
				request["Limit"] = limit
			}
			var got []string
			for pages := 0; ; pages++ {
				require.Less(t, pages, 30, text)
				s := execute(t, e, request)
				if limit > 0 {
					require.LessOrEqual(t, len(s.Items), limit)
				}
				for _, it := range s.Items {
					got = append(got, it.SK.N)
				}
				if s.NextToken == "" {
					break
				}
				request["NextToken"] = s.NextToken
			}
			require.Equal(t, want, strings.Join(got, " "), "%s, %d a page", text, limit)
		}
	}
	count := 0
	request := map[string]any{"Statement": `SELECT sk FROM app`, "Limit": 4}
	for {
		s := execute(t, e, request)
		count += len(s.Items)
		if s.NextToken == "" {
			break
		}
		request["NextToken"] = s.NextToken
	}
	require.Equal(t, 21, count)
}

// TestStatementPartitions reads more partitions than a page goes through.
func TestStatementPartitions(t *testing.T) {
	e := newApp(t, engine.Config{})
	fill(t, e, "abcdefghijklmnopqrstuvwxy", 1)
	list := "'" + strings.Join(strings.Split("abcdefghijklmnopqrstuvwxy", ""), "','") + "'"
	request := map[string]any{"Statement": "SELECT sk FROM app WHERE pk IN [" + list + "]", "ReturnConsumedCapacity": "TOTAL"}
	var sizes []int
	for {
		s := execute(t, e, request)
		sizes = append(sizes, len(s.Items))
		require.InDelta(t, 0.5*float64(len(s.Items)), s.ConsumedCapacity.CapacityUnits, 0)
		if s.NextToken == "" {
			break
		}
		request["NextToken"] = s.NextToken
	}
	require.Equal(t, []int{10, 10, 5}, sizes)
}

// TestStatementReads holds a SELECT to the cost of the request that it stands
// for.
func TestStatementReads(t *testing.T) {
	e := newApp(t, engine.Config{})
	wide := strings.Repeat("x", 3000)
	for i := range 9 {
		do(t, e, "PutItem", `{"TableName":"app","Item":{"pk":{"S":"a"},"sk":{"N":"%d"},"g":{"S":"g"},"w":{"S":"%s"}}}`, i, wide)
	}
	const capacity = `,"ReturnConsumedCapacity":"INDEXES"`
	for text, request := range map[string]string{
		`SELECT * FROM app WHERE pk = 'a' AND sk = 1`:              `Query {"KeyConditionExpression":"pk = :a AND sk = :n","ExpressionAttributeValues":{":a":{"S":"a"},":n":{"N":"1"}}`,
		`SELECT sk FROM app WHERE pk = 'a' AND sk BETWEEN 2 AND 5`: `Query {"KeyConditionExpression":"pk = :a AND sk BETWEEN :n AND :m","ExpressionAttributeValues":{":a":{"S":"a"},":n":{"N":"2"},":m":{"N":"5"}}`,
		`SELECT sk FROM app WHERE pk = 'a' AND w = 'y'`:            `Query {"KeyConditionExpression":"pk = :a","FilterExpression":"w = :y","ExpressionAttributeValues":{":a":{"S":"a"},":y":{"S":"y"}}`,
		`SELECT sk FROM app WHERE w = 'y'`:                         `Scan {"FilterExpression":"w = :y","ExpressionAttributeValues":{":y":{"S":"y"}}`,
		`SELECT sk FROM "app"."gsi" WHERE g = 'g'`:                 `Query {"IndexName":"gsi","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"g"}}`,
		`SELECT w FROM "app"."lsi" WHERE pk = 'a' AND g = 'g'`:     `Query {"IndexName":"lsi","KeyConditionExpression":"pk = :a AND g = :g","ExpressionAttributeValues":{":a":{"S":"a"},":g":{"S":"g"}}`,
		`SELECT * FROM "app"."gsi"`:                                `Scan {"IndexName":"gsi"`,
	} {
		operation, body, _ := strings.Cut(request, " ")
		cost := func(answer string) string {
			_, c, ok := strings.Cut(answer, `"ConsumedCapacity":`)
			require.True(t, ok, answer)
			return c
		}
		want := cost(do(t, e, operation, body+`,"TableName":"app"`+capacity+`}`))
		statement, err := json.Marshal(text)
		require.NoError(t, err)
		require.Equal(t, want, cost(do(t, e, "ExecuteStatement", `{"Statement":`+string(statement)+capacity+`}`)), text)
	}
}

// TestStatementTokens gives tokens to statements that they are not for.
func TestStatementTokens(t *testing.T) {
	e := newApp(t, engine.Config{})
	fill(t, e, "ab", 3)
	first := execute(t, e, map[string]any{"Statement": "SELECT sk FROM app WHERE pk = ?", "Parameters": []any{map[string]string{"S": "a"}}, "Limit": 1})
	require.NotEmpty(t, first.NextToken)
	with := func(text, parameter, token string) string {
		return fails(t, e, "ExecuteStatement", fmt.Sprintf(`{"Statement":%q,"Parameters":[{"S":%q}],"NextToken":%q}`, text, parameter, token))
	}
	const other = "ValidationException: NextToken does not match request"
	require.Contains(t, with("SELECT sk FROM app WHERE pk = ?", "b", first.NextToken), other)
	require.Contains(t, with("SELECT pk FROM app WHERE pk = ?", "a", first.NextToken), other)
	require.Contains(t, with("SELECT sk FROM app", "a", first.NextToken), other)

	// Tokens made up for the statement: the fault is in the token, whatever it holds.
	raw, err := base64.StdEncoding.DecodeString(first.NextToken)
	require.NoError(t, err)
	for _, tail := range []string{"\x00{", "\x00{}", "\xff", "\x07", "\x00" + `{"pk":{"S":"b"},"sk":{"N":"1"}}`, "\x00" + `{"pk":{"S":"a"},"sk":{"S":"1"}}`, "\x00" + `{"pk":{"S":"a"}}`, "\x00[]"} {
		token := base64.StdEncoding.EncodeToString(append(raw[:16:16], tail...))
		require.Contains(t, with("SELECT sk FROM app WHERE pk = ?", "a", token), "ValidationException: ", "%q", tail)
	}
}

// TestStatementsAtOnce runs transactions of statements side by side: each of
// them happens whole.
func TestStatementsAtOnce(t *testing.T) {
	e := newApp(t, engine.Config{})
	fill(t, e, "ab", 1)
	do(t, e, "ExecuteStatement", `{"Statement":"UPDATE app SET n = 0 WHERE pk = 'a' AND sk = 0"}`)
	do(t, e, "ExecuteStatement", `{"Statement":"UPDATE app SET n = 100 WHERE pk = 'b' AND sk = 0"}`)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 25 {
				_, fault := e.Do("ExecuteTransaction", []byte(`{"TransactStatements":[
					{"Statement":"UPDATE app SET n = n + 1 WHERE pk = 'a' AND sk = 0"},
					{"Statement":"UPDATE app SET n = n - 1 WHERE pk = 'b' AND sk = 0 AND n > 0"}]}`))
				if fault != nil {
					t.Error(fault)
				}
			}
		})
	}
	group.Wait()
	require.JSONEq(t, `{"Responses":[{"Item":{"n":{"N":"100"}}},{"Item":{"n":{"N":"0"}}}]}`, do(t, e, "ExecuteTransaction",
		`{"TransactStatements":[{"Statement":"SELECT n FROM app WHERE pk = 'a' AND sk = 0"},{"Statement":"SELECT n FROM app WHERE pk = 'b' AND sk = 0"}]}`))
}

// TestStatementMishaps lets a statement meet a transaction.
func TestStatementMishaps(t *testing.T) {
	e := newApp(t, engine.Config{Mishaps: engine.Mishaps{Conflict: func(operation string) bool {
		return strings.Contains(operation, "Execute")
	}}})
	require.Contains(t, fails(t, e, "ExecuteStatement", `{"Statement":"INSERT INTO app VALUE {'pk': 'a', 'sk': 1}"}`), "TransactionConflictException")
	require.Contains(t, fails(t, e, "ExecuteTransaction", `{"TransactStatements":[{"Statement":"INSERT INTO app VALUE {'pk': 'a', 'sk': 1}"}]}`), "[TransactionConflict]")
	require.Contains(t, do(t, e, "BatchExecuteStatement", `{"Statements":[{"Statement":"INSERT INTO app VALUE {'pk': 'a', 'sk': 1}"}]}`), `"Code":"TransactionConflict"`)
}

// FuzzStatement runs any text as a statement: it is done or refused.
func FuzzStatement(f *testing.F) {
	for _, text := range []string{
		`SELECT * FROM app`, `SELECT sk FROM "app"."gsi" WHERE g = 'g0' AND sk > ? ORDER BY sk`, `SELECT m.x[0] FROM app WHERE pk IN ['a', ?] AND NOT sk = 1`,
		`INSERT INTO app VALUE {'pk': ?, 'sk': 1, 'x': [1, {'y': <<'a'>>}]}`, `UPDATE app SET x = set_add(x, <<1>>) REMOVE y.z WHERE pk = 'a' AND sk = 1 RETURNING MODIFIED NEW *`,
		`DELETE FROM app WHERE pk = 'a' AND sk = 1 AND size(x) < 3 RETURNING ALL OLD *`, `EXISTS(SELECT * FROM app WHERE pk = 'a' AND sk = 1 AND g IS MISSING)`,
	} {
		f.Add(text)
	}
	e := newApp(f, engine.Config{})
	fill(f, e, "ab", 3)
	f.Fuzz(func(t *testing.T, text string) {
		statement, err := json.Marshal(text)
		if err != nil {
			t.Skip()
		}
		one := `{"Statement":` + string(statement) + `,"Parameters":[{"S":"a"},{"N":"1"}]}`
		for operation, body := range map[string]string{
			"ExecuteStatement":      one[:len(one)-1] + `,"Limit":2}`,
			"BatchExecuteStatement": `{"Statements":[` + one + `]}`,
			"ExecuteTransaction":    `{"TransactStatements":[` + one + `]}`,
		} {
			answer, fault := e.Do(operation, []byte(body))
			if fault == nil && !json.Valid(answer) {
				t.Fatalf("%s %s: %s", operation, text, answer)
			}
			if fault != nil && (fault.Status >= 500 || !strings.Contains(fault.Type, "Exception")) {
				t.Fatalf("%s %s: %v", operation, text, fault)
			}
		}
	})
}
