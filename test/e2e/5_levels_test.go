// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// usedLevel is a level of its own, how it is used, and what is to be read of it.
type usedLevel struct {
	ownLevel
	callers int
	// nominal, executing and current seats in the large kube-apiserver while the
	// callers call. A current limit of -1 is whatever is enough.
	nominal, executing, current int64
	// reason why callers are rejected, "" when none is.
	reason string
}

// usedLevels are the ones that no cluster is born with. The large kube-apiserver has
// 600 seats for the 245 shares of the levels that it is born with, and the 2 of these.
//
// A level of no shares has no seats. Without queues it runs one request at a time
// all the same, for a request may be wider than the limit when it is alone
// (queueset.go canAccommodateSeatsLocked). With queues it runs none, unless it
// borrows (dispatchAsMuchAsPossibleLocked): then the demand of those who wait gets it
// seats with the next adjustment.
var usedLevels = []usedLevel{
	{ownLevel{"e2e-reject", limited(2, new(int32(0)), reject), 60}, 20, 5, 5, 5, "concurrency-limit"},
	{ownLevel{"e2e-none-reject", limited(0, new(int32(0)), reject), 60}, 4, 0, 1, 0, "concurrency-limit"},
	{ownLevel{"e2e-none-queue", limited(0, new(int32(0)), queue), 8}, 4, 0, 0, 0, "time-out"},
	{ownLevel{"e2e-none-borrows", limited(0, nil, queue), 60}, 6, 0, 6, -1, ""},
}

// TestOwnLevels makes levels that no cluster is born with, uses them, and wants to
// read of them what is so, until they are deleted.
func TestOwnLevels(t *testing.T) {
	lab.do(t, "webhook", "4s")
	t.Cleanup(func() { lab.do(t, "webhook", "off") })
	namespace := webhookNamespace(t)
	var remove []func()
	for _, l := range usedLevels {
		remove = append(remove, l.create(t))
	}
	for _, l := range usedLevels {
		l.wantKnown(t, namespace)
	}
	use(t, namespace)
	for _, f := range remove {
		f()
	}
	wantGone(t)
}

// use all the levels at once.
func use(t *testing.T, namespace string) {
	t.Helper()
	held := map[string]*callers{}
	for _, l := range usedLevels {
		held[l.name] = l.hold(t, namespace)
		held[l.name].add(l.callers)
	}
	for _, l := range usedLevels {
		eventually(t, window, l.name+" is as configured", func() error { return l.asConfigured(t) })
	}
	wantExempt(t)
	exact(t, lab.recorded) // of all levels, while seats are held
	for _, l := range usedLevels {
		l.wantCounted(t, held[l.name].end())
		if err := held[l.name].unanswered(); err != nil {
			t.Errorf("%s: %v", l.name, err)
		}
	}
	exact(t, lab.recorded)
}

// asConfigured compares the figures of the large kube-apiserver with what follows
// from the configuration.
func (l usedLevel) asConfigured(t *testing.T) error {
	headroom, err := getHeadroom(t, lab.slo, l.name)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(headroom.Status.ByInstance, func(row v1alpha1.InstanceSeats) bool {
		return row.Instance == lab.state.APIServers[0].Address
	})
	if i < 0 {
		return fmt.Errorf("no row of the large kube-apiserver: %s", describe(headroom.Status.Conditions))
	}
	row := headroom.Status.ByInstance[i]
	if row.NominalSeats == nil || row.ExecutingSeats == nil || row.CurrentLimitSeats == nil || row.HeadroomSeats == nil || row.ReachableHeadroomSeats == nil {
		return fmt.Errorf("figures are missing: %+v", row)
	}
	current := l.current
	if current < 0 {
		current = max(*row.CurrentLimitSeats, l.executing)
	}
	reachable := current // of levels that neither lend nor borrow
	if l.current < 0 {
		reachable = max(*row.ReachableLimitSeats, current)
	}
	for _, c := range []claim{
		{"nominal seats", row.NominalSeats, l.nominal},
		{"executing seats", row.ExecutingSeats, l.executing},
		{"current limit", row.CurrentLimitSeats, current},
		{"reachable limit", row.ReachableLimitSeats, reachable},
		{"headroom", row.HeadroomSeats, current - l.executing},
		{"nominal headroom", row.NominalHeadroomSeats, l.nominal - l.executing},
		{"reachable headroom", row.ReachableHeadroomSeats, reachable - l.executing},
	} {
		if c.got == nil || *c.got != c.want {
			return fmt.Errorf("%s %s, want %d: %+v", c.what, figure(c.got), c.want, row)
		}
	}
	if err := l.rejects(headroom); err != nil {
		return err
	}
	t.Logf("%s: %s, nominal %d, current %d, reachable %d, executing %d, headrooms %d, %d and %d", l.name, headroom.Status.Pressure,
		*row.NominalSeats, *row.CurrentLimitSeats, *row.ReachableLimitSeats, *row.ExecutingSeats, *row.HeadroomSeats, *row.NominalHeadroomSeats, *row.ReachableHeadroomSeats)
	return nil
}

