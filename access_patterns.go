package dynorm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/token"
	"slices"
	"strings"
	"unicode"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// AccessPatterns is everything that a schema answers without a scan.
type AccessPatterns struct {
	// Patterns are the access patterns, by entity in declared order.
	Patterns []AccessPattern `json:"patterns"`
	// Gaps are the questions that one would expect and that take a scan.
	Gaps []PatternGap `json:"gaps"`
}

// AccessPattern is one question that a schema answers by a key or an index.
type AccessPattern struct {
	// Name says what is asked for: "Post of a User".
	Name string `json:"name"`
	// Entity is the entity's name; Entities are those of a collection.
	Entity   string   `json:"entity"`
	Entities []string `json:"entities,omitempty"`
	// Kind is how it is read.
	Kind PatternKind `json:"kind"`
	// Index is the index read, empty for the table itself; For is what declared
	// it.
	Index string `json:"index,omitempty"`
	For   string `json:"for,omitempty"`
	// Key is the key condition, with attribute names in braces where the values
	// go.
	Key string `json:"key"`
	// Fields are the attributes whose values are given, in the order of the key.
	Fields []string `json:"fields,omitempty"`
	// Range is the attribute by which a comparison narrows the answer further,
	// empty for none.
	Range string `json:"range,omitempty"`
	// Sorted are the attributes that the answer is sorted by, each ascending or
	// with "desc" behind it. Any order can be turned around.
	Sorted []string `json:"sorted,omitempty"`
	// Projection lists the attributes that the index has, empty for all.
	Projection []string `json:"projection,omitempty"`
	// Call is an example.
	Call string `json:"call"`
	// Requests and ReadUnits are the least that a call costs.
	Requests  int     `json:"requests"`
	ReadUnits float64 `json:"readUnits"`
	// Consistent reports that strongly consistent reads are to be had.
	Consistent bool `json:"consistent"`
	// Warnings say what to watch, a sentence each.
	Warnings []string `json:"warnings,omitempty"`
}

// PatternKind is how a pattern is read.
type PatternKind string

// The kinds of patterns.
const (
	PatternGet     PatternKind = "get"     // one item by its key
	PatternUnique  PatternKind = "unique"  // one item by a unique value
	PatternQuery   PatternKind = "query"   // the items of a partition
	PatternList    PatternKind = "list"    // all items
	PatternTrashed PatternKind = "trashed" // deleted items

	PatternCollection PatternKind = "collection" // the items of a partition, of several entities
)

// PatternGap is a question that takes a scan.
type PatternGap struct {
	// Name says what is asked for.
	Name string `json:"name"`
	// Mend is what to add, so that it does not.
	Mend string `json:"mend"`
}

// AccessPatterns returns everything that the schema answers without a scan. It
// does no I/O.
func (s *Schema) AccessPatterns() AccessPatterns {
	a := AccessPatterns{Patterns: []AccessPattern{}, Gaps: []PatternGap{}}
	collections := s.collectionPatterns()
	for _, e := range s.entities {
		a.Patterns = append(a.Patterns, e.getPattern())
		for _, u := range e.uniques {
			a.Patterns = append(a.Patterns, e.uniquePattern(u))
		}
		for i, p := range e.paths() {
			var d *demand
			if i > 0 {
				d = e.demands[i-1]
			}
			a.Patterns = append(a.Patterns, e.queryPatterns(p, d)...)
		}
		a.Patterns = append(a.Patterns, collections[e]...)
		if e.def.List == 0 && len(e.pk.fields) > 0 {
			a.Gaps = append(a.Gaps, PatternGap{Name: "all " + e.def.Name, Mend: "add the trait `list` to " + e.def.Name})
		}
	}
	return a
}

// getPattern is the pattern of one item by its key.
func (e *entity) getPattern() AccessPattern {
	fields := e.patternFields(e.pk, e.sk)
	p := AccessPattern{
		Name: e.def.Name + " by " + strings.Join(fields, " and "), Entity: e.def.Name, Kind: PatternGet, Fields: fields,
		Key:      e.pk.attr + " = " + e.pk.key.Pattern() + " and " + e.sk.attr + " = " + e.sk.key.Pattern(),
		Requests: 1, ReadUnits: 0.5, Consistent: true,
	}
	switch {
	case e.primary != nil && len(fields) == 1 && fields[0] == e.primary.Attr:
		p.Call = fmt.Sprintf("%s.Find(ctx, %s)", e.modelText(), variable(e.primary.Attr))
	case e.typ.Name() == "":
		p.Call = fmt.Sprintf("%s.Find(ctx, dynorm.Record{%s})", e.modelText(), e.literal(fields, func(attr string) string { return fmt.Sprintf("%q", attr) }))
	default:
		p.Call = fmt.Sprintf("%s.Get(ctx, %s{%s})", e.modelText(), e.typ.Name(), e.literal(fields, func(attr string) string {
			f, _ := e.def.Field(attr)
			return f.Name
		}))
	}
	if len(fields) == 0 {
		p.Name = "the " + e.def.Name
	}
	return p
}

