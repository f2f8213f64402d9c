// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
)

// REST serves get, list and watch of one kind.
type REST[T any, P Object[T]] struct {
	kind     Kind[T, P]
	provider Provider[T]
	now      func() time.Time
	memory   memory[T]
}

// NewREST serves the objects of the provider as the kind. now is the clock by
// which ages are shown and watchers are refreshed.
func NewREST[T any, P Object[T]](kind Kind[T, P], provider Provider[T], now func() time.Time) (*REST[T, P], error) {
	if err := kind.validate(); err != nil {
		return nil, err
	}
	if provider == nil || now == nil {
		return nil, fmt.Errorf("kind %q: provider and clock are required", kind.Resource)
	}
	return &REST[T, P]{kind: kind, provider: provider, now: now}, nil
}

// New implements rest.Storage.
func (r *REST[T, P]) New() runtime.Object { return P(new(T)) }

// NewList implements rest.Lister.
func (r *REST[T, P]) NewList() runtime.Object { return r.kind.List(metav1.ListMeta{}, nil) }

// Destroy implements rest.Storage. There is nothing to release: watches end with
// their requests, and the provider is not ours.
func (r *REST[T, P]) Destroy() {}

// NamespaceScoped implements rest.Scoper.
func (r *REST[T, P]) NamespaceScoped() bool { return false }

// GetSingularName implements rest.SingularNameProvider.
func (r *REST[T, P]) GetSingularName() string { return r.kind.Singular }

// ShortNames implements rest.ShortNamesProvider.
func (r *REST[T, P]) ShortNames() []string { return r.kind.ShortNames }

// Categories implements rest.CategoriesProvider.
func (r *REST[T, P]) Categories() []string { return r.kind.Categories }

// Get implements rest.Getter. A resourceVersion means "not older than".
func (r *REST[T, P]) Get(ctx context.Context, name string, options *metav1.GetOptions) (runtime.Object, error) {
	var wanted uint64
	if options != nil {
		var err error
		if wanted, err = parseVersion(options.ResourceVersion); err != nil {
			return nil, err
		}
	}
	snapshot, err := r.latest(ctx)
	if err != nil {
		return nil, err
	}
	if err := notOlder(wanted, snapshot.ResourceVersion); err != nil {
		return nil, err
	}
	items := snapshot.Items
	i := sort.Search(len(items), func(i int) bool { return P(&items[i]).GetName() >= name })
	if i == len(items) || P(&items[i]).GetName() != name {
		return nil, apierrors.NewNotFound(r.kind.Resource, name)
	}
	return stamped[T, P](&items[i], snapshot.ResourceVersion), nil
}

// List implements rest.Lister. The whole list is small, so limit is ignored, as
// the API allows, and there is never anything to continue.
func (r *REST[T, P]) List(ctx context.Context, options *metainternalversion.ListOptions) (runtime.Object, error) {
	if options == nil {
		options = &metainternalversion.ListOptions{}
	}
	selected, err := newSelection(options)
	if err != nil {
		return nil, err
	}
	if options.Continue != "" {
		return nil, apierrors.NewBadRequest("continue: this server gives out no continue tokens; list without one")
	}
	snapshot, err := r.snapshot(ctx, options)
	if err != nil {
		return nil, err
	}
	items := make([]T, 0, len(snapshot.Items))
	for i := range snapshot.Items {
		if selected.matches(P(&snapshot.Items[i])) {
			items = append(items, *stamped[T, P](&snapshot.Items[i], snapshot.ResourceVersion))
		}
	}
	return r.kind.List(metav1.ListMeta{ResourceVersion: formatVersion(snapshot.ResourceVersion)}, items), nil
}

// snapshot finds the evaluation that a list asks for.
func (r *REST[T, P]) snapshot(ctx context.Context, options *metainternalversion.ListOptions) (*Snapshot[T], error) {
	wanted, err := parseVersion(options.ResourceVersion)
	if err != nil {
		return nil, err
	}
	// Kubernetes also takes a version without a match but with a limit for exact,
	// to continue a list in pages. Ours have none.
	if options.ResourceVersionMatch == metav1.ResourceVersionMatchExact {
		if snapshot := r.memory.get(wanted); snapshot != nil {
			return snapshot, nil
		}
		return nil, expired(wanted)
	}
	latest, err := r.latest(ctx)
	if err != nil {
		return nil, err
	}
	return latest, notOlder(wanted, latest.ResourceVersion)
}

func (r *REST[T, P]) latest(ctx context.Context) (*Snapshot[T], error) {
	snapshot, err := r.provider.Latest(ctx)
	if err != nil {
		return nil, r.unavailable(err)
	}
	r.memory.add(snapshot)
	return snapshot, nil
}

// unavailable turns an error of the provider into one of the API.
func (r *REST[T, P]) unavailable(err error) error {
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return err
	}
	message := fmt.Sprintf("evaluate %s: %v", r.kind.Resource, err)
	if errors.Is(err, context.DeadlineExceeded) {
		return apierrors.NewTimeoutError(message, 1)
	}
	return apierrors.NewServiceUnavailable(message)
}

// The interfaces by which k8s.io/apiserver finds out what a resource can do.
type served interface {
	rest.Storage
	rest.Scoper
	rest.SingularNameProvider
	rest.ShortNamesProvider
	rest.CategoriesProvider
	rest.Getter
	rest.Lister
	rest.Watcher
}

var _ served = &REST[metav1.PartialObjectMetadata, *metav1.PartialObjectMetadata]{}
