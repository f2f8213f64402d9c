// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is a pointer to an API type T.
type Object[T any] interface {
	*T
	runtime.Object
	metav1.Object
}

// Kind is what a resource brings of its own. All kinds are cluster-scoped.
type Kind[T any, P Object[T]] struct {
	// Resource is the plural name with its group.
	Resource schema.GroupResource
	// Singular, ShortNames and Categories are further names for kubectl.
	Singular   string
	ShortNames []string
	Categories []string
	// List makes a list of items; Items takes one apart again, and reports false
	// when the object is another type of list.
	List  func(meta metav1.ListMeta, items []T) runtime.Object
	Items func(list runtime.Object) (items []T, ok bool)
	// Columns of the table, the first of them the name.
	Columns []Column[T]
	// Changed reports whether a watcher wants to know of the difference between
	// two evaluations of an object. It has to be an equivalence when negated:
	// changes that are too small each may not add up to one that is missed. Small
	// ones reach watchers with the next refresh.
	Changed func(before, after *T) bool
}

// Column is one column of a table.
type Column[T any] struct {
	metav1.TableColumnDefinition
	// Cell is what the column shows of an object: a value of the column's type.
	// The object may be empty, as in a bookmark.
	Cell func(obj *T, now time.Time) any
}

func (k *Kind[T, P]) validate() error {
	switch {
	case k.Resource.Resource == "" || k.Resource.Group == "":
		return fmt.Errorf("kind %q: resource and group are required", k.Resource)
	case k.Singular == "":
		return fmt.Errorf("kind %q: singular name is required", k.Resource)
	case k.List == nil || k.Items == nil || k.Changed == nil:
		return fmt.Errorf("kind %q: List, Items and Changed are required", k.Resource)
	case len(k.Columns) == 0:
		return fmt.Errorf("kind %q: columns are required", k.Resource)
	}
	for _, column := range k.Columns {
		if column.Name == "" || column.Type == "" || column.Description == "" || column.Cell == nil {
			return fmt.Errorf("kind %q: column %q: name, type, description and Cell are required", k.Resource, column.Name)
		}
	}
	return nil
}

// stamped returns a copy of an item that is ours to hand out: encoders set the
// type of the object they write, so no two requests may share one. All below the
// top level is shared with the snapshot and only read.
func stamped[T any, P Object[T]](item *T, version uint64) P {
	out := *item
	obj := P(&out)
	obj.SetResourceVersion(formatVersion(version))
	return obj
}
