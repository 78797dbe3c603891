package dynorm_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/testdata/models/forge"
	"github.com/dynorm/dynorm/testdata/models/saas"
)

// question is what a reference model is made to answer: without a scan,
// with these items in this order.
type question struct {
	name string
	ask  func(ctx context.Context, db *dynorm.DB) ([]string, error)
	want []string
	// requests is how many it takes. Defaults to 1.
	requests int
}

// labels returns what a query finds.
func labels[T any](q dynorm.Query[T], label func(*T) string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) (found []string, err error) {
		list, err := q.List(ctx)
		for _, v := range list {
			found = append(found, label(v))
		}
		return found, err
	}
}

// labelOf returns the one item that a call finds.
func labelOf[T any](label func(*T) string) func(*T, error) ([]string, error) {
	return func(v *T, err error) ([]string, error) {
		if err != nil {
			return nil, err
		}
		return []string{label(v)}, nil
	}
}

// askEach asks every question of a table with rows.
func askEach(t *testing.T, models []any, rows func(ctx context.Context, db *dynorm.DB), questions []question) {
	s := open(t, models...)
	rows(t.Context(), s.db)
	for _, q := range questions {
		t.Run(q.name, func(t *testing.T) {
			s.sent = nil
			got, err := q.ask(t.Context(), s.db)
			require.NoError(t, err)
			require.Equal(t, q.want, got)
			kinds := s.kinds()
			require.Len(t, kinds, max(q.requests, 1))
			for _, kind := range kinds {
				require.Contains(t, []dynorm.OpKind{dynorm.OpQuery, dynorm.OpGetItem}, kind)
			}
		})
	}
}

// put writes rows of one entity.
func put[T any](t *testing.T, ctx context.Context, db *dynorm.DB, rows ...T) {
	t.Helper()
	for i := range rows {
		require.NoError(t, dynorm.ModelOf[T](db).Create(ctx, &rows[i]))
	}
}