// literal writes the fields of a composite literal.
func (e *entity) literal(fields []string, name func(attr string) string) string {
	parts := make([]string, len(fields))
	for i, attr := range fields {
		parts[i] = name(attr) + ": " + variable(attr)
	}
	return strings.Join(parts, ", ")
}

// uniquePattern is the pattern of one item by a unique value.
func (e *entity) uniquePattern(u *unique) AccessPattern {
	fields := e.patternFields(u.key)
	args := fmt.Sprintf("%q", u.name)
	for _, attr := range fields {
		args += ", " + variable(attr)
	}
	call := fmt.Sprintf("%s.FindBy(ctx, %s)", e.modelText(), args)
	if e.typ.Name() == "" {
		call = e.modelText() + whereText(fields) + ".First(ctx)"
	}
	return AccessPattern{
		Name: e.def.Name + " by " + strings.Join(fields, " and ") + " (unique)", Entity: e.def.Name, Kind: PatternUnique, For: u.name, Fields: fields,
		Key:      e.pk.attr + " = " + u.key.key.Pattern() + " and " + e.sk.attr + " = " + claimPrefix + ", then the item that the claim names",
		Call:     call,
		Requests: 2, ReadUnits: 2, Consistent: true,
	}
}

// queryPatterns are the patterns of a path: all items of a partition, and those
// narrowed by the leading fields of the sort key.
func (e *entity) queryPatterns(p *accessPath, d *demand) []AccessPattern {
	if d == nil && !e.manyPerPartition() {
		return nil
	}
	partition := p.pk.without(p.pk.shard)
	leads := max(len(p.sk.fields), 1)
	if d != nil && (d.kind == demandList || d.kind == demandTrashed) {
		leads = 1 // a view of all, in order
	}
	var patterns []AccessPattern
	for lead := range leads {
		fields := slices.Clone(partition)
		for i := range lead {
			if attr := attrName(p.sk.fields[i].AttrPath()); !slices.Contains(fields, attr) {
				fields = append(fields, attr)
			}
		}
		if lead > 0 && (!p.sk.exact[lead-1] || len(fields) == len(patterns[len(patterns)-1].Fields)) {
			break // a comparison would be with less than the value, or says nothing new
		}
		if d == nil && p.sk.givenBy(fields, lead) == len(p.sk.fields) {
			break // the whole key, of one item
		}
		patterns = append(patterns, e.queryPattern(p, d, fields, lead))
	}
	return patterns
}

func (e *entity) queryPattern(p *accessPath, d *demand, fields []string, lead int) AccessPattern {
	narrowed := lead
	lead = p.sk.givenBy(fields, lead)
	x := AccessPattern{
		Entity: e.def.Name, Kind: PatternQuery, Index: p.index, Fields: fields, Requests: 1,
		Key: p.keyPattern(lead), Consistent: p.kind != globalPath,
	}
	if p.pk.shard >= 0 {
		x.Requests = p.pk.key.Shards()
	}
	x.ReadUnits = float64(x.Requests) / 2
	if p.projected != nil {
		x.Projection = d.slot.include
	}
	for i := lead; i < len(p.sk.fields); i++ {
		order := p.sk.order(i)
		if order == keytmpl.Unordered || !p.sk.exact[i] {
			break
		}
		attr := attrName(p.sk.fields[i].AttrPath())
		if slices.Contains(fields, attr) {
			continue
		}
		if i == lead && p.sk.fields[i].Type.Kind != parser.Bool {
			x.Range = attr
		}
		if order == keytmpl.Descending {
			attr += " desc"
		}
		x.Sorted = append(x.Sorted, attr)
	}
	x.Name = e.def.Name + " by " + strings.Join(fields, " and ")
	if len(fields) == 0 {
		x.Name = "all " + e.def.Name
	}
	suffix := ""
	if d != nil {
		x.For = d.name
		suffix = e.describeDemand(&x, d, narrowed)
	}
	x.Call = e.modelText() + whereText(fields) + suffix
	if x.Requests > 1 {
		// What several requests bring is merged where an order is asked for.
		for _, term := range x.Sorted {
			attr, desc := strings.CutSuffix(term, " desc")
			by := ".OrderBy"
			if desc {
				by += "Desc"
			}
			x.Call += fmt.Sprintf("%s(%q)", by, attr)
		}
	}
	if p.projected != nil {
		x.Call += ".Hydrate()"
	}
	x.Call += ".List(ctx)"
	x.Warnings = e.patternWarnings(p, d)
	return x
}

