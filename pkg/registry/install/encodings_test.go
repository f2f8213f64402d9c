// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package install_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Readers of one evaluation share its objects and its encodings: each gets what it
// would get alone, whatever others ask for at the same time.
func TestReadersDoNotDisturbEachOther(t *testing.T) {
	const list = group + "/servicelevelindicators"
	partial := "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
	type question struct{ path, accept string }
	questions := []question{
		{list, asJSON}, {list, "application/yaml"}, {list, "application/cbor"}, {list + "?pretty=1", asJSON},
		{list, partial}, {list, "application/vnd.kubernetes.protobuf," + asJSON},
		{list + "?limit=7", asJSON}, {list + "?limit=7", asTable}, {list + "?limit=0", asJSON},
		{list + "?labelSelector=" + slo.LabelVerb + "%3DPATCH", asJSON}, {list + "?labelSelector=" + slo.LabelVerb + "%3DPUT", asJSON},
		{list + "?labelSelector=!" + slo.LabelVerb, partial},
		{list + "?fieldSelector=metadata.name%3Dapi-latency-mutating.patch.resources0001.example.k8s.io", asJSON},
		{list, asTable}, {list + "?includeObject=Object", asTable}, {list + "?includeObject=None", asTable},
		{list + "/api-latency-mutating.patch.resources0001.example.k8s.io", asJSON},
		{list + "/api-latency-mutating.patch.resources0001.example.k8s.io", asTable},
	}
	ask := func(handler http.Handler, q question) string {
		request := httptest.NewRequest(http.MethodGet, q.path, nil)
		request.Header.Set("Accept", q.accept)
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, request)
		return fmt.Sprint(response.Code, response.Header().Get("Content-Type"), response.Body)
	}
	provider := func() *evaluations { return &evaluations{items: indicators(60), version: 10} }
	want := map[question]string{}
	for _, q := range questions {
		want[q] = ask(newHandler(t, &reports{}, provider()), q)
	}
	shared := newHandler(t, &reports{}, provider())
	var readers sync.WaitGroup
	for round := range 4 {
		for i := range questions {
			q := questions[(i*(2*round+1)+round)%len(questions)]
			readers.Go(func() {
				if got := ask(shared, q); got != want[q] {
					t.Errorf("%s as %s: got %.400s, alone %.400s", q.path, q.accept, got, want[q])
				}
			})
		}
	}
	readers.Wait()
	for _, q := range questions { // and after all that
		if got := ask(shared, q); got != want[q] {
			t.Errorf("afterwards %s as %s: got %.400s, alone %.400s", q.path, q.accept, got, want[q])
		}
	}
}
