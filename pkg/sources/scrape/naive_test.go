// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// showNaive shows what the naive model made of a body.
func showNaive(e naiveExposition) string {
	out := exposition{warnings: e.warnings}
	for _, s := range e.samples {
		shown := sample{place: &place{id: &identity{key: s.key, family: &family{name: s.family}}}, state: s.value.state, number: s.value.number}
		if h := s.value.histogram; h != nil {
			shown.bounds, shown.counts, shown.number = h.Bounds, h.Counts, h.Sum
		}
		out.samples = append(out.samples, shown)
	}
	return show(&out)
}

// remembering is a scanner of which a store keeps the answers: what is unchanged is
// known by what the store has.
type remembering struct {
	*scanner
	store *store
	now   time.Time
}

func newRemembering(t testing.TB) *remembering {
	return &remembering{newTestScanner(t), newStore(3*time.Minute, 1000), noon}
}

// keep an answer as one of a process, and see that the store has what it says.
func (s *remembering) keep(t *testing.T, e *exposition, process int) {
	t.Helper()
	var want strings.Builder
	for _, now := range e.samples {
		now.spellOut()
		if now.counts != nil {
			fmt.Fprintln(&want, now.place.id.key, now.bounds, now.counts, now.number)
		}
	}
	s.now = s.now.Add(15 * time.Second)
	e.started = noon.Add(-time.Hour * time.Duration(1+process))
	if err := s.store.add(storeTarget.id(), s.now, e); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, now := range e.samples {
		held := now.place.held
		if !slices.Contains(e.process.series, held) || held.id != now.place.id {
			t.Fatalf("%s is held as another series", now.place.id.key)
		}
		if h := held.histogram; h != nil && h.state == known {
			fmt.Fprintln(&got, held.id.key, h.chapter.bounds, h.chapter.counts(nil), h.chapter.sum())
		}
	}
	if diff := cmp.Diff(want.String(), got.String()); diff != "" {
		t.Fatalf("answer, then what the store has of it:\n%s", diff)
	}
}

// differ scans a body and says where that differs from the naive model.
func differ(t *testing.T, s *remembering, body []byte, process int) string {
	t.Helper()
	want, wantErr := naiveProto(bytes.NewReader(body), testPlan(t), testLimits)
	got, err := s.read(bytes.NewReader(body), decodeProto)
	defer s.release()
	if errors.Is(err, errBehindSeries) {
		return "" // the library reads that, too
	}
	if err != nil && wantErr == nil {
		t.Fatalf("error %v, of the naive model none", err)
	}
	if wantErr != nil {
		return "" // the scanner does not look into what it does not read
	}
	if !got.started.Equal(want.started) {
		t.Errorf("started %s, want %s", got.started, want.started)
	}
	diff := cmp.Diff(showNaive(want), show(got)) + cmp.Diff(want.families, got.families)
	s.keep(t, got, process)
	return diff
}

// A scanner that remembers what it read says the same as one that does not, while
// series come, go and change places, and several processes answer in turn.
func TestScannerRemembers(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 120 {
		protos, texts, process := newRemembering(t), newRemembering(t), 0
		families := []*dto.MetricFamily{
			randomFamily(r, "other", dto.MetricType_COUNTER), randomFamily(r, "c", dto.MetricType_COUNTER),
			randomFamily(r, "g", dto.MetricType_GAUGE), randomFamily(r, "h", dto.MetricType_HISTOGRAM),
		}
		for range 20 {
			change(r, families)
			if r.IntN(5) == 0 {
				process = r.IntN(3)
			}
			body := delimited(t, families...)
			if diff := differ(t, protos, body, process); diff != "" {
				t.Fatalf("naive model, then scanner:\n%s", diff)
			}
			want, err := naiveProto(bytes.NewReader(body), testPlan(t), testLimits)
			if err != nil {
				t.Fatal(err)
			}
			spelled := text(t, families...)
			got, err := texts.read(bytes.NewReader(spelled), decodeText)
			if err != nil {
				t.Fatal(err)
			}
			// Histograms that are read line by line come last in their family.
			if diff := cmp.Diff(sorted(showNaive(want)), sorted(show(got))); diff != "" {
				t.Fatalf("protobuf, then text: %s\n%s", diff, spelled)
			}
			texts.keep(t, got, process)
			texts.release()
		}
	}
}

func sorted(lines string) []string { return slices.Sorted(strings.Lines(lines)) }

