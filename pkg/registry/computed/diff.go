// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// view is what one watcher has been told: the objects it holds, by name. They
// belong to evaluations and are not changed.
type view[T any, P Object[T]] struct {
	selected selection
	changed  func(before, after *T) bool
	held     map[string]*T
}

// newView is the view of a watcher that has listed the evaluation; nil for one
// that holds nothing yet.
func newView[T any, P Object[T]](selected selection, changed func(before, after *T) bool, start *evaluated[T, P]) *view[T, P] {
	v := &view[T, P]{selected: selected, changed: changed, held: map[string]*T{}}
	if start == nil {
		return v
	}
	for i := range start.items {
		if obj := P(&start.items[i]); selected.matches(obj) {
			v.held[obj.GetName()] = &start.items[i]
		}
	}
	return v
}

// advance moves the view on to an evaluation and returns the events that take the
// watcher there: what is gone, then what is new or changed, each by name. With
// refresh, what did not change is sent again too.
func (v *view[T, P]) advance(to *evaluated[T, P], refresh bool) []watch.Event {
	var events []watch.Event
	add := func(event watch.EventType, item *T) {
		events = append(events, watch.Event{Type: event, Object: stamped[T, P](item, to.version)})
	}
	present := make(map[string]*T, len(to.items))
	for i := range to.items {
		if obj := P(&to.items[i]); v.selected.matches(obj) {
			present[obj.GetName()] = &to.items[i]
		}
	}
	for _, name := range sortedNames(v.held) {
		if present[name] == nil {
			add(watch.Deleted, v.held[name])
			delete(v.held, name)
		}
	}
	for _, name := range sortedNames(present) {
		before, after := v.held[name], present[name]
		switch {
		case before == nil:
			add(watch.Added, after)
		case refresh || v.changed(before, after):
			add(watch.Modified, after)
		default:
			continue
		}
		v.held[name] = after
	}
	return events
}

// markIncomplete gives all events but the last the version just before the one
// they came with. A client that loses its connection resumes from the version of
// the last event it got; if that were the version of the evaluation, it would
// never hear of the rest. As it is, it has to list again: nobody knows the
// version in between.
func markIncomplete(events []watch.Event, version uint64) {
	for i := 0; i < len(events)-1; i++ {
		if obj, ok := events[i].Object.(metav1.Object); ok {
			obj.SetResourceVersion(formatVersion(version - 1))
		}
	}
}

func sortedNames[T any](m map[string]*T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
