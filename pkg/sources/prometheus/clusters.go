// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A store may hold several clusters, or one cluster as several replicas of Prometheus
// see it. Without a matcher that chooses one, all would be added up: series of equal
// targets, and those of instances that are each of another cluster. What shows either
// is not read.

// clusterLabel is what stores of several clusters tell them apart by: cluster mostly, the
// external label that kubernetes-mixin and its dashboards go by, and names made like it,
// such as k8s_cluster_name (k8s.cluster.name of OpenTelemetry) or clusterID.
var clusterLabel = regexp.MustCompile(`^(k8s_|kube_|kubernetes_)?[cC]luster(_?([nN]ame|[iI][dD]))?$`)

// clusterLabels of a series.
func clusterLabels(one *series) []label {
	var found []label
	for _, l := range one.labels {
		if clusterLabel.MatchString(l.name) {
			found = append(found, label{name: strings.Clone(l.name), value: strings.Clone(l.value)})
		}
	}
	return found
}

// clusters that targets with recent samples belong to: the first label that has two
// values or more, and these, quoted and sorted. Where there is one, every target is
// marked as a stranger to others.
func (t targets) clusters(recent float64) (name string, clusters []string) {
	byLabel := map[string]map[string]bool{}
	for _, one := range t {
		if one.last < recent {
			continue
		}
		for _, l := range slices.Concat(one.cluster, one.other) {
			if byLabel[l.name] == nil {
				byLabel[l.name] = map[string]bool{}
			}
			byLabel[l.name][strconv.Quote(l.value)] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byLabel)) {
		if len(byLabel[name]) > 1 {
			for _, one := range t {
				one.stranger = true
			}
			return name, slices.Sorted(maps.Keys(byLabel[name]))
		}
	}
	return "", nil
}

// belongs notes the cluster of a series that goes on as the target, unless an older one
// has come before.
func (t *target) belongs(one *series, known *history) {
	if len(known.points) == 0 || len(one.points) > 0 && one.points[len(one.points)-1].at > known.points[len(known.points)-1].at {
		t.cluster = clusterLabels(one)
	}
}

// conflict says whether h and one both have samples of a time after start, that of the
// window, and in which label they differ: what both count would be counted twice, even
// if one of them has ended since. One that ends before the other begins goes on as it.
func (h *history) conflict(one *series, start float64) (string, bool) {
	first, last := one.points[0].at, one.points[len(one.points)-1].at
	if last <= start || !slices.ContainsFunc(h.spans, func(s span) bool { return s.last > start && first <= s.last && s.first <= last }) {
		return "", false
	}
	for _, l := range clusterLabels(one) {
		if !slices.Contains(h.labels, l) {
			return l.name, true // the one to tell of, whatever else differs
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

// askUp reads up of every target, and of those that had two series in the window all
// samples, with all labels: one series may go on as the other, or both are of one time.
func (s *Source) askUp(ctx context.Context, q *session, matchers []string, window time.Duration, found targets) error {
	up := selector("up", matchers)
	err := q.query(ctx, up, func(one *series) error {
		t := found.of(one)
		t.belongs(one, &t.ups)
		t.up = max(one.points[0].value, notNaN(t.up))
		return nil
	})
	if err != nil {
		return err
	}
	twice, seldom := map[targetKey]bool{}, map[targetKey]bool{}
	const promql = "count by (job,instance) (last_over_time(%[1]s[%[2]s])) > 1 or sum by (job,instance) (sum_over_time(%[1]s[%[2]s])) < 2"
	err = q.query(ctx, fmt.Sprintf(promql, up, duration(window)), func(one *series) error {
		exceptions := seldom
		if one.points[0].value > 1 {
			exceptions = twice
		}
		exceptions[targetKey{job: strings.Clone(one.label("job")), instance: strings.Clone(one.label("instance"))}] = true
		return nil
	})
	for key, t := range found {
		t.seldom = seldom[key]
	}
	if err != nil || len(twice) == 0 {
		return err
	}
	start := seconds(q.at.Add(-window))
	return q.samples(ctx, up, window, func(one *series) error {
		t := found.of(one)
		label, conflict := t.ups.conflict(one, start)
		if conflict {
			t.conflict, t.other = label, clusterLabels(one)
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
