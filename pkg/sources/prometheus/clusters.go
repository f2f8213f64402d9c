// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A store may hold several clusters, or one cluster as several replicas of Prometheus
// see it. Without a matcher that chooses one, all would be added up: series of equal
// targets, and those of instances that are each of another cluster. What shows either
// is not read.

// clusterLabel is what stores of several clusters tell them apart by, mostly: the
// external label that kubernetes-mixin and its dashboards go by.
const clusterLabel = "cluster"

// clusters that targets with recent samples belong to, quoted and sorted. Where there
// are several, every target is marked as a stranger to others.
func (t targets) clusters(recent float64) []string {
	names := map[string]bool{}
	for _, one := range t {
		for _, name := range []string{one.cluster, one.other} {
			if name != "" && one.last >= recent {
				names[strconv.Quote(name)] = true
			}
		}
	}
	if len(names) > 1 {
		for _, one := range t {
			one.stranger = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// belongs notes the cluster of a series that goes on as the target, unless an older one
// has come before.
func (t *target) belongs(one *series, known *history) {
	newer := len(known.points) == 0 || len(one.points) > 0 && one.points[len(one.points)-1].at > known.points[len(known.points)-1].at
	if cluster := one.label(clusterLabel); newer && cluster != t.cluster {
		t.cluster = strings.Clone(cluster)
	}
}

// conflict says whether h and one have samples of the same time, and in which label
// they differ. One that ends before the other begins goes on as it.
func (h *history) conflict(one *series, recent float64) (string, bool) {
	if len(h.points) == 0 {
		return "", false
	}
	first, last := one.points[0].at, one.points[len(one.points)-1].at
	if newest := h.points[len(h.points)-1].at; newest < recent || last < recent || first > newest || h.points[0].at > last {
		return "", false
	}
	for _, l := range one.labels {
		if l.name == clusterLabel && !slices.Contains(h.labels, l) {
			return clusterLabel, true // the one to tell of, whatever else differs
		}
	}
	for _, l := range one.labels {
		if !slices.Contains(h.labels, l) {
			return strings.Clone(l.name), true
		}
	}
	for _, l := range h.labels {
		if !slices.Contains(one.labels, l) {
			return l.name, true
		}
	}
	return "", true
}

// askUp reads up of every target with all of its labels, so that two series at a time
// show. One may be what is left of the other under an older label: all their samples
// tell, and are asked for only then.
func (s *Source) askUp(ctx context.Context, q *session, matchers []string, found targets) error {
	up := selector("up", matchers)
	twice := false
	err := q.query(ctx, up, func(one *series) error {
		t := found.of(one)
		twice = twice || !math.IsNaN(t.up)
		t.belongs(one, &t.ups)
		t.up = max(one.points[0].value, notNaN(t.up))
		return nil
	})
	if err != nil || !twice {
		return err
	}
	recent := seconds(q.at.Add(-s.config.MaxAge))
	return q.samples(ctx, up, 2*s.config.MaxAge, func(one *series) error {
		t := found.of(one)
		label, conflict := t.ups.conflict(one, recent)
		if conflict {
			t.conflict, t.other = label, strings.Clone(one.label(clusterLabel))
		}
		if t.renamed = len(t.ups.points) > 0; !conflict {
			t.belongs(one, &t.ups)
			t.ups.add(one)
		}
		return nil
	})
}

func notNaN(v float64) float64 {
	if math.IsNaN(v) {
		return math.Inf(-1)
	}
	return v
}
