// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

// Levels of 48 and 22 seats in the large kube-apiserver, which neither lend nor
// borrow. One gets a caller more every three seconds, the other has as many all the
// time.
var (
	rising = ownLevel{"e2e-rising", limited(22, new(int32(0)), queue), 60}
	flat   = ownLevel{"e2e-flat", limited(10, new(int32(0)), queue), 60}
)

const (
	riseEvery   = 3 * time.Second
	flatCallers = 8
)

// forecasted is a forecast, and when it was first read.
type forecasted struct {
	v1alpha1.Exhaustion
	read time.Time
}

// holds says that the time is within the band, as far as whole seconds tell.
func (f forecasted) holds(exhausted time.Time) bool {
	early, late := f.EarlyTime.Add(-time.Second), exhausted
	if f.LateTime != nil {
		late = f.LateTime.Add(time.Second)
	}
	return !exhausted.Before(early) && !exhausted.After(late)
}

// TestForecast lets the demand of a level rise until its seats are gone, and compares
// when that is, by the kube-apiserver's own figures, with what was said before.
func TestForecast(t *testing.T) {
	t.Parallel()
	lab.do(t, "webhook", "4s")
	t.Cleanup(func() { lab.do(t, "webhook", "off") })
	namespace := webhookNamespace(t)
	rising.create(t)
	flat.create(t)
	rising.wantKnown(t, namespace)
	flat.wantKnown(t, namespace)
	// A window of its own: a forecast needs figures of a minute at least.
	server, process, err := lab.startServer("forecast", "--window=2m", "--scrape-kubelets=false")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Signal(syscall.SIGTERM) })
	eventually(t, window, "the server of forecasts is ready", func() error {
		headroom, err := getHeadroom(t, server, rising.name)
		if err == nil && len(headroom.Status.ByInstance) != len(lab.state.APIServers) {
			err = errors.New(describe(headroom.Status.Conditions))
		}
		return err
	})
	more, same := rising.hold(t, namespace), flat.hold(t, namespace)
	same.add(flatCallers)
	made, exhausted, limit := rise(t, server, more)

	held, soonest := 0, time.Duration(0)
	for _, f := range made {
		late := "-"
		if f.LateTime != nil {
			late = fmt.Sprint(f.LateTime.Sub(exhausted).Round(time.Second))
		}
		t.Logf("%s before: demand %d of %d, early %s, likely %s, late %s of the truth, %s seats a minute", exhausted.Sub(f.read).Round(time.Second),
			f.DemandSeats, f.LimitSeats, f.EarlyTime.Sub(exhausted).Round(time.Second), f.LikelyTime.Sub(exhausted).Round(time.Second), late, f.TrendSeatsPerMinute)
		if f.holds(exhausted) {
			held++
		}
		soonest = max(soonest, exhausted.Sub(f.read))
		if f.Instance != lab.state.APIServers[0].Address || float64(f.LimitSeats) != limit || f.DemandSeats > f.LimitSeats {
			t.Errorf("forecast %+v, want one of %v seats in the large kube-apiserver", f.Exhaustion, limit)
		}
	}
	t.Logf("%d of %d forecasts have it between early and late, the first was made %s before", held, len(made), soonest.Round(time.Second))
	if soonest < 20*time.Second || 10*held < 7*len(made) {
		t.Errorf("forecasts do not hold: %d of %d, from %s before", held, len(made), soonest)
	}
	eventually(t, 4*interval, "what has happened is no longer forecast", func() error {
		headroom, err := getHeadroom(t, server, rising.name)
		if err == nil && headroom.Status.Exhaustion != nil {
			err = fmt.Errorf("%+v", headroom.Status.Exhaustion)
		}
		return err
	})
	for name, c := range map[string]*callers{rising.name: more, flat.name: same} {
		if statuses := c.end(); len(statuses) != 1 || statuses[http.StatusCreated] == 0 || c.unanswered() != nil {
			t.Errorf("%s: callers were answered %v, %v", name, statuses, c.unanswered())
		}
	}
}

// rise adds callers steadily until the smoothed demand is at the limit, in the
// metrics of the kube-apiserver itself. It returns the forecasts that were made until
// then. There is none for the level that does not rise.
func rise(t *testing.T, server *versioned.Clientset, more *callers) (made []forecasted, exhausted time.Time, limit float64) {
	t.Helper()
	const family = "apiserver_flowcontrol_%s{priority_level=%q}"
	big := lab.state.APIServers[0]
	// What neither lends nor borrows always has its nominal seats.
	limit, known := sampleOf(t, big, fmt.Sprintf(family, "nominal_limit_seats", rising.name))
	if !known {
		t.Fatalf("%s has no limit", rising.name)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last *metav1.Time
	for begun, added := time.Now(), 0; ; <-tick.C {
		for ; time.Duration(added)*riseEvery <= time.Since(begun); added++ {
			more.add(1)
		}
		if demand, _ := sampleOf(t, big, fmt.Sprintf(family, "demand_seats_smoothed", rising.name)); demand >= limit {
			return made, time.Now(), limit
		}
		if time.Since(begun) > 2*time.Duration(limit)*riseEvery {
			t.Fatalf("%d callers did not exhaust %v seats", added, limit)
		}
		list, err := server.SloV1alpha1().APFHeadrooms().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, headroom := range list.Items {
			forecast, observed := headroom.Status.Exhaustion, headroom.Status.ObservationTime
			switch {
			case headroom.Name == flat.name && forecast != nil:
				t.Errorf("%s after %s: a forecast for what does not rise: %+v", flat.name, time.Since(begun), forecast)
			case headroom.Name == rising.name && forecast != nil && !observed.Equal(last):
				made, last = append(made, forecasted{*forecast, time.Now()}), observed
			}
		}
	}
}
