// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
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
		{"before the window", 980, []float64{5, 990, 990}, 0, false},
		{"its first sample in the window, the last one before", 1000, []float64{5, 1010, 1010}, 0, false},
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

// Nobody is asked about more kubelets than a query can name, and no good is said of them.
func TestManyRestarts(t *testing.T) {
	at := time.Unix(2000, 0)
	found := targets{}
	for i := range mostRestarted + 1 {
		instance := fmt.Sprintf("10.0.0.%d:10250", i)
		found[targetKey{"kubelet", instance}] = &target{job: "kubelet", instance: instance, name: instance, started: 1990, first: 1690, last: 2000}
	}
	source := &Source{} // without anything to ask
	if err := source.findRestarts(t.Context(), &session{at: at}, sources.Kubelet, 5*time.Minute, found); err != nil {
		t.Fatal(err)
	}
	warnings := source.choose(sources.Kubelet, found, at, 5*time.Minute).warnings
	if len(warnings) != 1 || warnings[0].Reason != sources.RestartsUnclear || len(warnings[0].Instances) != len(found) {
		t.Errorf("warnings %+v", warnings)
	}
}
