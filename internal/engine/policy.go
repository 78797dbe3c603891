package engine

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

const maxPolicy = 20 << 10

// policy is a resource policy. It is kept and returned, and not enforced.
type policy struct {
	text, revision string
}

// policyInput is a request about a resource's policy.
type policyInput struct {
	arn, text, expected wire.Text
}

func readPolicy(r *wire.Reader, class string, puts bool) (in policyInput, err error) {
	err = decode(r, class, func(name string) {
		switch name {
		case "ResourceArn":
			in.arn = r.Text()
		case "Policy":
			in.text = r.Text()
		case "ExpectedRevisionId":
			in.expected = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return in, err
	}
	var s shape
	s.length(in.expected, "expectedRevisionId", 1, 255)
	if puts {
		s.required(in.text.Set, "policy")
	}
	s.required(in.arn.Set, "resourceArn")
	s.length(in.arn, "resourceArn", 1, 1283)
	return in, s.err()
}

// governed returns the table that the ARN, of a table or a stream, belongs to.
func (e *Engine) governed(arn wire.Text) (*table, error) {
	name, _, stream := strings.Cut(arn.V, "/stream/")
	t, err := e.tagged(wire.Text{V: name, Set: true})
	if err == nil && stream && !t.stream.Set {
		return nil, fault("ResourceNotFoundException", "Requested resource not found: Stream: "+arn.V+" not found")
	}
	return t, err
}

// expects reports whether p, if there is one, is the policy that the request
// counts on.
func (in *policyInput) expects(p policy, found bool) error {
	switch {
	case !in.expected.Set:
	case in.expected.V == "NO_POLICY" && !found:
	case found && in.expected.V == p.revision:
	default:
		return fault("PolicyNotFoundException", "Resource-based policy with the given revision id not found for the provided ResourceArn: "+in.arn.V)
	}
	return nil
}

func (e *Engine) putResourcePolicy(r *wire.Reader) ([]byte, error) {
	in, err := readPolicy(r, "PutResourcePolicyInput", true)
	switch {
	case err != nil:
		return nil, err
	case len(in.text.V) > maxPolicy:
		return nil, invalid("Resource-based policy size exceeds the limit of %d bytes", maxPolicy)
	case !json.Valid([]byte(in.text.V)) || !strings.HasPrefix(strings.TrimSpace(in.text.V), "{"):
		return nil, invalid("Invalid policy document: it is not a JSON object")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.governed(in.arn)
	if err != nil {
		return nil, err
	}
	p, found := t.policies[in.arn.V]
	if err := in.expects(p, found); err != nil {
		return nil, err
	}
	if !found || p.text != in.text.V { // the same policy again keeps its revision
		e.nextID(e.cfg.Now())
		p = policy{in.text.V, strconv.FormatInt(e.last, 10)}
		t.policies = maps.Clone(t.policies) // which snapshots share
		if t.policies == nil {
			t.policies = make(map[string]policy)
		}
		t.policies[in.arn.V] = p
		e.keepTable(t)
	}
	o := wire.Begin(nil)
	o.Text("RevisionId", p.revision)
	return o.End(), nil
}

func (e *Engine) getResourcePolicy(r *wire.Reader) ([]byte, error) {
	in, err := readPolicy(r, "GetResourcePolicyInput", false)
	if err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.governed(in.arn)
	if err != nil {
		return nil, err
	}
	p, found := t.policies[in.arn.V]
	if !found {
		return nil, fault("PolicyNotFoundException", "Resource-based policy not found for the provided ResourceArn: "+in.arn.V)
	}
	o := wire.Begin(nil)
	o.Text("Policy", p.text)
	o.Text("RevisionId", p.revision)
	return o.End(), nil
}

func (e *Engine) deleteResourcePolicy(r *wire.Reader) ([]byte, error) {
	in, err := readPolicy(r, "DeleteResourcePolicyInput", false)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.governed(in.arn)
	if err != nil {
		return nil, err
	}
	p, found := t.policies[in.arn.V]
	if err := in.expects(p, found); err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	if found {
		t.policies = maps.Clone(t.policies)
		delete(t.policies, in.arn.V)
		e.keepTable(t)
		o.Text("RevisionId", p.revision)
	}
	return o.End(), nil
}
