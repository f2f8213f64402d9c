// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	flowControlPath = "/apis/flowcontrol.apiserver.k8s.io"
	headroomsPath   = "/apis/slo.example.io/v1alpha1/apfheadrooms"
)

// fakeFlowControl serves the flow control API in some versions, and leaves it open
// which: others are not found, as from a kube-apiserver.
type fakeFlowControl struct {
	// levels by version; nil: one that is exempt.
	levels map[string]string

	mu      sync.Mutex
	served  []string
	changed chan struct{}
}

// serve these versions from now on. Watches end, as those of a kube-apiserver that is replaced.
func (f *fakeFlowControl) serve(versions ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed != nil {
		close(f.changed)
	}
	f.served, f.changed = versions, make(chan struct{})
}

// flowControlLevels are the same levels, as each version writes them; v1beta2 can not
// say that zero shares are meant.
var flowControlLevels = map[string]string{
	"v1": `{"metadata": {"name": "exempt"}},
		{"metadata": {"name": "tiny"}, "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 7, "lendablePercent": 50, "limitResponse": {"type": "Reject"}}}},
		{"metadata": {"name": "jail"}, "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 0, "lendablePercent": 0, "limitResponse": {"type": "Reject"}}}}`,
	"v1beta3": `{"metadata": {"name": "exempt"}},
		{"metadata": {"name": "tiny"}, "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 7, "lendablePercent": 50, "limitResponse": {"type": "Reject"}}}},
		{"metadata": {"name": "jail", "annotations": {"flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares": ""}},
			"spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 0, "lendablePercent": 0, "limitResponse": {"type": "Reject"}}}}`,
	"v1beta2": `{"metadata": {"name": "exempt"}},
		{"metadata": {"name": "tiny"}, "spec": {"type": "Limited", "limited": {"assuredConcurrencyShares": 7, "limitResponse": {"type": "Reject"}}}}`,
}

func (f *fakeFlowControl) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	served, changed := f.served, f.changed
	f.mu.Unlock()
	version, resource, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, flowControlPath+"/"), "/")
	if !slices.Contains(served, version) {
		w.Header().Set("Content-Type", "text/plain")
		http.Error(w, "404 page not found", http.StatusNotFound)
		return
	}
	gv := strings.TrimPrefix(flowControlPath, "/apis/") + "/" + version
	kinds := map[string]string{"flowschemas": "FlowSchema", "prioritylevelconfigurations": "PriorityLevelConfiguration"}
	switch {
	case resource == "":
		answer(w, `{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "`+gv+`", "resources": [
			{"name": "flowschemas", "kind": "FlowSchema", "verbs": ["list", "watch"]},
			{"name": "prioritylevelconfigurations", "kind": "PriorityLevelConfiguration", "verbs": ["list", "watch"]}]}`)
	case kinds[resource] == "":
		http.NotFound(w, r)
	case r.URL.Query().Get("watch") != "" && r.URL.Query().Get("sendInitialEvents") == "":
		answer(w, "")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-changed:
		}
	default:
		items := ""
		if resource == "prioritylevelconfigurations" {
			items = cmp.Or(f.levels[version], `{"metadata": {"name": "exempt"}}`)
		}
		serveList(w, r, [3]string{gv, kinds[resource] + "List", items})
	}
}

// waitForHeadrooms polls until the list has the code, and all the texts.
func (s *server) waitForHeadrooms(t *testing.T, code int, texts ...string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		got, body := s.get(t, headroomsPath, readerToken)
		if got == code && !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(body, text) }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d, want %d and %q:\n%s", got, code, texts, body)
		}
	}
}

// Every version that a supported cluster serves makes the same headrooms.
func TestFlowControlVersions(t *testing.T) {
	for name, c := range map[string]struct {
		served []string
		want   []string
	}{
		"1.23": {[]string{"v1beta1", "v1beta2"}, []string{`"name":"exempt"`, `"nominalConcurrencyShares":7,`}},
		"1.26": {[]string{"v1beta2", "v1beta3"}, []string{`"nominalConcurrencyShares":7,"lendablePercent":50`, `"nominalConcurrencyShares":0,`}},
		"1.32": {[]string{"v1"}, []string{`"nominalConcurrencyShares":7,"lendablePercent":50`, `"nominalConcurrencyShares":0,`}},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newFakeCluster(t)
			cluster.flowControl.levels = flowControlLevels
			cluster.flowControl.serve(c.served...)
			s := serve(t, cluster)
			s.waitForHeadrooms(t, http.StatusOK, c.want...)
		})
	}
}

// With the API withheld the server is ready all the same: there are reports, and a
// reason why there are no headrooms. An empty list would say that all is well.
func TestWithoutFlowControl(t *testing.T) {
	cluster := newFakeCluster(t)
	cluster.flowControl.serve()
	s := serve(t, cluster)
	if code, body := s.get(t, reportsPath, readerToken); code != http.StatusOK {
		t.Errorf("reports: %d %s", code, body)
	}
	s.waitForHeadrooms(t, http.StatusServiceUnavailable, "none of the versions v1, v1beta3, v1beta2", "its API is withheld")
}

// The control plane is upgraded under the running server, and the version that it
// reads is gone.
func TestFlowControlVersionGoes(t *testing.T) {
	cluster := newFakeCluster(t)
	cluster.flowControl.levels = flowControlLevels
	cluster.flowControl.serve("v1beta2")
	s := serve(t, cluster, "--interval=5s")
	s.waitForHeadrooms(t, http.StatusOK, `"nominalConcurrencyShares":7,"lendablePercent":0,`)
	cluster.flowControl.serve("v1")
	s.waitForHeadrooms(t, http.StatusOK, `"nominalConcurrencyShares":7,"lendablePercent":50`)
}
