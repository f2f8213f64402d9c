// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// buckets is a wait histogram: how many waited up to 100 ms, and all.
func buckets(short, all float64) *sources.Buckets {
	return &sources.Buckets{
		Bounds: []float64{0.1, 15, math.Inf(1)},
		Counts: []float64{short, all, all},
		Sum:    math.NaN(),
	}
}

func TestSignals(t *testing.T) {
	names := map[string]bool{}
	for _, s := range Signals() {
		if names[s.Name] {
			t.Errorf("%s is declared twice", s.Name)
		}
		names[s.Name] = true
		if !strings.HasPrefix(s.Name, "apf-") {
			t.Errorf("%s could collide with a signal of another catalog", s.Name)
		}
		if s.Component != sources.KubeAPIServer || !s.PerInstance {
			t.Errorf("%s: seats do not move between kube-apiservers", s.Name)
		}
		if len(s.Labels) == 0 || s.Labels[0] != "priority_level" {
			t.Errorf("%s: labels %v do not start with the priority level", s.Name, s.Labels)
		}
		for _, metric := range s.Metrics {
			if !strings.HasPrefix(metric, "apiserver_flowcontrol_") {
				t.Errorf("%s: %s is no flow control metric", s.Name, metric)
			}
		}
	}
	for _, row := range catalog {
		if row.zeroWith != "" && !names[row.zeroWith] {
			t.Errorf("%s: the companion %s is not declared", row.Name, row.zeroWith)
		}
	}
}

func TestSignalsBelongToTheCaller(t *testing.T) {
	want := Signals()
	changed := Signals()
	for i := range changed {
		changed[i].Labels[0], changed[i].Metrics[0] = "x", "y"
		for label := range changed[i].Match {
			changed[i].Match[label] = nil
		}
	}
	if diff := cmp.Diff(want, Signals()); diff != "" {
		t.Errorf("a caller changed the catalog:\n%s", diff)
	}
}

func TestRounding(t *testing.T) {
	tests := []struct {
		value        float64
		gauge, count string
	}{
		{0, "0", "0"},
		{0.2, "0", "1"},
		{0.5, "1", "1"},
		{1.4, "1", "1"},
		{1.5, "2", "2"},
		{1 << 53, "9007199254740992", "9007199254740992"},
		{1e18, "-", "-"},
		{-1, "-", "-"},
		{math.NaN(), "-", "-"},
		{math.Inf(1), "-", "-"},
	}
	text := func(n int64, known bool) string {
		if !known {
			return "-"
		}
		return figure(&n)
	}
	for _, test := range tests {
		if got := text(whole(test.value)); got != test.gauge {
			t.Errorf("gauge %g: got %s, want %s", test.value, got, test.gauge)
		}
		if got := text(count(test.value)); got != test.count {
			t.Errorf("increase %g: got %s, want %s", test.value, got, test.count)
		}
	}
}

func TestLongWaits(t *testing.T) {
	tests := []struct {
		name      string
		buckets   *sources.Buckets
		known     bool
		long, all float64
		many      bool
	}{
		{"nothing waited", nil, true, 0, 0, false},
		{"no observations", buckets(0, 0), true, 0, 0, false},
		{"one in a hundred", buckets(99, 100), true, 1, 100, true},
		{"one in a hundred and one", buckets(100, 101), true, 1, 101, false},
		{"the only one", buckets(0, 1), true, 1, 1, true},
		{"a bucket read a moment later", buckets(101, 100), true, 0, 101, false},
		{"bound dropped", &sources.Buckets{Bounds: []float64{0.2, math.Inf(1)}, Counts: []float64{1, 1}}, false, 0, 0, false},
	}
	for _, test := range tests {
		long, all, known := longWaits(test.buckets)
		if known != test.known || known && (long != test.long || all != test.all) {
			t.Errorf("%s: got %g of %g, known %t", test.name, long, all, known)
			continue
		}
		if r := (&row{longWaits: long, allWaits: all}); known && r.manyWaitLong() != test.many {
			t.Errorf("%s: many wait long: got %t, want %t", test.name, !test.many, test.many)
		}
	}
}

func TestWaitP99(t *testing.T) {
	tests := []struct {
		name    string
		buckets *sources.Buckets
		want    string
	}{
		{"nothing waited", nil, "-"},
		{"no observations", buckets(0, 0), "-"},
		{"first bucket", buckets(100, 100), "99 in (0,100]"},
		{"second bucket", buckets(0, 100), "14851 in (100,15000]"},
		{"no finite bucket", &sources.Buckets{Bounds: []float64{math.Inf(1)}, Counts: []float64{5}}, "-"},
		{"over the last bound", &sources.Buckets{Bounds: []float64{0.1, 30, math.Inf(1)}, Counts: []float64{0, 0, 5}}, "30000 in (30000,-]"},
		{"within milliseconds", &sources.Buckets{Bounds: []float64{0.00109, 0.00119, math.Inf(1)}, Counts: []float64{0, 5, 5}}, "2 in (1,2]"},
		{"no wait at all", &sources.Buckets{Bounds: []float64{0, 0.005, math.Inf(1)}, Counts: []float64{5, 5, 5}}, "0 in (0,0]"},
	}
	for _, test := range tests {
		var figures v1alpha1.RequestFigures
		figures.WaitP99Milliseconds, figures.WaitP99Bucket = waitP99(test.buckets)
		want := "dispatched=- rejected=- waitP99=" + test.want
		if got := renderRequests(&figures); got != want {
			t.Errorf("%s: got %s, want %s", test.name, got, want)
		}
	}
}

