package partiql

import (
	"strings"
	"unicode/utf8"
)

// tokenKind is what a token is.
type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokWord
	tokQuoted // a name in double quotes
	tokString
	tokNumber
	tokIon
	tokSymbol
	tokBad
)

type token struct {
	kind tokenKind
	text string // of a word as it was written, of a string unquoted
	pos  Pos
}

// is reports whether t is the keyword, given in upper case.
func (t token) is(keyword string) bool {
	return t.kind == tokWord && strings.EqualFold(t.text, keyword)
}

func (t token) symbol(s string) bool { return t.kind == tokSymbol && t.text == s }

// keywords can't be names, unless in quotes.
var keywords = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`ABSOLUTE ACTION ADD ALL ALLOCATE ALTER AND ANY ARE AS ASC ASSERTION AT
		AUTHORIZATION AVG BAG BEGIN BETWEEN BIT BLOB BOOL BOOLEAN BY CASCADE CASCADED CASE CAST CATALOG CHAR
		CHARACTER CHECK CLOB CLOSE COALESCE COLLATE COLLATION COLUMN COMMIT CONFLICT CONNECT CONNECTION
		CONSTRAINT CONSTRAINTS CONTINUE CONVERT CORRESPONDING COUNT CREATE CROSS CURRENT CURSOR DATE
		DEALLOCATE DEC DECIMAL DECLARE DEFAULT DEFERRABLE DEFERRED DELETE DESC DESCRIBE DESCRIPTOR
		DIAGNOSTICS DISCONNECT DISTINCT DO DOMAIN DOUBLE DROP ELSE END ESCAPE EXCEPT EXCEPTION EXEC EXECUTE
		EXISTS EXTERNAL EXTRACT FALSE FETCH FIRST FLOAT FOR FOREIGN FOUND FROM FULL GET GLOBAL GO GOTO GRANT
		GROUP HAVING IDENTITY IMMEDIATE IN INDEX INDICATOR INITIALLY INNER INPUT INSENSITIVE INSERT INT
		INTEGER INTERSECT INTERVAL INTO IS ISOLATION JOIN KEY LANGUAGE LAST LEFT LET LEVEL LIKE LIMIT LIST
		LOCAL LOWER MATCH MAX MIN MISSING MODIFIED MODULE NAMES NATIONAL NATURAL NCHAR NEW NEXT NO NOT
		NOTHING NULL NULLIF NUMERIC OF OLD ON ONLY OPEN OPTION OR ORDER OUTER OUTPUT OVERLAPS PAD PARTIAL
		PIVOT POSITION PRECISION PREPARE PRESERVE PRIMARY PRIOR PRIVILEGES PROCEDURE PUBLIC READ REAL
		REFERENCES RELATIVE REMOVE RESTRICT RETURNING REVOKE RIGHT ROLLBACK ROWS SCHEMA SCROLL SECTION
		SELECT SESSION SET SEXP SIZE SMALLINT SOME SPACE SQL SQLCODE SQLERROR SQLSTATE STRING STRUCT
		SUBSTRING SUM SYMBOL TABLE TEMPORARY THEN TIME TIMESTAMP TO TRANSACTION TRANSLATE TRANSLATION TRIM
		TRUE TUPLE UNION UNIQUE UNKNOWN UNPIVOT UPDATE UPPER USAGE USER USING VALUE VALUES VARCHAR VARYING
		VIEW WHEN WHENEVER WHERE WITH WORK WRITE ZONE`) {
		m[w] = true
	}
	return m
}()

// isName reports whether t may name an attribute or table.
func (t token) isName() bool {
	return t.kind == tokQuoted || t.kind == tokWord && !keywords[strings.ToUpper(t.text)]
}

// lexer takes a statement apart.
type lexer struct {
	text         string
	pos          int
	line, column int // of pos, from one
}

// advance moves over n bytes.
func (l *lexer) advance(n int) {
	for _, r := range l.text[l.pos : l.pos+n] {
		if r == '\n' {
			l.line++
			l.column = 1
		} else {
			l.column++
		}
	}
	l.pos += n
}

// space passes over white space and comments. It reports false if a comment
// does not end.
func (l *lexer) space() bool {
	for l.pos < len(l.text) {
		rest := l.text[l.pos:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			l.advance(1)
		case strings.HasPrefix(rest, "--"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			l.advance(n)
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				return false
			}
			l.advance(n + 4)
		default:
			return true
		}
	}
	return true
}

var symbols = []string{
	"<<", ">>", "<>", "<=", ">=", "!=", "||", "(", ")", "[", "]", "{", "}", ",", ".", ":", ";",
	"=", "<", ">", "+", "-", "*", "/", "%", "?", "@",
}

func (l *lexer) next() token {
	if !l.space() {
		return token{kind: tokBad}
	}
	t := token{pos: Pos{Line: l.line, Column: l.column}}
	if l.pos == len(l.text) {
		return t
	}
	rest := l.text[l.pos:]
	n := 0
	switch c := rest[0]; {
	case c == '\'' || c == '"' || c == '`':
		t.kind = map[byte]tokenKind{'\'': tokString, '"': tokQuoted, '`': tokIon}[c]
		t.text, n = quoted(rest)
		if n == 0 {
			t.kind = tokBad
			return t
		}
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		n = number(rest)
		if n == 0 {
			t.kind = tokBad
			return t
		}
		t.kind, t.text = tokNumber, rest[:n]
	case isLetter(c):
		for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n])) {
			n++
		}
		t.kind, t.text = tokWord, rest[:n]
	default:
		t.kind = tokBad
		for _, s := range symbols {
			if strings.HasPrefix(rest, s) {
				t.kind, t.text, n = tokSymbol, s, len(s)
				break
			}
		}
		if t.kind == tokBad {
			return t
		}
	}
	t.pos.Length = utf8.RuneCountInString(rest[:n])
	l.advance(n)
	return t
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$'
}

// quoted returns what stands in the quotes that s begins with, doubled ones
// being one, and the length of it all, or 0 if they are not closed.
func quoted(s string) (text string, n int) {
	q := s[:1]
	for i := 1; i < len(s); i++ {
		if s[i] != q[0] {
			continue
		}
		if i+1 < len(s) && s[i+1] == q[0] {
			i++
			continue
		}
		return strings.ReplaceAll(s[1:i], q+q, q), i + 1
	}
	return "", 0
}

// number returns the length of the number that s begins with, or 0 if letters
// follow it or its exponent is missing.
func number(s string) int {
	n := 0
	digits := func() bool {
		from := n
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		return n > from
	}
	digits()
	if n < len(s) && s[n] == '.' {
		n++
		digits()
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		n++
		if n < len(s) && (s[n] == '+' || s[n] == '-') {
			n++
		}
		if !digits() {
			return 0
		}
	}
	if n < len(s) && isLetter(s[n]) {
		return 0
	}
	return n
}
