package engine

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

// tag is a label of a table.
type tag struct {
	key, value wire.Text
}

const maxTags = 50

func readTags(r *wire.Reader) (tags []tag, set bool) {
	set = r.List(func() {
		var t tag
		r.Struct("Tag", func(name string) {
			switch name {
			case "Key":
				t.key = r.Text()
			case "Value":
				t.value = r.Text()
			default:
				r.Skip()
			}
		})
		tags = append(tags, t)
	})
	return tags, set
}

// The most characters of a tag.
const (
	maxTagKey   = 128
	maxTagValue = 256
)

// checkTags reports tags that can't be added to those there are.
func checkTags(tags, present []tag) error {
	for _, t := range tags {
		if err := checkTagKey(t.key); err != nil {
			return err
		}
		if !t.value.Set || !tagText(t.value.V, maxTagValue) {
			return invalid("The Tag Value provided is invalid, Value: %s", t.value.Or("null"))
		}
	}
	if key, ok := twice(tags, func(t tag) string { return t.key.V }); ok {
		return invalid("Duplicate Tag Keys provided as input: Duplicate Tag Key found %s", key)
	}
	if len(tags) > maxTags || len(merge(present, tags)) > maxTags {
		return invalid("Number of Tags exceed the current limit for the provided ResourceArn")
	}
	return nil
}

func checkTagKey(key wire.Text) error {
	switch {
	case strings.HasPrefix(strings.ToLower(key.V), "aws:"):
		return invalid("Tag Key cannot be prefixed with aws:, Key: %s", key.V)
	case key.V == "" || !tagText(key.V, maxTagKey):
		return invalid("The Tag Key provided is invalid, Key: %s", key.Or("null"))
	}
	return nil
}

// tagText reports whether s has the characters and length of a tag's text.
func tagText(s string, limit int) bool {
	return utf8.RuneCountInString(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) && !strings.ContainsRune("_.:/=+-@", r)
	})
}

// merge returns present with tags added or changed.
func merge(present, tags []tag) []tag {
	out := slices.Clone(present)
	for _, t := range tags {
		i := slices.IndexFunc(out, func(u tag) bool { return u.key.V == t.key.V })
		if i < 0 {
			out = append(out, t)
		} else {
			out[i] = t
		}
	}
	return out
}

// tagged returns the table with the given ARN.
func (e *Engine) tagged(arn wire.Text) (*table, error) {
	parts := strings.SplitN(arn.V, ":", 6)
	switch {
	case parts[0] != "arn":
		return nil, parameter("ARNs must start with 'arn:': %s", arn.V)
	case len(parts) < 6 || parts[2] != "dynamodb" || !strings.HasPrefix(parts[5], "table/") || strings.Contains(parts[5], "/backup/"):
		return nil, parameter("Provided Arn is not a DynamoDB resource arn: %s", arn.V)
	case strings.Contains(parts[5], "/index/"):
		return nil, parameter("Invalid resource arn provided, only table or stream is accepted. Provided resource arn: %s", arn.V)
	case parts[3] != e.cfg.Region:
		return nil, invalid("Invalid TableArn: Invalid ResourceArn provided as input %s", arn.V)
	}
	t, ok := e.tables.Get(tableName(arn))
	if !ok || t.arn != arn.V {
		return nil, fault("ResourceNotFoundException", "Requested resource not found: ResourceArn: "+arn.V+" not found")
	}
	return t, nil
}

