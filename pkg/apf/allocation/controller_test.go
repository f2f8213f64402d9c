// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package allocation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/util/flowcontrol"
	"k8s.io/apiserver/pkg/util/flowcontrol/debug"
	fq "k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing"
	"k8s.io/apiserver/pkg/util/flowcontrol/metrics"
	fcrequest "k8s.io/apiserver/pkg/util/flowcontrol/request"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/component-base/metrics/legacyregistry"
	testingclock "k8s.io/utils/clock/testing"
)

// controller is the real controller of the kube-apiserver. Its queues are fakes,
// through which the test sets the demand and sees the limits.
type controller struct {
	flowcontrol.Interface
	client kubernetes.Interface
	clock  *testingclock.FakePassiveClock
	names  []string // the last one is the marker

	mu     sync.Mutex
	queues map[string]*queues
}

// queues stand for those of one level.
type queues struct {
	fq.QueueSet // nil: no request is made
	controller  *controller
	demand      metrics.Gauge
	// length is the QueueLengthLimit as last configured: that of the marker numbers
	// the configurations.
	length int
	// limits given since all levels are there, the newest last.
	limits []int
	// start is the limit before that; nil when the level was new.
	start *int
}

func (c *controller) BeginConstruction(q fq.QueuingConfig, _ metrics.RatioedGaugePair, _ metrics.RatioedGauge, demand metrics.Gauge) (fq.QueueSetCompleter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queues[q.Name] = &queues{controller: c, demand: demand, length: q.QueueLengthLimit}
	// The mandatory levels were adjusted before there were others.
	for _, old := range c.queues {
		if n := len(old.limits); n > 0 {
			old.start, old.limits = &old.limits[n-1], nil
		}
	}
	return c.queues[q.Name], nil
}

func (q *queues) BeginConfigChange(config fq.QueuingConfig) (fq.QueueSetCompleter, error) {
	q.controller.mu.Lock()
	defer q.controller.mu.Unlock()
	q.length = config.QueueLengthLimit
	return q, nil
}

func (q *queues) Complete(config fq.DispatchingConfig) fq.QueueSet {
	q.controller.mu.Lock()
	defer q.controller.mu.Unlock()
	q.limits = append(q.limits, config.ConcurrencyLimit)
	return q
}

func (q *queues) IsIdle() bool { return true }

func (q *queues) Dump(bool) debug.QueueSetDump { return debug.QueueSetDump{} }

func (q *queues) StartRequest(context.Context, *fcrequest.WorkEstimate, uint64, string, string, any, any, fq.QueueNoteFn) (fq.Request, bool) {
	panic("no request is made")
}

// startController runs one with these levels, the last of which is the marker.
func startController(t *testing.T, serverLimit int, levels []*flowcontrolv1.PriorityLevelConfiguration) *controller {
	t.Helper()
	c := &controller{clock: testingclock.NewFakePassiveClock(time.Unix(1e9, 0)), queues: map[string]*queues{}}
	var objects []runtime.Object
	for _, l := range levels {
		objects = append(objects, l.DeepCopy())
		c.names = append(c.names, l.Name)
	}
	client := fake.NewClientset(objects...)
	c.client = client
	factory := informers.NewSharedInformerFactory(client, 0)
	c.Interface = flowcontrol.NewTestable(flowcontrol.TestableConfig{
		Name:                   t.Name(),
		Clock:                  c.clock,
		AsFieldManager:         "test",
		FoundToDangling:        func(found bool) bool { return !found },
		InformerFactory:        factory,
		FlowcontrolClient:      client.FlowcontrolV1(),
		ServerConcurrencyLimit: serverLimit,
		ReqsGaugeVec:           metrics.PriorityLevelConcurrencyGaugeVec,
		ExecSeatsGaugeVec:      metrics.PriorityLevelExecutionSeatsGaugeVec,
		QueueSetFactory:        c,
	})
	stop, ended := make(chan struct{}), make(chan struct{})
	factory.Start(stop)
	go func() {
		defer close(ended)
		_ = c.Run(stop) // nil: it was stopped
	}()
	t.Cleanup(func() {
		close(stop)
		<-ended
		factory.Shutdown()
	})
	return c
}

