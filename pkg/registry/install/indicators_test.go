// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package install_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/pager"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
	"example.io/slo-apiserver/pkg/registry/computed"
)

// manyKeys is the size of a list that has to stay quick.
const manyKeys = 600

func count(n int64) *int64 { return &n }

func indicators(n int) []slo.ServiceLevelIndicator {
	items := make([]slo.ServiceLevelIndicator, 0, n)
	for i := range n {
		resource := fmt.Sprintf("resources%04d", i)
		items = append(items, slo.ServiceLevelIndicator{
			ObjectMeta: metav1.ObjectMeta{Name: "api-latency-mutating.patch." + resource + ".example.k8s.io", Labels: map[string]string{
				slo.LabelReport: "api-latency-mutating", slo.LabelGroup: "example.k8s.io", slo.LabelResource: resource,
				slo.LabelSubresource: "", slo.LabelVerb: "PATCH", slo.LabelScope: "resource",
			}},
			Spec: slo.ServiceLevelIndicatorSpec{
				Report: "api-latency-mutating", Group: "example.k8s.io", Resource: resource, Verb: "PATCH", Scope: "resource",
				ThresholdMilliseconds: 1000, Percentile: 99,
			},
			Status: slo.ServiceLevelIndicatorStatus{
				ObservationTime: &metav1.Time{Time: observed}, WindowSeconds: count(300), Outcome: slo.OutcomeMet,
				Requests: count(int64(1000 + i)), SlowRequests: count(int64(i % 10)), GoodRatio: "0.991234",
				Quantiles: slo.Quantiles{
					P50Milliseconds: count(25), P90Milliseconds: count(47), P99Milliseconds: count(98),
					P99Bucket: &slo.LatencyBucket{OverMilliseconds: 50, UpToMilliseconds: count(100)},
				},
				Evidence: &slo.IndicatorEvidence{EvaluationTime: metav1.NewMicroTime(observed)},
				Day:      &slo.IndicatorDay{GoodMinutes: 1400, IdleMinutes: 30, UnknownMinutes: 10, GoodRatio: "1"},
			},
		})
	}
	return items
}

// evaluations is a Provider that may make a new evaluation for every reader: then
// nothing can be shared.
type evaluations struct {
	items   []slo.ServiceLevelIndicator
	version uint64
	always  bool
}

func (e *evaluations) Latest(context.Context) (*computed.Snapshot[slo.ServiceLevelIndicator], error) {
	if e.always || e.version == 0 {
		e.version += 10
	}
	return &computed.Snapshot[slo.ServiceLevelIndicator]{ResourceVersion: e.version, Items: e.items}, nil
}

func (e *evaluations) Next(ctx context.Context, _ uint64) (*computed.Snapshot[slo.ServiceLevelIndicator], error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// BenchmarkList lists 600 indicators over the whole server, without a network: by
// readers of one evaluation, and by readers that have one each.
func BenchmarkList(b *testing.B) {
	for _, accept := range []struct{ name, value string }{{"json", asJSON}, {"table", asTable}} {
		for _, always := range []bool{false, true} {
			for _, encoding := range []string{"identity", "gzip"} {
				name := fmt.Sprintf("%s/%s/%s", accept.name, map[bool]string{false: "shared", true: "unshared"}[always], encoding)
				b.Run(name, func(b *testing.B) {
					handler := newHandler(b, &reports{}, &evaluations{items: indicators(manyKeys), always: always})
					size := 0
					b.ReportAllocs()
					for b.Loop() {
						request := httptest.NewRequest(http.MethodGet, group+"/servicelevelindicators", nil)
						request.Header.Set("Accept", accept.value)
						request.Header.Set("Accept-Encoding", encoding)
						response := httptest.NewRecorder()
						response.Body = bytes.NewBuffer(make([]byte, 0, 1<<20))
						handler.ServeHTTP(response, request)
						if response.Code != http.StatusOK {
							b.Fatal(response.Code, response.Body)
						}
						size = response.Body.Len()
					}
					b.ReportMetric(float64(size), "bytes")
				})
			}
		}
	}
}

// kubectl get --chunk-size and client-go's pager list in pages: they get every object
// once, in order.
func TestPagesOverHTTP(t *testing.T) {
	listener := httptest.NewServer(newHandler(t, &reports{}, &evaluations{items: indicators(manyKeys)}))
	defer listener.Close()
	client := versioned.NewForConfigOrDie(&rest.Config{Host: listener.URL, QPS: -1}).SloV1alpha1().ServiceLevelIndicators()
	pages := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return client.List(ctx, options)
	})
	pages.PageSize = 49
	var got []string
	if err := pages.EachListItem(t.Context(), metav1.ListOptions{}, func(obj runtime.Object) error {
		got = append(got, obj.(*slo.ServiceLevelIndicator).Name)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, i := range indicators(manyKeys) {
		want = append(want, i.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
