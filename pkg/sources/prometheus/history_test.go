// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/sources"
)

var latency = sources.Signal{Name: "latency", Component: sources.KubeAPIServer, Kind: sources.Histogram, Metrics: []string{"latency"}}

// tenMinutes of the past.
func tenMinutes() sources.History {
	return sources.History{
		Signal: "latency", Bounds: []float64{1},
		First: at.Add(-9 * time.Minute), Last: at, Step: time.Minute, Window: 5 * time.Minute,
	}
}

// rememberingServer has an instance with samples of twenty minutes. To range queries
// it has no series, unless fail has an answer.
func rememberingServer(t *testing.T, fail func(w http.ResponseWriter) bool) string {
	t.Helper()
	var starts []string
	for s := at.Unix() - 1200; s <= at.Unix(); s += 30 {
		starts = append(starts, fmt.Sprintf(`[%d,"1"]`, s))
	}
	instances := `{"status":"success","data":{"result":[{"metric":{"__name__":"process_start_time_seconds","job":"apiserver","instance":"a"},"values":[` +
		strings.Join(starts, ",") + `]}]}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/query_range" {
			if !fail(w) {
				_, _ = w.Write([]byte(emptyBody))
			}
			return
		}
		if r.FormValue("query") == "1" {
			_, _ = w.Write([]byte(scalarBody))
			return
		}
		_, _ = w.Write([]byte(instances))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func historySource(t *testing.T, url string) *Source {
	t.Helper()
	return newTestSource(t, url, func(c *Config) { c.Signals = append([]sources.Signal{latency}, twoSignals...) })
}

func TestReadHistoryInstants(t *testing.T) {
	url := rememberingServer(t, func(http.ResponseWriter) bool { return false })
	var instants []time.Time
	err := historySource(t, url).ReadHistory(t.Context(), tenMinutes(), func(r *sources.Reading) error {
		instants = append(instants, r.At)
		if i := r.Instances[0]; !i.Observed || !i.Complete(r.At, 5*time.Minute, 0) || !i.Last.Equal(r.At) {
			t.Errorf("at %s: instance %+v", r.At, i)
		}
		if _, has := r.Results["latency"]; !has || len(r.Results) != 1 || r.Rule != sources.Extrapolated || r.Window != 5*time.Minute {
			t.Errorf("at %s: %+v", r.At, r)
		}
		return nil
	})
	if err != nil || len(instants) != 10 || !instants[0].Equal(at.Add(-9*time.Minute)) || !instants[9].Equal(at) {
		t.Errorf("instants %v, %v", instants, err)
	}
}

// What is known in part is not passed on, and the error says what the source says.
func TestReadHistoryFails(t *testing.T) {
	read := 0
	each := func(*sources.Reading) error { read++; return nil }
	url := rememberingServer(t, func(w http.ResponseWriter) bool {
		body(422, `{"status":"error","errorType":"execution","error":"too many samples"}`)(w, nil)
		return true
	})
	err := historySource(t, url).ReadHistory(t.Context(), tenMinutes(), each)
	if err == nil || !strings.Contains(err.Error(), "read the history of Prometheus: find out which metrics there are: answer of Prometheus: 422") || read > 0 {
		t.Errorf("%d readings, %v", read, err)
	}
	url = rememberingServer(t, func(w http.ResponseWriter) bool {
		w.Header().Set("Retry-After", "17")
		body(429, "slow down")(w, nil)
		return true
	})
	err = historySource(t, url).ReadHistory(t.Context(), tenMinutes(), each)
	var told interface{ RetryAfter() time.Duration }
	if !errors.As(err, &told) || told.RetryAfter() != 17*time.Second || read > 0 {
		t.Errorf("%d readings, %v", read, err)
	}
}

// A store that was left out is an error, in whatever way it is told, and remarks on
// the style of a query are none.
func TestReadHistoryOfPartialAnswers(t *testing.T) {
	for told, want := range map[string]string{
		`"warnings":["partial response: store 10.0.0.2 is unavailable"]`:                   "Prometheus warns: partial response: store 10.0.0.2",
		`"warnings":["PromQL info: metric might not be a counter","No StoreAPIs matched"]`: "Prometheus warns: No StoreAPIs matched",
		`"isPartial":true`: "the answer is partial",
		`"isPartial":false,"warnings":["PromQL info: metric might not be a counter"],"infos":["PromQL info: x"]`: "",
	} {
		url := rememberingServer(t, func(w http.ResponseWriter) bool {
			_, _ = w.Write([]byte(strings.Replace(emptyBody, "{", "{"+told+",", 1)))
			return true
		})
		read := 0
		err := historySource(t, url).ReadHistory(t.Context(), tenMinutes(), func(*sources.Reading) error { read++; return nil })
		if want == "" && (err != nil || read != 10) || want != "" && (err == nil || !strings.Contains(err.Error(), want) || read > 0) {
			t.Errorf("%s: %d readings, %v", told, read, err)
		}
	}
}

func TestReadHistoryEnds(t *testing.T) {
	url := rememberingServer(t, func(http.ResponseWriter) bool { return false })
	enough := errors.New("enough")
	read := 0
	err := historySource(t, url).ReadHistory(t.Context(), tenMinutes(), func(*sources.Reading) error {
		if read++; read == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || read != 3 {
		t.Errorf("%d readings, %v", read, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := historySource(t, url).ReadHistory(ctx, tenMinutes(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
}

func TestReadHistoryRefuses(t *testing.T) {
	for want, change := range map[string]func(*sources.History){
		`there is no signal "nobody"`:                           func(h *sources.History) { h.Signal = "nobody" },
		`there is no signal "somebody"`:                         func(h *sources.History) { h.Beside = []string{"requests", "somebody"} },
		`"seats" is no histogram or counter over all instances`: func(h *sources.History) { h.Signal = "seats" },
		"no bucket is wanted, or some labels of a histogram":    func(h *sources.History) { h.Bounds = nil },
		"a bucket of a counter, no label or another one":        func(h *sources.History) { h.Signal = "requests" },
		"another one than [] is wanted": func(h *sources.History) {
			h.Signal, h.Bounds, h.Labels = "requests", nil, []string{"code"}
		},
		"a histogram is wanted beside another signal":    func(h *sources.History) { h.Beside = []string{"latency"} },
		"a window of 1ms or a step of 1m0s is too short": func(h *sources.History) { h.Window = time.Millisecond },
		"a window of 5m0s or a step of 0s is too short":  func(h *sources.History) { h.Step = 0 },
	} {
		h := tenMinutes()
		change(&h)
		if err := historySource(t, "http://127.0.0.1:1").ReadHistory(t.Context(), h, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
}

func TestSpellings(t *testing.T) {
	got := spellings([]float64{0.05, 1, 2.5, 30, 1e6, 1e21, math.Inf(1)})
	want := []string{"0.05", "1", "1.0", "2.5", "30", "30.0", "1e+06", "1e+21", "+Inf", "+Inf"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBetween(t *testing.T) {
	var points []point
	for i := range 10 {
		points = append(points, point{at: seconds(at.Add(time.Duration(i)*time.Second + 123*time.Millisecond)), value: float64(i)})
	}
	all := []history{{labels: []label{{"a", "b"}}, points: points}}
	after := at.Add
	for _, c := range []struct {
		from, to time.Duration
		want     string
	}{
		{2123 * time.Millisecond, 4123 * time.Millisecond, "234"}, // both ends
		{2124 * time.Millisecond, 4122 * time.Millisecond, "3"},
		{5123 * time.Millisecond, 5123 * time.Millisecond, "5"},
		{-time.Hour, time.Hour, "0123456789"},
		{time.Hour, time.Hour, ""},
	} {
		got := ""
		_ = between(all, after(c.from), after(c.to), func(one *series) error {
			for _, p := range one.points {
				got += fmt.Sprint(p.value)
			}
			return nil
		})
		if got != c.want {
			t.Errorf("%s to %s: %s, want %s", c.from, c.to, got, c.want)
		}
	}
}
