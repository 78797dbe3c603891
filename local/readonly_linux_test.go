package local_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

// TestReadOnly opens directories and files that can't be written. The
// superuser, who can write everything, gives up this right for the test.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o555))
	held := filepath.Join(t.TempDir(), "held")
	e, err := local.Open(t.Context(), local.Config{Path: held})
	require.NoError(t, err)
	require.NoError(t, e.Close())
	file := filepath.Join(held, "dynorm.db")
	require.NoError(t, os.Chmod(file, 0o444))

	if os.Geteuid() == 0 {
		runtime.LockOSThread() // and never unlocked: the thread ends with the test
		require.NoError(t, os.Chmod(filepath.Dir(held), 0o755))
		require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(held)), 0o755))
		require.NoError(t, syscall.Setfsuid(65534))
	}
	for _, tc := range []struct{ path, named string }{
		{dir, dir}, {filepath.Join(dir, "new"), filepath.Join(dir, "new")}, {held, file},
	} {
		_, err := local.Open(t.Context(), local.Config{Path: tc.path})
		require.ErrorIs(t, err, os.ErrPermission)
		require.ErrorContains(t, err, tc.named)
	}
	require.NoError(t, syscall.Setfsuid(os.Geteuid()))
}
