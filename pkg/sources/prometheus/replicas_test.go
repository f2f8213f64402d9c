// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"fmt"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/conformance"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

const (
	// replicaStep is between two scrapes.
	replicaStep = 10 * time.Second
	// replicaEnded is when the second replica has its last sample, before sharedTime: longer
	// ago than a sample may be old.
	replicaEnded = 170 * time.Second
)

// replicaSamples are those of two replicas of Prometheus with a label of their own, as a
// store has them that does not put them together. One of them ends.
func replicaSamples() []prometheustest.Sample {
	var samples []prometheustest.Sample
	for replica, end := range []time.Time{sharedTime.Add(5 * time.Minute), sharedTime.Add(-replicaEnded)} {
		for _, target := range []string{`job="apiserver",instance="10.0.0.1:6443"`, `job="kubelet",instance="10.0.0.2:10250",node="node-1"`} {
			labels := fmt.Sprintf(`scenario="replicas",replica="%d",%s`, replica, target)
			value := 0.0
			for at := sharedTime.Add(-10 * time.Minute); !at.After(end); at = at.Add(replicaStep) {
				value++
				for series, v := range map[string]float64{"up": 1, "process_start_time_seconds": float64(sharedTime.Unix()) - 86400, "counted_total": value} {
					samples = append(samples, prometheustest.Sample{Series: with(series, labels), At: at, Value: v})
				}
			}
			for _, series := range []string{"up", "process_start_time_seconds", "counted_total"} {
				samples = append(samples, prometheustest.Sample{Series: with(series, labels), At: end.Add(replicaStep), Value: prometheustest.Stale()})
			}
		}
	}
	return samples
}

// testReplicas reads instances that two replicas have scraped. As long as the window has
// samples of both, what was counted then would be counted twice.
func testReplicas(t *testing.T, b backend) {
	source := open(t, b, conformance.Scenario{Name: "replicas", Signals: []sources.Signal{
		{Name: "requests", Component: sources.KubeAPIServer, Kind: sources.Counter, Metrics: []string{"counted_total"}},
		{Name: "starts", Component: sources.Kubelet, Kind: sources.Counter, Metrics: []string{"counted_total"}},
	}})
	const window = 5 * time.Minute
	for at, twice := range map[time.Time]bool{
		sharedTime.Add(-replicaEnded): true,
		sharedTime:                    true,
		sharedTime.Add(window - replicaEnded + replicaStep): false,
	} {
		reading, err := source.Read(t.Context(), at, window)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range reading.Instances {
			if i.Observed == twice || (i.Cause == sources.ConflictingSeries) != twice {
				t.Errorf("at %s: got instance %+v, want it observed: %v", at, i, !twice)
			}
		}
		for name, result := range reading.Results {
			switch {
			case twice && len(result.Series) == 0:
			case !twice && len(result.Series) == 1 && result.Series[0].Increase > 28.9 && result.Series[0].Increase < 30.1: // 29 between samples of what was renamed
			default:
				t.Errorf("at %s: %s was read as %+v", at, name, result.Series)
			}
		}
		if len(reading.Instances) != 2 || len(reading.Results) != 2 {
			t.Errorf("got %+v", reading)
		}
	}
}
