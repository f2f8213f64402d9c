// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"example.io/slo-apiserver/pkg/sources"
)

func TestNewErrors(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"no signals":              func(c *Config) { c.Signals = nil },
		"no finder":               func(c *Config) { c.Finders = nil },
		"no client configuration": func(c *Config) { c.REST = nil },
		"interval 1ns":            func(c *Config) { c.Interval = 1 },
		"interval -1s":            func(c *Config) { c.Interval = -time.Second },
		"timeout 16s":             func(c *Config) { c.Timeout = 16 * time.Second },
		"history 20s":             func(c *Config) { c.History = 20 * time.Second },
		"limits":                  func(c *Config) { c.Limits.BodyBytes = -1 },
		"concurrency -1":          func(c *Config) { c.Concurrency = -1 },
		"not both":                func(c *Config) { c.Kubelet = KubeletTLS{Insecure: true, CertificateAuthority: "x"} },
		"client for kube-apiserver: open /nowhere": func(c *Config) { c.REST = &rest.Config{TLSClientConfig: rest.TLSClientConfig{CAFile: "/nowhere"}} },
		"signal of [m]: has no name":               func(c *Config) { c.Signals[0].Name = "" },
		"declared twice":                           func(c *Config) { c.Signals = append(c.Signals, c.Signals[0]) },
		"has no component":                         func(c *Config) { c.Signals[0].Component = "" },
		"names no metric":                          func(c *Config) { c.Signals[0].Metrics = nil },
		"unknown kind 7":                           func(c *Config) { c.Signals[0].Kind = 7 },
		"signal a: only a gauge":                   func(c *Config) { c.Signals[0].Samples = true },
		"per instance has samples": func(c *Config) {
			c.Signals[0].Kind, c.Signals[0].PerInstance, c.Signals[0].Samples = sources.Counter, true, true
		},
		"reads m as a counter, another signal as a gauge": func(c *Config) {
			c.Signals = append(c.Signals, sources.Signal{Name: "b", Component: sources.KubeAPIServer, Kind: sources.Counter, Metrics: []string{"m"}})
		},
		"m_sum is a part of the histogram m": func(c *Config) {
			c.Signals[0].Kind = sources.Histogram
			c.Signals = append(c.Signals, sources.Signal{Name: "b", Component: sources.KubeAPIServer, Kind: sources.Counter, Metrics: []string{"m_sum"}})
		},
	} {
		config := Config{
			Signals:  []sources.Signal{{Name: "a", Component: sources.KubeAPIServer, Kind: sources.Gauge, Metrics: []string{"m"}}},
			Finders:  []Finder{Static{}},
			REST:     &rest.Config{},
			Interval: 15 * time.Second,
		}
		change(&config)
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// listed is a Finder of targets that can not be reached: their scrapes fail at
// once and without a network.
type listed struct {
	mu      sync.Mutex
	targets []Target
}

func (l *listed) Targets() ([]Target, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.targets, nil
}

// recorder is a transport that notes when it is asked for what.
type recorder struct {
	mu       sync.Mutex
	asked    map[string][]time.Duration
	begun    time.Time
	underWay int
	most     int
	hold     time.Duration
	hangs    map[string]bool // hosts that never answer
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.asked[request.URL.Host] = append(r.asked[request.URL.Host], time.Since(r.begun))
	r.underWay++
	r.most = max(r.most, r.underWay)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.underWay--
		r.mu.Unlock()
	}()
	answers := time.After(r.hold)
	if r.hangs[request.URL.Host] {
		answers = nil
	}
	select {
	case <-answers:
		return nil, fmt.Errorf("no network here")
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
}

// run a source in the time of a synctest bubble.
func run(t *testing.T, r *recorder, finder Finder, concurrency int, whileItRuns func(*Source)) {
	r.asked, r.begun = map[string][]time.Duration{}, time.Now()
	source := mustNew(t, Config{
		Signals:     []sources.Signal{{Name: "x", Component: sources.Kubelet, Kind: sources.Gauge, Metrics: []string{"x"}}},
		Finders:     []Finder{finder},
		REST:        &rest.Config{Transport: r},
		Concurrency: concurrency,
	})
	ctx, stop := context.WithCancel(quiet())
	ended := make(chan error)
	go func() { ended <- source.Run(ctx) }()
	synctest.Wait()
	whileItRuns(source)
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if r.underWay != 0 {
		t.Errorf("Run returned with %d scrapes under way", r.underWay)
	}
}

func nodes(n int) *listed {
	l := &listed{}
	for i := range n {
		l.targets = append(l.targets, Target{
			Component: sources.Kubelet, Name: fmt.Sprintf("node-%d", i), URL: fmt.Sprintf("https://node-%d", i),
		})
	}
	return l
}

// Every target is scraped at once when it is found, within an interval, and then once
// per interval, spread over it.
func TestRunSpreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, finder := &recorder{}, nodes(150)
		run(t, r, finder, 1000, func(*Source) {
			time.Sleep(5*time.Second + time.Millisecond)
			finder.mu.Lock()
			finder.targets = append(finder.targets, nodes(151).targets[150])
			finder.mu.Unlock()
			time.Sleep(70 * time.Second)
		})
		perSecond := map[time.Duration]int{}
		for node, asked := range r.asked {
			if node == "node-150" {
				if asked[0] != 15*time.Second {
					t.Errorf("a node that came after 5 s was scraped after %s", asked[0])
				}
				continue
			}
			if asked[0] != 0 {
				t.Errorf("%s was scraped after %s first", node, asked[0])
			}
			for i, at := range asked[1:] {
				if i > 0 && at-asked[i] != 15*time.Second {
					t.Errorf("%s was scraped %s after the last time", node, at-asked[i])
				}
				perSecond[at%(15*time.Second)]++
			}
		}
		for second, n := range perSecond {
			if n > 3*5*10 {
				t.Errorf("%d scrapes in five rounds at second %s of the interval, on average 50", n, second)
			}
		}
		if len(perSecond) != slots {
			t.Errorf("scrapes in %d of %d slots", len(perSecond), slots)
		}
	})
}

