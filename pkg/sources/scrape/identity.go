// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"runtime"
	"strings"
	"sync"
	"weak"
)

// identity of a series: its family and labels, the same object for all targets
// of a component, which mostly expose the same series.
type identity struct {
	key    string // family and labels, unique within a component
	family *family
	views  []view // of the signals that read the series
}

// labels of the series, sorted by name, without empty values.
func (id *identity) labels() []label {
	parts := strings.Split(id.key, string([]byte{separator}))
	labels := make([]label, 0, len(parts)/2)
	for i := 1; i < len(parts); i += 2 {
		labels = append(labels, label{parts[i], parts[i+1]})
	}
	return labels
}

// view is how a signal sees a series: by the values of the labels that it keeps.
// It is made once, not with every reading.
type view struct {
	signal string // its name
	values []string
	key    string // of the values
}

// viewsOf the signals that read a series with these labels.
func viewsOf(f *family, labels []label) []view {
	var views []view
	for _, signal := range f.signals {
		if !matches(signal.Match, labels) {
			continue
		}
		values := make([]string, len(signal.Labels))
		for i, name := range signal.Labels {
			values[i] = labelValue(labels, name)
		}
		views = append(views, view{signal.Name, values, keyOf(values)})
	}
	return views
}

// identities of a component. They are held weakly: one that no target and no
// history has any more is forgotten.
type identities struct {
	mu    sync.Mutex
	byKey map[string]weak.Pointer[identity]
}

func newIdentities() *identities {
	return &identities{byKey: map[string]weak.Pointer[identity]{}}
}

// separator of the parts of a key. It is in no valid UTF-8 text, so that no two
// label sets share a key.
const separator = 0xff

// of returns the identity with this key, which is made of the family and labels.
func (i *identities) of(key []byte, f *family) *identity {
	i.mu.Lock()
	defer i.mu.Unlock()
	if id := i.byKey[string(key)].Value(); id != nil {
		return id
	}
	id := &identity{key: string(key), family: f}
	id.views = viewsOf(f, id.labels())
	i.byKey[id.key] = weak.Make(id)
	runtime.AddCleanup(id, i.forget, id.key)
	return id
}

// forget a key unless it was given to another identity meanwhile.
func (i *identities) forget(key string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.byKey[key].Value() == nil {
		delete(i.byKey, key)
	}
}
