// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"sync"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// dialect is a query language that goes by the name of PromQL.
type dialect string

const (
	// promQL is what Prometheus, Thanos, Mimir, Cortex and those managed after them
	// evaluate with: one engine.
	promQL dialect = "PromQL"
	// metricsQL is that of VictoriaMetrics. What differs here
	// (https://docs.victoriametrics.com/victoriametrics/metricsql/):
	//
	//   - Instant queries are answered as of -search.latencyOffset ago, 30 s, and range
	//     selectors are not: one Read would be of two times. nocache=1 ends that.
	//   - Range selectors show the markers that end a series, as NaN. It keeps no other
	//     NaN, so that all of them are left out.
	//   - increase() is the rule sources.BetweenSamples, but for series that are new to
	//     it: these count from zero where their first value is small. See increase.
	metricsQL dialect = "MetricsQL"
)

// dialectAge is how long an answer about the dialect holds. What is behind an address
// changes seldom, and without a notice.
const dialectAge = 10 * time.Minute

// probedDialect is what is known of the dialect.
type probedDialect struct {
	mu   sync.Mutex
	is   dialect
	till time.Time
}

// forget what is known.
func (p *probedDialect) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.till = time.Time{}
}

// findDialect asks the engine itself, whatever names proxies in between give it: a
// number is a scalar in PromQL, and a vector with one series in MetricsQL, which has
// no scalars. It says whether the answer was the one or the other.
func (s *session) findDialect(ctx context.Context) (known bool, err error) {
	s.probed.mu.Lock()
	s.dialect = s.probed.is
	fresh := time.Now().Before(s.probed.till)
	s.probed.mu.Unlock()
	if fresh {
		return true, nil
	}
	s.dialect = promQL
	err = s.instant(ctx, time.Now(), "1", func(one *series) error {
		if known = len(one.points) == 1 && one.points[0].value == 1; known && !one.scalar {
			s.dialect = metricsQL
		}
		return nil
	})
	if err != nil || !known {
		return false, err
	}
	s.probed.mu.Lock()
	defer s.probed.mu.Unlock()
	s.probed.is, s.probed.till = s.dialect, time.Now().Add(dialectAge)
	return true, nil
}

// ownParameters are those that queries of the dialect need.
func (s *session) ownParameters(form url.Values) {
	if s.dialect != metricsQL {
		return // others may refuse what they do not know
	}
	form.Set("nocache", "1")
	if s.past != nil {
		form.Set("deny_partial_response", "1")
	}
}

// rule by which the dialect takes increases.
func (d dialect) rule() sources.Rule {
	if d == metricsQL {
		return sources.BetweenSamples
	}
	return sources.Extrapolated
}

// withoutMarkers drops the points of a range selector that mark the end of a series.
func (d dialect) withoutMarkers(each func(*series) error) func(*series) error {
	if d != metricsQL {
		return each
	}
	return func(one *series) error {
		kept := one.points[:0]
		for _, p := range one.points {
			if !math.IsNaN(p.value) {
				kept = append(kept, p)
			}
		}
		if one.points = kept; len(kept) == 0 {
			return nil
		}
		return each(one)
	}
}

// increaseOver a range. MetricsQL takes a small first value for one that was counted from
// zero on: that is known of instances alone that were there at the start of the
// window. The others count from their first sample, as increase_prometheus() does;
// it in turn knows no sample from before the window.
func (e expressions) increaseOver(metric, rangeOf string, matchers ...[]string) []string {
	if e.dialect != metricsQL || len(e.chosen.unborn) == 0 {
		return []string{fmt.Sprintf("increase(%s%s)", selector(metric, matchers...), rangeOf)}
	}
	all := slices.Concat(matchers...)
	return []string{
		fmt.Sprintf("increase(%s%s)", selector(metric, all, []string{noneOf("instance", e.chosen.unborn)}), rangeOf),
		fmt.Sprintf("increase_prometheus(%s%s)", selector(metric, all, []string{oneOf("instance", e.chosen.unborn)}), rangeOf),
	}
}
