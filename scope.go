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
	given := slices.Clone(scopes)
	return Model[T](model(m).withScope(func(s *queryState) *queryState { return Query[T]{s}.Scope(given...).s }))
}

// WithoutScopes returns the model without the scopes of [Model.WithScope].
func (m Model[T]) WithoutScopes() Model[T] { return Model[T](model(m).scoped(nil)) }

func (m model) withScope(scope func(*queryState) *queryState) model {
	if m.modelState == nil {
		return m
	}
	return m.scoped(append(slices.Clip(m.scopes), scope))
}

// scoped returns the model with the scopes given, whatever it had.
func (m model) scoped(scopes []func(*queryState) *queryState) model {
	if m.modelState == nil {
		return m
	}
	state := *m.modelState
	state.scopes = scopes
	m.modelState = &state
	return m
}

// Latest sorts by the time of creation, the latest first: by the `created`
// field, or by a primary key that is a generated ULID.
func (q Query[T]) Latest() Query[T] { return Query[T]{q.s.byCreation(true)} }

// Oldest sorts by the time of creation, the earliest first, as Latest does.
func (q Query[T]) Oldest() Query[T] { return Query[T]{q.s.byCreation(false)} }

func (s *queryState) byCreation(desc bool) *queryState {
	s = s.with()
	if s.err != nil {
		return s
	}
	e := s.e
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
		return s.fail(faultf(ErrInvalid, "%s has neither a `created` field nor a `ulid` as its primary key: use OrderBy", e.def.Name))
	}
	s.opts.order = append(slices.Clip(s.opts.order), order...)
	return s
}

// Omit reads all fields but the given ones, which are zero in the items
// returned; those that make up the key are read all the same. It spares transfer
// and decoding, not read units.
func (q Query[T]) Omit(fields ...string) Query[T] { return Query[T]{q.s.omit(fields)} }

func (s *queryState) omit(fields []string) *queryState {
	s = s.with()
	if s.err != nil {
		return s
	}
	omitted := map[string]bool{}
	for _, name := range fields {
		f, err := named(name).resolve(s.e)
		if err != nil {
			return s.fail(err)
		}
		if len(f.Path()) > 1 {
			return s.fail(atField(f.Name, faultf(ErrInvalid, "Omit takes whole fields")))
		}
		omitted[f.Attr] = true
	}
	if len(omitted) == 0 {
		return s.fail(faultf(ErrInvalid, "Omit was given no fields"))
	}
	selects := s.opts.selects
	if len(selects) == 0 {
		for i := range s.e.codec.NumFields() {
			selects = append(selects, named(s.e.codec.Field(i).Name))
		}
	}
	s.opts.selects = nil
	for _, ref := range selects {
		f, err := ref.resolve(s.e)
		if err != nil {
			return s.fail(err)
		}
		if !omitted[f.Attr] {
			s.opts.selects = append(s.opts.selects, ref)
		}
	}
	if len(s.opts.selects) == 0 {
		return s.fail(faultf(ErrInvalid, "Omit leaves nothing to read"))
	}
	return s
}
