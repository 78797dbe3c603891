package local

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is a DynamoDB Local that runs for an Engine.
type process struct {
	command *exec.Cmd
	done    chan struct{} // closed when it has ended
}

// startJar runs the jar on a free port and waits until it answers.
func startJar(ctx context.Context, jar string) (*process, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return nil, "", err
	}
	folder := filepath.Dir(jar)
	var output strings.Builder
	command := exec.Command("java", "-Djava.library.path="+filepath.Join(folder, "DynamoDBLocal_lib"),
		"-jar", jar, "-inMemory", "-sharedDb", "-disableTelemetry", "-port", strconv.Itoa(port))
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		return nil, "", fmt.Errorf("run DynamoDB Local: %w", err)
	}
	p := &process{command, make(chan struct{})}
	go func() {
		command.Wait() //nolint:errcheck // it is killed
		close(p.done)
	}()
	endpoint := "http://127.0.0.1:" + strconv.Itoa(port)
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for {
		if answering(ctx, client, endpoint) {
			return p, endpoint, nil
		}
		select {
		case <-p.done:
			return nil, "", fmt.Errorf("DynamoDB Local ended: %s", strings.TrimSpace(output.String()))
		case <-ctx.Done():
			p.stop() //nolint:errcheck // ctx's error says more
			return nil, "", fmt.Errorf("wait for DynamoDB Local: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// answering reports whether something speaks HTTP at the endpoint. DynamoDB
// Local answers an unsigned request with status 400.
func answering(ctx context.Context, client *http.Client, endpoint string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil
}

func (p *process) stop() error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := p.command.Process.Kill(); err != nil {
		return fmt.Errorf("local: stop DynamoDB Local: %w", err)
	}
	<-p.done
	return nil
}