// givenBy counts the leading references whose values are given, of which at
// least lead are; others may stand in the partition key.
func (k *keyRefs) givenBy(attrs []string, lead int) int {
	for lead < len(k.fields) && slices.Contains(attrs, attrName(k.fields[lead].AttrPath())) {
		lead++
	}
	return lead
}

// whereText starts a query for the values of attributes.
func whereText(attrs []string) string {
	if len(attrs) == 0 {
		return ".Query()"
	}
	terms := make([]string, len(attrs))
	for i, attr := range attrs {
		terms[i] = fmt.Sprintf("dynorm.Eq(%q, %s)", attr, variable(attr))
	}
	return ".Where(" + strings.Join(terms, ", ") + ")"
}

// keyPattern is the key condition of a path with the leading fields of its sort
// key given.
func (p *accessPath) keyPattern(lead int) string {
	var terms []string
	if p.native && p.kind == globalPath {
		for _, attr := range p.pk.attrs {
			terms = append(terms, attr+" = {"+attr+"}")
		}
	} else {
		terms = append(terms, p.pk.attr+" = "+p.pk.pattern())
	}
	if p.native {
		for _, attr := range p.sk.attrs[:lead] {
			terms = append(terms, attr+" = {"+attr+"}")
		}
		return strings.Join(terms, " and ")
	}
	switch text := patternUpTo(p.sk.pattern(), lead); {
	case text == "":
	case lead == len(p.sk.fields):
		terms = append(terms, p.sk.attr+" = "+text)
	default:
		terms = append(terms, "begins_with("+p.sk.attr+", "+text+")")
	}
	return strings.Join(terms, " and ")
}

// describeDemand names a pattern after what asked for its index, and returns
// what the call needs so that the index is read.
func (e *entity) describeDemand(x *AccessPattern, d *demand, lead int) string {
	narrowed := ""
	if lead > 0 {
		narrowed = " by " + strings.Join(x.Fields[len(x.Fields)-lead:], " and ")
	}
	switch d.kind {
	case demandList:
		x.Kind, x.Name = PatternList, "all "+e.def.Name+narrowed
	case demandTrashed:
		x.Kind, x.Name = PatternTrashed, "deleted "+e.def.Name+narrowed
		return ".OnlyTrashed()"
	case demandForeign, demandPivot, demandInverse:
		x.Name = e.def.Name + strings.TrimPrefix(d.why, "items") + narrowed
		if d.kind == demandForeign && !strings.EqualFold(" of a "+d.name, strings.TrimPrefix(d.why, "items")) {
			x.Name += " (" + d.name + ")"
		}
	case demandMorph:
		x.Name = e.def.Name + " of its " + d.name + narrowed
	case demandExplicit:
		x.Name += " (" + d.name + ")"
		return fmt.Sprintf(".Index(%q)", d.name)
	case demandInverted:
		x.Name += " (" + d.name + ")"
	}
	return ""
}

// localWarning is the warning of the partitions of a table with local indexes.
const localWarning = "The table has local indexes, so that a partition holds 10 GB at most."

// patternWarnings are what to watch when a path is used.
func (e *entity) patternWarnings(p *accessPath, d *demand) (warnings []string) {
	narrow := !slices.ContainsFunc(p.pk.fields, func(f *codec.Field) bool { return f.Type.Kind != parser.Bool && len(f.Enum) == 0 })
	switch {
	case len(p.pk.fields) == 0 && d != nil && d.kind == demandTrashed:
		warnings = append(warnings, "All deleted items are in one partition, which grows without bound and takes 1,000 write units a second.")
	case len(p.pk.fields) == 0 && d != nil && d.kind == demandList:
		warnings = append(warnings, "All items are in one partition, which grows without bound and takes 1,000 write units a second: spread them by list=8.")
	case len(p.pk.fields) == 0:
		warnings = append(warnings, "All items are in one partition, which grows without bound and takes 1,000 write units a second.")
	case narrow:
		warnings = append(warnings, "Few partitions hold all items, each of which grows without bound and takes 1,000 write units a second: spread them by a shard.")
	}
	if p.kind == localPath || d == nil && len(e.schema.locals) > 0 {
		warnings = append(warnings, localWarning)
	}
	if p.single == never && p.kind != tablePath {
		warnings = append(warnings, "Items of other entities can be in the same partitions, which a filter discards after they were read.")
	}
	if d != nil && d.when != nil && d.kind != demandTrashed {
		warnings = append(warnings, "It holds only items where "+d.when.String()+".")
	}
	if p.projected != nil {
		warnings = append(warnings, "The index does not have all fields: Hydrate reads the items from the table, a BatchGetItem for each 100.")
	}
	return warnings
}