func TestForgeQuestions(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 1, day, 12, 0, 0, 0, time.UTC) }
	rows := func(ctx context.Context, db *dynorm.DB) {
		put(t, ctx, db, forge.Account{Name: "ann", Kind: "user", Plan: "free"}, forge.Account{Name: "bob", Kind: "user", Plan: "pro"},
			forge.Account{Name: "acme", Kind: "organisation", Plan: "enterprise"}, forge.Account{Name: "gophers", Kind: "organisation", Plan: "free"})
		put(t, ctx, db, forge.Membership{Organisation: "acme", User: "ann", Role: "owner"}, forge.Membership{Organisation: "acme", User: "bob", Role: "member"},
			forge.Membership{Organisation: "gophers", User: "bob", Role: "owner"})
		put(t, ctx, db,
			forge.Repo{Owner: "acme", Name: "anvil", Changed: at(3), Stars: 2}, forge.Repo{Owner: "acme", Name: "rocket", Changed: at(9), Stars: 1},
			forge.Repo{Owner: "ann", Name: "anvil", ForkOf: "acme", Changed: at(5)}, forge.Repo{Owner: "bob", Name: "anvil", ForkOf: "acme", Changed: at(4)})
		for n, status := range []string{"open", "closed", "open", "open"} {
			put(t, ctx, db, forge.Issue{Owner: "acme", Repo: "anvil", Number: n*4 + 1, Status: status, Title: fmt.Sprint("issue ", n)})
		}
		put(t, ctx, db, forge.Issue{Owner: "acme", Repo: "rocket", Number: 1, Status: "open"})
		put(t, ctx, db, forge.Pull{Owner: "acme", Repo: "anvil", Number: 2, Author: "ann"}, forge.Pull{Owner: "acme", Repo: "anvil", Number: 10, Author: "bob"})
		put(t, ctx, db, forge.Comment{Owner: "acme", Repo: "anvil", Issue: 1, ID: "c1", Text: "yes"}, forge.Comment{Owner: "acme", Repo: "anvil", Issue: 1, ID: "c2", Text: "no"},
			forge.Comment{Owner: "acme", Repo: "anvil", Issue: 13, ID: "c3", Text: "so"})
		put(t, ctx, db, forge.Star{Owner: "acme", Repo: "anvil", By: "bob", At: at(2)}, forge.Star{Owner: "acme", Repo: "anvil", By: "ann", At: at(6)},
			forge.Star{Owner: "acme", Repo: "rocket", By: "bob", At: at(7)})
	}
	anvil := []dynorm.Predicate{dynorm.Eq("owner", "acme"), dynorm.Eq("repo", "anvil")}
	number := func(i *forge.Issue) string { return fmt.Sprint(i.Number) }
	pull := func(p *forge.Pull) string { return fmt.Sprint(p.Number) }
	repo := func(r *forge.Repo) string { return r.Owner + "/" + r.Name }
	askEach(t, forge.Models(), rows, []question{
		{"an account by its name", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labelOf(func(a *forge.Account) string { return a.Kind + " " + a.Plan })(dynorm.ModelOf[forge.Account](db).Get(ctx, forge.Account{Name: "acme"}))
		}, []string{"organisation enterprise"}, 1},
		{"the members of an organisation", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[forge.Membership](db).Where(dynorm.Eq("organisation", "acme")), func(m *forge.Membership) string { return m.User })(ctx)
		}, []string{"ann", "bob"}, 1},
		{"the organisations of a user", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[forge.Membership](db).Where(dynorm.Eq("user", "bob")), func(m *forge.Membership) string { return m.Organisation })(ctx)
		}, []string{"acme", "gophers"}, 1},
		{"the repositories of an account, the last changed first", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[forge.Repo](db).Where(dynorm.Eq("owner", "acme")).OrderByDesc("changed"), repo)(ctx)
		}, []string{"acme/rocket", "acme/anvil"}, 1},
		{"an account with its repositories", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			res, err := dynorm.Collection(db, "ACCOUNT", "acme").Index("GSI3").Load(ctx)
			found := []string{fmt.Sprint(len(dynorm.Of[forge.Account](res)))}
			for _, r := range dynorm.Of[forge.Repo](res) {
				found = append(found, r.Name)
			}
			return found, err
		}, []string{"1", "anvil", "rocket"}, 1},
		{"a repository", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labelOf(func(r *forge.Repo) string { return fmt.Sprint(r.Stars) })(dynorm.ModelOf[forge.Repo](db).Get(ctx, forge.Repo{Owner: "acme", Name: "anvil"}))
		}, []string{"2"}, 1},
		{"a repository with its issues and stars", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			res, err := dynorm.Collection(db, "REPO", "acme", "anvil").Load(ctx)
			return []string{fmt.Sprint(len(dynorm.Of[forge.Repo](res)), len(dynorm.Of[forge.Issue](res)), len(dynorm.Of[forge.Star](res)))}, err
		}, []string{"1 4 2"}, 1},
		{"a repository with its pull requests", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			res, err := dynorm.Collection(db, "REPO", "acme", "anvil").Index("GSI1").Load(ctx)
			return []string{fmt.Sprint(len(dynorm.Of[forge.Repo](res)), len(dynorm.Of[forge.Pull](res)))}, err
		}, []string{"1 2"}, 1},
		{"an issue by its number", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labelOf(func(i *forge.Issue) string { return i.Title })(dynorm.ModelOf[forge.Issue](db).Get(ctx, forge.Issue{Owner: "acme", Repo: "anvil", Number: 9}))
		}, []string{"issue 2"}, 1},
		{"the issues of a repository, the newest first", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[forge.Issue](db).Where(anvil...).OrderByDesc("number"), number)(ctx)
		}, []string{"13", "9", "5", "1"}, 1},
		{"its open issues", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[forge.Issue](db).Where(anvil...).Where(dynorm.Eq("status", "open")).OrderBy("number").Index("open"), number)(ctx)
		}, []string{"1", "9", "13"}, 1},
		{"the pull requests of a repository, the newest first", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[forge.Pull](db).Where(anvil...).OrderByDesc("number"), pull)(ctx)
		}, []string{"10", "2"}, 1},
		{"the comments on an issue", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[forge.Comment](db).Where(anvil...).Where(dynorm.Eq("issue", 1)), func(c *forge.Comment) string { return c.ID })(ctx)
		}, []string{"c1", "c2"}, 1},
		{"the forks of a repository", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[forge.Repo](db).Where(dynorm.Eq("forkOf", "acme"), dynorm.Eq("name", "anvil")), repo)(ctx)
		}, []string{"ann/anvil", "bob/anvil"}, 1},
		{"who starred a repository", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[forge.Star](db).Where(anvil...), func(s *forge.Star) string { return s.By })(ctx)
		}, []string{"ann", "bob"}, 1},
		{"what a user starred, the last first", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[forge.Star](db).Where(dynorm.Eq("by", "bob")).OrderByDesc("at"), func(s *forge.Star) string { return s.Repo })(ctx)
		}, []string{"rocket", "anvil"}, 1},
	})
}

