// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// worlds is the number of random worlds per property.
const worlds = 400

// world is a random cluster whose figures change from one property to the next.
type world struct {
	*scenario
	random *rand.Rand
}

// newWorld has one to four instances, all complete, and three levels, of which
// one is exempt. Every family is there; values are small so that edges are hit.
func newWorld(seed uint64) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 1)), scenario: &scenario{
		reading: &sources.Reading{At: testAt, Window: testWindow, Rule: sources.Exact},
	}}
	w.levels = append(w.levels, level("a", "Queue", nil), level("b", "Reject", nil), level("x", "Exempt", nil))
	for i := range 1 + w.random.IntN(4) {
		instance, err := observedInstance(fmt.Sprintf("10.0.0.%d:6443", i), "5m", "0s")
		if err != nil {
			panic(err)
		}
		w.reading.Instances = append(w.reading.Instances, instance)
		for _, l := range w.levels {
			w.addLevel(instance.Name, l.Name)
		}
	}
	return w
}

func (w *world) addLevel(instance, level string) {
	metric := func(name string, value float64, labels ...string) {
		p := sample{instance: instance, metric: "apiserver_flowcontrol_" + name, value: value, max: value + w.small()}
		p.labels = map[string]string{"priority_level": level}
		for i := 0; i < len(labels); i += 2 {
			p.labels[labels[i]] = labels[i+1]
		}
		w.samples = append(w.samples, p)
	}
	nominal, spare := w.small(), w.small()
	metric("nominal_limit_seats", nominal)
	metric("lower_limit_seats", nominal-min(nominal, spare))
	metric("upper_limit_seats", nominal+w.small())
	metric("current_limit_seats", w.small())
	metric("demand_seats_high_watermark", w.small())
	metric("demand_seats_smoothed", w.small())
	metric("priority_level_seat_utilization", 0)
	idle := 1e9 * w.small()
	w.samples[len(w.samples)-1].buckets = &sources.Buckets{
		Bounds: []float64{0, 0.5, 0.99, 1, math.Inf(1)},
		Counts: []float64{idle, idle + 1e9, idle + 1e9*3, idle + 1e9*4, idle + 1e9*4}, Sum: 3.2e9,
	}
	for _, schema := range []string{"s", "t"} {
		metric("current_executing_seats", w.rare(), "flow_schema", schema)
		metric("current_inqueue_requests", w.rare()*w.rare(), "flow_schema", schema)
		metric("current_inqueue_seats", w.rare(), "flow_schema", schema)
		n := w.rare()
		metric("dispatched_requests_total", n, "flow_schema", schema)
		metric("request_wait_duration_seconds", 0, "flow_schema", schema, "execute", "true")
		long := min(n, w.rare()*w.rare())
		w.samples[len(w.samples)-1].buckets = buckets(n-long, n)
		metric("request_execution_seconds", 0, "flow_schema", schema, "type", "regular")
		w.samples[len(w.samples)-1].buckets = &sources.Buckets{Bounds: []float64{math.Inf(1)}, Counts: []float64{n}, Sum: n * w.small()}
		metric("work_estimated_seats", 0, "flow_schema", schema)
		w.samples[len(w.samples)-1].buckets = &sources.Buckets{Bounds: []float64{math.Inf(1)}, Counts: []float64{n}, Sum: n * (1 + w.small())}
		if v := w.rare() * w.rare(); v > 0 {
			metric("rejected_requests_total", v, "flow_schema", schema, "reason", "queue-full")
		}
	}
}

func (w *world) small() float64 { return float64(w.random.IntN(8)) }

// rare is mostly zero.
func (w *world) rare() float64 {
	if w.random.IntN(3) > 0 {
		return 0
	}
	return w.small()
}

// harm takes something away that a good answer needs, of one instance.
func (w *world) harm() string {
	i := &w.reading.Instances[w.random.IntN(len(w.reading.Instances))]
	switch w.random.IntN(4) {
	case 0:
		*i = sources.Instance{Component: i.Component, Name: i.Name, Problem: "gone"}
		w.samples = slices.DeleteFunc(w.samples, func(p sample) bool { return p.instance == i.Name })
		return "instance not read"
	case 1:
		i.First = i.First.Add(sources.Slack(testWindow) + time.Second)
		return "window not covered"
	case 2:
		i.Last = i.Last.Add(-sources.Slack(testWindow) - time.Second)
		return "newest sample too old"
	}
	needed := []string{
		"nominal_limit_seats", "current_limit_seats", "current_executing_seats",
		"current_inqueue_requests", "dispatched_requests_total",
	}
	family := "apiserver_flowcontrol_" + needed[w.random.IntN(len(needed))]
	w.samples = slices.DeleteFunc(w.samples, func(p sample) bool { return p.instance == i.Name && p.metric == family })
	return family + " dropped"
}

