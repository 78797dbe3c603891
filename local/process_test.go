package local_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

// holdDir names the directory that the process of TestTwoProcesses holds.
const holdDir = "DYNORM_TEST_HOLD_DIR"

func init() { children[holdDir] = hold }

// TestTwoProcesses finds a path closed while another process has it, which is
// not disturbed by that, and open as soon as that one is gone, however it went.
func TestTwoProcesses(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	for round := range 3 {
		cmd := exec.Command(program, "-test.run=^$")
		cmd.Env = append(os.Environ(), holdDir+"="+dir)
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		said := bufio.NewScanner(out)
		require.True(t, said.Scan(), "round %d", round)
		require.Equal(t, fmt.Sprint(round), said.Text(), "the items of the rounds before")

		_, err = local.Open(t.Context(), local.Config{Path: dir})
		require.ErrorContains(t, err, filepath.Join(dir, "dynorm.db")+" is in use by another process")

		_, err = fmt.Fprintln(in, "put")
		require.NoError(t, err)
		require.True(t, said.Scan())
		require.Equal(t, "put", said.Text(), "it goes on")
		if round == 0 {
			require.NoError(t, in.Close())
			require.NoError(t, cmd.Wait())
		} else {
			require.NoError(t, cmd.Process.Kill())
			require.Error(t, cmd.Wait())
		}
	}
	require.Len(t, scanned(t, reopened(t, local.Config{Path: dir}).Client(), "app", nil), 3)
}

// hold is the process of TestTwoProcesses: it says how many items there are, and
// puts one for each line that it reads.
func hold(dir string) {
	check := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	e, err := local.Open(ctx, local.Config{Path: dir})
	check(err)
	n := 0
	if items, err := scanAll(e.Client(), "app", nil); err == nil {
		n = len(items)
	} else {
		check(createKillTable(ctx, e.Client(), "app"))
	}
	fmt.Println(n)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); n++ {
		w := killWorker{client: e.Client(), name: "held", number: n}
		check(w.put(ctx, "app", fmt.Sprint(n)))
		fmt.Println(lines.Text())
	}
	check(e.Close())
}
