package local

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/dynorm/dynorm/internal/engine"
)

// answer is a response in the form that both ways in make theirs of.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// backend answers requests: the embedded engine, or a server elsewhere.
type backend interface {
	do(ctx context.Context, operation string, header http.Header, body []byte) (answer, error)
	close()
}

type embedded struct {
	engine *engine.Engine
	guard  *guard // nil accepts everyone
}

func (b embedded) do(_ context.Context, operation string, _ http.Header, body []byte) (answer, error) {
	out, fault := b.engine.Do(operation, body)
	return answerOf(out, fault), nil
}

func (b embedded) close() {}

func answerOf(body []byte, fault *engine.Fault) answer {
	status, header, body := engine.Answer(body, fault)
	return answer{status, header, body}
}

// remote is a server that speaks the protocol over HTTP.
type remote struct {
	url    string
	client *http.Client
}

func newRemote(endpoint string) *remote {
	return &remote{strings.TrimSuffix(endpoint, "/"), &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute,
	}}}
}

func (b *remote) do(ctx context.Context, _ string, header http.Header, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/", bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header = header
	resp, err := b.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return answer{resp.StatusCode, resp.Header, out}, nil
}

func (b *remote) close() { b.client.CloseIdleConnections() }

// transport is the client's way in: its HTTP client.
type transport struct{ door *door }

// Do answers r, without a network if the engine is the embedded one.
func (t transport) Do(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b, ok := t.door.backend.(*remote); ok && t.door.setting.Load() == nil {
		return b.client.Transport.RoundTrip(r) // nothing to do on the way
	}
	var body []byte
	if r.Body != nil {
		var fault *engine.Fault
		if body, fault = engine.ReadBody(r.Body, r.ContentLength); fault != nil {
			return response(r, answerOf(nil, fault)), nil
		}
	}
	if fault := t.door.refuse(r, body); fault != nil {
		return response(r, answerOf(nil, fault)), nil
	}
	a, err := t.door.do(ctx, engine.OperationOf(r.Header), r.Header, body)
	if err != nil {
		return nil, &url.Error{Op: r.Method, URL: r.URL.String(), Err: err}
	}
	return response(r, a), nil
}

func response(r *http.Request, a answer) *http.Response {
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, ContentLength: int64(len(a.body)),
		Body: io.NopCloser(bytes.NewReader(a.body)), Request: r,
	}
}

// handler is the way in over HTTP.
type handler struct{ door *door }

// ServeHTTP answers r.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b, ok := h.door.backend.(*remote); ok && r.Method != http.MethodPost {
		target, err := url.Parse(b.url)
		if err == nil {
			(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }}).ServeHTTP(w, r)
			return
		}
	}
	if r.Method != http.MethodPost {
		_, _ = io.WriteString(w, "healthy: "+r.Host+" ") // the asker may be gone
		return
	}
	body, fault := engine.ReadBody(r.Body, r.ContentLength)
	if fault != nil {
		write(w, answerOf(nil, fault))
		return
	}
	if fault := h.door.refuse(r, body); fault != nil {
		write(w, answerOf(nil, fault))
		return
	}
	a, err := h.door.do(r.Context(), engine.OperationOf(r.Header), r.Header, body)
	if err != nil {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	write(w, a)
}

func write(w http.ResponseWriter, a answer) {
	header := w.Header()
	for name, values := range a.header {
		header[name] = values
	}
	w.WriteHeader(a.status)
	w.Write(a.body) //nolint:errcheck // the client has gone
}