func TestHeadroomNeverExceedsTheLimit(t *testing.T) {
	for seed := range uint64(worlds) {
		for _, h := range newWorld(seed).evaluate() {
			for _, s := range append(h.Status.ByInstance, v1alpha1.InstanceSeats{Seats: *h.Status.Total}) {
				if s.HeadroomSeats != nil && *s.HeadroomSeats > *s.CurrentLimitSeats {
					t.Fatalf("seed %d, %s: headroom %d over limit %d", seed, h.Name, *s.HeadroomSeats, *s.CurrentLimitSeats)
				}
			}
		}
	}
}

func TestInputOrderNeverMatters(t *testing.T) {
	for seed := range uint64(worlds) {
		w := newWorld(seed)
		if seed%2 == 1 {
			w.harm()
		}
		want := w.evaluate()
		shuffle(w.random, w.levels)
		shuffle(w.random, w.reading.Instances)
		shuffle(w.random, w.samples)
		if diff := cmp.Diff(want, w.evaluate()); diff != "" {
			t.Fatalf("seed %d: -before +after shuffling:\n%s", seed, diff)
		}
	}
}

func shuffle[T any](random *rand.Rand, items []T) {
	random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
}

func TestTotalIsTheSumOfInstances(t *testing.T) {
	figures := map[string]func(*v1alpha1.Seats) *int64{
		"nominal":            func(s *v1alpha1.Seats) *int64 { return s.NominalSeats },
		"limit":              func(s *v1alpha1.Seats) *int64 { return s.CurrentLimitSeats },
		"executing":          func(s *v1alpha1.Seats) *int64 { return s.ExecutingSeats },
		"headroom":           func(s *v1alpha1.Seats) *int64 { return s.HeadroomSeats },
		"nominal headroom":   func(s *v1alpha1.Seats) *int64 { return s.NominalHeadroomSeats },
		"reachable headroom": func(s *v1alpha1.Seats) *int64 { return s.ReachableHeadroomSeats },
		"queued":             func(s *v1alpha1.Seats) *int64 { return s.QueuedRequests },
	}
	for seed := range uint64(worlds) {
		w := newWorld(seed)
		if seed%2 == 1 {
			w.harm()
		}
		for _, h := range w.evaluate() {
			if h.Status.Total == nil {
				continue
			}
			for name, get := range figures {
				var want *int64
				for i := range h.Status.ByInstance {
					n := get(&h.Status.ByInstance[i].Seats)
					if n == nil {
						want = nil
						break
					}
					if want == nil {
						want = new(int64(0))
					}
					*want += *n
				}
				if got := get(h.Status.Total); figure(got) != figure(want) {
					t.Fatalf("seed %d, %s: total %s is %s, instances sum up to %s", seed, h.Name, name, figure(got), figure(want))
				}
			}
		}
	}
}

func TestMissingIsNeverGood(t *testing.T) {
	good := 0
	for seed := range uint64(worlds) {
		w := newWorld(seed)
		for _, h := range w.evaluate() {
			if h.Status.Pressure == v1alpha1.PressureOk || h.Status.Pressure == v1alpha1.PressureIdle {
				good++
			}
		}
		harm := w.harm()
		for _, h := range w.evaluate() {
			if h.Spec.Type == "Exempt" {
				continue
			}
			p := h.Status.Pressure
			if p == v1alpha1.PressureOk || p == v1alpha1.PressureIdle || statusOf(h, v1alpha1.ConditionHasHeadroom) == metav1.ConditionTrue {
				t.Fatalf("seed %d, %s, %s: pressure %s, conditions %v", seed, h.Name, harm, p, h.Status.Conditions)
			}
			if statusOf(h, v1alpha1.ConditionDataComplete) != metav1.ConditionFalse {
				t.Fatalf("seed %d, %s, %s: DataComplete is not False", seed, h.Name, harm)
			}
		}
	}
	if good < worlds/2 {
		t.Fatalf("only %d good levels before the harm: the property says little", good)
	}
}

func TestARejectionNeverLowersPressure(t *testing.T) {
	for seed := range uint64(worlds) {
		w := newWorld(seed)
		if seed%2 == 1 {
			w.harm()
		}
		before := w.evaluate()
		name := w.reading.Instances[w.random.IntN(len(w.reading.Instances))].Name
		w.samples = append(w.samples, sample{
			instance: name,
			metric:   "apiserver_flowcontrol_rejected_requests_total",
			labels:   map[string]string{"priority_level": "a", "flow_schema": "u", "reason": "time-out"},
			value:    0.2, // as extrapolation may have it
		})
		for i, after := range w.evaluate() {
			if rank(after.Status.Pressure) < rank(before[i].Status.Pressure) {
				t.Fatalf("seed %d, %s: %s became %s", seed, after.Name, before[i].Status.Pressure, after.Status.Pressure)
			}
			observed := slices.ContainsFunc(after.Status.ByInstance, func(s v1alpha1.InstanceSeats) bool { return s.Instance == name })
			if after.Name == "a" && observed && after.Status.Pressure != v1alpha1.PressureRejecting {
				t.Fatalf("seed %d: a rejection of 0.2 requests made the level %s", seed, after.Status.Pressure)
			}
		}
	}
}

func statusOf(h v1alpha1.APFHeadroom, kind string) metav1.ConditionStatus {
	for _, c := range h.Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return ""
}
