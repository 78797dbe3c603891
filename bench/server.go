package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/local"
)

// serverCommand is the argument that makes this program the server.
const serverCommand = "serve"

// server is a DynamoDB in a process of its own, so that its work is not taken
// for the client's.
type server struct {
	url     string
	process *exec.Cmd
	stdin   io.Closer
}

// startServer starts a server and waits until it listens.
func startServer(ctx context.Context) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, serverCommand)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{process: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the server said nothing: %w", err), s.stop())
	}
	s.url = strings.TrimSpace(line)
	return s, nil
}

// stop ends the server, which does so when its input ends.
func (s *server) stop() error { return errors.Join(s.stdin.Close(), s.process.Wait()) }

// client returns a client whose requests the server holds up for a time.
func (s *server) client(latency time.Duration) *dynamodb.Client {
	return dynorm.NewClient(aws.Config{
		Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "bench", SecretAccessKey: "bench"}, nil
		}),
	}, func(o *dynamodb.Options) { o.BaseEndpoint = aws.String(s.url + "/" + latency.String()) })
}

// serve is the server: an engine on a free port, whose URL it writes, until
// stdin ends. The path of a request says how long it is held up.
func serve(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	engine, err := local.Open(ctx, local.Config{})
	if err != nil {
		return err
	}
	defer engine.Close()
	handler := engine.Handler()
	web := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if latency, err := time.ParseDuration(strings.Trim(r.URL.Path, "/")); err == nil {
				time.Sleep(latency)
			}
			r.URL.Path = "/"
			handler.ServeHTTP(w, r)
		}),
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	fmt.Fprintln(stdout, "http://"+listener.Addr().String())
	_, err = io.Copy(io.Discard, stdin)
	return errors.Join(err, web.Close(), ignoreClosed(<-ended))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
