package local

import (
	"slices"
	"sync"
)

// Request is one request that a [Recorder] saw, with its answer.
type Request struct {
	// Operation is the API's name, such as "PutItem".
	Operation string
	// Body is the JSON that was sent.
	Body string
	// Status is the HTTP status of the answer, 0 if there was none.
	Status int
	// Answer is the JSON of the answer.
	Answer string
}

// Recorder keeps the requests that reach an engine. It is safe for concurrent
// use.
type Recorder struct {
	door     *door
	mu       sync.Mutex
	requests []Request
}

// Record starts to keep every request from now on, of all clients, until
// [Recorder.Stop].
func (e *Engine) Record() *Recorder {
	r := &Recorder{door: e.door}
	e.door.change(func(s *setting) { s.recorders = append(s.recorders, r) })
	return r
}

// Requests returns the requests so far, in the order of their answers.
func (r *Recorder) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Operations returns the operations of the requests so far.
func (r *Recorder) Operations() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := make([]string, len(r.requests))
	for i, q := range r.requests {
		names[i] = q.Operation
	}
	return names
}

// Reset forgets the requests so far.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = nil
}

// Stop ends the recording. What was kept stays.
func (r *Recorder) Stop() {
	r.door.change(func(s *setting) {
		s.recorders = slices.DeleteFunc(s.recorders, func(o *Recorder) bool { return o == r })
	})
}

func (r *Recorder) add(q Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, q)
}