// change families in one of the ways in which an answer differs from the last one.
func change(r *rand.Rand, families []*dto.MetricFamily) {
	f := families[r.IntN(len(families))]
	fresh := randomFamily(r, f.GetName(), f.GetType())
	switch r.IntN(8) {
	case 0:
		f.Metric = fresh.Metric
	case 1:
		r.Shuffle(len(f.Metric), func(i, j int) { f.Metric[i], f.Metric[j] = f.Metric[j], f.Metric[i] })
	case 2:
		if len(f.Metric) > 1 {
			f.Metric = slices.Delete(f.Metric, 0, 1)
		}
	case 3:
		if len(f.Metric) < 30 {
			fresh.Metric[0].Label = append(fresh.Metric[0].Label, &dto.LabelPair{Name: proto.String("z"), Value: proto.String(string(rune('a'+len(f.Metric))) + string(rune('a'+r.IntN(20))))})
			if !has(f, fresh.Metric[0]) {
				f.Metric = slices.Insert(f.Metric, r.IntN(len(f.Metric)+1), fresh.Metric[0])
			}
		}
	case 4, 5:
		for _, m := range f.Metric {
			if h := m.Histogram; h != nil && len(h.Bucket) > 0 && r.IntN(3) > 0 {
				count(r, h)
			}
		}
	case 6:
		r.Shuffle(len(families), func(i, j int) { families[i], families[j] = families[j], families[i] })
	default: // only the values change
		for i, m := range f.Metric {
			if r.IntN(3) == 0 {
				continue
			}
			values := fresh.Metric[i%len(fresh.Metric)]
			m.Counter, m.Gauge, m.Histogram = values.Counter, values.Gauge, values.Histogram
		}
	}
}

// count in a histogram that keeps its buckets, mostly as histograms count.
func count(r *rand.Rand, h *dto.Histogram) {
	n := r.Uint64N(300)
	for _, b := range h.Bucket[r.IntN(len(h.Bucket)):] {
		*b.CumulativeCount += n
	}
	*h.SampleSum += float64(n)
	if *h.SampleCount += n; r.IntN(6) == 0 {
		*h.Bucket[r.IntN(len(h.Bucket))].CumulativeCount = r.Uint64N(5) // falls from one to the next, or is reset
	}
}

func has(f *dto.MetricFamily, m *dto.Metric) bool {
	return slices.ContainsFunc(f.Metric, func(other *dto.Metric) bool {
		return proto.Equal(&dto.Metric{Label: m.Label}, &dto.Metric{Label: other.Label})
	})
}

// altered is a body of which a byte is another one; which one, the body itself says.
func altered(body []byte) []byte {
	body = slices.Clone(body)
	sum := 0
	for _, b := range body {
		sum = sum*31 + int(b)
	}
	if len(body) > 0 {
		body[uint(sum)%uint(len(body))]++
	}
	return body
}

// FuzzProtoIsNaive compares the scanner with the library: a body, the same again, one
// that is nearly the same, and again.
func FuzzProtoIsNaive(f *testing.F) {
	r := rand.New(rand.NewPCG(4, 4))
	f.Add(delimited(f, randomFamily(r, "c", dto.MetricType_COUNTER), randomFamily(r, "h", dto.MetricType_HISTOGRAM)))
	f.Add(delimited(f, randomFamily(r, "other", dto.MetricType_GAUGE), randomFamily(r, "g", dto.MetricType_UNTYPED)))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := newRemembering(t)
		for i, body := range [][]byte{body, body, body, altered(body), body} {
			if diff := differ(t, s, body, i/4); diff != "" { // the last one is of another process
				t.Fatal(diff)
			}
		}
	})
}

// FuzzTextRemembers compares the second scan of a text with the first.
func FuzzTextRemembers(f *testing.F) {
	f.Add([]byte("# TYPE h histogram\nh_bucket{a=\"b\\n\",le=\"1\"} 1\nh_bucket{a=\"b\\n\",le=\"+Inf\"} 2\nh_sum{a=\"b\\n\"} 3\nh_count{a=\"b\\n\"} 2\nc{code=\"200\"} 1 2\ng NaN\n"))
	f.Add([]byte("g{a=\"b\"} 1\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\nh_count 3\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := newRemembering(t)
		var shown [4]string
		for i := range shown {
			// In pieces, so that lines lie across the end of what was read.
			e, err := s.read(io.MultiReader(bytes.NewReader(body[:i*len(body)/4]), bytes.NewReader(body[i*len(body)/4:])), decodeText)
			if err != nil {
				shown[i] = err.Error()
			} else {
				shown[i] = show(e)
				s.keep(t, e, i/3)
			}
			s.release()
			if diff := cmp.Diff(sorted(shown[0]), sorted(shown[i])); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