// rejects wants the level to reject for its reason, and on one instance only.
func (l usedLevel) rejects(headroom *v1alpha1.APFHeadroom) error {
	by := headroom.Status.Requests.RejectedBy
	if l.reason == "" {
		if len(by) > 0 {
			return fmt.Errorf("rejected by %+v", by)
		}
		return nil
	}
	if headroom.Status.Pressure != v1alpha1.PressureRejecting || headroom.Status.Worst.Instance != lab.state.APIServers[0].Address {
		return fmt.Errorf("%s, worst %+v", headroom.Status.Pressure, headroom.Status.Worst)
	}
	if len(by) != 1 || by[0].FlowSchema != l.name || by[0].Reason != l.reason {
		return fmt.Errorf("rejected by %+v, want %s for %s", by, l.name, l.reason)
	}
	return nil
}

// wantCounted compares three counts of rejected requests: what the callers were
// answered, what the kube-apiserver counted, and what the headroom says. All of
// them were within one window.
func (l usedLevel) wantCounted(t *testing.T, statuses map[int]int) {
	t.Helper()
	t.Logf("%s: callers were answered %v", l.name, statuses)
	refused := int64(statuses[http.StatusTooManyRequests])
	if l.reason != "" && refused == 0 || len(statuses) > 2 || l.executing > 0 && statuses[http.StatusCreated] == 0 {
		t.Errorf("%s: answers %v", l.name, statuses)
	}
	counted, _ := sampleOf(t, lab.state.APIServers[0], fmt.Sprintf(
		"apiserver_flowcontrol_rejected_requests_total{flow_schema=%q,priority_level=%q,reason=%q}", l.name, l.name, l.reason))
	if int64(counted) != refused {
		t.Errorf("%s: %v requests rejected by the kube-apiserver, %d answers of 429", l.name, counted, refused)
	}
	eventually(t, 3*interval, fmt.Sprintf("%s: %d requests rejected", l.name, refused), func() error {
		headroom, err := getHeadroom(t, lab.slo, l.name)
		if err != nil {
			return err
		}
		if got := headroom.Status.Requests.Rejected; got == nil || *got != refused {
			return fmt.Errorf("%s", figure(got))
		}
		return l.rejects(headroom)
	})
}

// wantExempt: whatever the limited levels are up to, there is one without limits.
func wantExempt(t *testing.T) {
	t.Helper()
	headroom := wantPressure(t, lab.slo, "exempt", interval, v1alpha1.PressureUnlimited)
	if len(headroom.Status.ByInstance) != len(lab.state.APIServers) {
		t.Errorf("%d rows of the exempt level", len(headroom.Status.ByInstance))
	}
	for _, row := range headroom.Status.ByInstance {
		if row.Pressure != v1alpha1.PressureUnlimited || row.CurrentLimitSeats != nil || row.HeadroomSeats != nil || row.NominalHeadroomSeats != nil || row.ReachableHeadroomSeats != nil || row.ReachableLimitSeats != nil {
			t.Errorf("exempt has limits: %+v", row)
		}
	}
}

// wantGone: what is deleted is no longer listed.
func wantGone(t *testing.T) {
	t.Helper()
	eventually(t, 30*time.Second, "deleted levels are not listed", func() error {
		out, stderr, err := kubectl(t, kubectls(t)["lab"], "get", "apfheadrooms", "-o", "name")
		if err != nil || !strings.Contains(out, "/workload-low\n") {
			return fmt.Errorf("%w\n%s%s", err, out, stderr)
		}
		for _, l := range usedLevels {
			if strings.Contains(out, l.name) {
				return fmt.Errorf("%s is listed", l.name)
			}
		}
		return nil
	})
}
