package expr

import (
	"strings"
	"unicode/utf8"
)

// tokenKind is the kind of a token. Punctuation and keywords are kinds of
// their own.
type tokenKind uint8

const (
	tokEOF    tokenKind = iota
	tokBad              // a character that begins no token
	tokIdent            // a name as it stands
	tokName             // #name
	tokValue            // :value
	tokNumber           // a list index
	tokEQ
	tokNE
	tokLT
	tokLE
	tokGT
	tokGE
	tokOpen
	tokClose
	tokOpenIndex
	tokCloseIndex
	tokComma
	tokDot
	tokPlus
	tokMinus
	tokAnd
	tokOr
	tokNot
	tokBetween
	tokIn
	tokSet
	tokAdd
	tokRemove
	tokDelete
)

// token is a token and where it stands in the text.
type token struct {
	kind       tokenKind
	start, end int
}

// lexer cuts a text into tokens. Between tokens there may be spaces, tabs,
// carriage returns and newlines, and no other blanks.
type lexer struct {
	text string
	pos  int
}

func (l *lexer) next() token {
	for l.pos < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.pos]) >= 0 {
		l.pos++
	}
	start := l.pos
	if start == len(l.text) {
		return token{tokEOF, start, start}
	}
	kind := l.scan()
	return token{kind, start, l.pos}
}

// scan moves past the token at pos and returns its kind.
func (l *lexer) scan() tokenKind {
	c := l.text[l.pos]
	switch {
	case isLetter(c):
		start := l.pos
		l.skipWord()
		return keyword(l.text[start:l.pos])
	case c == '0':
		l.pos++
		return tokNumber
	case isDigit(c):
		for l.pos < len(l.text) && isDigit(l.text[l.pos]) {
			l.pos++
		}
		return tokNumber
	case c == '#' || c == ':':
		l.pos++
		if before := l.pos; l.skipWord() == before {
			return tokBad
		}
		if c == '#' {
			return tokName
		}
		return tokValue
	}
	return l.punctuation(c)
}

func (l *lexer) punctuation(c byte) tokenKind {
	followedBy := func(next byte) bool {
		if l.pos < len(l.text) && l.text[l.pos] == next {
			l.pos++
			return true
		}
		return false
	}
	l.pos++
	switch c {
	case '=':
		return tokEQ
	case '<':
		switch {
		case followedBy('>'):
			return tokNE
		case followedBy('='):
			return tokLE
		}
		return tokLT
	case '>':
		if followedBy('=') {
			return tokGE
		}
		return tokGT
	case '(':
		return tokOpen
	case ')':
		return tokClose
	case '[':
		return tokOpenIndex
	case ']':
		return tokCloseIndex
	case ',':
		return tokComma
	case '.':
		return tokDot
	case '+':
		return tokPlus
	case '-':
		return tokMinus
	}
	_, size := utf8.DecodeRuneInString(l.text[l.pos-1:])
	l.pos += size - 1
	return tokBad
}

func (l *lexer) skipWord() int {
	for l.pos < len(l.text) && isWord(l.text[l.pos]) {
		l.pos++
	}
	return l.pos
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isWord(c byte) bool   { return isLetter(c) || isDigit(c) || c == '_' }

var keywords = map[string]tokenKind{
	"AND": tokAnd, "OR": tokOr, "NOT": tokNot, "BETWEEN": tokBetween, "IN": tokIn,
	"SET": tokSet, "ADD": tokAdd, "REMOVE": tokRemove, "DELETE": tokDelete,
}

// keyword returns the kind of a word: a keyword in any letter case, or an
// identifier.
func keyword(word string) tokenKind {
	if len(word) > len("BETWEEN") {
		return tokIdent
	}
	var upper [len("BETWEEN")]byte
	for i := range len(word) {
		c := word[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	if kind, ok := keywords[string(upper[:len(word)])]; ok {
		return kind
	}
	return tokIdent
}
