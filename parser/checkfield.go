package parser

import (
	"encoding"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// options tells which options a field carries, by their names. Most fields have
// none.
func (f *Field) options() map[string]bool {
	has := map[string]bool{}
	for _, o := range []struct {
		name string
		on   bool
	}{
		{"primary", f.Primary},
		{ULID, f.Generator == ULID},
		{UUID, f.Generator == UUID},
		{"unique", f.Unique},
		{"index", f.Indexed},
		{"gsi", f.IndexSlot != 0},
		{"version", f.Version},
		{"created", f.Created},
		{"updated", f.Updated},
		{"deleted", f.Deleted},
		{"ttl", f.TTL},
		{"default", f.Default != nil},
		{"enum", f.Enum != nil},
		{"set", f.Set},
		{"omitempty", f.OmitEmpty},
		{"null", f.Null},
		{"unixtime", f.UnixTime && !f.TTL},
		{"unixmilli", f.UnixMilli},
		{"json", f.JSON},
		{"string", f.String},
		{"pad", f.Pad != 0},
		{"precision", f.Precision >= 0},
		{"encrypt", f.Encrypt},
		{"hidden", f.Hidden},
		{"readonly", f.ReadOnly},
		{"required", f.Required},
	} {
		if o.on {
			has[o.name] = true
		}
	}
	return has
}

// contradictions are the options that can't stand together, and why.
var contradictions = []struct {
	option string
	others []string
	why    string
}{
	{"primary", []string{"omitempty", "null"}, "a primary key is never absent"},
	{"primary", []string{"default"}, "items would share one key"},
	{"primary", []string{"unique", "index"}, "a primary key is unique and finds its item already"},
	{"primary", []string{"version", "updated", "deleted", "ttl"}, "a primary key never changes"},
	{"primary", []string{"set", "json"}, "a key is one value"},
	{ULID, []string{"default", "enum", "set", "json"}, "the value is generated"},
	{UUID, []string{"default", "enum", "set", "json"}, "the value is generated"},
	{"unique", []string{"set", "json"}, "a unique value is one value"},
	{"unique", []string{"version"}, "a version is not an identity"},
	{"index", []string{"set", "json"}, "an index key is one value"},
	{"encrypt", []string{"primary", "unique", "index"}, "the value would stand in a key in clear"},
	{
		"encrypt",
		[]string{"version", "created", "updated", "deleted", "ttl"},
		"the database or the library must be able to read it",
	},
	{
		"version",
		[]string{"created", "updated", "deleted", "ttl", "default", "enum", "omitempty", "null", "string", "json", "set", "readonly", "required"},
		"the library counts versions by itself",
	},
	{"created", []string{"updated", "deleted", "ttl"}, "they are different times"},
	{"updated", []string{"deleted", "ttl"}, "they are different times"},
	{"created", []string{"default", "enum", "json"}, "the library sets the time"},
	{"updated", []string{"default", "enum", "json", "readonly"}, "the library sets the time"},
	{"deleted", []string{"default", "enum", "json", "readonly", "required"}, "the library sets the time"},
	{
		"ttl",
		[]string{"unixmilli", "precision", "string", "json", "null", "default", "enum"},
		"DynamoDB reads a number of whole seconds",
	},
	{"set", []string{"null"}, "an empty set is absent"},
	{"set", []string{"json", "string", "unixtime", "unixmilli", "pad", "precision", "default", "enum"}, "a set has elements"},
	{"null", []string{"omitempty"}, "an absent value is either stored as NULL or left out"},
	{"null", []string{"required"}, "a required value is never absent"},
	{"unixtime", []string{"unixmilli"}, "a number is seconds or milliseconds"},
	{"unixtime", []string{"precision", "string"}, "the value is a whole number"},
	{"unixmilli", []string{"precision", "string"}, "the value is a whole number"},
	{"json", []string{"string", "unixtime", "unixmilli", "pad", "precision", "default", "enum"}, "the value is JSON text"},
}

// checkField checks a field by itself: that its options agree with each other
// and with its type. A field whose type could not be read is taken as fitting.
func checkField(f *Field) []*problem {
	var problems []*problem
	has := f.options()
	for _, c := range contradictions {
		if !has[c.option] {
			continue
		}
		for _, other := range c.others {
			if has[other] {
				problems = append(problems, wrong("%q and %q contradict each other: %s", c.option, other, c.why).but("keep one"))
			}
		}
	}
	if f.Type.Kind == "" || len(problems) > 0 {
		return problems
	}
	for _, c := range fieldChecks {
		if has[c.option] {
			if p := c.check(f); p != nil {
				problems = append(problems, p)
			}
		}
	}
	return problems
}

// fieldChecks say what an option asks of its field.
var fieldChecks = []struct {
	option string
	check  func(*Field) *problem
}{
	{"primary", func(f *Field) *problem {
		if f.Type.Pointer {
			return wrong("a primary key is always there, and %s may be nil", f.Type.Go).but("use a plain value")
		}
		return needScalar("primary", f)
	}},
	{ULID, func(f *Field) *problem { return needID(ULID, f) }},
	{UUID, func(f *Field) *problem { return needID(UUID, f) }},
	{"unique", func(f *Field) *problem { return needScalar("unique", f) }},
	{"index", func(f *Field) *problem { return needScalar("index", f) }},
	{"gsi", func(f *Field) *problem {
		switch {
		case !f.Indexed:
			return wrong(`"gsi" pins the index of a field that has one`).but("write index,gsi=%d", f.IndexSlot)
		case f.IndexSlot < 1 || f.IndexSlot > MaxSlot:
			return wrong("gsi=%d is not the number of an index", f.IndexSlot).but("write a number from 1 to %d", MaxSlot)
		}
		return nil
	}},
	{"version", func(f *Field) *problem {
		if f.Type.Pointer || f.Type.Kind != Int && f.Type.Kind != Uint {
			return needs("version", "an integer", f).but("use int64")
		}
		return nil
	}},
	{"created", func(f *Field) *problem { return needTime("created", f) }},
	{"updated", func(f *Field) *problem { return needTime("updated", f) }},
	{"deleted", func(f *Field) *problem { return needTime("deleted", f) }},
	{"ttl", func(f *Field) *problem {
		if f.Type.Kind == Time || (f.Type.Kind == Int || f.Type.Kind == Uint) && f.Type.Bits >= 32 {
			return nil
		}
		return needs("ttl", "a time or an integer of 32 bits or more", f)
	}},
	{"default", checkDefault},
	{"enum", checkEnum},
	{"set", func(f *Field) *problem {
		if setKind(&f.Type) == "" {
			return needs("set", "a slice of strings, numbers or bytes, or a map of them to bool or struct{}", f)
		}
		return nil
	}},
	{"null", func(f *Field) *problem {
		nilable := f.Type.Pointer || f.Type.Len == 0 && (f.Type.Kind == List || f.Type.Kind == Bytes)
		if nilable || f.Type.Kind == Map || f.Type.Kind == Any || f.Type.Kind == Time || f.Type.Kind == Custom {
			return nil
		}
		return needs("null", "a value that can be absent", f).but("use a pointer")
	}},
	{"unixtime", func(f *Field) *problem { return needTime("unixtime", f) }},
	{"unixmilli", func(f *Field) *problem { return needTime("unixmilli", f) }},
	{"precision", func(f *Field) *problem {
		if !slices.Contains([]int{0, 3, 6, 9}, f.Precision) {
			return wrong("precision %d is no number of fraction digits", f.Precision).but("write 0, 3, 6 or 9")
		}
		return needTime("precision", f)
	}},
	{"string", func(f *Field) *problem {
		if !isNumeric(f.Type.Kind) {
			return needs("string", "a number", f)
		}
		return nil
	}},
	{"pad", func(f *Field) *problem {
		switch {
		case f.Type.Kind != Int && f.Type.Kind != Uint:
			return needs("pad", "an integer", f)
		case f.Pad < 1 || f.Pad > maxPad:
			return wrong("pad=%d is not a width", f.Pad).but("write a number from 1 to %d", maxPad)
		}
		return nil
	}},
}

func needs(option, what string, f *Field) *problem {
	return wrong("%q needs %s, not %s", option, what, f.Type.name())
}

func needTime(option string, f *Field) *problem {
	if f.Type.Kind == Time {
		return nil
	}
	return needs(option, "a time.Time", f)
}

func needScalar(option string, f *Field) *problem {
	if f.scalar() {
		return nil
	}
	return needs(option, "a single value", f)
}

// needID asks for what an identifier of 16 bytes can be stored in: its text,
// or the bytes.
func needID(option string, f *Field) *problem {
	switch f.Type.Kind {
	case String:
		return nil
	case Bytes, Text, Binary:
		if f.Type.Len == 16 {
			return nil
		}
	}
	return needs(option, "a string or an array of 16 bytes", f)
}

// scalar says that the field is stored as one value that can stand in a key. A
// field whose type could not be read is taken as one.
func (f *Field) scalar() bool {
	if f.Set || f.JSON {
		return false
	}
	switch f.Type.Kind {
	case List, Map, Struct, Any, Custom:
		return false
	}
	return true
}

// name is the type as messages show it.
func (t *Type) name() string {
	if t.Go != "" {
		return t.Go
	}
	return string(t.Kind)
}

// setKind names the DynamoDB set that a list or a map is with the option
// `set`, in the words of dynamodbav tags; nothing when its elements can't be
// in one.
func setKind(t *Type) string {
	elem := t.Elem
	switch {
	case elem == nil || t.Len > 0:
		return ""
	case t.Kind == Map && (elem.Kind == Bool || elem.Kind == Struct && len(elem.Fields) == 0) && !elem.Pointer:
		elem = t.Key
	case t.Kind != List:
		return ""
	}
	switch {
	case elem == nil || elem.Pointer:
		return ""
	case isNumeric(elem.Kind):
		return "numberset"
	case elem.Kind == String || elem.Kind == Text || elem.Kind == Time:
		return "stringset"
	case elem.Kind == Bytes || elem.Kind == Binary:
		return "binaryset"
	}
	return ""
}

func checkEnum(f *Field) *problem {
	if f.Type.Kind != String && f.Type.Kind != Int && f.Type.Kind != Uint {
		return needs("enum", "a string or an integer", f)
	}
	if len(f.Enum) == 0 {
		return wrong("the enum has no values")
	}
	for i, v := range f.Enum {
		switch {
		case v == "":
			return wrong("the enum has an empty value").but("write enum=a|b")
		case slices.Contains(f.Enum[:i], v):
			return wrong("the enum has %q twice", v)
		case !f.Type.parses(v):
			return wrong("the enum value %q is not of the type %s", v, f.Type.name())
		}
	}
	return nil
}

func checkDefault(f *Field) *problem {
	switch f.Type.Kind {
	case String, Bool, Int, Uint, Float, Number, Time, Text:
	default:
		return needs("default", "a single value", f)
	}
	v := *f.Default
	switch {
	case !f.Type.parses(v):
		p := wrong("the default %q is not of the type %s", v, f.Type.name())
		if f.Type.Kind == Time {
			p.but("write it as 2006-01-02T15:04:05Z")
		}
		return p
	case f.Enum != nil && !slices.Contains(f.Enum, v):
		return wrong("the default %q is not in the enum", v).near(v, f.Enum)
	}
	return nil
}

// decimal is a number as DynamoDB takes it. It is compiled when it is first
// needed, not in every program that starts.
var decimal = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?$`)
})

// parses reports whether a text is a value of the type.
func (t *Type) parses(s string) bool {
	var err error
	switch t.Kind {
	case Bool:
		_, err = strconv.ParseBool(s)
	case Int:
		_, err = strconv.ParseInt(s, 10, t.Bits)
	case Uint:
		_, err = strconv.ParseUint(s, 10, t.Bits)
	case Float:
		_, err = strconv.ParseFloat(s, t.Bits)
		return err == nil && decimal().MatchString(s)
	case Number:
		if t.Reflect == reflect.TypeFor[big.Int]() {
			_, ok := new(big.Int).SetString(s, 10)
			return ok
		}
		return decimal().MatchString(s)
	case Time:
		_, err = time.Parse(time.RFC3339Nano, s)
	case Text:
		if t.Reflect == nil {
			return true
		}
		u, ok := reflect.New(t.Reflect).Interface().(encoding.TextUnmarshaler)
		return ok && u.UnmarshalText([]byte(s)) == nil
	}
	return err == nil
}
