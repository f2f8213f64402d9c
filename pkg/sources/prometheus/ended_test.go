// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// The window starts at 1000, and samples are 30 s apart.
func TestFindEnd(t *testing.T) {
	for _, test := range []struct {
		name    string
		first   float64
		starts  []float64
		ended   float64
		unclear bool
	}{
		{"one process", 980, []float64{5, 5, 5}, 0, false},
		{"another one", 980, []float64{5, 5, 1020, 1020}, 1010, false},
		{"another one, by a clock that is a second behind", 980, []float64{5, 5, 1009.5, 1009.5}, 1010, false},
		{"before the window", 960, []float64{5, 980, 980}, 0, false},
		{"by a clock that is 20 s behind", 980, []float64{5, 5, 995, 995}, 1010, true},
		{"its first sample in the window, the last one before", 1000, []float64{5, 1010, 1010}, 1000, false},
		{"started before the window, and sampled first in it", 980, []float64{5, 990, 990}, 980, false},
		{"two others", 980, []float64{5, 5, 1020, 1050}, 1040, true},
		{"two others, the first one before the window", 1000, []float64{5, 1020, 1050}, 1030, true},
		{"a clock set forward by 500 s", 980, []float64{5, 5, 505, 505}, 0, false},
		{"a clock set forward into the window", 980, []float64{5, 5, 1005, 1005}, 1010, true},
		{"a clock set back by 5 s", 980, []float64{500, 500, 495, 495}, 0, false},
		{"start times to the second", 980, []float64{500, 500.9, 500.1, 500.5}, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var points []point
			for i, started := range test.starts {
				points = append(points, point{at: test.first + 30*float64(i), value: started})
			}
			got := target{}
			got.findEnd(points, 1000)
			if got.ended != test.ended || got.unclear != test.unclear {
				t.Errorf("ended %v, unclear %t; want %v, %t", got.ended, got.unclear, test.ended, test.unclear)
			}
		})
	}
}

// No good is said of more restarts than a query can name, whichever job is counted.
func TestManyRestarts(t *testing.T) {
	now := time.Unix(2000, 0)
	found := targets{}
	var rows []string
	for i := range promQL.mostRestarted() {
		instance := fmt.Sprintf("10.0.0.%d:10250", i)
		for _, job := range []string{"kubelet", "other"} {
			found[targetKey{job, instance}] = &target{job: job, instance: instance, name: instance, started: 1990, first: 1690, last: 2000, processes: 1}
			rows = append(rows, fmt.Sprintf(`{"metric":{"job":%q,"instance":%q},"value":[2000,"1"]}`, job, instance))
		}
	}
	url := serve(t, func(w http.ResponseWriter, query string) {
		if strings.Contains(query, "changes(") {
			_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, strings.Join(rows, ","))
			return
		}
		t.Errorf("it asks %s", query)
	})
	source := newTestSource(t, url, nil)
	if err := source.findRestarts(t.Context(), &session{querier: source.querier, at: now}, sources.Kubelet, 5*time.Minute, found); err != nil {
		t.Fatal(err)
	}
	for _, w := range source.choose(sources.Kubelet, found, now, 5*time.Minute).warnings {
		if w.Reason == sources.RestartsUnclear && len(w.Instances) == promQL.mostRestarted() {
			return
		}
	}
	t.Error("no warning says that they restarted")
}

// What the most kubelets make of a query, VictoriaMetrics takes (-search.maxQueryLen).
func TestRestartsFitMetricsQL(t *testing.T) {
	const longest = 16 << 10
	chosen := &selection{ended: map[string]end{}, counted: map[string]string{"10.0.0.1:10250": "other"}}
	for i := range metricsQL.mostRestarted() {
		instance := fmt.Sprintf("ip-10-100-200-%d.eu-central-1.compute.internal:10250", 100+i)
		chosen.ended[instance], chosen.counted[instance] = end{at: 1795918512.125, newest: 1795918612.125}, instance
	}
	matchers := [][]string{{`cluster="production-eu"`, kubeletPath, `job="kubelet"`}}
	e := expressions{
		signal: sources.Signal{Component: sources.Kubelet, Kind: sources.Histogram}, chosen: chosen, window: 5 * time.Minute, dialect: metricsQL,
		part: part{carrier: carrier{metric: "kubelet_pod_start_sli_duration_seconds"}, matchers: matchers},
	}
	for what, query := range map[string]string{
		"buckets": e.increase("_bucket", nil, "le"),
		"born":    e.born("_bucket", []string{probe}, nil),
		"lacking": e.lacking("_bucket", nil, nil, e.by("le"), "le"),
		"counter": e.counter(),
	} {
		if t.Logf("%s: %d bytes", what, len(query)); len(query) > longest {
			t.Errorf("%s: %d bytes", what, len(query))
		}
	}
}
