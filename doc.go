// Package dynorm maps tagged structs to one DynamoDB table.
//
// # Entities
//
// An entity is a struct. Tags name its attributes and say what the rest should
// do; a blank field of type [Entity], [Key], [Index] or [Unique] speaks for the
// whole struct:
//
//	type User struct {
//		_ dynorm.Entity `dynorm:"User,timestamps"`
//
//		ID     string `dynorm:",primary,ulid"`
//		Name   string
//		TeamID string
//		Logins int64
//
//		Team *Team `rel:"belongsTo"`
//	}
//
// A field is stored under its lowerCamel name unless its tag gives another. A
// struct without tags works too when it has an ID field.
//
// # Keys and indexes
//
// All entities share one table with a partition key and a sort key. Both are
// texts built from templates: derived ones (`USER#{id}` for both), or those of
// a dynorm.Key marker:
//
//	_ dynorm.Key `pk:"USER#{UserID}" sk:"ORDER#{PlacedAt}#{ID}"`
//
// Values are escaped, so that a "#" in an id can't alias another key. In a sort
// key the order of the text is the order of the values: integers are padded,
// times are UTC and of one width.
//
// A belongsTo relation, a field tagged `index` and a dynorm.Index marker each
// give items an entry on a global secondary index. Entries of different
// entities share indexes, so the table has as many as the most demanding entity
// needs. An entry whose inputs are missing is left out, and every write that
// touches an input writes the entry anew: entries don't go stale.
//
// # Reading and writing
//
//	schema, err := dynorm.NewSchema(User{}, Team{})
//	db, err := dynorm.Open(client, schema, dynorm.Config{Table: "app"})
//	users := dynorm.ModelOf[User](db)
//
//	err = users.Create(ctx, u)                  // ErrExists if there is one
//	u, err := users.Find(ctx, id)               // ErrNotFound if there is none
//	err = users.Save(ctx, u)                    // writes what User declares, keeps the rest
//	u, err = users.Update(ctx, id, dynorm.Set("name", "Ann"), dynorm.Add("logins", 1))
//	err = users.Delete(ctx, u)
//
// Leaving a field alone, clearing it and setting it are different things: a zero
// value is a value. Typed columns catch mistakes when compiling:
//
//	var UserLogins = dynorm.Col(func(u *User) *int64 { return &u.Logins })
//	u, err = users.Update(ctx, id, UserLogins.Add(1), dynorm.If(UserLogins.Lt(10)))
//
// # Queries
//
// A query is planned onto the table or an index, never onto a scan:
//
//	list, err := users.Where(dynorm.Eq("teamId", "t1")).Limit(10).List(ctx)
//	for u, err := range users.Where(dynorm.Eq("teamId", "t1")).All(ctx) { ... }
//
// What no index answers is an [ErrNoIndex] that says, for each index, why not
// and which tag would help.
//
// # Errors
//
// Every error matches a sentinel of this package with errors.Is. An [Error]
// names operation, entity, index and field; a [ConditionError] carries the item
// that a condition met. The SDK's own error stays reachable with errors.As.
// Error texts never show the values of keys and attributes.
//
// # What it costs
//
// Opening a [DB] sends nothing. The doc comment of each method says which
// requests it sends. An [Interceptor] sees every one of them.
package dynorm
