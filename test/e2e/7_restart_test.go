// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// A kube-apiserver makes the same requests at each of its starts. Where it has made as many
// as the process before it had in all its life, PromQL sees no restart, and none of them.
func TestQuickRestart(t *testing.T) {
	for range 3 {
		if seenToRestart(t, lab.state.APIServers[1].Address) {
			wantComplete(t, lab.viaPrometheus, mutating)
			return
		}
	}
	t.Error("the new process never answered while the old one was in the window")
}

// seenToRestart restarts the second kube-apiserver and compares what is counted while its
// old process is in the window: later PromQL knows what to do. It is false where the new
// one does not answer until then.
func seenToRestart(t *testing.T, small string) (seen bool) {
	eventually(t, 3*window, "the process is older than the window", func() error {
		age, err := promQL(t, fmt.Sprintf(`time() - process_start_time_seconds{job="apiserver",instance=%q}`, small), time.Now())
		if err == nil && age < (window+4*interval).Seconds() {
			err = fmt.Errorf("it is %.0f s old", age)
		}
		return err
	})
	before := countsByKey(t, small, time.Now())
	lab.do(t, "stop", "small")
	t.Cleanup(func() { lab.do(t, "start", "small") })
	lab.do(t, "start", "small")
	const soon = window - 2*interval
	started := time.Now()
	eventually(t, soon, "requests since the restart are counted", func() error {
		all, err := listEvaluated(t, lab.viaPrometheus)
		if err != nil {
			return err
		}
		evidence := all.reports[0].Status.Evidence
		if evidence == nil {
			return errors.New("no evidence")
		}
		since := countsByKey(t, small, evidence.EvaluationTime.Time)
		passed := 0
		for key, n := range since {
			if key.report != "" && before[key] > 0 && n >= before[key] {
				passed++
			}
		}
		if passed < 5 || since.started() == before.started() {
			if time.Since(started) > soon-interval {
				return nil // too late
			}
			return fmt.Errorf("of %d keys %d have as many requests as one of %d before the restart", len(since), passed, len(before))
		}
		seen = true
		compared := 0
		for report, indicators := range all.indicators {
			for _, i := range indicators {
				key := requestKey{report, i.Spec.Group, i.Spec.Resource, i.Spec.Subresource, i.Spec.Verb}
				if since[key] == 0 || i.Status.Requests == nil {
					continue
				}
				compared++
				if *i.Status.Requests < since[key] {
					return fmt.Errorf("%s has %d requests, and %s alone has made %d since it started; before it had made %d", i.Name, *i.Status.Requests, small, since[key], before[key])
				}
			}
		}
		if compared < passed {
			return fmt.Errorf("%d keys compared, want at least %d", compared, passed)
		}
		t.Logf("%d keys compared, %d of which have as many requests as before the restart", compared, passed)
		return nil
	})
	return seen
}

type requestKey struct{ report, group, resource, subresource, verb string }

// requestCounts of a process by key; of none the time at which it started.
type requestCounts map[requestKey]int64

func (c requestCounts) started() int64 { return c[requestKey{}] }

// countsByKey are what the process at an address has counted, as Prometheus knows it.
func countsByKey(t *testing.T, address string, at time.Time) requestCounts {
	t.Helper()
	client, err := api.NewClient(api.Config{Address: lab.state.Prometheus.URL})
	if err != nil {
		t.Fatal(err)
	}
	counts := requestCounts{}
	for _, metric := range []string{sliMetric + "_count", "process_start_time_seconds"} {
		value, _, _, err := promv1.NewAPI(client).Query(t.Context(), fmt.Sprintf("%s{job=\"apiserver\",instance=%q}", metric, address), at)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range value.(model.Vector) {
			labels := map[string]string{}
			for name, value := range one.Metric {
				labels[string(name)] = string(value)
			}
			key := requestKey{}
			if metric != "process_start_time_seconds" {
				report := objectiveBy(labels)
				if report == "" {
					continue
				}
				key = requestKey{report, labels["group"], labels["resource"], labels["subresource"], ""}
				if report == mutating {
					key.verb = labels["verb"]
				}
			}
			counts[key] += int64(one.Value)
		}
	}
	return counts
}