// patternFields lists the attributes of the references of templates.
func (e *entity) patternFields(templates ...*keyTemplate) []string {
	var attrs []string
	for _, kt := range templates {
		for _, f := range kt.fields {
			if attr := attrName(f.AttrPath()); !slices.Contains(attrs, attr) {
				attrs = append(attrs, attr)
			}
		}
	}
	return attrs
}

// without lists the attributes of the references, but for one.
func (k *keyRefs) without(ref int) []string {
	var attrs []string
	for i, f := range k.fields {
		if attr := attrName(f.AttrPath()); i != ref && !slices.Contains(attrs, attr) {
			attrs = append(attrs, attr)
		}
	}
	return attrs
}

func attrName(path []string) string { return strings.Join(path, ".") }

// modelText is the expression of the entity's model.
func (e *entity) modelText() string {
	if name := e.typ.Name(); name != "" {
		return "dynorm.ModelOf[" + name + "](db)"
	}
	return fmt.Sprintf("db.Entity(%q)", e.def.Name)
}

// variable is the name of a Go variable for an attribute.
func variable(attr string) string {
	var b strings.Builder
	upper := false
	for _, r := range attr {
		switch {
		case !unicode.IsLetter(r) && (!unicode.IsDigit(r) || b.Len() == 0):
			upper = b.Len() > 0
		case upper:
			b.WriteRune(unicode.ToUpper(r))
			upper = false
		default:
			b.WriteRune(r)
		}
	}
	name := b.String()
	if strings.HasSuffix(name, "Id") {
		name = strings.TrimSuffix(name, "Id") + "ID"
	}
	if name == "" || token.IsKeyword(name) || slices.Contains([]string{"ctx", "db", "dynorm"}, name) {
		name += "Value"
	}
	return name
}

// patternUpTo is the beginning of a key pattern, up to the reference after the
// leading ones.
func patternUpTo(pattern string, lead int) string {
	for i := 0; i < len(pattern); i++ {
		switch {
		case strings.HasPrefix(pattern[i:], "{{"):
			i++
		case pattern[i] == '{' && lead == 0:
			return pattern[:i]
		case pattern[i] == '{':
			lead--
		}
	}
	return pattern
}

// JSON returns the patterns as JSON.
func (a AccessPatterns) JSON() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(a) // texts and numbers always have a JSON form
	return b.Bytes()
}

// Markdown returns the patterns as a document: a table for each entity, with an
// example call for each pattern.
func (a AccessPatterns) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Access patterns\n\n%d patterns, 0 scans.\n", len(a.Patterns))
	entity := ""
	for _, p := range a.Patterns {
		if p.Entity != entity {
			entity = p.Entity
			fmt.Fprintf(&b, "\n## %s\n\n| Pattern | Read | Key condition | Sorted by | Requests | Read units | Call |\n|---|---|---|---|---|---|---|\n", entity)
		}
		where := "table"
		if p.Index != "" {
			where = p.Index
		}
		read := string(p.Kind) + " " + where
		if p.Consistent {
			read += ", strong reads possible"
		}
		sorted := strings.Join(p.Sorted, ", ")
		if p.Range != "" {
			sorted += "; range of " + p.Range
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s | %d | %g | `%s` |\n", cell(p.Name), cell(read), cell(p.Key), cell(sorted), p.Requests, p.ReadUnits, cell(p.Call))
	}
	var warnings []string
	for _, p := range a.Patterns {
		for _, w := range p.Warnings {
			if text := "* " + p.Name + ": " + w; !slices.Contains(warnings, text) {
				warnings = append(warnings, text)
			}
		}
	}
	section := func(title string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n", title, strings.Join(lines, "\n"))
		}
	}
	section("To watch", warnings)
	var gaps []string
	for _, g := range a.Gaps {
		gaps = append(gaps, "* "+g.Name+": "+g.Mend)
	}
	section("What would take a scan", gaps)
	return b.String()
}

// cell escapes what would end a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
