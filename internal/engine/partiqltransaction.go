package engine

import (
	"errors"

	"github.com/dynorm/dynorm/internal/engine/partiql"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

var (
	errMixedTransaction = invalid("ExecuteTransaction API does not support both read and write operations in the same request.")
	errNoPrimaryKey     = invalid("Select statements within ExecuteTransaction must specify the primary key in the where clause.")
	errIndexRead        = invalid("Reads on indices are not supported within transactions.")
	errIndexCheck       = invalid("Operations on indices are not supported in transactions")
	errPlainExists      = invalid("EXISTS() must contain a single item read with additional condition")
	errReturning        = invalid("RETURNING clause is not supported in ExecuteTransaction.")
)

func (e *Engine) executeTransaction(r *wire.Reader) ([]byte, error) {
	var in statements
	var consumed, token wire.Text
	set := false
	err := decode(r, "ExecuteTransactionInput", func(name string) {
		switch name {
		case "TransactStatements":
			set = r.List(func() { in = append(in, readStatement(r, "ParameterizedStatement")) })
		case "ClientRequestToken":
			token = r.Text()
		case "ReturnConsumedCapacity":
			consumed = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var sh shape
	in.shape(&sh, set, "transactStatements", "ParameterizedStatement", maxActions)
	sh.length(token, "clientRequestToken", 1, maxToken)
	sh.consumed(consumed)
	if err := sh.err(); err != nil {
		return nil, err
	}
	parsed, reads, err := in.parseTransaction()
	if err != nil {
		return nil, err
	}
	if reads {
		gets, err := allOf(parsed, (*statement).get, func(s *statement, g *get) error { return e.placeGet(s, g, errNoPrimaryKey) }, e.fits)
		if err != nil {
			return nil, err
		}
		return e.transactGets(gets, "ExecuteTransaction", consumed)
	}
	writes, err := allOf(parsed, (*statement).write, e.place, e.fits)
	if err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	o.List("Responses", 0, nil)
	return e.transactWrites(writes, transaction{
		operation: "ExecuteTransaction", consumed: consumed, token: token,
		digest: func([]step) sum { return digestStatements(in) },
	}, o)
}

// inTransaction says of a fault which statement of a transaction has it.
func inTransaction(i int, err error) error {
	return invalid("Validation failed in TransactStatements[%d]: %s", i, asFault(err).Message)
}

// parseTransaction reads the statements. reads says that all of them are
// SELECTs; otherwise none is.
func (in statements) parseTransaction() (parsed []*statement, reads bool, err error) {
	parsed = make([]*statement, len(in))
	n := 0
	for i, st := range in {
		if parsed[i], err = st.parse(); err != nil {
			if partiql.Malformed(err) {
				return nil, false, err
			}
			return nil, false, inTransaction(i, err)
		}
		if parsed[i].Verb == partiql.Select {
			n++
		}
	}
	if n > 0 && n < len(in) {
		return nil, false, errMixedTransaction
	}
	return parsed, n > 0, nil
}

// fits refuses statements that no transaction takes. A table that does not
// exist is found later.
func (e *Engine) fits(s *statement) error {
	switch {
	case s.Returning != "":
		return errReturning
	case !s.isNamed():
		return errTableName
	case s.Verb == partiql.Select && s.Index != "":
		return errIndexRead
	case s.Verb == partiql.Exists && s.Index != "":
		return errIndexCheck
	case s.Verb == partiql.Insert:
		return nil
	}
	keys, _, err := s.schema(e)
	if err != nil {
		return nil
	}
	_, err = s.key(keys)
	var wrong unkeyable
	switch {
	case s.Verb == partiql.Select && (errors.Is(err, errNoKey) || err == nil && !s.isKeyOnly(keys)):
		return errNoPrimaryKey
	case s.Verb == partiql.Exists && (errors.Is(err, errNoKey) || err == nil && s.isKeyOnly(keys)):
		return errPlainExists
	case errors.As(err, &wrong):
		return err
	}
	return nil
}

// allOf returns what each statement stands for: first what depends on no
// table, of which a fault is one of the request, and then the rest. What is
// wrong with a key or item then cancels the transaction with a reason for each
// statement.
func allOf[T any](parsed []*statement, of func(*statement) (T, error), place func(*statement, T) error, fits func(*statement) error) ([]T, error) {
	out := make([]T, len(parsed))
	for i, s := range parsed {
		var err error
		if out[i], err = of(s); err == nil {
			err = fits(s)
		}
		if err != nil {
			return nil, inTransaction(i, err)
		}
	}
	var failed reasons
	for i, s := range parsed {
		if err := place(s, out[i]); err != nil {
			if err := failed.addErr(i, len(parsed), err); err != nil {
				return nil, err
			}
		}
	}
	if failed != nil {
		return nil, canceled(failed)
	}
	return out, nil
}
