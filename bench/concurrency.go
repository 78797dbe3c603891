package main

import (
	"context"
	"fmt"
	"time"

	"github.com/dynorm/dynorm"
)

// latency is how much longer than the server a request takes in the rows of
// this file.
const latency = 10 * time.Millisecond

// workers are the settings of Config.Concurrency that are measured.
var workers = []int{1, 2, 4, defaultWorkers, 16, 32}

// defaultWorkers is the default of Config.Concurrency.
const defaultWorkers = 8

// batchUsers is the number of items in the rows of batches.
const batchUsers = 1000

// Names of rows that are looked up by them.
const (
	rowBatchGet   = "FindMany, 1,000 items"
	rowBatchWrite = "PutMany, 1,000 items"
)

const workersNote = "Time by the clock at 10 ms a request, for values of\nConfig.Concurrency."

func (s *suite) batchGetRow() row {
	return s.workersRow(rowBatchGet, workersNote+" BatchGetItem takes 100 keys, so that there are 10\nrequests.",
		func(ctx context.Context, r *remote, n int) (func() error, error) {
			db, err := r.open(latency, n)
			if err != nil {
				return nil, err
			}
			keys := make([]any, batchUsers)
			for i, u := range r.users[:batchUsers] {
				keys[i] = User{TenantID: u.TenantID, ID: u.ID}
			}
			return func() error {
				got, err := dynorm.ModelOf[User](db).FindMany(ctx, keys...)
				if err == nil && (len(got) != batchUsers || got[0] == nil) {
					err = fmt.Errorf("%d items, want %d", len(got), batchUsers)
				}
				return err
			}, nil
		})
}

func (s *suite) batchWriteRow() row {
	return s.workersRow(rowBatchWrite, workersNote+" BatchWriteItem takes 25 items, so that there are 40\nrequests.",
		func(ctx context.Context, r *remote, n int) (func() error, error) {
			db, err := r.open(latency, n)
			if err != nil {
				return nil, err
			}
			return func() error { return dynorm.ModelOf[User](db).PutMany(ctx, r.users[:batchUsers]...) }, nil
		})
}

func (s *suite) shardsRow() row {
	return s.workersRow("List over 8 shards", fmt.Sprintf("%s %d items are read from 8 partitions of an index.", workersNote, events),
		func(ctx context.Context, r *remote, n int) (func() error, error) {
			db, err := r.events(latency, n)
			if err != nil {
				return nil, err
			}
			return func() error {
				got, err := dynorm.ModelOf[Event](db).Where().List(ctx)
				if err == nil && len(got) != events {
					err = fmt.Errorf("%d items, want %d", len(got), events)
				}
				return err
			}, nil
		})
}

// workersRow measures a call at each of the workers.
func (s *suite) workersRow(name, note string, open func(context.Context, *remote, int) (func() error, error)) row {
	return row{
		name: name,
		note: note,
		measure: func(ctx context.Context) ([]measured, error) {
			r, err := s.reach(ctx)
			if err != nil {
				return nil, err
			}
			return s.measureSettings(workers, workersName, func(n int) (func() error, error) { return open(ctx, r, n) })
		},
		table: settingsTable,
	}
}

func workersName(n int) string {
	if n == defaultWorkers {
		return fmt.Sprintf("%d, the default", n)
	}
	return fmt.Sprint(n)
}

// measureSettings measures a call at each of a number of settings, by the clock.
func (s *suite) measureSettings(settings []int, name func(int) string, open func(int) (func() error, error)) ([]measured, error) {
	var (
		names []string
		calls []func() error
	)
	for _, n := range settings {
		call, err := open(n)
		if err != nil {
			return nil, err
		}
		names, calls = append(names, name(n)), append(calls, call)
	}
	return s.once(wallTime).measure(names, calls)
}

// scanLatency is how much longer than the server a page of 1 MB takes.
const scanLatency = 50 * time.Millisecond

// segments are the settings of Scan.Segments that are measured.
var segments = []int{1, 2, 4, 8, 16}

func (s *suite) scanRow() row {
	return row{
		name: "Scan, 10,000 items",
		note: fmt.Sprintf("Time by the clock at %v a request, for values of Scan.Segments at the default of\nConfig.Concurrency. The table has 4 pages of 1 MB, and the client one processor,\nwhich decodes them.", scanLatency),
		measure: func(ctx context.Context) ([]measured, error) {
			r, err := s.reach(ctx)
			if err != nil {
				return nil, err
			}
			db, err := r.open(scanLatency, 0)
			if err != nil {
				return nil, err
			}
			return s.measureSettings(segments, func(n int) string {
				if n == 1 {
					return "1, the default"
				}
				return fmt.Sprint(n)
			}, func(n int) (func() error, error) {
				return func() error {
					got, err := dynorm.ModelOf[User](db).Where(userLogins.Ge(0)).AllowScan(dynorm.Scan{Segments: n}).List(ctx)
					if err == nil && len(got) != s.many {
						err = fmt.Errorf("%d items, want %d", len(got), s.many)
					}
					return err
				}, nil
			})
		},
		table: settingsTable,
	}
}
