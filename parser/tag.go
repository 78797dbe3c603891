package parser

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dynorm/dynorm/internal/suggest"
)

// The tag keys the parser reads.
const (
	tagKey   = "dynorm"
	relKey   = "rel"
	pkKey    = "pk"
	skKey    = "sk"
	whenKey  = "when"
	avTagKey = "dynamodbav"
)

// ownKeys are the keys whose tags must be well formed.
var ownKeys = []string{tagKey, relKey, pkKey, skKey, whenKey}

// tagSet is the tags of one field by key, as far as the parser reads them.
type tagSet map[string]string

// readTags takes a struct tag apart by the convention of reflect.StructTag,
// which drops what it cannot read: here that is a problem when it is ours.
func readTags(tag reflect.StructTag) (tagSet, []*problem) {
	set := tagSet{}
	var problems []*problem
	rest := string(tag)
	for rest = strings.TrimLeft(rest, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		key, after, ok := strings.Cut(rest, ":")
		quoted, err := strconv.QuotedPrefix(after)
		if !ok || err != nil || after[0] != '"' || strings.ContainsAny(key, " \"") {
			break
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			break
		}
		rest = after[len(quoted):]
		_, twice := set[key]
		switch {
		case !slices.Contains(ownKeys, key) && key != avTagKey:
			if n := len(key) - len(tagKey); -1 <= n && n <= 1 && suggest.Distance(key, tagKey) == 1 {
				problems = append(problems, wrong("unknown tag key %q", key).but("did you mean %q?", tagKey))
			}
		case !utf8.ValidString(value):
			problems = append(problems, wrong("the tag %q is not valid UTF-8", key))
		case twice:
			problems = append(problems, wrong("the tag key %q stands twice", key))
		default:
			set[key] = value
		}
	}
	for _, key := range ownKeys {
		if strings.Contains(rest, key+":") {
			problems = append(problems, wrong("malformed struct tag %s", strings.TrimSpace(rest)).
				but(`write it as key:"value"`))
			break
		}
	}
	return set, problems
}

// show renders one tag as it is written in Go, nothing when it is absent.
func (s tagSet) show(key string) string {
	value, ok := s[key]
	if !ok {
		return ""
	}
	return "`" + key + ":" + strconv.Quote(value) + "`"
}

// option is one element of a tag behind the name.
type option struct {
	name  string
	value string
	// valued tells `ttl=` from `ttl`.
	valued bool
}

// splitTag takes a tag apart: the name up to the first comma, then options. A
// value in single quotes may hold commas; two single quotes are one.
func splitTag(tag string) (name string, options []option, problems []*problem) {
	name, rest, more := strings.Cut(tag, ",")
	for more {
		var o option
		end := strings.IndexAny(rest, ",=")
		if end < 0 {
			o.name, rest, more = rest, "", false
		} else {
			valued := rest[end] == '='
			o.name, rest = rest[:end], rest[end+1:]
			if valued {
				var p *problem
				o.valued = true
				o.value, rest, more, p = cutValue(rest)
				if p != nil {
					problems = append(problems, p)
				}
			}
		}
		switch {
		case o.name == "":
			problems = append(problems, wrong("empty option").but("remove the comma"))
		case slices.ContainsFunc(options, func(b option) bool { return b.name == o.name }):
			problems = append(problems, wrong("option %q stands twice", o.name))
		default:
			options = append(options, o)
		}
	}
	return name, options, problems
}

// cutValue takes the value of an option off the text behind its equals sign;
// more says whether another option follows.
func cutValue(s string) (value, rest string, more bool, p *problem) {
	if !strings.HasPrefix(s, "'") {
		value, rest, more = strings.Cut(s, ",")
		return value, rest, more, nil
	}
	value, rest, ok := unquote(s)
	if !ok {
		return s, "", false, wrong("the quote %s is not closed", s)
	}
	if rest == "" {
		return value, "", false, nil
	}
	if rest[0] != ',' {
		junk, rest, more := strings.Cut(rest, ",")
		return value, rest, more, wrong("%q stands behind a closed quote", junk)
	}
	return value, rest[1:], true, nil
}

// unquote takes a single-quoted text off the front of s.
func unquote(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for s = s[1:]; ; {
		before, after, found := strings.Cut(s, "'")
		b.WriteString(before)
		if !found {
			return "", "", false
		}
		if !strings.HasPrefix(after, "'") {
			return b.String(), after, true
		}
		b.WriteByte('\'')
		s = after[1:]
	}
}

// argument says whether an option takes a value.
type argument int

const (
	none argument = iota
	needed
	optional
)

// rule is what one option means for a T: on for one without a value, else set.
type rule[T any] struct {
	name string
	arg  argument
	set  func(t *T, value string) *problem
	on   func(t *T)
}

// applyOptions sets on t what the options say.
func applyOptions[T any](t *T, options []option, rules []rule[T], report func(*problem)) {
	for _, o := range options {
		var r *rule[T]
		for i := range rules {
			if rules[i].name == o.name {
				r = &rules[i]
			}
		}
		if r == nil {
			report(wrong("unknown option %q", o.name).near(o.name, ruleNames(rules)))
			continue
		}
		p := o.misuse(r.arg)
		switch {
		case p != nil:
		case r.on != nil:
			r.on(t)
		default:
			p = r.set(t, o.value)
		}
		report(p)
	}
}

// misuse says what is wrong with the value of an option, or with there being
// none.
func (o *option) misuse(arg argument) *problem {
	switch {
	case arg == none && o.valued:
		return wrong("option %q takes no value", o.name).but("write %s", o.name)
	case arg == needed && o.value == "":
		return wrong("option %q needs a value", o.name)
	case o.valued && o.value == "":
		return wrong("option %q has an empty value", o.name)
	}
	return nil
}

func ruleNames[T any](rules []rule[T]) []string {
	names := make([]string, len(rules))
	for i, r := range rules {
		names[i] = r.name
	}
	return names
}