func (e *Engine) tagResource(r *wire.Reader) ([]byte, error) {
	var arn wire.Text
	var tags []tag
	var set bool
	err := decode(r, "TagResourceInput", func(name string) {
		switch name {
		case "ResourceArn":
			arn = r.Text()
		case "Tags":
			tags, set = readTags(r)
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.required(arn.Set, "resourceArn")
	s.length(arn, "resourceArn", 1, 1283)
	s.required(set, "tags")
	if err := s.err(); err != nil {
		return nil, err
	}
	if len(tags) == 0 {
		return nil, invalid("Atleast one Tag needs to be provided as Input.")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.tagged(arn)
	if err != nil {
		return nil, err
	}
	if err := checkTags(tags, t.tags); err != nil {
		return nil, err
	}
	t.tags = merge(t.tags, tags)
	e.keepTable(t)
	return nil, nil
}

func (e *Engine) untagResource(r *wire.Reader) ([]byte, error) {
	var arn wire.Text
	var keys []wire.Text
	var set bool
	err := decode(r, "UntagResourceInput", func(name string) {
		switch name {
		case "ResourceArn":
			arn = r.Text()
		case "TagKeys":
			keys, set = r.Texts()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.required(arn.Set, "resourceArn")
	s.length(arn, "resourceArn", 1, 1283)
	s.required(set, "tagKeys")
	if err := s.err(); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, invalid("Atleast one Tag Key needs to be provided as Input.")
	}
	for _, key := range keys {
		if err := checkTagKey(key); err != nil {
			return nil, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.tagged(arn)
	if err != nil {
		return nil, err
	}
	t.tags = slices.DeleteFunc(slices.Clone(t.tags), func(u tag) bool {
		return slices.ContainsFunc(keys, func(k wire.Text) bool { return k.V == u.key.V })
	})
	e.keepTable(t)
	return nil, nil
}

func (e *Engine) listTagsOfResource(r *wire.Reader) ([]byte, error) {
	var arn wire.Text
	err := decode(r, "ListTagsOfResourceInput", func(name string) {
		if name == "ResourceArn" {
			arn = r.Text()
			return
		}
		r.Skip()
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.required(arn.Set, "resourceArn")
	s.length(arn, "resourceArn", 1, 1283)
	if err := s.err(); err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.tagged(arn)
	if err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	o.List("Tags", len(t.tags), func(dst []byte, i int) []byte {
		o := wire.Begin(dst)
		o.Text("Key", t.tags[i].key.V)
		o.Text("Value", t.tags[i].value.V)
		return o.End()
	})
	return o.End(), nil
}

func (e *Engine) updateTimeToLive(r *wire.Reader) ([]byte, error) {
	var table, attribute wire.Text
	var enabled wire.Bool
	var set bool
	err := decode(r, "UpdateTimeToLiveInput", func(name string) {
		switch name {
		case "TableName":
			table = r.Text()
		case "TimeToLiveSpecification":
			set = r.Struct("TimeToLiveSpecification", func(name string) {
				switch name {
				case "AttributeName":
					attribute = r.Text()
				case "Enabled":
					enabled = r.Bool()
				default:
					r.Skip()
				}
			})
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.definedTable(table, "tableName")
	s.required(set, "timeToLiveSpecification")
	if set {
		s.required(attribute.Set, "timeToLiveSpecification.attributeName")
		s.length(attribute, "timeToLiveSpecification.attributeName", 1, 255)
		s.required(enabled.Set, "timeToLiveSpecification.enabled")
	}
	if err := s.err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.defined(table)
	if err != nil {
		return nil, err
	}
	now := e.cfg.Now()
	switch {
	case enabled.V && t.ttl == attribute.V:
		return nil, invalid("TimeToLive is already enabled")
	case enabled.V && t.ttl != "":
		return nil, invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.ttl)
	case !enabled.V && t.ttl == "":
		return nil, invalid("TimeToLive is already disabled")
	case !enabled.V && t.ttl != attribute.V:
		return nil, invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.ttl)
	case enabled.V:
		t.setTTL(attribute.V)
	default:
		t.setTTL("")
	}
	e.keepTable(t)
	e.wake(now.UnixNano())
	e.broadcast(t, aspectTTL, t.ttl, now)
	o := wire.Begin(nil)
	o.Object("TimeToLiveSpecification", func(o *wire.Object) {
		o.Bool("Enabled", enabled.V)
		o.Text("AttributeName", attribute.V)
	})
	return o.End(), nil
}

func (e *Engine) describeTimeToLive(r *wire.Reader) ([]byte, error) {
	name, err := readTableName(r, "DescribeTimeToLiveInput")
	if err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.defined(name)
	if err != nil {
		return nil, err
	}
	if status := t.status(e.cfg.Now()); status == statusCreating || status == statusDeleting {
		return nil, invalid("Cannot describe time to live while table is in %[1]s state: Current table state is %[1]s", status)
	}
	o := wire.Begin(nil)
	o.Object("TimeToLiveDescription", func(o *wire.Object) {
		if t.ttl == "" {
			o.Text("TimeToLiveStatus", "DISABLED")
			return
		}
		o.Text("TimeToLiveStatus", "ENABLED")
		o.Text("AttributeName", t.ttl)
	})
	return o.End(), nil
}

func (e *Engine) describeLimits(r *wire.Reader) ([]byte, error) {
	if err := decode(r, "DescribeLimitsInput", func(string) { r.Skip() }); err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	o.Int("AccountMaxReadCapacityUnits", maxAccountUnits)
	o.Int("AccountMaxWriteCapacityUnits", maxAccountUnits)
	o.Int("TableMaxReadCapacityUnits", maxTableUnits)
	o.Int("TableMaxWriteCapacityUnits", maxTableUnits)
	return o.End(), nil
}

func (e *Engine) describeEndpoints(r *wire.Reader) ([]byte, error) {
	if err := decode(r, "DescribeEndpointsRequest", func(string) { r.Skip() }); err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	o.List("Endpoints", 1, func(dst []byte, _ int) []byte {
		o := wire.Begin(dst)
		o.Text("Address", "dynamodb."+e.cfg.Region+".amazonaws.com")
		o.Int("CachePeriodInMinutes", 1440)
		return o.End()
	})
	return o.End(), nil
}
