// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
)

// REST serves get, list and watch of one kind.
type REST[T any, P Object[T]] struct {
	kind     Kind[T, P]
	provider Provider[T]
	now      func() time.Time
	memory   memory[T, P]
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
	e, err := r.latest(ctx)
	if err != nil {
		return nil, err
	}
	if err := notOlder(wanted, e.version); err != nil {
		return nil, err
	}
	item := e.find(name)
	if item == nil {
		return nil, apierrors.NewNotFound(r.kind.Resource, name)
	}
	return stamped[T, P](item, e.version), nil
}

func (r *REST[T, P]) latest(ctx context.Context) (*evaluated[T, P], error) {
	snapshot, err := r.provider.Latest(ctx)
	if err != nil {
		return nil, r.unavailable(err)
	}
	return r.memory.add(snapshot), nil
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
