//go:build unix

package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

// fullDir names the directory to fill in the environment of the process that
// TestFullDisk starts.
const fullDir = "DYNORM_TEST_FULL_DIR"

func init() { children[fullDir] = filled }

// TestFullDisk runs a process whose files can't grow beyond a size: it says
// what was answered before a write failed, and that nothing was afterwards.
// What was answered is there when the engine is opened where there is space.
func TestFullDisk(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, "dynorm.db")
	answered := 0
	for round := range 2 { // Once more, with what is there.
		cmd := exec.Command(program, "-test.run=^$")
		cmd.Env = append(os.Environ(), fullDir+"="+dir, fmt.Sprint("DYNORM_TEST_FIRST=", answered))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		answered, err = strconv.Atoi(lines[0])
		require.NoError(t, err, string(out))
		require.Len(t, lines, 5, string(out))
		for _, failure := range lines[1:] {
			require.Contains(t, failure, file, "round %d", round)
			require.Contains(t, failure, syscall.EFBIG.Error(), "round %d", round)
		}

		e, err := local.Open(t.Context(), local.Config{Path: dir})
		require.NoError(t, err)
		found := scanned(t, e.Client(), "app", nil)
		require.Len(t, found, answered, "round %d", round)
		require.NoError(t, e.Close())
	}
	require.Positive(t, answered)
	e := reopened(t, local.Config{Path: dir})
	load(t, e.Client(), 1000)
	require.Len(t, scanned(t, e.Client(), "app", nil), answered+1000)
}

// filled is the process of TestFullDisk.
func filled(dir string) {
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	signal.Ignore(syscall.SIGXFSZ)
	check(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}))
	e, err := local.Open(ctx, local.Config{Path: dir})
	check(err)
	c := e.Client()
	once := func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 }
	n, err := strconv.Atoi(os.Getenv("DYNORM_TEST_FIRST"))
	check(err)
	if n == 0 {
		check(createKillTable(ctx, c, "app"))
	}
	fill := strings.Repeat("x", 10_000)
	put := func() error {
		_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("app"), Item: item("a", strconv.Itoa(n), "filler", fill)}, once)
		return err
	}
	failure := put()
	for ; failure == nil; failure = put() {
		n++
	}
	fmt.Println(n)
	_, read := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("app"), Key: item("a", "0")}, once)
	_, snapshot := e.Snapshot()
	for _, err := range []error{failure, read, snapshot, e.Close()} {
		if err == nil {
			err = errors.New("no error")
		}
		fmt.Println(string(bytes.ReplaceAll([]byte(err.Error()), []byte("\n"), []byte(" "))))
	}
}