func TestMilliseconds(t *testing.T) {
	for seconds, want := range map[float64]int64{0: 0, 0.0001: 1, 0.005: 5, 0.57: 570, 0.1: 100, 0.1001: 101, 30: 30000} {
		if got := milliseconds(seconds); got != want {
			t.Errorf("%g s: got %d ms, want %d", seconds, got, want)
		}
	}
}

func TestRoundDurations(t *testing.T) {
	for duration, want := range map[time.Duration]string{
		5 * time.Minute:                   "5m",
		44700 * time.Millisecond:          "45s",
		time.Hour:                         "1h",
		time.Hour + 90*time.Second:        "1h1m30s",
		10*time.Minute + time.Millisecond: "10m",
		0:                                 "0s",
	} {
		if got := round(duration); got != want {
			t.Errorf("%s: got %s, want %s", duration, got, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"dial tcp:\n\trefused ":       "dial tcp: refused", //nolint:gocritic // the white space is the case
		strings.Repeat("\u00e4", 101): strings.Repeat("\u00e4", 100) + "...",
		"":                            "",
	} {
		if got := oneLine(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestUnreadableValuesAreMissing(t *testing.T) {
	w := newWorld(1)
	for i := range w.samples {
		w.samples[i].value, w.samples[i].max, w.samples[i].buckets = math.NaN(), math.NaN(), nil
	}
	for _, h := range w.evaluate() {
		seats := *h.Status.Total
		seats.QueueCapacityRequests = nil // from the configuration
		if seats != (v1alpha1.Seats{}) {
			t.Errorf("%s: NaN became %s", h.Name, renderSeats(&seats))
		}
		if h.Spec.Type != "Exempt" && h.Status.Pressure != v1alpha1.PressureUnknown {
			t.Errorf("%s: pressure %s of NaN", h.Name, h.Status.Pressure)
		}
	}
}

// A histogram of waits that are no counts says nothing: NaN compared with a
// threshold would pass for no long wait, and the level for Ok.
func TestUnreadableWaitsAreMissing(t *testing.T) {
	noLast := buckets(1, 1)
	noLast.Bounds, noLast.Counts = noLast.Bounds[:2], noLast.Counts[:2]
	for name, histogram := range map[string]*sources.Buckets{
		"NaN": buckets(math.NaN(), math.NaN()), "NaN short": buckets(math.NaN(), 3), "negative": buckets(-1, 3),
		"infinite": buckets(3, math.Inf(1)), "beyond int64": buckets(3, 1e19), "without +Inf": noLast, "absent": nil,
	} {
		i := &instance{series: map[string]map[string][]sources.Series{}}
		i.add(waits, sources.Series{Values: []string{"low"}, Histogram: histogram})
		if sum, known := i.histogram("low"); known || sum != nil {
			t.Errorf("%s: got %+v, known %t", name, sum, known)
		}
	}
}

func TestUnknown(t *testing.T) {
	w := newWorld(1)
	measured := w.evaluate()
	for i, h := range Unknown(w.levels, w.schemas, "SourceUnavailable", "connection refused") {
		if diff := cmp.Diff(measured[i].Spec, h.Spec); diff != "" || h.Name != measured[i].Name {
			t.Errorf("%s: the configuration is not that of %s:\n%s", h.Name, measured[i].Name, diff)
		}
		want := v1alpha1.APFHeadroomStatus{Pressure: v1alpha1.PressureUnknown, Conditions: []metav1.Condition{
			{Type: "HasHeadroom", Status: "Unknown", Reason: "SourceUnavailable", Message: "connection refused"},
			{Type: "DataComplete", Status: "False", Reason: "SourceUnavailable", Message: "connection refused"},
			{Type: "ConfigurationSound", Status: "True", Reason: "NoFindings", Message: "nothing is wrong with the objects that concern the level"},
		}}
		if diff := cmp.Diff(want, h.Status); diff != "" {
			t.Errorf("%s: -want +got:\n%s", h.Name, diff)
		}
	}
}

func TestObjectsAreOnlyRead(t *testing.T) {
	w := newWorld(1)
	before := w.levels[0].DeepCopy()
	for _, h := range w.evaluate() {
		if h.Spec.LimitResponse != nil && h.Spec.LimitResponse.Queues != nil {
			*h.Spec.LimitResponse.Queues = 0
		}
		*h.Spec.NominalConcurrencyShares = 0
	}
	if diff := cmp.Diff(before, w.levels[0]); diff != "" {
		t.Errorf("the level shares memory with its report:\n%s", diff)
	}
}
