package parser

import (
	"slices"
	"strconv"
	"strings"
)

// The values of Field.Generator.
const (
	ULID = "ulid"
	UUID = "uuid"
)

// MaxSlot is the highest GSI number that `gsi=N` may name: DynamoDB's default
// quota of indexes a table.
const MaxSlot = 20

// fieldRules are the options of a field, in the order of the documentation.
var fieldRules = []rule[Field]{
	{name: "primary", on: func(f *Field) { f.Primary = true }},
	{name: ULID, set: func(f *Field, _ string) *problem { return f.generate(ULID) }},
	{name: UUID, set: func(f *Field, _ string) *problem { return f.generate(UUID) }},
	{name: "unique", on: func(f *Field) { f.Unique = true }},
	{name: "index", on: func(f *Field) { f.Indexed = true }},
	{name: "gsi", arg: needed, set: func(f *Field, v string) (p *problem) {
		f.IndexSlot, p = parseSlot(v)
		return p
	}},
	{name: "version", on: func(f *Field) { f.Version = true }},
	{name: "created", on: func(f *Field) { f.Created = true }},
	{name: "updated", on: func(f *Field) { f.Updated = true }},
	{name: "deleted", on: func(f *Field) { f.Deleted = true }},
	{name: "ttl", on: func(f *Field) { f.TTL = true }},
	{name: "default", arg: needed, set: func(f *Field, v string) *problem {
		f.Default = &v
		return nil
	}},
	{name: "enum", arg: needed, set: func(f *Field, v string) *problem {
		f.Enum = strings.Split(v, "|")
		return nil
	}},
	{name: "set", on: func(f *Field) { f.Set = true }},
	{name: "omitempty", on: func(f *Field) { f.OmitEmpty = true }},
	{name: "null", on: func(f *Field) { f.Null = true }},
	{name: "unixtime", on: func(f *Field) { f.UnixTime = true }},
	{name: "unixmilli", on: func(f *Field) { f.UnixMilli = true }},
	{name: "json", on: func(f *Field) { f.JSON = true }},
	{name: "string", on: func(f *Field) { f.String = true }},
	{name: "pad", arg: needed, set: func(f *Field, v string) *problem {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxPad {
			return wrong("pad=%s is not a width", v).but("write a number from 1 to %d", maxPad)
		}
		f.Pad = n
		return nil
	}},
	{name: "precision", arg: needed, set: func(f *Field, v string) *problem {
		digits, ok := precisions[v]
		if !ok {
			return wrong("unknown precision %q", v).but("write s, ms, us or ns")
		}
		f.Precision = digits
		return nil
	}},
	{name: "encrypt", on: func(f *Field) { f.Encrypt = true }},
	{name: "hidden", on: func(f *Field) { f.Hidden = true }},
	{name: "readonly", on: func(f *Field) { f.ReadOnly = true }},
	{name: "required", on: func(f *Field) { f.Required = true }},
}

// maxPad is the number of digits of the largest unsigned integer.
const maxPad = 20

var precisions = map[string]int{"s": 0, "ms": 3, "us": 6, "ns": 9}

// entityOptions act on the fields of an entity only: a nested struct has no
// key, no index and no life of its own.
var entityOptions = []string{
	"primary", ULID, UUID, "unique", "index", "gsi", "version", "created", "updated", "deleted", "ttl",
	"default", "encrypt", "readonly", "required",
}

// clearEntityOptions makes a field of an entity one of a nested struct.
func clearEntityOptions(f *Field) {
	f.Primary, f.Generator, f.Unique, f.Indexed, f.IndexSlot = false, "", false, false, 0
	f.Version, f.Created, f.Updated, f.Deleted, f.TTL = false, false, false, false, false
	f.Default, f.Encrypt, f.ReadOnly, f.Required = nil, false, false, false
}

func (f *Field) generate(name string) *problem {
	if f.Generator != "" {
		return wrong("%q and %q contradict each other", f.Generator, name).but("keep one")
	}
	f.Generator = name
	return nil
}

func parseSlot(s string) (int, *problem) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > MaxSlot {
		return 0, wrong("gsi=%s is not the number of an index", s).but("write a number from 1 to %d", MaxSlot)
	}
	return n, nil
}

// parseFieldTag reads the stored name and the options of a field. ignored
// says that the field is not stored; an empty name leaves it to default.
func parseFieldTag(f *Field, tags tagSet, report func(key string, p *problem)) (name string, ignored bool) {
	f.Precision = -1
	tag, own := tags[tagKey]
	avName, _, _ := strings.Cut(tags[avTagKey], ",")
	switch {
	case tag == "-":
		return "", true
	case strings.HasPrefix(tag, "-,"):
		report(tagKey, wrong("a field that is not stored takes no options").but(`write dynorm:"-"`))
		return "", true
	case avName == "-" && !own:
		return "", true
	}

	name, options, problems := splitTag(tag)
	for _, p := range problems {
		report(tagKey, p)
	}
	applyOptions(f, options, fieldRules, func(p *problem) { report(tagKey, p) })
	report(tagKey, misplacedName(f.Name, name, options))
	if name == "" && avName != "-" {
		name = avName
	}
	return name, false
}

// misplacedName finds an option that was written where the name goes:
// dynorm:"primary" where dynorm:",primary" was meant.
func misplacedName(goName, name string, options []option) *problem {
	before, _, valued := strings.Cut(name, "=")
	switch {
	case valued && slices.Contains(ruleNames(fieldRules), before):
	case len(options) == 0 && slices.Contains(neverNames, name) && AttrName(goName) != name:
	default:
		return nil
	}
	return wrong("the option %q stands where the name goes", before).but(`write dynorm:",%s"`, name)
}

// neverNames are the options that are no likely names of attributes.
var neverNames = []string{"primary", "unique", "omitempty", "unixtime", "unixmilli", "encrypt", "readonly"}

// applyForeign honours the options of a dynamodbav tag where they say the same
// of the field here. Those that do not fit its type are dropped, as the SDK
// drops them; those that would store other data than the SDK stored are
// problems.
func applyForeign(f *Field, tags tagSet, report func(*problem)) {
	for _, o := range strings.Split(tags[avTagKey], ",")[1:] {
		switch o {
		case "omitempty":
			f.OmitEmpty = f.OmitEmpty || !f.Primary && !f.Version && !f.Null
		case "string":
			f.String = f.String || isNumeric(f.Type.Kind) && !f.Version && !f.TTL
		case "unixtime":
			f.UnixTime = f.UnixTime || f.Type.Kind == Time && !f.UnixMilli
		case "stringset", "numberset", "binaryset":
			if f.Type.Kind != List && f.Type.Kind != Map {
				continue
			}
			f.Set = true
			if kind := setKind(&f.Type); kind != "" && kind != o {
				report(wrong("%s holds a %s", f.Type.Go, kind).but("write %s", kind))
			}
		case "omitemptyelem", "nullempty", "nullemptyelem":
			report(wrong("the dynamodbav option %q has no counterpart", o).
				but("remove it: elements are stored as they are, and an absent value as `omitempty` or `null` say"))
		}
	}
}

func isNumeric(k Kind) bool { return k == Int || k == Uint || k == Float || k == Number }
