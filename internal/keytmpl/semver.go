package keytmpl

import "strings"

// The text of a version. Each number is its count of digits as a letter ('a'
// for one) and its digits, so that longer numbers sort after shorter ones:
//
//	1.22.3             a1.b22.a3r
//	1.0.0-alpha        a1.a0.a0,alpha!r
//	1.0.0-rc.1         a1.a0.a0,rc*a1!r
//	v1.0.0+build.5     a1.a0.a0wbuild.5!v
//
// A pre-release identifier is introduced by '*' when numeric and by ',' when
// not, and the last one is closed by '!'. Then comes 'r' for a plain version,
// 'v' for one that began with "v", after 'w', the build metadata and '!' if
// there is any. In ASCII, '!' < '*' < ',' < '-' < digits < letters, which is
// just the order of SemVer 2.0.0: shorter below longer, numeric identifiers
// below others, a pre-release below its release. No text of a version begins
// the text of another.
const (
	semverNumeric = '*'
	semverText    = ','
	semverEnd     = '!'
	semverBuild   = 'w'
	semverPlain   = 'r'
	semverV       = 'v'

	// semverPunct are the characters whose order the text of a version relies
	// on: none of them can be escaped.
	semverPunct = ".!*,-"

	// semverDigits is the most digits a number can have: a letter counts them.
	semverDigits = 26
)

// appendSemver appends the text of a version, or reports that s is none.
func appendSemver(dst []byte, s string) ([]byte, bool) {
	last := byte(semverPlain)
	if strings.HasPrefix(s, "v") {
		last = semverV
		s = s[1:]
	}
	s, build, built := strings.Cut(s, "+")
	core, pre, prerelease := strings.Cut(s, "-")

	major, rest, _ := strings.Cut(core, ".")
	minor, patch, _ := strings.Cut(rest, ".")
	for i, n := range [3]string{major, minor, patch} {
		if i > 0 {
			dst = append(dst, '.')
		}
		if !isSemverNumber(n) {
			return dst, false
		}
		dst = appendCounted(dst, n)
	}
	if prerelease {
		for more := true; more; {
			var ident string
			ident, pre, more = strings.Cut(pre, ".")
			switch {
			case !isIdentifier(ident):
				return dst, false
			case !isNumeric(ident):
				dst = append(append(dst, semverText), ident...)
			case isSemverNumber(ident):
				dst = appendCounted(append(dst, semverNumeric), ident)
			default:
				return dst, false
			}
		}
		dst = append(dst, semverEnd)
	}
	if built {
		dst = append(append(dst, semverBuild), build...)
		for more := true; more; {
			var ident string
			if ident, build, more = strings.Cut(build, "."); !isIdentifier(ident) {
				return dst, false
			}
		}
		dst = append(dst, semverEnd)
	}
	return append(dst, last), true
}

// parseSemver reads what appendSemver wrote. The caller makes sure of the
// details by writing the version again.
func parseSemver(s string) (string, bool) {
	out := make([]byte, 0, len(s))
	if strings.HasSuffix(s, string(semverV)) {
		out = append(out, 'v')
	}
	for i := range 3 {
		if i > 0 {
			if !strings.HasPrefix(s, ".") {
				return "", false
			}
			out, s = append(out, '.'), s[1:]
		}
		n, rest, ok := cutCounted(s)
		if !ok {
			return "", false
		}
		out, s = append(out, n...), rest
	}
	for separator := byte('-'); s != "" && (s[0] == semverNumeric || s[0] == semverText); separator = '.' {
		var ident string
		ok := true
		if s[0] == semverNumeric {
			ident, s, ok = cutCounted(s[1:])
		} else if end := strings.IndexAny(s[1:], "*,!"); end >= 0 {
			ident, s = s[1:1+end], s[1+end:]
		} else {
			ok = false
		}
		if !ok {
			return "", false
		}
		out = append(append(out, separator), ident...)
		if strings.HasPrefix(s, string(semverEnd)) {
			s = s[1:]
			break
		}
	}
	if strings.HasPrefix(s, string(semverBuild)) {
		build, rest, ok := strings.Cut(s[1:], string(semverEnd))
		if !ok {
			return "", false
		}
		out, s = append(append(out, '+'), build...), rest
	}
	return string(out), len(s) == 1
}

func appendCounted(dst []byte, digits string) []byte {
	return append(append(dst, 'a'+byte(len(digits)-1)), digits...)
}

func cutCounted(s string) (digits, rest string, ok bool) {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return "", "", false
	}
	end := int(s[0]-'a') + 2
	if end > len(s) {
		return "", "", false
	}
	return s[1:end], s[end:], true
}

func isSemverNumber(s string) bool {
	return isNumeric(s) && len(s) <= semverDigits && (s[0] != '0' || s == "0")
}

func isNumeric(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && !isLetter(c) && c != '-' {
			return false
		}
	}
	return s != ""
}
