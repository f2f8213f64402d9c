// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// gauge is a kind with a state, which is news, and a count, which is not.
type gauge = metav1.PartialObjectMetadata

func newGauge(name, state, count string) gauge {
	return gauge{ObjectMeta: metav1.ObjectMeta{
		Name:        name,
		Labels:      map[string]string{"state": state},
		Annotations: map[string]string{"count": count},
	}}
}

func gaugeKind() Kind[gauge, *gauge] {
	return Kind[gauge, *gauge]{
		Resource: schema.GroupResource{Group: "test.example.io", Resource: "gauges"},
		Singular: "gauge",
		List: func(meta metav1.ListMeta, items []gauge) runtime.Object {
			return &metav1.PartialObjectMetadataList{ListMeta: meta, Items: items}
		},
		Items: func(list runtime.Object) ([]gauge, bool) {
			l, ok := list.(*metav1.PartialObjectMetadataList)
			if !ok {
				return nil, false
			}
			return l.Items, true
		},
		Columns: []Column[gauge]{{
			TableColumnDefinition: metav1.TableColumnDefinition{Name: "Name", Type: "string", Description: "Name."},
			Cell:                  func(g *gauge, _ time.Time) any { return g.Name },
		}},
		Changed: func(before, after *gauge) bool { return !maps.Equal(before.Labels, after.Labels) },
	}
}

// fake is a Provider whose evaluations the test publishes.
type fake struct {
	mu       sync.Mutex
	snapshot *Snapshot[gauge]
	err      error
	more     chan struct{}
}

// publish makes an evaluation of the items, in any order, ten versions on.
func (f *fake) publish(items ...gauge) *Snapshot[gauge] {
	f.mu.Lock()
	defer f.mu.Unlock()
	version := uint64(100)
	if f.snapshot != nil {
		version = f.snapshot.ResourceVersion + 10
	}
	items = slices.SortedFunc(slices.Values(items), func(a, b gauge) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	f.snapshot = &Snapshot[gauge]{ResourceVersion: version, Items: items}
	f.wake()
	return f.snapshot
}

func (f *fake) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	f.wake()
}

func (f *fake) wake() {
	if f.more != nil {
		close(f.more)
	}
	f.more = make(chan struct{})
}

func (f *fake) Latest(ctx context.Context) (*Snapshot[gauge], error) { return f.Next(ctx, 0) }

func (f *fake) Next(ctx context.Context, after uint64) (*Snapshot[gauge], error) {
	for {
		f.mu.Lock()
		snapshot, err, more := f.snapshot, f.err, f.more
		f.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if snapshot.ResourceVersion > after {
			return snapshot, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func newGaugeREST(t *testing.T, items ...gauge) (*REST[gauge, *gauge], *fake) {
	t.Helper()
	provider := &fake{}
	provider.publish(items...)
	r, err := NewREST(gaugeKind(), provider, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return r, provider
}
