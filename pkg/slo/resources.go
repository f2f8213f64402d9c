// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Class tells who serves a resource, and whether it is stored.
type Class int

const (
	// UnknownClass is the class of a resource that the cluster does not know.
	UnknownClass Class = iota
	// BuiltIn resources are served by the kube-apiserver itself, from its storage.
	BuiltIn
	// Custom resources are defined by a CustomResourceDefinition.
	Custom
	// Aggregated resources are served by another API server.
	Aggregated
	// Virtual resources are not stored: they can be created but not listed.
	Virtual
)

// Resources is the cluster's own view of its resources. It is immutable.
type Resources struct {
	classes          map[schema.GroupResource]Class
	aggregatedGroups map[string]bool
}

// NewResources returns the view in which resources have these classes and every
// resource of an aggregated group is Aggregated, whatever its class: the server
// of the group may be down, so that its resources can not be listed. Only groups
// of which the kube-apiserver serves no version itself belong there. The
// arguments are copied.
func NewResources(classes map[schema.GroupResource]Class, aggregatedGroups map[string]bool) *Resources {
	return &Resources{classes: maps.Clone(classes), aggregatedGroups: maps.Clone(aggregatedGroups)}
}

// Class of a resource; UnknownClass when the cluster does not know it.
func (r *Resources) Class(resource schema.GroupResource) Class {
	if r.aggregatedGroups[resource.Group] {
		return Aggregated
	}
	return r.classes[resource]
}

// standing is how a key stands to the objective.
type standing struct {
	// excluded is why the key does not count; "" when it does.
	excluded v1alpha1.ExclusionReason
	// doubtful keys are excluded, but may be built in for all that is known. They
	// do not help the objective, but when one does not hold it can not be met.
	doubtful bool
}

// streamingSubresources are long-running: their latency is how long somebody
// looked at a log (k8s.io/apiserver pkg/endpoints/metrics, validConnectRequests).
// Present kube-apiservers record them as CONNECT, which no objective selects;
// other paths may record the verb of the request.
var streamingSubresources = []string{"attach", "exec", "log", "portforward", "proxy"}

// standing of requests for a resource. A subresource stands as its resource does.
func (r *Resources) standing(group, resource, subresource string) standing {
	switch r.Class(schema.GroupResource{Group: group, Resource: resource}) {
	case Custom:
		return standing{excluded: v1alpha1.ExcludedCustomResource}
	case Aggregated:
		return standing{excluded: v1alpha1.ExcludedAggregatedResource}
	case Virtual:
		return standing{excluded: v1alpha1.ExcludedVirtualResource}
	case UnknownClass:
		if s := unknownStanding(group); s.excluded != "" {
			return s
		}
	case BuiltIn:
	}
	if slices.Contains(streamingSubresources, subresource) {
		return standing{excluded: v1alpha1.ExcludedStreamingSubresource}
	}
	return standing{}
}

// unknownStanding is how requests for a resource stand that the cluster does not
// know. Somebody served them, so that it was known within the window: a custom
// resource whose definition was deleted since, or a built-in one that discovery
// does not show, from a kube-apiserver of another version or with other
// API versions enabled. The group tells some of these apart:
//   - Without a dot it is built in. A definition's group has to be a domain with
//     a dot (k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation),
//     and requests to aggregated servers are not recorded by the kube-apiserver.
//   - All other built-in groups end in .k8s.io, but so do those of some
//     definitions, such as gateway.networking.k8s.io: it can not be told.
//   - Any other group is not built in.
func unknownStanding(group string) standing {
	switch {
	case !strings.Contains(group, "."):
		return standing{}
	case strings.HasSuffix(group, ".k8s.io"):
		return standing{excluded: v1alpha1.ExcludedUnknownResource, doubtful: true}
	}
	return standing{excluded: v1alpha1.ExcludedUnknownResource}
}
