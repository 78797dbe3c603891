package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// Wildcards stand in an expected answer for values that no two engines, or no
// two runs, can share.
var wildcards = map[string]func(any) bool{
	"<any>":     func(any) bool { return true },
	"<date>":    func(v any) bool { n, ok := v.(json.Number); return ok && len(n) >= 10 },
	"<uuid>":    matchString(`^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`),
	"<string>":  func(v any) bool { s, ok := v.(string); return ok && s != "" },
	"<number>":  func(v any) bool { _, ok := v.(json.Number); return ok },
	"<boolean>": func(v any) bool { _, ok := v.(bool); return ok },
}

func matchString(pattern string) func(any) bool {
	re := regexp.MustCompile(pattern)
	return func(v any) bool { s, ok := v.(string); return ok && re.MatchString(s) }
}

// unordered, as the first element of an expected array, says that the order
// of the rest does not count.
const unordered = "<unordered>"

// anythingMore, as a member of an expected object, says that it may have
// members that are not named.
const anythingMore = "<more>"

// Match returns what is wrong with got, or "" if it answers want. Numbers are
// equal by value, the elements of SS, NS and BS sets are in no order, a
// string that is a wildcard (<any>, <date>, <uuid>, <string>, <number>,
// <boolean>) matches its kind, a string that contains <arn> matches any
// account and region there, an array that begins with <unordered> matches in
// any order, and an object with a member <more> may have members that are not
// named. Everything else must be equal, extra members included.
func Match(want, got any) string { return match("", want, got) }

func match(path string, want, got any) string {
	if s, ok := want.(string); ok {
		if f, ok := wildcards[s]; ok {
			if f(got) {
				return ""
			}
			return fmt.Sprintf("%s: got %s, want %s", where(path), show(got), s)
		}
	}
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		return matchObject(path, w, g)
	case []any:
		g, ok := got.([]any)
		if !ok {
			break
		}
		if len(w) > 0 && w[0] == unordered || isSetPath(path) {
			return matchBag(path, w, g)
		}
		if len(w) != len(g) {
			return fmt.Sprintf("%s: got %d elements %s, want %d", where(path), len(g), show(got), len(w))
		}
		for i := range w {
			if d := match(fmt.Sprintf("%s[%d]", path, i), w[i], g[i]); d != "" {
				return d
			}
		}
		return ""
	case json.Number:
		if g, ok := got.(json.Number); ok && sameNumber(w, g) {
			return ""
		}
	case string:
		if g, ok := got.(string); ok && (g == w || strings.Contains(w, "<arn>") && matchARN(w, g)) {
			return ""
		}
	default:
		if want == got {
			return ""
		}
	}
	return fmt.Sprintf("%s: got %s, want %s", where(path), show(got), show(want))
}

func matchObject(path string, want, got map[string]any) string {
	_, more := want[anythingMore]
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if k == anythingMore {
			continue
		}
		g, ok := got[k]
		if !ok {
			return fmt.Sprintf("%s: no member %s, want %s", where(path), k, show(want[k]))
		}
		if d := match(path+"."+k, want[k], g); d != "" {
			return d
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[k]; !ok && !more {
			return fmt.Sprintf("%s: unexpected member %s = %s", where(path), k, show(got[k]))
		}
	}
	return ""
}

func matchBag(path string, want, got []any) string {
	if len(want) > 0 && want[0] == unordered {
		want = want[1:]
	}
	if len(want) != len(got) {
		return fmt.Sprintf("%s: got %d elements %s, want %d", where(path), len(got), show(got), len(want))
	}
	rest := slices.Clone(got)
next:
	for _, w := range want {
		for i, g := range rest {
			if match("", w, g) == "" {
				rest = slices.Delete(rest, i, i+1)
				continue next
			}
		}
		return fmt.Sprintf("%s: no element %s in %s", where(path), show(w), show(rest))
	}
	return ""
}

func isSetPath(path string) bool {
	return strings.HasSuffix(path, ".SS") || strings.HasSuffix(path, ".NS") || strings.HasSuffix(path, ".BS")
}

// matchARN matches got against want, where <arn> stands for the part of an
// ARN up to its resource: arn:aws:dynamodb:region:account.
func matchARN(want, got string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "<arn>", `arn:aws:dynamodb:[a-z0-9-]+:[0-9]{12}`)
	ok, err := regexp.MatchString("^"+pattern+"$", got)
	return err == nil && ok
}

func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, ok := new(big.Rat).SetString(string(a))
	if !ok {
		return false
	}
	y, ok := new(big.Rat).SetString(string(b))
	return ok && x.Cmp(y) == 0
}

func where(path string) string {
	if path == "" {
		return "answer"
	}
	return strings.TrimPrefix(path, ".")
}

// show writes v as JSON, cut to what fits a line of test output.
func show(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	s := strings.TrimSpace(b.String())
	if len(s) > 300 {
		return s[:300] + "..."
	}
	return s
}
