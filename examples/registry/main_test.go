package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/golden"
	"github.com/dynorm/dynorm/internal/patterntest"
	"github.com/dynorm/dynorm/internal/testdb"
)

// The figures are those of the data set.
func TestRegistry(t *testing.T) {
	r, err := openRegistry(testdb.Open(t), testdb.Table(t))
	require.NoError(t, err)
	ctx := t.Context()
	require.NoError(t, r.db.CreateTable(ctx))
	sources, packages, edges, err := readPackages(bytes.NewReader(packagesJSONL))
	require.NoError(t, err)
	require.Len(t, sources, 1293)
	require.Len(t, packages, 2346)
	require.Len(t, edges, 12663)
	require.NoError(t, r.load(ctx, sources, packages, edges))

	dependents := func(name string) int {
		n, err := r.edges.Where(dynorm.Eq("to", name)).Count(ctx)
		require.NoError(t, err)
		return n
	}
	require.Equal(t, 1527, dependents("libc6"))
	require.Equal(t, 479, dependents("libstdc++6"))
	require.Equal(t, 295, dependents("libgcc-s1"))

	// Paging visits each dependent once, in order.
	seen := map[string]bool{}
	last, cursor := "", ""
	for {
		page, err := r.edges.Where(dynorm.Eq("to", "libc6")).Limit(100).Page(ctx, cursor)
		require.NoError(t, err)
		for _, e := range page.Items {
			require.False(t, seen[e.From], e.From)
			require.Less(t, last, e.From)
			seen[e.From], last = true, e.From
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	require.Len(t, seen, 1527)

	libs, err := r.packages.Where(dynorm.Eq("section", "libs")).OrderBy("installedKiB").List(ctx)
	require.NoError(t, err)
	require.Len(t, libs, 1204)
	for i, p := range libs[1:] {
		require.LessOrEqual(t, libs[i].InstalledKiB, p.InstalledKiB)
	}
	all, err := r.packages.FindMany(ctx, "openssl", "no such package", "libc6")
	require.NoError(t, err)
	require.Equal(t, "openssl", all[0].Name)
	require.Nil(t, all[1])
	require.Equal(t, "glibc", all[2].SourceName)
}

func TestAnswers(t *testing.T) {
	r, err := openRegistry(testdb.Open(t), testdb.Table(t))
	require.NoError(t, err)
	require.NoError(t, r.db.CreateTable(t.Context()))
	sources, packages, edges, err := readPackages(bytes.NewReader(packagesJSONL))
	require.NoError(t, err)
	require.NoError(t, r.load(t.Context(), sources, packages, edges))
	r.requests()
	var out strings.Builder
	require.NoError(t, r.answer(t.Context(), &out))
	for _, line := range []string{"128899 KiB  libqt5webenginecore5", "1527 in all", "libssl3", "\n  1204\n"} {
		require.Contains(t, out.String(), line)
	}
	require.NotContains(t, out.String(), "requests: 0")
}

// The lock is what the schema says, so that what is embedded next is complete.
func TestLock(t *testing.T) {
	schema, err := newSchema()
	require.NoError(t, err)
	want := schema.Lock().JSON()
	if golden.Updating() {
		require.NoError(t, os.WriteFile("dynorm.lock.json", want, 0o644))
		return
	}
	require.Equal(t, string(want), string(lock), "run with -update")
}

func TestAccessPatterns(t *testing.T) {
	schema, err := newSchema()
	require.NoError(t, err)
	n := patterntest.Check(t, t, testdb.Open(t), schema, 1, 40)
	require.Greater(t, n.Items, 100)
}

func TestNoScan(t *testing.T) {
	r, err := openRegistry(testdb.Open(t), testdb.Table(t))
	require.NoError(t, err)
	_, err = r.packages.Where(dynorm.Eq("arch", "amd64")).List(context.Background())
	require.ErrorIs(t, err, dynorm.ErrNoIndex)
	require.Zero(t, r.requests(), "a refused query sends nothing")
}
