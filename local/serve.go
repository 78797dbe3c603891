package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// DefaultAddr is where [Serve] listens if not told.
const DefaultAddr = "127.0.0.1:8000"

// Serve opens the engine that cfg describes and serves it at addr, such as
// "localhost:8000", until ctx ends. An empty addr is [DefaultAddr]; one without
// a host, such as ":8001", is on the loopback interface only, since anyone who
// reaches the port can read and change everything. It returns nil when ctx
// ended.
func Serve(ctx context.Context, addr string, cfg Config) error {
	e, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(e.Serve(ctx, addr), e.Close())
}

// Serve serves the engine at addr until ctx ends. See the function [Serve].
func (e *Engine) Serve(ctx context.Context, addr string) error {
	s, err := e.Listen(addr)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return s.Close()
}

// Server is an engine that listens.
type Server struct {
	listener net.Listener
	server   *http.Server
	done     chan error
}

// Listen starts serving the engine at addr and returns at once. Port 0 is a
// free one, see [Server.URL].
func (e *Engine) Listen(addr string) (*Server, error) {
	if addr == "" {
		addr = DefaultAddr
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("local: listen: %w", err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("local: %w", err)
	}
	s := &Server{l, &http.Server{Handler: e.Handler(), ReadHeaderTimeout: 10 * time.Second}, make(chan error, 1)}
	go func() { s.done <- s.server.Serve(l) }()
	return s, nil
}

// URL returns the endpoint to give to SDKs, such as "http://127.0.0.1:8000".
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Close stops listening, and waits up to a second for requests to be answered.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		if err := s.server.Close(); err != nil {
			return fmt.Errorf("local: serve: %w", err)
		}
	}
	if err := <-s.done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("local: serve: %w", err)
	}
	return nil
}