// apply changes all levels, the marker last, and waits until that one is in force.
func (c *controller) apply(t *testing.T, levels ...*flowcontrolv1.PriorityLevelConfiguration) {
	t.Helper()
	for _, l := range levels {
		if _, err := c.client.FlowcontrolV1().PriorityLevelConfigurations().Update(t.Context(), l.DeepCopy(), metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	c.await(t, int(levels[len(levels)-1].Spec.Limited.LimitResponse.Queuing.QueueLengthLimit))
}

// await waits until the configuration of that number is in force at all levels.
func (c *controller) await(t *testing.T, number int) {
	t.Helper()
	for range 10000 {
		if c.settled(number) {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("the controller did not take up configuration %d", number)
}

func (c *controller) settled(number int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	marker := c.queues[c.names[len(c.names)-1]]
	return marker != nil && marker.length == number && c.adjustmentsLocked() > 0
}

// adjustmentsLocked is the number of adjustments of all levels, or -1 in the midst
// of one.
func (c *controller) adjustmentsLocked() int {
	n := -1
	for _, name := range c.names {
		q := c.queues[name]
		if q == nil || n >= 0 && len(q.limits) != n {
			return -1
		}
		n = len(q.limits)
	}
	return n
}

// limits returns the current limits of all levels and those before, which for new
// levels are those of bounds, and the number of adjustments made; all of one moment.
func (c *controller) limits(bounds []Bounds) (current, before []int, adjustments int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	adjustments = c.adjustmentsLocked()
	if adjustments < 1 {
		return nil, nil, -1
	}
	for i, name := range c.names {
		q := c.queues[name]
		current = append(current, q.limits[adjustments-1])
		switch {
		case adjustments > 1:
			before = append(before, q.limits[adjustments-2])
		case q.start != nil:
			before = append(before, *q.start)
		default:
			before = append(before, bounds[i].First())
		}
	}
	return current, before, adjustments
}

// observation is what the controller shows of a level.
type observation struct {
	present                      bool
	bounds                       Bounds
	high                         int
	average, deviation, smoothed float64
	current                      int
}

// observe reads the metrics of all levels, and the fair fraction.
func (c *controller) observe() ([]observation, float64, error) {
	families, err := legacyregistry.DefaultGatherer.Gather()
	if err != nil {
		return nil, 0, err
	}
	seen := make([]observation, len(c.names))
	var fraction float64
	for _, family := range families {
		for _, m := range family.Metric {
			if family.GetName() == "apiserver_flowcontrol_seat_fair_frac" {
				fraction = m.GetGauge().GetValue()
			}
			i := -1
			for _, label := range m.Label {
				if label.GetName() == "priority_level" {
					i = slices.Index(c.names, label.GetValue())
				}
			}
			if i >= 0 && m.Gauge != nil {
				seen[i].take(family.GetName(), m.GetGauge().GetValue())
			}
		}
	}
	for i, o := range seen {
		if !o.present {
			return nil, 0, fmt.Errorf("no limits of %s", c.names[i])
		}
	}
	return seen, fraction, nil
}

func (o *observation) take(metric string, value float64) {
	switch metric {
	case "apiserver_flowcontrol_nominal_limit_seats":
		o.bounds.Nominal = int(value)
	case "apiserver_flowcontrol_lower_limit_seats":
		o.bounds.Min = int(value)
	case "apiserver_flowcontrol_upper_limit_seats":
		o.bounds.Max, o.present = int(value), true
	case "apiserver_flowcontrol_demand_seats_high_watermark":
		o.high = int(value)
	case "apiserver_flowcontrol_demand_seats_average":
		o.average = value
	case "apiserver_flowcontrol_demand_seats_stdev":
		o.deviation = value
	case "apiserver_flowcontrol_demand_seats_smoothed":
		o.smoothed = value
	case "apiserver_flowcontrol_current_limit_seats":
		o.current = int(value)
	}
}

// adjustments is the number of adjustments made.
func (c *controller) adjustments() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.adjustmentsLocked()
}

var errMoved = errors.New("the controller adjusted the limits while they were read")
