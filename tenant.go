package dynorm

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Scope gives each call the tenant that its context is of: the part of the data
// that the call sees. Every request goes through it, those of batches,
// transactions, index reads, scans, the checker of unique values and of tables
// included. What a call is given and what it returns has nothing of the
// tenant about it: keys in errors, cursors and interceptors are as without a
// Scope.
//
// An error refuses the call before anything is sent. Tenant must be safe for
// concurrent use, and fast: it is asked for each request.
type Scope interface {
	Tenant(ctx context.Context) (Tenant, error)
}

// Tenant is a part of the data: by a prefix of the keys, by a table of its own,
// or both. The zero Tenant is none, an [ErrNoTenant].
type Tenant struct {
	// Prefix goes before every partition key, of the table and of the indexes
	// alike, and before the keys of claims of unique values, so that two tenants
	// may hold one value. It is taken off what is read. No prefix may be the
	// beginning of another one: [TenantPrefix] makes such.
	//
	// An index whose partition key is made of fields (a native index) can't
	// carry it: queries that run on one are refused, and scans filter. In a
	// schema with an index over the table's key the other way round, sort keys
	// have the prefix too. A scan reads the whole table, those of other tenants
	// included, and filters by it; make tables by a DB without a Scope, or for
	// any tenant.
	Prefix string
	// Table is the name of the tenant's table, in place of [DB.Table].
	Table string
}

// TenantPrefix returns the prefix of a tenant's keys: "TENANT#", the id and
// "#", with what would end an id early escaped, so that no tenant's prefix is
// the beginning of another one's. An empty id gives an empty prefix.
func TenantPrefix(id string) string {
	if id == "" {
		return ""
	}
	return "TENANT#" + tenantEscapes.Replace(id) + "#"
}

var tenantEscapes = strings.NewReplacer("%", "%25", "#", "%23")

// ErrNoTenant says that a call has no tenant although [Config.Scope] asks for
// one. Nothing was sent.
var ErrNoTenant = errors.New("no tenant")

// tenant returns the tenant of a context, the zero one without a Scope.
func (db *DB) tenant(ctx context.Context) (Tenant, error) {
	if db.cfg.Scope == nil {
		return Tenant{}, nil
	}
	t, err := db.cfg.Scope.Tenant(ctx)
	switch {
	case err != nil && errors.Is(err, ErrNoTenant):
		return Tenant{}, err
	case err != nil:
		return Tenant{}, faultf(ErrNoTenant, "no tenant: %w", err)
	case t == Tenant{}:
		return Tenant{}, faultf(ErrNoTenant, "the context is of no tenant: Config.Scope gave none")
	}
	if t.Table != "" {
		if err := checkTableName(t.Table); err != nil {
			return Tenant{}, faultf(ErrInvalid, "the tenant's %w", err)
		}
	}
	return t, nil
}

// scopedAttrs are the attributes that carry a tenant's prefix: the partition
// keys of the table and of its indexes.
func (s *Schema) scopedAttrs() map[string]bool {
	attrs := map[string]bool{s.cfg.PK: true}
	for _, sl := range s.slots {
		if !sl.native {
			attrs[sl.pk] = true
		}
	}
	return attrs
}

// A scan evaluates items of all tenants, and may end a page at one of another
// tenant. Its key stands marked as such among those of the caller's own, so that
// reading goes on after it.
const foreignMark = "\x00foreign\x00"

// foreign reports whether a place in a table is that of an item of another
// tenant.
func (e *entity) foreign(key Item) bool {
	s, _ := key[e.schema.cfg.PK].(*types.AttributeValueMemberS)
	return s != nil && strings.HasPrefix(s.Value, foreignMark)
}
