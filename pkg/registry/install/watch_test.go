// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package install_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clientfeatures "k8s.io/client-go/features"
	clientfeaturestesting "k8s.io/client-go/features/testing"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
	"example.io/slo-apiserver/pkg/generated/informers/externalversions"
)

// events reads a watch line by line, in the encoding asked for.
func events(t *testing.T, config *rest.Config, query, accept string) func() (string, json.RawMessage) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, config.Host+group+"/sloreports?watch=1&"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		t.Fatalf("watch %s: %s", query, response.Status)
	}
	lines := bufio.NewReader(response.Body)
	return func() (string, json.RawMessage) {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		var event struct {
			Type   string
			Object json.RawMessage
		}
		if err := json.Unmarshal(line, &event); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		return event.Type, event.Object
	}
}

// What `kubectl get sloreports -w` asks for: a table per event, with headers in
// the first only; and what an informer of tables would: the bookmark as one.
func TestWatchTables(t *testing.T) {
	provider := &reports{}
	provider.publish(report("a", slo.VerdictMet, 1))
	config := serve(t, provider)
	next := events(t, config, "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&includeObject=Object", asTable)

	expect := func(event, kind, version string, columns bool, cells ...any) {
		t.Helper()
		got, object := next()
		var table metav1.Table
		if err := json.Unmarshal(object, &table); err != nil || table.Kind != "Table" || len(table.Rows) != 1 {
			t.Fatalf("%v, %s", err, object)
		}
		row := table.Rows[0]
		var of metav1.PartialObjectMetadata
		if err := json.Unmarshal(row.Object.Raw, &of); err != nil {
			t.Fatal(err)
		}
		if got != event || of.Kind != kind || of.ResourceVersion != version || columns != (len(table.ColumnDefinitions) > 0) {
			t.Errorf("%s of %s @%s with %d columns, want %s of %s @%s", got, of.Kind, of.ResourceVersion, len(table.ColumnDefinitions), event, kind, version)
		}
		if event != "BOOKMARK" {
			if diff := cmp.Diff(cells, []any{row.Cells[0], row.Cells[5], row.Cells[8]}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", event, diff)
			}
			return
		}
		if of.Annotations[metav1.InitialEventsAnnotationKey] != "true" {
			t.Errorf("bookmark without mark: %s", row.Object.Raw)
		}
	}
	expect("ADDED", "SLOReport", "10", true, "a", "1", "12s")
	expect("BOOKMARK", "SLOReport", "10", false)
	provider.publish(report("a", slo.VerdictViolated, 2))
	expect("MODIFIED", "SLOReport", "20", false, "a", "2", "12s")
	provider.publish()
	expect("DELETED", "SLOReport", "30", false, "a", "2", "12s")
}

// kubectl get -w lists and then watches from the version of the list. An
// evaluation in between may not cost it the watch, nor the change.
func TestWatchAfterList(t *testing.T) {
	provider := &reports{}
	provider.publish(report("a", slo.VerdictMet, 1))
	client := versioned.NewForConfigOrDie(serve(t, provider)).SloV1alpha1().SLOReports()
	list, err := client.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	provider.publish(report("a", slo.VerdictViolated, 2))
	w, err := client.Watch(t.Context(), metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	event := <-w.ResultChan()
	if got, ok := event.Object.(*slo.SLOReport); !ok || event.Type != watch.Modified || got.Status.Verdict != slo.VerdictViolated {
		t.Errorf("%s %v", event.Type, event.Object)
	}
}

// Informers sync and follow, whether they stream the initial list or fetch it.
func TestInformers(t *testing.T) {
	for name, stream := range map[string]bool{"watch list": true, "list and watch": false} {
		t.Run(name, func(t *testing.T) {
			clientfeaturestesting.SetFeatureDuringTest(t, clientfeatures.WatchListClient, stream)
			provider := &reports{}
			provider.publish(report("a", slo.VerdictMet, 1), report("b", slo.VerdictMet, 1))
			factory := externalversions.NewSharedInformerFactory(versioned.NewForConfigOrDie(serve(t, provider)), 0)
			informer := factory.Slo().V1alpha1().SLOReports()
			lister := informer.Lister()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			factory.Start(ctx.Done())
			defer factory.Shutdown()
			defer cancel()
			if !cache.WaitForCacheSync(ctx.Done(), informer.Informer().HasSynced) {
				t.Fatal("never synced")
			}
			holds := func(want ...string) {
				t.Helper()
				eventually(t, func() error {
					items, err := lister.List(labels.Everything())
					got := map[string]bool{}
					for _, item := range items {
						got[item.Name+" "+string(item.Status.Verdict)] = true
					}
					expected := map[string]bool{}
					for _, w := range want {
						expected[w] = true
					}
					if diff := cmp.Diff(expected, got); diff != "" || err != nil {
						return fmt.Errorf("%w (-want +got):\n%s", err, diff)
					}
					return nil
				})
			}
			holds("a Met", "b Met")
			provider.publish(report("a", slo.VerdictViolated, 2), report("b", slo.VerdictMet, 2))
			holds("a Violated", "b Met")
			provider.publish(report("b", slo.VerdictMet, 2), report("c", slo.VerdictNoTraffic, 0))
			holds("b Met", "c NoTraffic")
		})
	}
}

// kubectl wait is this function: it hangs on a server that does not mark the end
// of the initial events.
func TestWaitForCondition(t *testing.T) {
	provider := &reports{}
	provider.publish(report("a", slo.VerdictUnknown, 0))
	client := versioned.NewForConfigOrDie(serve(t, provider)).SloV1alpha1().SLOReports()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	time.AfterFunc(50*time.Millisecond, func() { provider.publish(report("a", slo.VerdictMet, 1)) })
	only := fields.OneTermEqualSelector("metadata.name", "a").String()
	listWatch := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.FieldSelector = only
			return client.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = only
			return client.Watch(ctx, options)
		},
	}
	event, err := watchtools.UntilWithSync(ctx, listWatch, &slo.SLOReport{}, nil, func(event watch.Event) (bool, error) {
		return event.Object.(*slo.SLOReport).Status.Verdict == slo.VerdictMet, nil
	})
	if err != nil {
		t.Fatalf("%v after %v", err, event)
	}
}
