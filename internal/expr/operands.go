package expr

import "strings"

// Operands calls fn for each placeholder that an expression compares an
// attribute with or sets it to, with the attribute's alias: ("#0", ":1") of
// "#0 = :1", of "#0 BETWEEN :1 AND :2" (and ":2"), of "begins_with(#0, :1)" and of
// "SET #0 = if_not_exists(#0, :1)". Parts of an attribute, as "#0.#1", are not
// among them.
func Operands(text string, fn func(alias, placeholder string)) {
	var (
		alias   string // the attribute that an operand may follow
		ready   bool   // an operator came after it
		between bool
		list    bool // of IN
	)
	reset := func() { alias, ready, between, list = "", false, false, false }
	for text != "" {
		switch c := text[0]; {
		case c == '#':
			n := 1 + word(text[1:])
			reset()
			if rest := text[n:]; !strings.HasPrefix(rest, ".") && !strings.HasPrefix(rest, "[") {
				alias, text = text[:n], rest
				continue
			}
			// The names of a path are no attributes.
			for n < len(text) && strings.IndexByte("#.[]", text[n]) >= 0 {
				n += 1 + word(text[n+1:])
			}
			text = text[n:]
		case c == ':':
			n := 1 + word(text[1:])
			if alias != "" && ready {
				fn(alias, text[:n])
			}
			if ready = list; !between && !list {
				reset()
			}
			text = text[n:]
		case c == '=' || c == '<' || c == '>' || c == ',':
			ready, text = alias != "", text[1:]
		case c == ' ':
			text = text[1:]
		case c == '(':
			if !list {
				reset()
			}
			text = text[1:]
		case letter(c):
			n := 1
			for n < len(text) && letter(text[n]) {
				n++
			}
			switch operator := text[:n]; {
			case operator == "BETWEEN" && alias != "":
				ready, between = true, true
			case operator == "AND" && between:
				ready, between = true, false
			case operator == "IN" && alias != "":
				ready, list = true, true
			default:
				reset()
			}
			text = text[n:]
		default:
			reset()
			text = text[1:]
		}
	}
}

// word returns the length of the word that a text begins with.
func word(s string) int {
	n := 0
	for n < len(s) && (letter(s[n]) || s[n] >= '0' && s[n] <= '9') {
		n++
	}
	return n
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
