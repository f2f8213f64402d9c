// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTwins(t *testing.T) {
	start := time.Date(2026, 3, 4, 12, 0, 0, 120_000_000, time.UTC)
	apiserver := func(name string, started time.Time) Instance {
		return Instance{Component: KubeAPIServer, Name: name, Observed: true, Started: started}
	}
	unobserved := Instance{Component: KubeAPIServer, Name: "down", Started: start}
	kubelet := Instance{Component: Kubelet, Name: "node-a", Observed: true, Started: start}
	for name, test := range map[string]struct {
		instances []Instance
		want      []Warning
	}{
		"two names": {
			[]Instance{apiserver("host:6443", start), apiserver("10.0.0.1:6443", start), apiserver("10.0.0.2:6443", start.Add(10*time.Millisecond))},
			[]Warning{{
				TwinInstances, KubeAPIServer, []string{"10.0.0.1:6443", "host:6443"},
				"kube-apiservers 10.0.0.1:6443 and host:6443 started at the same moment: if they are one process, its requests and seats are counted 2 times; name it once",
			}},
		},
		"starts not known":  {[]Instance{apiserver("a", time.Time{}), apiserver("b", time.Time{})}, nil},
		"one is not read":   {[]Instance{apiserver("a", start), unobserved}, nil},
		"other components":  {[]Instance{apiserver("a", start), kubelet, kubelet}, nil},
		"nothing to say of": {nil, nil},
	} {
		if diff := cmp.Diff(test.want, Twins(test.instances)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
