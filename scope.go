package dynorm

import "slices"

// Scope returns what the functions make of the query, one after the other: a
// way to give a name to conditions that are asked for often.
//
//	func active(q dynorm.Query[User]) dynorm.Query[User] { return q.Where(UserStatus.Eq("active")) }
//
//	list, err := users.Query().Scope(active, adults).List(ctx)
func (q Query[T]) Scope(scopes ...func(Query[T]) Query[T]) Query[T] {
	for _, scope := range scopes {
		if scope != nil {
			q = scope(q)
		}
	}
	return q
}

// When returns what fn makes of the query where the condition holds, and the
// query itself otherwise.
func (q Query[T]) When(condition bool, fn func(Query[T]) Query[T]) Query[T] {
	if condition {
		return fn(q)
	}
	return q
}

// Unless returns what fn makes of the query where the condition does not hold,
// and the query itself otherwise.
func (q Query[T]) Unless(condition bool, fn func(Query[T]) Query[T]) Query[T] {
	return q.When(!condition, fn)
}

// WithScope returns a model all of whose queries start with the scopes. Reads by
// key and writes know nothing of them.
func (m Model[T]) WithScope(scopes ...func(Query[T]) Query[T]) Model[T] {
	m.scopes = append(slices.Clip(m.scopes), scopes...)
	return m
}

// WithoutScopes returns the model without the scopes of [Model.WithScope].
func (m Model[T]) WithoutScopes() Model[T] {
	m.scopes = nil
	return m
}

// Latest sorts by the time of creation, the latest first: by the `created`
// field, or by a primary key that is a generated ULID.
func (q Query[T]) Latest() Query[T] { return q.byCreation(true) }

// Oldest sorts by the time of creation, the earliest first, as Latest does.
func (q Query[T]) Oldest() Query[T] { return q.byCreation(false) }

func (q Query[T]) byCreation(desc bool) Query[T] {
	q = q.with()
	if q.s.err != nil {
		return q
	}
	e := q.s.e
	var order []orderTerm
	for _, p := range e.paths() {
		// The time is in few keys; a ULID tells it as well.
		if e.created != nil && slices.Contains(p.sk.attrs, attrID(e.created)) {
			order = []orderTerm{{ref: named(e.created.Name), desc: desc}}
			break
		}
	}
	switch {
	case order != nil:
	case e.primary != nil && e.primary.Generator == "ulid":
		order = []orderTerm{{ref: named(e.primary.Name), desc: desc}}
	case e.created != nil:
		order = []orderTerm{{ref: named(e.created.Name), desc: desc}}
	default:
		return q.fail(faultf(ErrInvalid, "%s has neither a `created` field nor a `ulid` as its primary key: use OrderBy", e.def.Name))
	}
	q.s.opts.order = append(slices.Clip(q.s.opts.order), order...)
	return q
}

// Omit reads all fields but the given ones, which are zero in the items
// returned; those that make up the key are read all the same. It spares transfer
// and decoding, not read units.
func (q Query[T]) Omit(fields ...string) Query[T] {
	q = q.with()
	if q.s.err != nil {
		return q
	}
	omitted := map[string]bool{}
	for _, name := range fields {
		f, err := named(name).resolve(q.s.e)
		if err != nil {
			return q.fail(err)
		}
		if len(f.Path()) > 1 {
			return q.fail(atField(f.Name, faultf(ErrInvalid, "Omit takes whole fields")))
		}
		omitted[f.Attr] = true
	}
	if len(omitted) == 0 {
		return q.fail(faultf(ErrInvalid, "Omit was given no fields"))
	}
	selects := q.s.opts.selects
	if len(selects) == 0 {
		for i := range q.s.e.codec.NumFields() {
			selects = append(selects, named(q.s.e.codec.Field(i).Name))
		}
	}
	q.s.opts.selects = nil
	for _, ref := range selects {
		f, err := ref.resolve(q.s.e)
		if err != nil {
			return q.fail(err)
		}
		if !omitted[f.Attr] {
			q.s.opts.selects = append(q.s.opts.selects, ref)
		}
	}
	if len(q.s.opts.selects) == 0 {
		return q.fail(faultf(ErrInvalid, "Omit leaves nothing to read"))
	}
	return q
}
