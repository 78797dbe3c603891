package keytmpl_test

import (
	"cmp"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

var semverValue = rapid.Custom(func(t *rapid.T) keytmpl.Part {
	number := rapid.OneOf(
		rapid.SampledFrom([]string{"0", "1", "2", "9", "10", "11", "99", "100", "20230102150405", "99999999999999999999999999"}),
		rapid.StringMatching(`[1-9][0-9]{0,25}`),
	)
	identifier := rapid.OneOf(number, rapid.SampledFrom([]string{"alpha", "beta", "rc", "rc1", "rc-1", "-", "0a", "A", "x-y"}), rapid.StringMatching(`[0-9A-Za-z-]*[A-Za-z-][0-9A-Za-z-]*`))
	var b strings.Builder
	if rapid.IntRange(0, 4).Draw(t, "v") == 0 {
		b.WriteString("v")
	}
	b.WriteString(strings.Join(rapid.SliceOfN(number, 3, 3).Draw(t, "core"), "."))
	if rapid.Bool().Draw(t, "pre") {
		b.WriteString("-" + strings.Join(rapid.SliceOfN(identifier, 1, 3).Draw(t, "identifiers"), "."))
	}
	if rapid.IntRange(0, 3).Draw(t, "build") == 0 {
		b.WriteString("+" + strings.Join(rapid.SliceOfN(rapid.StringMatching(`[0-9A-Za-z-]{1,3}`), 1, 3).Draw(t, "metadata"), "."))
	}
	return keytmpl.Text(b.String())
})

// compareSemver follows section 11 of SemVer 2.0.0, by splitting.
func compareSemver(a, b keytmpl.Part) int {
	coreA, preA, buildA, vA := splitSemver(a.Text())
	coreB, preB, buildB, vB := splitSemver(b.Text())
	for i := range coreA {
		if c := compareNumbers(coreA[i], coreB[i]); c != 0 {
			return c
		}
	}
	switch {
	case preA == "" && preB != "":
		return 1
	case preA != "" && preB == "":
		return -1
	}
	numeric := regexp.MustCompile(`^[0-9]+$`)
	if c := slices.CompareFunc(strings.Split(preA, "."), strings.Split(preB, "."), func(x, y string) int {
		switch nx, ny := numeric.MatchString(x), numeric.MatchString(y); {
		case nx && ny:
			return compareNumbers(x, y)
		case nx:
			return -1
		case ny:
			return 1
		}
		return strings.Compare(x, y)
	}); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(buildA, buildB), cmp.Compare(vA, vB))
}

func splitSemver(s string) (core []string, pre, build string, v int) {
	if strings.HasPrefix(s, "v") {
		v, s = 1, s[1:]
	}
	s, build, _ = strings.Cut(s, "+")
	s, pre, _ = strings.Cut(s, "-")
	return strings.Split(s, "."), pre, build, v
}

func compareNumbers(x, y string) int {
	a, _ := new(big.Int).SetString(x, 10)
	b, _ := new(big.Int).SetString(y, 10)
	return a.Cmp(b)
}

func TestSemverPrecedence(t *testing.T) {
	// The examples of the specification, then what this encoding adds.
	ascending := []string{
		"0.0.0-0", "0.0.0", "0.0.1", "0.9.0", "0.10.0",
		"1.0.0-1", "1.0.0-1.0", "1.0.0-2", "1.0.0-10", "1.0.0-20230102150405", "1.0.0--", "1.0.0-0a",
		"1.0.0-alpha", "v1.0.0-alpha", "1.0.0-alpha+b", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-alpha-x", "1.0.0-alpha1",
		"1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
		"1.0.0", "v1.0.0", "1.0.0+a", "v1.0.0+a", "1.0.0+a-b", "1.0.0+a.b", "1.0.0+a0", "1.0.1", "2.0.0", "2.1.0", "2.1.1", "10.0.0",
		"99999999999999999999999999.0.0",
	}
	k := bind(t, keytmpl.Sort, "{v|semver}#{id}", text, text)
	keys := make([]string, len(ascending))
	for i, v := range ascending {
		keys[i] = build(t, k, keytmpl.Text(v), keytmpl.Text("x"))
		if i > 0 {
			require.Less(t, keys[i-1], keys[i], "%s and %s", ascending[i-1], v)
			require.Equal(t, -1, compareSemver(keytmpl.Text(ascending[i-1]), keytmpl.Text(v)), "%s and %s", ascending[i-1], v)
		}
	}
}

func TestSemverFaults(t *testing.T) {
	k := bind(t, keytmpl.Sort, "{v|semver}", text)
	// The specification's own pattern says what a version is.
	pattern := regexp.MustCompile(`^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$`)
	for _, s := range []string{
		"1", "1.2", "1.2.3.4", "1.2.3-", "1.2.3+", "1.2.3-+b", "01.2.3", "1.02.3", "1.2.03", "1.2.3-01", "1.2.3-a..b", "1.2.3-a.",
		"1.2.3+a..b", "1.2.3+a+b", "1.2.3-ä", "V1.2.3", "vv1.2.3", "v", "-1.2.3", " 1.2.3", "1.2.3 ", "1.2.x", "a.b.c", "1..3", ".2.3",
		"1.2.3#", "1.2.3-a!b", "1.2.3-a,b",
	} {
		require.False(t, pattern.MatchString(s), s)
		_, err := k.Append(nil, []keytmpl.Part{keytmpl.Text(s)})
		require.Error(t, err, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`v?[0-9a]{1,2}(\.[0-9]{1,2}){2,3}(-[0-9a.-]{0,4})?(\+[0-9a.-]{0,4})?`).Draw(t, "version")
		_, err := k.Append(nil, []keytmpl.Part{keytmpl.Text(s)})
		if pattern.MatchString(s) != (err == nil) {
			t.Fatalf("%q: %v", s, err)
		}
	})
	_, err := k.Append(nil, []keytmpl.Part{keytmpl.Text("100000000000000000000000000.0.0")})
	require.Error(t, err, "27 digits have no letter to count them")
}
