// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// request is one that a review asks about, and that is sent.
type request struct {
	user   string
	groups []string
	verb   string
	// path is that of a request for no resource.
	path                                          string
	group, resource, subresource, namespace, name string
	options                                       *v1alpha1.ClassifiedListOptions
	counts                                        *v1alpha1.ClassifiedCounts
}

func (r request) String() string {
	return fmt.Sprintf("%s %s%s of %s %v", r.verb, r.path, path.Join(r.group, r.namespace, r.resource, r.name, r.subresource), r.user, r.groups)
}

// attributes are what a review is told of the request.
func (r request) attributes() v1alpha1.ClassifiedRequest {
	if r.path != "" {
		return v1alpha1.ClassifiedRequest{NonResourceAttributes: &v1alpha1.ClassifiedPath{Verb: r.verb, Path: r.path}}
	}
	return v1alpha1.ClassifiedRequest{
		ResourceAttributes: &v1alpha1.ClassifiedResource{
			Verb: r.verb, Group: r.group, Resource: r.resource, Subresource: r.subresource, Namespace: r.namespace, Name: r.name, Options: r.options,
		},
		Counts: r.counts,
	}
}

func (r request) review() *v1alpha1.APFClassification {
	return &v1alpha1.APFClassification{Spec: v1alpha1.APFClassificationSpec{User: r.user, Groups: r.groups, ClassifiedRequest: r.attributes()}}
}

// ask creates a review of the request.
func (r request) ask(t *testing.T) *v1alpha1.APFClassificationStatus {
	t.Helper()
	answer, err := lab.slo.SloV1alpha1().APFClassifications().Create(t.Context(), r.review(), metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("%s: %v", r, err)
	}
	return &answer.Status
}

// http is the request on the wire, which changes nothing whoever sends it.
func (r request) http() (method, location string) {
	if r.path != "" {
		return strings.ToUpper(r.verb), r.path
	}
	methods := map[string]string{"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE", "deletecollection": "DELETE"}
	method = "GET"
	query := url.Values{}
	if m, ok := methods[r.verb]; ok {
		method = m
		query.Set("dryRun", "All")
	}
	location = "/api/v1"
	if r.group != "" {
		location = "/apis/" + r.group + "/v1"
	}
	if r.namespace != "" {
		location = path.Join(location, "namespaces", r.namespace)
	}
	location = path.Join(location, r.resource, r.name, r.subresource)
	if r.verb == "watch" {
		query.Set("watch", "true")
		query.Set("timeoutSeconds", "1")
	}
	if o := r.options; o != nil {
		for key, value := range map[string]string{"labelSelector": o.LabelSelector, "fieldSelector": o.FieldSelector, "resourceVersion": o.ResourceVersion} {
			if value != "" {
				query.Set(key, value)
			}
		}
		if o.Limit > 0 {
			query.Set("limit", strconv.FormatInt(o.Limit, 10))
		}
	}
	return method, location + "?" + query.Encode()
}

// send sends the request, as its user, and returns the status and the headers that
// come back. What becomes of the request does not matter: it is classified before it is
// authorized.
func (r request) send(t *testing.T, admin *rest.Config) (string, http.Header) {
	t.Helper()
	config := rest.CopyConfig(admin)
	config.Impersonate = rest.ImpersonationConfig{UserName: r.user, Groups: r.groups}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	method, location := r.http()
	sent, err := http.NewRequestWithContext(t.Context(), method, config.Host+location, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(sent)
	if err != nil {
		t.Fatalf("%s %s: %v", method, location, err)
	}
	response.Body.Close()
	return response.Status, response.Header
}

// compare sends the request, and holds the headers that come back against the
// answer of a review.
func (r request) compare(t *testing.T, answer *v1alpha1.APFClassificationStatus) error {
	t.Helper()
	status, header := r.send(t, lab.config)
	schema := header.Get(flowcontrolv1.ResponseHeaderMatchedFlowSchemaUID)
	level := header.Get(flowcontrolv1.ResponseHeaderMatchedPriorityLevelConfigurationUID)
	var wantSchema, wantLevel string
	if answer.FlowSchema != nil {
		wantSchema, wantLevel = string(answer.FlowSchema.UID), string(answer.PriorityLevel.UID)
	}
	if schema != wantSchema || level != wantLevel {
		return fmt.Errorf("%s: %s, flow schema %s, level %s; the review: %s, %s: %s", r, status, schema, level, wantSchema, wantLevel, answer.Reason)
	}
	return nil
}

// createSchema makes a FlowSchema for the time of the test.
func createSchema(t *testing.T, fs *flowcontrolv1.FlowSchema) {
	t.Helper()
	if _, err := lab.admin.FlowcontrolV1().FlowSchemas().Create(t.Context(), fs, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.admin.FlowcontrolV1().FlowSchemas().Delete(context.Background(), fs.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// manyConfigMaps makes a namespace with ConfigMaps of that size, for the time of
// the test.
func manyConfigMaps(t *testing.T, number, size int) string {
	t.Helper()
	namespace, err := lab.admin.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-width-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = lab.admin.CoreV1().Namespaces().Delete(context.Background(), namespace.Name, metav1.DeleteOptions{})
	})
	for i := range number {
		_, err := lab.admin.CoreV1().ConfigMaps(namespace.Name).Create(t.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("large-%d", i)},
			Data:       map[string]string{"a": strings.Repeat("a", size)},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	return namespace.Name
}

// storedConfigMaps are the counts that a kube-apiserver estimates by.
func storedConfigMaps(t *testing.T, server apiserver) (*v1alpha1.ClassifiedCounts, error) {
	t.Helper()
	const ofConfigMaps = `{group="",resource="configmaps"}`
	objects, ok := sampleOf(t, server, "apiserver_resource_objects"+ofConfigMaps)
	size, sized := sampleOf(t, server, "apiserver_resource_size_estimate_bytes"+ofConfigMaps)
	if !ok || !sized || objects < 1 || size < 1 {
		return nil, fmt.Errorf("%v objects, %v bytes", objects, size)
	}
	stored, average := int64(objects), int64(size/objects)
	return &v1alpha1.ClassifiedCounts{StoredObjects: &stored, AverageObjectBytes: &average}, nil
}

// measuredSeats sends a request of a flow schema of its own, named as the user,
// and returns the seats that the kube-apiserver has estimated for it.
func measuredSeats(t *testing.T, admin *rest.Config, server apiserver, r request) float64 {
	t.Helper()
	labels := fmt.Sprintf(`{flow_schema=%q,priority_level="workload-low"}`, r.user)
	estimated := func() (seats, requests float64) {
		seats, _ = sampleOf(t, server, "apiserver_flowcontrol_work_estimated_seats_sum"+labels)
		requests, _ = sampleOf(t, server, "apiserver_flowcontrol_work_estimated_seats_count"+labels)
		return seats, requests
	}
	seatsBefore, requestsBefore := estimated()
	r.send(t, admin)
	seats, requests := estimated()
	if requests != requestsBefore+1 {
		t.Fatalf("%s: %v requests estimated by %s", r, requests-requestsBefore, server.Name)
	}
	return seats - seatsBefore
}

// sampleOf a series, spelled as the kube-apiserver does.
func sampleOf(t *testing.T, server apiserver, series string) (float64, bool) {
	t.Helper()
	lines := bufio.NewScanner(bytes.NewReader(metrics(t, server)))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), series+" "); ok {
			number, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return number, true
		}
	}
	return 0, false
}