func TestServiceWithTenantsQuestions(t *testing.T) {
	due := func(day int) time.Time { return time.Date(2026, 2, day, 0, 0, 0, 0, time.UTC) }
	rows := func(ctx context.Context, db *dynorm.DB) {
		put(t, ctx, db, saas.Tenant{ID: "t1", Plan: "team"}, saas.Tenant{ID: "t2", Plan: "free"})
		put(t, ctx, db, saas.Member{ID: "m1", TenantID: "t1", Email: "ann@x", Role: "owner"}, saas.Member{ID: "m2", TenantID: "t1", Email: "bob@x", Role: "member"},
			saas.Member{ID: "m3", TenantID: "t1", Email: "cid@x", Role: "member"}, saas.Member{ID: "m4", TenantID: "t2", Email: "ann@x", Role: "owner"})
		put(t, ctx, db, saas.Project{ID: "p1", TenantID: "t1", Name: "One"}, saas.Project{ID: "p2", TenantID: "t1", Name: "Two"}, saas.Project{ID: "p3", TenantID: "t2", Name: "Three"})
		put(t, ctx, db,
			saas.Task{TenantID: "t1", ProjectID: "p1", Seq: 1, AssigneeID: "m2", Priority: 1, Due: due(9)},
			saas.Task{TenantID: "t1", ProjectID: "p1", Seq: 2, AssigneeID: "m1", Priority: 7, Due: due(5)},
			saas.Task{TenantID: "t1", ProjectID: "p2", Seq: 1, AssigneeID: "m2", Priority: 9, Due: due(7), Done: true},
			saas.Task{TenantID: "t2", ProjectID: "p3", Seq: 1, AssigneeID: "m4", Priority: 5, Due: due(1)})
		expires := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
		put(t, ctx, db, saas.Invitation{TenantID: "t1", Email: "eve@x", Expires: expires}, saas.Invitation{TenantID: "t2", Email: "eve@x", Expires: expires})
		for hour := range 3 {
			put(t, ctx, db, saas.Usage{TenantID: "t1", Hour: due(1).Add(time.Duration(hour) * time.Hour), Metric: "requests", Count: int64(10 * (hour + 1))})
		}
	}
	task := func(k *saas.Task) string { return fmt.Sprintf("%s/%d", k.ProjectID, k.Seq) }
	member := func(m *saas.Member) string { return m.ID }
	ofTenant := dynorm.Eq("tenantId", "t1")
	askEach(t, saas.Models(), rows, []question{
		{"a tenant with its members, projects and tasks", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			res, err := dynorm.Collection(db, "TENANT", "t1").Load(ctx)
			return []string{fmt.Sprint(len(dynorm.Of[saas.Tenant](res)), len(dynorm.Of[saas.Member](res)), len(dynorm.Of[saas.Project](res)), len(dynorm.Of[saas.Task](res)), len(dynorm.Of[saas.Invitation](res)))}, err
		}, []string{"1 3 2 3 1"}, 1},
		{"the members of a tenant", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[saas.Member](db).Where(ofTenant), member)(ctx)
		}, []string{"m1", "m2", "m3"}, 1},
		{"those of a role", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[saas.Member](db).Where(ofTenant, dynorm.Eq("role", "member")).Consistent(), member)(ctx)
		}, []string{"m2", "m3"}, 1},
		{"a member by mail address, in a tenant", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labelOf(member)(dynorm.ModelOf[saas.Member](db).FindBy(ctx, "tenantId+email", "t2", "ann@x"))
		}, []string{"m4"}, 2},
		{"the tasks of a project", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[saas.Task](db).Where(ofTenant, dynorm.Eq("projectId", "p1")), task)(ctx)
		}, []string{"p1/1", "p1/2"}, 1},
		{"the tasks of a tenant as they are due", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[saas.Task](db).Where(ofTenant).OrderBy("due"), task)(ctx)
		}, []string{"p1/2", "p2/1", "p1/1"}, 1},
		{"those due by a day", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[saas.Task](db).Where(ofTenant, dynorm.Le("due", due(7))).OrderByDesc("due"), task)(ctx)
		}, []string{"p2/1", "p1/2"}, 1},
		{"the open ones, the most urgent first", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[saas.Task](db).Where(ofTenant, dynorm.Eq("done", false)).OrderByDesc("priority"), task)(ctx)
		}, []string{"p1/2", "p1/1"}, 1},
		{"the tasks of a member", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[saas.Task](db).Where(dynorm.Eq("assigneeId", "m2")), task)(ctx)
		}, []string{"p1/1", "p2/1"}, 1},
		{"the invitations of a mail address", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[saas.Invitation](db).Where(dynorm.Eq("email", "eve@x")), func(i *saas.Invitation) string { return i.TenantID })(ctx)
		}, []string{"t1", "t2"}, 1},
		{"the usage of a kind from an hour on", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[saas.Usage](db).Where(dynorm.Eq("metric", "requests"), dynorm.Ge("hour", due(1).Add(time.Hour))), func(u *saas.Usage) string { return fmt.Sprint(u.Count) })(ctx)
		}, []string{"20", "30"}, 4},
		{"all tenants", func(ctx context.Context, db *dynorm.DB) ([]string, error) {
			return labels(dynorm.ModelOf[saas.Tenant](db).Query().OrderBy("id"), func(v *saas.Tenant) string { return v.ID })(ctx)
		}, []string{"t1", "t2"}, 4},
	})
}
