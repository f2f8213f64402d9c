// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/sources"
)

// matrix is an answer of these series, each the labels of a metric and its points.
func matrix(series ...string) string {
	return `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`
}

// points in seconds since at, as the API spells them.
func points(values map[float64]string) string {
	var all []string
	for _, after := range slices.Sorted(maps.Keys(values)) {
		all = append(all, fmt.Sprintf(`[%.3f,"%s"]`, seconds(at)+after, values[after]))
	}
	return "[" + strings.Join(all, ",") + "]"
}

// Kube-apiservers of two scrape jobs, of which one restarted, by a Prometheus whose
// ranges are closed on the left, and which tells what is no number.
func TestReadSamples(t *testing.T) {
	var mu sync.Mutex
	var ranges []string
	url := serve(t, func(w http.ResponseWriter, promql string) {
		answer := emptyBody
		switch {
		case strings.Contains(promql, "up"):
			const one = `{"metric":{"__name__":"process_start_time_seconds","job":%q,"instance":%q},"values":%s}`
			old, fresh := fmt.Sprint(seconds(at)-9000), fmt.Sprintf("%.3f", seconds(at)-100)
			answer = matrix(
				fmt.Sprintf(one, "apiserver", "a", points(map[float64]string{-310: old, -120: old, -60: fresh, 0: fresh})),
				fmt.Sprintf(one, "kube-apiserver", "b", points(map[float64]string{-300: old, 0: old})))
		case strings.HasPrefix(promql, "sum by"):
			answer = `{"status":"success","data":{"resultType":"vector","result":[` +
				`{"metric":{"instance":"a"},"value":[1,"3"]},{"metric":{"instance":"b"},"value":[1,"6"]}]}}`
		case strings.HasPrefix(promql, "seats{"):
			mu.Lock()
			ranges = append(ranges, promql)
			mu.Unlock()
			if strings.Contains(promql, `job="apiserver"`) {
				answer = matrix(`{"metric":{"__name__":"seats","instance":"a","of":"x"},"values":`+points(map[float64]string{-120: "9", -100.001: "9", -100: "1", -60: "2", 0: "3"})+`}`,
					`{"metric":{"__name__":"seats","instance":"a","of":"y"},"values":`+points(map[float64]string{-90: "7", -60: "NaN", 0: "-0.5"})+`}`,
					`{"metric":{"__name__":"seats","instance":"gone"},"values":`+points(map[float64]string{-60: "1"})+`}`)
				break
			}
			answer = matrix(`{"metric":{"__name__":"seats","instance":"b"},"values":` + points(map[float64]string{-300: "9", -299.999: "4", -60: "+Inf", 0: "6"}) + `}`)
		}
		_, _ = w.Write([]byte(answer))
	})
	source := newTestSource(t, url, func(c *Config) {
		c.Signals = []sources.Signal{{
			Name: "seats", Component: sources.KubeAPIServer, Kind: sources.Gauge, Metrics: []string{"seats"},
			Match: map[string][]string{"priority_level": {"low"}}, PerInstance: true, Samples: true,
		}}
	})
	reading, err := source.Read(context.Background(), at, 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[float64]float64{}
	for _, series := range reading.Results["seats"].Series {
		got[series.Instance] = map[float64]float64{}
		for i, sample := range series.Samples {
			got[series.Instance][sample.Time.Sub(at).Seconds()] = sample.Value
			if i > 0 && !series.Samples[i-1].Time.Before(sample.Time) {
				t.Errorf("the samples of %s are not in order: %v", series.Instance, series.Samples)
			}
		}
	}
	want := map[string]map[float64]float64{"a": {-100: 1, -90: 7, 0: 2.5}, "b": {-299.999: 4, 0: 6}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	slices.Sort(ranges)
	if diff := cmp.Diff([]string{
		`seats{job="apiserver",priority_level="low"}[300s]`,
		`seats{job="kube-apiserver",priority_level="low"}[300s]`,
	}, ranges); diff != "" {
		t.Error(diff)
	}
}

// Neither the end of a window nor its length need be whole milliseconds: the range
// that is asked for has all samples of it, and its text is one that PromQL knows.
func TestSamplesOfAnyWindow(t *testing.T) {
	for window, want := range map[time.Duration]string{
		time.Minute:                   "60s",
		time.Minute + 1:               "60001ms",
		time.Second + time.Nanosecond: "1001ms",
		1500 * time.Millisecond:       "1500ms",
		90 * time.Second:              "90s",
	} {
		if got := duration(wholeMilliseconds(window)); got != want {
			t.Errorf("a window of %s is read as %s, want %s", window, got, want)
		}
	}
	one := &series{points: []point{{seconds(at) - 60, 1}, {seconds(at) - 59.999, 2}, {seconds(at), 3}}}
	for start, want := range map[time.Duration]int{-60*time.Second - 1: 3, -60 * time.Second: 2, -60*time.Second + 1: 2} {
		if got := samplesOf(one, at.Add(start), time.Time{}); len(got) != want {
			t.Errorf("after %s there are %v, want %d", start, got, want)
		}
	}
}

// addSamples is a sum by time, whatever the order in which lists come.
func TestAddSamples(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		want := map[time.Time]float64{}
		var sum []sources.Sample
		for range random.IntN(5) {
			var list []sources.Sample
			for second := range 12 {
				if random.IntN(2) == 0 {
					sample := sources.Sample{Time: at.Add(time.Duration(second) * time.Second), Value: float64(random.IntN(1000))}
					list = append(list, sample)
					want[sample.Time] += sample.Value
				}
			}
			sum = addSamples(sum, list)
		}
		got := map[time.Time]float64{}
		for i, sample := range sum {
			got[sample.Time] = sample.Value
			if i > 0 && !sum[i-1].Time.Before(sample.Time) {
				t.Fatalf("not in order: %v", sum)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
	inf := math.Inf(1)
	if got := finite([]sources.Sample{{Value: inf}, {Value: 1}, {Value: math.NaN()}, {Value: -inf}}); len(got) != 1 || got[0].Value != 1 {
		t.Errorf("got %v, want the number alone", got)
	}
}
