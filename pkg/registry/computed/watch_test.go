// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// describe writes an event as one line: type, name, state, count, version.
func describe(event watch.Event) string {
	switch obj := event.Object.(type) {
	case *metav1.Status:
		return fmt.Sprintf("%s %d %s", event.Type, obj.Code, obj.Reason)
	case *gauge:
		if event.Type == watch.Bookmark {
			return strings.TrimSuffix(fmt.Sprintf("%s @%s %s", event.Type, obj.ResourceVersion, obj.Annotations[metav1.InitialEventsAnnotationKey]), " ")
		}
		return fmt.Sprintf("%s %s %s %s @%s", event.Type, obj.Name, obj.Labels["state"], obj.Annotations["count"], obj.ResourceVersion)
	}
	return fmt.Sprintf("%s %T", event.Type, event.Object)
}

// received takes the events there are once all goroutines have come to rest. The
// end of the stream is shown as "end".
func received(w watch.Interface) string {
	var lines []string
	for {
		synctest.Wait()
		select {
		case event, ok := <-w.ResultChan():
			if !ok {
				return strings.Join(append(lines, "end"), "\n")
			}
			lines = append(lines, describe(event))
		default:
			return strings.Join(lines, "\n")
		}
	}
}

func expect(t *testing.T, when string, w watch.Interface, want ...string) {
	t.Helper()
	if diff := cmp.Diff(strings.Join(want, "\n"), received(w)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

func startWatch(t *testing.T, r *REST[gauge, *gauge], options metainternalversion.ListOptions) watch.Interface {
	t.Helper()
	w, err := r.Watch(t.Context(), &options)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

func TestWatchFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, provider := newGaugeREST(t, newGauge("a", "ok", "1"), newGauge("b", "ok", "1"))
		w := startWatch(t, r, metainternalversion.ListOptions{})
		expect(t, "start", w, "ADDED a ok 1 @99", "ADDED b ok 1 @100")

		provider.publish(newGauge("a", "ok", "2"), newGauge("b", "ok", "2"))
		expect(t, "counts are no news", w)

		provider.publish(newGauge("a", "bad", "3"), newGauge("b", "ok", "3"))
		expect(t, "a state is", w, "MODIFIED a bad 3 @120")

		provider.publish(newGauge("b", "ok", "4"), newGauge("c", "ok", "4"))
		expect(t, "one gone, one new", w, "DELETED a bad 3 @129", "ADDED c ok 4 @130")

		time.Sleep(refreshInterval)
		provider.publish(newGauge("b", "ok", "5"), newGauge("c", "ok", "5"))
		expect(t, "refresh without bookmarks", w, "MODIFIED b ok 5 @139", "MODIFIED c ok 5 @140")

		provider.publish(newGauge("b", "ok", "6"), newGauge("c", "ok", "6"))
		expect(t, "the next refresh is a minute away", w)

		w.Stop()
		expect(t, "stopped", w, "end")
	})
}

func TestWatchBookmarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, provider := newGaugeREST(t, newGauge("a", "ok", "1"), newGauge("b", "ok", "1"))
		w := startWatch(t, r, metainternalversion.ListOptions{
			SendInitialEvents: yes(), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, AllowWatchBookmarks: true,
		})
		expect(t, "start", w, "ADDED a ok 1 @100", "ADDED b ok 1 @100", "BOOKMARK @100 true")

		provider.publish(newGauge("a", "ok", "2"), newGauge("b", "ok", "2"))
		expect(t, "nothing new", w)

		time.Sleep(refreshInterval)
		provider.publish(newGauge("a", "ok", "3"), newGauge("b", "ok", "3"))
		expect(t, "refresh", w, "MODIFIED a ok 3 @119", "MODIFIED b ok 3 @120", "BOOKMARK @120")
		w.Stop()

		none := startWatch(t, r, metainternalversion.ListOptions{
			SendInitialEvents: yes(), AllowWatchBookmarks: true, LabelSelector: selectLabels(t, "state=bad"),
		})
		expect(t, "nothing selected", none, "BOOKMARK @120 true")
		none.Stop()

		unasked := startWatch(t, r, metainternalversion.ListOptions{SendInitialEvents: yes()})
		expect(t, "no bookmarks allowed", unasked, "ADDED a ok 3 @119", "ADDED b ok 3 @120")
		unasked.Stop()
	})
}

func TestWatchSelects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, provider := newGaugeREST(t, newGauge("a", "ok", "1"), newGauge("b", "bad", "1"))
		bad := startWatch(t, r, metainternalversion.ListOptions{LabelSelector: selectLabels(t, "state=bad")})
		one := startWatch(t, r, metainternalversion.ListOptions{FieldSelector: selectFields(t, "metadata.name=a")})
		expect(t, "start by label", bad, "ADDED b bad 1 @100")
		expect(t, "start by name", one, "ADDED a ok 1 @100")

		provider.publish(newGauge("a", "bad", "2"), newGauge("b", "ok", "2"))
		expect(t, "labels that come and go", bad, "DELETED b bad 1 @109", "ADDED a bad 2 @110")
		expect(t, "same name, new label", one, "MODIFIED a bad 2 @110")
		bad.Stop()
		one.Stop()

		if _, err := r.Watch(t.Context(), &metainternalversion.ListOptions{FieldSelector: selectFields(t, "spec.x=1")}); reason(err) != "BadRequest" {
			t.Errorf("watch by spec.x: %v", err)
		}
	})
}

func TestWatchFromVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, provider := newGaugeREST(t, newGauge("a", "ok", "1"), newGauge("b", "ok", "1"))
		if _, err := r.List(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		provider.publish(newGauge("a", "bad", "2"), newGauge("c", "ok", "2")) // 110
		for _, tc := range []struct {
			name    string
			options metainternalversion.ListOptions
			want    []string
		}{
			{"current", metainternalversion.ListOptions{ResourceVersion: "110"}, nil},
			{"current, with bookmarks", metainternalversion.ListOptions{ResourceVersion: "110", AllowWatchBookmarks: true}, nil},
			{"listed before the last evaluation", metainternalversion.ListOptions{ResourceVersion: "100"},
				[]string{"DELETED b ok 1 @109", "MODIFIED a bad 2 @109", "ADDED c ok 2 @110"}},
			{"live from now", metainternalversion.ListOptions{SendInitialEvents: no()}, nil},
			{"all of not older than", metainternalversion.ListOptions{ResourceVersion: "100", SendInitialEvents: yes(), AllowWatchBookmarks: true},
				[]string{"ADDED a bad 2 @110", "ADDED c ok 2 @110", "BOOKMARK @110 true"}},
			{"never given out", metainternalversion.ListOptions{ResourceVersion: "105"}, []string{"ERROR 410 Expired", "end"}},
			{"in the middle of an evaluation", metainternalversion.ListOptions{ResourceVersion: "109"}, []string{"ERROR 410 Expired", "end"}},
			{"from the future", metainternalversion.ListOptions{ResourceVersion: "999"}, []string{"ERROR 410 Expired", "end"}},
		} {
			w := startWatch(t, r, tc.options)
			expect(t, tc.name, w, tc.want...)
			w.Stop()
		}
		_, err := r.Watch(t.Context(), &metainternalversion.ListOptions{ResourceVersion: "999", SendInitialEvents: yes()})
		if reason(err) != "TooLarge" {
			t.Errorf("not older than the future: %v", err)
		}
		_, err = r.Watch(t.Context(), &metainternalversion.ListOptions{ResourceVersion: "x"})
		if reason(err) != "BadRequest" {
			t.Errorf("from x: %v", err)
		}
	})
}

// A client that lost its connection resumes from the version of its last event.
func TestWatchResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, provider := newGaugeREST(t, newGauge("a", "ok", "1"))
		w := startWatch(t, r, metainternalversion.ListOptions{})
		expect(t, "start", w, "ADDED a ok 1 @100")
		provider.publish(newGauge("a", "bad", "2"))
		expect(t, "before it is lost", w, "MODIFIED a bad 2 @110")
		w.Stop()
		provider.publish(newGauge("b", "ok", "3"))

		again := startWatch(t, r, metainternalversion.ListOptions{ResourceVersion: "110"})
		expect(t, "what it missed", again, "DELETED a bad 2 @119", "ADDED b ok 3 @120")
		again.Stop()
	})
}

func TestWatchForgetsOldVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, provider := newGaugeREST(t, newGauge("a", "ok", "1"))
		for range remembered {
			if _, err := r.List(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			provider.publish(newGauge("a", "ok", "1"))
		}
		oldest := startWatch(t, r, metainternalversion.ListOptions{ResourceVersion: "110"})
		expect(t, "the oldest that is remembered", oldest)
		oldest.Stop()
		expect(t, "one before", startWatch(t, r, metainternalversion.ListOptions{ResourceVersion: "100"}), "ERROR 410 Expired", "end")
	})
}

func TestWatchEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, provider := newGaugeREST(t, newGauge("a", "ok", "1"))
		ctx, cancel := context.WithCancel(t.Context())
		w, err := r.Watch(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if got := received(w); !strings.HasSuffix(got, "end") || strings.Contains(got, "ERROR") {
			t.Errorf("context ended: %s", got)
		}

		w = startWatch(t, r, metainternalversion.ListOptions{})
		expect(t, "start", w, "ADDED a ok 1 @100")
		provider.fail(errors.New("shutting down"))
		expect(t, "provider failed", w, "ERROR 503 ServiceUnavailable", "end")
		w.Stop()
		w.Stop() // may be called twice
	})
}

// A reader that does not read fills its own buffer and is dropped after
// stallTimeout; the other one gets all its events at once.
func TestWatchDropsSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, provider := newGaugeREST(t, newGauge("a", "0", "1"))
		slow := startWatch(t, r, metainternalversion.ListOptions{})
		fast := startWatch(t, r, metainternalversion.ListOptions{})
		for i := range resultBuffer + 2 {
			received(fast)
			provider.publish(newGauge("a", fmt.Sprint(i+1), "1"))
			if got := received(fast); got == "" {
				t.Fatalf("event %d held up by the slow reader", i)
			}
		}
		time.Sleep(stallTimeout)
		if events := strings.Split(received(slow), "\n"); len(events) != resultBuffer+1 || events[resultBuffer] != "end" {
			t.Errorf("slow reader got %d events and then %q, want %d and the end", len(events)-1, events[len(events)-1], resultBuffer)
		}
		fast.Stop()
	})
}

func TestWatchLeavesNoGoroutines(t *testing.T) {
	r, _ := newGaugeREST(t, newGauge("a", "ok", "1"))
	before := runtime.NumGoroutine()
	var watches []watch.Interface
	for range 50 {
		watches = append(watches, startWatch(t, r, metainternalversion.ListOptions{}))
	}
	for _, w := range watches {
		w.Stop()
		for range w.ResultChan() { // closed by the goroutine as it ends
		}
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}
