// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package load makes traffic of several kinds, each for a bounded time, and says how its clients fared.
package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"example.io/slo-apiserver/test/lab/internal/state"
)

// Options of a load. Zero values stand for the kind's defaults.
type Options struct {
	Kind      string
	Duration  time.Duration
	Parallel  int
	QPS       float64 // of all workers together; negative for as fast as they can
	APIServer string
}

// kind is one kind of traffic.
type kind struct {
	name, what string
	parallel   int
	qps        float64
	apiserver  string
	// prepare makes what the traffic needs and returns one worker's next step; step numbers grow by one per worker.
	prepare func(context.Context, *traffic) (step func(ctx context.Context, worker, n int) error, cleanup func(context.Context), err error)
}

var kinds = []kind{
	{"mixed", "reads and writes of every verb at a modest rate", 4, 20, "big", prepareMixed},
	{"pods", "deployments on the hollow nodes, scaled up and down", 3, -1, "big", preparePods},
	{"flood", "more LISTs in workload-low than there are seats: 60 parallel queue, 450 are turned away", 60, -1, "small", prepareFlood},
	{"catchall", "an account whose FlowSchema leads to catch-all, which rejects instead of queueing", 20, -1, "small", prepareCatchAll},
	{"biglist", "LISTs of 8 MB", 4, 4, "big", prepareBigList},
	{"custom", "reads and writes of a custom resource", 4, 20, "big", prepareCustom},
}

// Kinds describes what there is, one line each.
func Kinds() string {
	var lines []string
	for _, k := range kinds {
		lines = append(lines, fmt.Sprintf("  %-9s %s (at %s, %d parallel)", k.name, k.what, k.apiserver, k.parallel))
	}
	return strings.Join(lines, "\n")
}

// traffic is one run of a kind.
type traffic struct {
	Options
	admin       kubernetes.Interface
	adminConfig *rest.Config
	record      recorder
}

// Run makes the traffic until o.Duration is over, or ctx.
func Run(ctx context.Context, s *state.State, o Options) (Summary, error) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == o.Kind })
	if i < 0 {
		return Summary{}, fmt.Errorf("no load %q; there are\n%s", o.Kind, Kinds())
	}
	k := kinds[i]
	if o.Parallel <= 0 {
		o.Parallel = k.parallel
	}
	if o.QPS == 0 {
		o.QPS = k.qps
	}
	if o.APIServer == "" {
		o.APIServer = k.apiserver
	}
	if o.Duration <= 0 {
		return Summary{}, errors.New("--duration must be more than 0")
	}
	t, err := newTraffic(s, o)
	if err != nil {
		return Summary{}, err
	}
	step, cleanup, err := k.prepare(ctx, t)
	if err != nil {
		return Summary{}, fmt.Errorf("prepare %s: %w", o.Kind, err)
	}
	seconds := t.drive(ctx, step)
	// The traffic's own end must not keep it from cleaning up, nor an interrupt.
	cleaning, done := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer done()
	cleanup(cleaning)
	sum := t.record.summary()
	sum.Kind, sum.APIServer, sum.Seconds = o.Kind, o.APIServer, seconds
	return sum, nil
}

func newTraffic(s *state.State, o Options) (*traffic, error) {
	a, err := s.APIServer(o.APIServer)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", a.Kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // the apiserver is to decide who waits
	admin, err := kubernetes.NewForConfig(config)
	return &traffic{Options: o, admin: admin, adminConfig: config}, err
}

// drive lets the workers step until time is up. An error of a step is a result, recorded by its requests, not an end.
func (t *traffic) drive(ctx context.Context, step func(context.Context, int, int) error) (seconds float64) {
	ctx, cancel := context.WithTimeout(ctx, t.Duration)
	defer cancel()
	limit := rate.Inf
	if t.QPS > 0 {
		limit = rate.Limit(t.QPS)
	}
	limiter := rate.NewLimiter(limit, 1)
	begin := time.Now()
	var wg sync.WaitGroup
	for worker := range t.Parallel {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if limiter.Wait(ctx) != nil {
					return
				}
				if err := step(ctx, worker, n); err != nil {
					pause(ctx, 10*time.Millisecond) // a server that is down must not be asked in a tight loop
				}
			}
		})
	}
	wg.Wait()
	return float64(time.Since(begin).Round(100*time.Millisecond)) / float64(time.Second)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