// Slow targets are waited for up to the timeout, as many at a time as have passed
// their places on; a stop does not wait for them.
func TestRunIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{hold: time.Hour}
		begun := time.Now()
		run(t, r, nodes(400), 4, func(source *Source) {
			if err := source.Ready(); !errors.Is(err, errNotYet) {
				t.Errorf("ready before the first outcome: %v", err)
			}
			time.Sleep(9*time.Second + time.Millisecond)
			synctest.Wait()
			r.mu.Lock()
			most, asked := r.most, len(r.asked)
			r.mu.Unlock()
			if want := 4 + 4*int(9*time.Second/patience); most != want || asked != want {
				t.Errorf("%d at once, %d before the first timeout; want %d", most, asked, want)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if err := source.Ready(); err != nil {
				t.Error(err)
			}
		})
		if took := time.Since(begun); took > 11*time.Second {
			t.Errorf("stopped after %s", took)
		}
	})
}

// A tenth of many nodes hang. The others are scraped at the start after the few
// times that the hanging ones pass their places on, and in their slot from then on.
// Goroutines do not add up.
func TestHangingTargetsDelayNobody(t *testing.T) {
	const size, concurrency = 2000, 32
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{hold: 20 * time.Millisecond, hangs: map[string]bool{}}
		for i := 0; i < size; i += 10 {
			r.hangs[fmt.Sprintf("node-%d", i)] = true
		}
		idle, most := runtime.NumGoroutine(), 0
		run(t, r, nodes(size), concurrency, func(*Source) {
			for range 90 {
				time.Sleep(time.Second)
				most = max(most, runtime.NumGoroutine()-idle)
			}
		})
		var first, later time.Duration // longest delays
		attempts := 0
		for node, asked := range r.asked {
			if r.hangs[node] {
				attempts += len(asked)
				continue
			}
			first = max(first, asked[0])
			for i := range asked[2:] {
				later = max(later, asked[i+2]-asked[i+1]-15*time.Second)
			}
		}
		// 32 places are passed on to the 200 that hang, seven times.
		if first > 7*patience+time.Second {
			t.Errorf("a node that answers was scraped after %s first", first)
		}
		if later > patience {
			t.Errorf("a node that answers was scraped %s too late", later)
		}
		if bound := concurrency + len(r.hangs); r.most > bound || most > 2*bound {
			t.Errorf("%d scrapes at once with %d goroutines, the bound is %d", r.most, most, bound)
		}
		if attempts < 3*len(r.hangs) {
			t.Errorf("%d nodes that hang were tried %d times in 90 s", len(r.hangs), attempts)
		}
	})
}

// asked counts how often it is asked, and fails until it knows the cluster.
type asked struct{ times, unknown int }

func (a *asked) Targets() ([]Target, error) {
	if a.times++; a.times <= a.unknown {
		return nil, errors.New("not synced yet")
	}
	return nodes(1).targets, nil
}

// Finders are asked once an interval, and those that fail in each slot.
func TestFindersAreAskedSeldom(t *testing.T) {
	finders := []*asked{{}, {unknown: 5}}
	source := mustNew(t, Config{
		Signals: []sources.Signal{podStarts}, Finders: []Finder{finders[0], finders[1]}, REST: &rest.Config{},
	})
	for slot := range slots {
		source.discover(slot)
	}
	source.discover(0)
	// The second one in slots 0 to 5, too.
	if finders[0].times != 2 || finders[1].times != 7 {
		t.Errorf("asked %d and %d times", finders[0].times, finders[1].times)
	}
}

// A target whose scrape is not done is not scraped a second time beside it.
func TestDueOnlyOnce(t *testing.T) {
	finder := nodes(3)
	source := mustNew(t, Config{
		Signals: []sources.Signal{{Name: "x", Component: sources.Kubelet, Kind: sources.Gauge, Metrics: []string{"x"}}},
		Finders: []Finder{finder, finder},
		REST:    &rest.Config{},
	})
	source.discover(0)
	if due := source.due(allSlots); len(due) != 3 {
		t.Errorf("%d targets due at first", len(due))
	}
	source.done(quiet(), finder.targets[1], 0, nil)
	if due := source.due(allSlots); len(due) != 1 || due[0].Name != "node-1" {
		t.Errorf("due while two are under way: %v", due)
	}
}
