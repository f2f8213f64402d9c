// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apfclassification

import (
	"slices"
	"testing"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Every problem names its field. A request without one is in the tables too.
func TestValidation(t *testing.T) {
	yes := true
	count := func(n int64) *int64 { return &n }
	of := func(change func(*slo.ClassifiedResource)) slo.ClassifiedRequest {
		r := &slo.ClassifiedResource{Verb: "list", Resource: "pods"}
		change(r)
		return slo.ClassifiedRequest{ResourceAttributes: r}
	}
	at := func(verb, path string) slo.ClassifiedRequest {
		return slo.ClassifiedRequest{NonResourceAttributes: &slo.ClassifiedPath{Verb: verb, Path: path}}
	}
	options := func(verb string, o slo.ClassifiedListOptions) slo.ClassifiedRequest {
		return of(func(r *slo.ClassifiedResource) { r.Verb, r.Options = verb, &o })
	}
	counts := func(c slo.ClassifiedCounts) slo.ClassifiedRequest {
		r := of(func(*slo.ClassifiedResource) {})
		r.Counts = &c
		return r
	}
	both := at("get", "/healthz")
	both.ResourceAttributes = &slo.ClassifiedResource{Verb: "list", Resource: "pods"}
	const resource, path, counted = "spec.resourceAttributes.", "spec.nonResourceAttributes.", "spec.counts."
	for name, tc := range map[string]struct {
		request slo.ClassifiedRequest
		want    []string
	}{
		"list":               {of(func(*slo.ClassifiedResource) {}), nil},
		"get without a name": {of(func(r *slo.ClassifiedResource) { r.Verb = "get" }), nil},
		"watch of a name":    {of(func(r *slo.ClassifiedResource) { r.Verb, r.Name = "watch", "a" }), nil},
		"a role's name":      {of(func(r *slo.ClassifiedResource) { r.Verb, r.Resource, r.Name = "get", "clusterroles", "system:node" }), nil},
		"eviction":           {of(func(r *slo.ClassifiedResource) { r.Verb, r.Subresource, r.Namespace = "create", "eviction", "a" }), nil},
		"neither":            {slo.ClassifiedRequest{}, []string{"spec.resourceAttributes"}},
		"both":               {both, []string{"spec.nonResourceAttributes"}},

		"verb of RBAC":         {of(func(r *slo.ClassifiedResource) { r.Verb = "impersonate" }), []string{resource + "verb"}},
		"no verb":              {of(func(r *slo.ClassifiedResource) { r.Verb = "" }), []string{resource + "verb"}},
		"no resource":          {of(func(r *slo.ClassifiedResource) { r.Resource = "" }), []string{resource + "resource"}},
		"resource with a path": {of(func(r *slo.ClassifiedResource) { r.Verb, r.Resource = "get", "pods/status" }), []string{resource + "resource"}},
		"prefix of paths":      {of(func(r *slo.ClassifiedResource) { r.Resource = "watch" }), []string{resource + "resource"}},
		"many slashes": {of(func(r *slo.ClassifiedResource) {
			r.Verb, r.Group, r.Version, r.Subresource, r.Namespace, r.Name = "get", "a/b", "a/b", "a/b", "a/b", "a/b"
		}), []string{resource + "group", resource + "version", resource + "subresource", resource + "namespace", resource + "name"}},
		"list of a subresource": {of(func(r *slo.ClassifiedResource) { r.Subresource = "status" }), []string{resource + "subresource"}},
		"delete by verb":        {of(func(r *slo.ClassifiedResource) { r.Verb, r.Name = "deletecollection", "a" }), []string{resource + "name"}},

		"namespace": {of(func(r *slo.ClassifiedResource) { r.Verb, r.Resource, r.Name = "get", "namespaces", "a" }), nil},
		"namespace within itself": {of(func(r *slo.ClassifiedResource) {
			r.Verb, r.Resource, r.Name, r.Namespace = "get", "namespaces", "a", "a"
		}), nil},
		"namespace without a name": {of(func(r *slo.ClassifiedResource) { r.Verb, r.Resource = "get", "namespaces" }), []string{resource + "name"}},
		"namespace in another": {of(func(r *slo.ClassifiedResource) {
			r.Verb, r.Resource, r.Name, r.Namespace = "get", "namespaces", "a", "b"
		}), []string{resource + "namespace"}},
		"namespaces in one": {of(func(r *slo.ClassifiedResource) { r.Resource, r.Namespace = "namespaces", "b" }), []string{resource + "namespace"}},
		"namespace with a resource below": {of(func(r *slo.ClassifiedResource) {
			r.Verb, r.Resource, r.Name, r.Subresource = "get", "namespaces", "a", "pods"
		}), []string{resource + "subresource"}},
		"finalize of no namespace": {of(func(r *slo.ClassifiedResource) {
			r.Verb, r.Resource, r.Subresource = "create", "namespaces", "finalize"
		}), []string{resource + "name"}},

		"status in a namespace": {of(func(r *slo.ClassifiedResource) { r.Resource, r.Namespace = "status", "a" }), []string{resource + "resource"}},
		"finalize in a namespace": {of(func(r *slo.ClassifiedResource) {
			r.Verb, r.Resource, r.Name, r.Namespace = "get", "finalize", "b", "a"
		}), []string{resource + "resource"}},
		"status of the cluster": {of(func(r *slo.ClassifiedResource) { r.Resource = "status" }), nil},

		"options":            {options("list", slo.ClassifiedListOptions{LabelSelector: "a=b,c!=d", FieldSelector: "metadata.name=a", Limit: 500, ResourceVersion: "0"}), nil},
		"options of a watch": {options("watch", slo.ClassifiedListOptions{SendInitialEvents: &yes, ResourceVersionMatch: "NotOlderThan"}), nil},
		"options of a get":   {options("get", slo.ClassifiedListOptions{Limit: 1}), []string{resource + "options"}},
		"broken selectors": {options("list", slo.ClassifiedListOptions{LabelSelector: "a in", FieldSelector: "a", Limit: -1}),
			[]string{resource + "options.labelSelector", resource + "options.fieldSelector", resource + "options.limit"}},
		"match without a version": {options("list", slo.ClassifiedListOptions{ResourceVersionMatch: "Exact"}), []string{resource + "options.resourceVersionMatch"}},
		"no match":                {options("list", slo.ClassifiedListOptions{ResourceVersion: "7", ResourceVersionMatch: "Roughly"}), []string{resource + "options.resourceVersionMatch"}},
		"a list begins with all":  {options("list", slo.ClassifiedListOptions{SendInitialEvents: &yes}), []string{resource + "options.sendInitialEvents"}},

		"counts":          {counts(slo.ClassifiedCounts{StoredObjects: count(0), AverageObjectBytes: count(1), Watchers: count(0)}), nil},
		"negative counts": {counts(slo.ClassifiedCounts{StoredObjects: count(-1), AverageObjectBytes: count(0), Watchers: count(-1)}), []string{counted + "storedObjects", counted + "averageObjectBytes", counted + "watchers"}},
		"huge counts":     {counts(slo.ClassifiedCounts{StoredObjects: count(1e10), AverageObjectBytes: count(1e10), Watchers: count(1e10)}), []string{counted + "storedObjects", counted + "averageObjectBytes", counted + "watchers"}},

		"path":               {at("get", "/healthz"), nil},
		"group":              {at("get", "/apis/apps/v1"), nil},
		"method in capitals": {at("GET", "/healthz"), []string{path + "verb"}},
		"no path":            {at("get", ""), []string{path + "path"}},
		"no slash":           {at("get", "healthz"), []string{path + "path"}},
		"two slashes":        {at("get", "//x/livez"), nil},
		"query":              {at("get", "/readyz?verbose"), []string{path + "path"}},
		"fragment":           {at("get", "/readyz#verbose"), []string{path + "path"}},
		"path of a resource": {at("get", "/apis/apps/v1/deployments"), []string{path + "path"}},
		"path of pods":       {at("get", "/api/v1/pods/"), []string{path + "path"}},
	} {
		var got []string
		for _, problem := range validateRequest(&tc.request, specPath) {
			got = append(got, problem.Field)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: problems with %v, want %v", name, got, tc.want)
		}
	}
	var got []string
	for _, problem := range validateSpec(&slo.APFClassificationSpec{Groups: []string{"dev", ""}, ClassifiedRequest: healthz}) {
		got = append(got, problem.Field)
	}
	if want := []string{"spec.user", "spec.groups[1]"}; !slices.Equal(got, want) {
		t.Errorf("problems with %v, want %v", got, want)
	}
}
