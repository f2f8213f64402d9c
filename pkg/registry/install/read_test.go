// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package install_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/client-go/discovery"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
	"example.io/slo-apiserver/pkg/registry/registrytest"
)

const (
	asJSON  = "application/json"
	asTable = "application/json;as=Table;v=v1;g=meta.k8s.io"
)

func TestDiscovery(t *testing.T) {
	config := serve(t, &reports{})
	want := []metav1.APIResource{
		{Name: "apfclassifications", SingularName: "apfclassification", Kind: "APFClassification", Verbs: metav1.Verbs{"create"}},
		{Name: "apfheadrooms", SingularName: "apfheadroom", Kind: "APFHeadroom", Verbs: metav1.Verbs{"get", "list", "watch"}, ShortNames: []string{"apfh"}, Categories: []string{"slo"}},
		{Name: "apfsimulations", SingularName: "apfsimulation", Kind: "APFSimulation", Verbs: metav1.Verbs{"create"}},
		{Name: "selfapfclassifications", SingularName: "selfapfclassification", Kind: "SelfAPFClassification", Verbs: metav1.Verbs{"create"}},
		{Name: "servicelevelindicators", SingularName: "servicelevelindicator", Kind: "ServiceLevelIndicator", Verbs: metav1.Verbs{"get", "list", "watch"}, ShortNames: []string{"sli"}},
		{Name: "sloreports", SingularName: "sloreport", Kind: "SLOReport", Verbs: metav1.Verbs{"get", "list", "watch"}, ShortNames: []string{"slor"}, Categories: []string{"slo"}},
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	for name, legacy := range map[string]bool{"aggregated": false, "legacy": true} {
		client.UseLegacyDiscovery = legacy
		_, lists, err := client.ServerGroupsAndResources()
		if err != nil || len(lists) != 1 {
			t.Fatalf("%s: %v, %v", name, lists, err)
		}
		ignore := cmpopts.IgnoreFields(metav1.APIResource{}, "Group", "Version", "StorageVersionHash")
		if diff := cmp.Diff(want, lists[0].APIResources, ignore); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// kubectl explain needs the kinds, marked as such, and their descriptions.
func TestOpenAPI(t *testing.T) {
	config := serve(t, &reports{})
	for path, accept := range map[string]string{
		"/openapi/v3" + group: asJSON,
		"/openapi/v2":         asJSON,
	} {
		code, body := call(t, config, "GET", path, accept)
		for _, want := range []string{
			`"io.example.slo.v1alpha1.SLOReport":{`,
			`"io.example.slo.v1alpha1.APFHeadroomList":{`,
			`"x-kubernetes-group-version-kind":[{"group":"slo.example.io","kind":"SLOReport","version":"v1alpha1"}]`,
			`goodRatio is the share of requests within the threshold`,
		} {
			if code != 200 || !strings.Contains(body, want) {
				t.Errorf("%s: %d, %d bytes without %s", path, code, len(body), want)
			}
		}
	}
}

// continueIn is a token of an evaluation, for what follows the name a.
func continueIn(version int64) string {
	token, err := storage.EncodeContinue("/a\x00", "/", version)
	if err != nil {
		panic(err) // the arguments are those of every token
	}
	return token
}

func TestRequests(t *testing.T) {
	provider := &reports{}
	provider.publish(report("a", slo.VerdictMet, 1), report("b", slo.VerdictViolated, 2))
	config := serve(t, provider)
	for _, tc := range []struct {
		method, path, accept string
		code                 int
		want                 string
	}{
		{"GET", "/sloreports/a", asJSON, 200, `{"kind":"SLOReport","apiVersion":"slo.example.io/v1alpha1","metadata":{"name":"a","resourceVersion":"10"`},
		{"GET", "/sloreports", asJSON, 200, `{"kind":"SLOReportList","apiVersion":"slo.example.io/v1alpha1","metadata":{"resourceVersion":"10"}`},
		{"GET", "/apfheadrooms", asJSON, 200, `"items":[]`},
		{"GET", "/sloreports/a", "application/yaml", 200, "kind: SLOReport"},
		{"GET", "/sloreports/x", asJSON, 404, `sloreports.slo.example.io \"x\" not found`},
		{"GET", "/sloreports?fieldSelector=metadata.name%3Db", asJSON, 200, `"verdict":"Violated"`},
		{"GET", "/sloreports?fieldSelector=status.verdict%3DMet", asJSON, 400, `status.verdict`},
		{"GET", "/sloreports?fieldSelector=metadata.namespace%3Dx", asJSON, 400, `only metadata.name can be selected by`},
		{"GET", "/sloreports?labelSelector=nosuch", asJSON, 200, `"items":[]`},
		{"GET", "/sloreports?resourceVersion=9&resourceVersionMatch=Exact", asJSON, 410, `"reason":"Expired"`},
		{"GET", "/sloreports?resourceVersion=99&resourceVersionMatch=NotOlderThan", asJSON, 504, `ResourceVersionTooLarge`},
		{"GET", "/sloreports?resourceVersion=x", asJSON, 400, `resourceVersion`},
		{"GET", "/sloreports?limit=1", asJSON, 200, `"remainingItemCount":1},"items":[{"metadata":{"name":"a"`},
		{"GET", "/sloreports?limit=1", asTable, 200, `"remainingItemCount":1`},
		{"GET", "/sloreports?continue=x", asJSON, 400, `list without one`},
		{"GET", "/sloreports?limit=1&continue=" + continueIn(9), asJSON, 410, `"reason":"Expired"`},
		{"GET", "/sloreports?limit=1&continue=" + continueIn(10), asJSON, 200, `"resourceVersion":"10"},"items":[{"metadata":{"name":"b"`},
		{"GET", "/sloreports?resourceVersion=10&limit=1&continue=" + continueIn(10), asJSON, 400, `no resourceVersion goes with it`},
		{"GET", "/sloreports?watch=1&resourceVersion=9", asJSON, 200, `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1"`},
		{"GET", "/sloreports?watch=1&fieldSelector=spec.x%3D1", asJSON, 400, `spec.x`},
		// Our types have no protobuf: a client that also takes JSON gets that.
		{"GET", "/sloreports", "application/vnd.kubernetes.protobuf", 406, ""},
		{"GET", "/sloreports", "application/vnd.kubernetes.protobuf,application/json", 200, `{"kind":"SLOReportList"`},
		{"GET", "/sloreports/a", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", 200, `"kind":"PartialObjectMetadata"`},
		{"GET", "/sloreports", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", 200, `"kind":"PartialObjectMetadataList"`},
		{"POST", "/sloreports", asJSON, 405, ""},
		{"PUT", "/sloreports/a", asJSON, 405, ""},
		{"PATCH", "/sloreports/a", asJSON, 405, ""},
		{"DELETE", "/sloreports/a", asJSON, 405, ""},
		{"DELETE", "/sloreports", asJSON, 405, ""},
	} {
		code, body := call(t, config, tc.method, group+tc.path, tc.accept)
		if code != tc.code || !strings.Contains(body, tc.want) {
			t.Errorf("%s %s (%s): %d %s\nwant %d with %s", tc.method, tc.path, tc.accept, code, body, tc.code, tc.want)
		}
	}
}

func TestTables(t *testing.T) {
	provider := &reports{}
	provider.publish(report("a", slo.VerdictMet, 1), report("b", slo.VerdictViolated, 2))
	config := serve(t, provider)
	const header = "NAME   MET   P99   GOOD   SLOW   REQUESTS   BAD MINUTES   WORST   AGE\n"
	for _, tc := range []struct{ path, want, object string }{
		{"/sloreports", header + "a      -     -     -      -      1          -             -       12s\nb      -     -     -      -      2          -             -       12s\n", "PartialObjectMetadata"},
		{"/sloreports/b?includeObject=Object", header + "b      -     -     -      -      2          -             -       12s\n", "SLOReport"},
		{"/sloreports?labelSelector=nosuch", header, ""},
	} {
		code, body := call(t, config, "GET", group+tc.path, asTable)
		var table metav1.Table
		if err := json.Unmarshal([]byte(body), &table); err != nil || code != 200 {
			t.Fatalf("%s: %d %v\n%s", tc.path, code, err, body)
		}
		if diff := cmp.Diff(tc.want, registrytest.Print(&table, 0)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.path, diff)
		}
		if table.ResourceVersion != "10" {
			t.Errorf("%s: resourceVersion %q", tc.path, table.ResourceVersion)
		}
		for _, row := range table.Rows {
			if !strings.Contains(string(row.Object.Raw), `"kind":"`+tc.object+`"`) {
				t.Errorf("%s: object of a row is %s", tc.path, row.Object.Raw)
			}
		}
	}
}

// Readers share the snapshot. The race detector tells if one of them writes.
func TestReadersShareTheEvaluation(t *testing.T) {
	provider := &reports{}
	provider.publish(report("a", slo.VerdictMet, 1), report("b", slo.VerdictViolated, 2))
	config := serve(t, provider)
	client := versioned.NewForConfigOrDie(config)
	_, first := call(t, config, "GET", group+"/sloreports/a", asJSON)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for range 5 {
				if _, body := call(t, config, "GET", group+"/sloreports/a", asJSON); body != first {
					t.Errorf("two answers from one evaluation:\n%s\n%s", first, body)
				}
				call(t, config, "GET", group+"/sloreports?includeObject=Object", asTable)
				call(t, config, "GET", group+"/sloreports", asJSON)
				w, err := client.SloV1alpha1().SLOReports().Watch(t.Context(), metav1.ListOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				<-w.ResultChan()
				w.Stop()
			}
		})
	}
	readers.Wait()
}
