// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/watch"
)

// Whatever the evaluations and the selector: who applies the events holds the
// objects of the latest evaluation, as far as states go, and all of it after a
// refresh. No event is sent that does nothing.
func TestReplayedEventsAreTheLatest(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		selected, err := newSelection(&metainternalversion.ListOptions{LabelSelector: selectLabels(t, []string{"", "state=s0", "state!=s1"}[round%3])})
		if err != nil {
			t.Fatal(err)
		}
		v := newView[gauge, *gauge](selected, gaugeKind().Changed, nil)
		held := map[string]gauge{}
		for step := range 20 {
			snapshot := randomSnapshot(random, uint64(100+10*step))
			refresh := step%5 == 4
			apply(t, held, v.advance((&memory[gauge, *gauge]{}).add(snapshot), refresh), refresh)

			want := map[string]gauge{}
			for _, item := range snapshot.Items {
				if selected.matches(&item) {
					want[item.Name] = item
				}
			}
			for name := range held {
				if g, ok := held[name]; ok && !refresh {
					g.Annotations = want[name].Annotations
					held[name] = g
				}
			}
			if diff := cmp.Diff(want, held); diff != "" {
				t.Fatalf("round %d, step %d (-want +got):\n%s", round, step, diff)
			}
		}
	}
}

func randomSnapshot(random *rand.Rand, version uint64) *Snapshot[gauge] {
	snapshot := &Snapshot[gauge]{ResourceVersion: version}
	for _, name := range []string{"a", "b", "c", "d"} {
		if random.IntN(4) > 0 {
			snapshot.Items = append(snapshot.Items, newGauge(name, fmt.Sprint("s", random.IntN(3)), fmt.Sprint(random.IntN(100))))
		}
	}
	return snapshot
}

func apply(t *testing.T, held map[string]gauge, events []watch.Event, refresh bool) {
	t.Helper()
	for _, event := range events {
		g := *event.Object.(*gauge)
		g.ResourceVersion = ""
		before, known := held[g.Name]
		switch event.Type {
		case watch.Added:
			if known {
				t.Fatalf("added twice: %s", g.Name)
			}
			held[g.Name] = g
		case watch.Modified:
			if !known || (!refresh && cmp.Equal(before.Labels, g.Labels)) {
				t.Fatalf("modified, but unknown or not changed: %s", g.Name)
			}
			held[g.Name] = g
		case watch.Deleted:
			if !known {
				t.Fatalf("deleted, but unknown: %s", g.Name)
			}
			delete(held, g.Name)
		}
	}
}
