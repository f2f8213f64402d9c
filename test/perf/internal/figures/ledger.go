// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package figures

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/test/perf/internal/measure"
)

// Ledger is what a day of one objective takes.
type Ledger struct {
	Keys int
	// PerKey is its heap, names included: the ledger copies them.
	PerKey float64
	// Day is the time that the figures of the day of all keys take.
	Day time.Duration
}

// Reaches of the ledger.
const (
	reachKeyBytes = 400
	reachDay      = 100 * time.Microsecond
)

// minutesOfDay are recorded, so that every slot holds something.
const minutesOfDay = 24 * 60

// KeepLedger records a day of many keys. They go bad now and then and have no
// traffic half of the time; the names of custom resources are among them.
func KeepLedger(keys, rounds int) (Ledger, error) {
	feed, err := newGenerated(Protobuf, keys, 1)
	if err != nil {
		return Ledger{}, err
	}
	var names []slo.Key
	for k := range feed.processes[0].Truths() {
		// The scope is there to tell keys apart that the objective would not.
		names = append(names, slo.Key{Group: k.Group, Resource: k.Resource, Subresource: k.Subresource, Verb: k.Verb + k.Scope})
	}
	objectives, err := slo.Catalog(Window, slo.DefaultMinimumRequests)
	if err != nil {
		return Ledger{}, err
	}
	before := measure.Live()
	ledger, err := slo.NewLedger(objectives)
	if err != nil {
		return Ledger{}, err
	}
	at := record(ledger, names)
	result := Ledger{Keys: ledger.Keys(), PerKey: float64(measure.Live()-before) / float64(len(names))}
	var times []float64
	for range rounds {
		const each = 50 // for the clock
		cost, err := measure.Of(func() error {
			for range each {
				if got := len(ledger.KeyDays(slo.APILatencyMutating, at)); got != keys {
					return fmt.Errorf("the ledger has days of %d keys, want %d", got, keys)
				}
			}
			return nil
		})
		if err != nil {
			return result, err
		}
		times = append(times, float64(cost.Per(each).CPU))
	}
	runtime.KeepAlive(ledger)
	runtime.KeepAlive(names)
	runtime.KeepAlive(feed)
	result.Day = time.Duration(measure.Median(times))
	return result, nil
}

// record a day and return its last minute.
func record(ledger *slo.Ledger, names []slo.Key) (at time.Time) {
	random := rand.New(rand.NewPCG(1, 1))
	verdicts := []v1alpha1.Verdict{v1alpha1.VerdictMet, v1alpha1.VerdictMet, v1alpha1.VerdictMet, v1alpha1.VerdictMet, v1alpha1.VerdictViolated}
	for minute := range minutesOfDay {
		at = begin.Add(time.Duration(minute) * time.Minute)
		m := slo.Minute{Objective: slo.APILatencyMutating, Verdict: v1alpha1.VerdictMet}
		for _, k := range names {
			if random.IntN(2) == 0 || minute == 0 {
				m.Keys = append(m.Keys, slo.KeyVerdict{Key: k, Verdict: verdicts[random.IntN(len(verdicts))]})
			}
		}
		ledger.Record(at, []slo.Minute{m})
	}
	return at
}

// Rows of the ledger.
func (l Ledger) Rows() []Row {
	return []Row{
		{Figure: fmt.Sprintf("ledger: heap by key, %d keys", l.Keys), Ours: fmt.Sprintf("%.0f B", l.PerKey), Reach: "<= 400 B", Reached: yes(l.PerKey <= reachKeyBytes)},
		{Figure: fmt.Sprintf("ledger: day figures of %d keys", l.Keys), Ours: millis(l.Day), Reach: "<= 0.1 ms", Reached: yes(l.Day <= reachDay)},
	}
}
