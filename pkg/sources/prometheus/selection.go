// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// selection is what of a component counts: which instances there are, and the
// matchers that select their series, one list for each scrape job. No matchers
// means that there is nothing to ask for.
type selection struct {
	component sources.Component
	instances []sources.Instance
	matchers  [][]string
	warnings  []sources.Warning
	// counted are the names of the observed instances by their label instance.
	counted map[string]string
	// failing are those of them whose newest scrape failed, with the time of the
	// newest sample: Prometheus has ended their series since.
	failing map[string]float64
	// born are those of which all samples within the window are of a process that
	// was born in it. unborn are those of which it is not known what they had at the
	// start of the window. restarted are those of neither kind whose newest process
	// started in it.
	born, unborn, restarted []string
	// ended are the ends of processes that another one followed, by the label instance,
	// of instances of which it is known what they had at the start of the window.
	ended map[string]end
	// err says why the instances could not be found out.
	err error
}

// fingerprint changes when instances come, go or restart.
func (s *selection) fingerprint() string {
	var b strings.Builder
	for _, instance := range s.instances {
		if instance.Observed {
			fmt.Fprintf(&b, "%s\xff%d\xff", instance.Name, instance.Started.UnixMilli())
		}
	}
	return b.String()
}

// choose decides which targets count. An instance is counted once, however many
// jobs scrape it, and not at all when it was not observed: its series would
// stand for a part of the window.
func (s *Source) choose(component sources.Component, found targets, at time.Time, window time.Duration) *selection {
	chosen := &selection{component: component, counted: map[string]string{}, failing: map[string]float64{}, ended: map[string]end{}}
	base := s.config.matchers(component)
	if len(found) == 0 {
		job := s.config.job(component)
		chosen.matchers = [][]string{append(slices.Clone(base), job)}
		chosen.warnings = []sources.Warning{{Reason: sources.TargetsUnknown, Component: component, Message: s.nobody(component)}}
		return chosen
	}
	if name, clusters := found.clusters(seconds(at.Add(-s.config.MaxAge))); len(clusters) > 1 {
		chosen.warnings = []sources.Warning{{Reason: sources.SeveralClusters, Component: component, Message: fmt.Sprintf("Prometheus has %ss of %d clusters (%s): none is read, since a sum would be of no cluster; choose one with --prometheus-match %s=NAME",
			component, len(clusters), strings.Join(clusters[:min(3, len(clusters))], ", "), name)}}
	}
	byName := map[string][]*target{}
	observed := map[string]int{} // by job
	for _, t := range found {
		byName[t.name] = append(byName[t.name], t)
		if s.problem(t, at) == "" {
			observed[t.job]++
		}
	}
	var left []*target
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		same := byName[name]
		slices.SortFunc(same, func(a, b *target) int {
			return cmp.Or(
				cmp.Compare(boolInt(s.problem(a, at) != ""), boolInt(s.problem(b, at) != "")),
				-cmp.Compare(observed[a.job], observed[b.job]), // the job that knows most of them
				cmp.Compare(a.job, b.job), cmp.Compare(a.instance, b.instance))
		})
		instance := s.instance(component, same[0], at)
		chosen.instances = append(chosen.instances, instance)
		left = append(left, same[1:]...)
		if instance.Observed {
			chosen.count(same[0], seconds(at.Add(-window)), seconds(at))
		} else {
			left = append(left, same[0])
		}
	}
	chosen.warnings = append(chosen.warnings, warnings(component, byName)...)
	for _, job := range slices.Sorted(maps.Keys(observed)) {
		matchers := append(slices.Clone(base), oneOf("job", []string{job}))
		var without []string
		counted := observed[job]
		for _, t := range left {
			if t.job == job {
				without = append(without, t.instance)
				if s.problem(t, at) == "" {
					counted--
				}
			}
		}
		if counted == 0 {
			continue
		}
		if len(without) > 0 {
			slices.Sort(without)
			matchers = append(matchers, noneOf("instance", without))
		}
		chosen.matchers = append(chosen.matchers, matchers)
	}
	return chosen
}

// nobody says that no target was found, and which flags to look at.
func (s *Source) nobody(component sources.Component) string {
	flags := map[sources.Component]string{sources.KubeAPIServer: "--prometheus-apiserver-job", sources.Kubelet: "--prometheus-kubelet-job"}[component]
	wanted := []string{s.config.job(component)}
	for _, name := range slices.Sorted(maps.Keys(s.config.Match)) {
		wanted = append(wanted, oneOf(name, []string{s.config.Match[name]}))
	}
	if len(s.config.Match) > 0 {
		flags += " and --prometheus-match"
	}
	return fmt.Sprintf("no series up or %s has %s: which instances of %s there are is not known; check %s", startTime, strings.Join(wanted, ","), component, flags)
}

// count a target that is observed. start is that of the window, and at its end.
func (s *selection) count(t *target, start, at float64) {
	s.counted[t.instance] = t.name
	if t.up == 0 {
		s.failing[t.instance] = t.last
	}
	switch {
	case t.renamed:
		s.unborn = append(s.unborn, t.instance)
	case t.born:
		s.born = append(s.born, t.instance)
	case t.first > start || t.first < start-before.Seconds():
		s.unborn = append(s.unborn, t.instance)
	default:
		if t.started > start {
			s.restarted = append(s.restarted, t.instance)
		}
		if t.ended > 0 && !t.unclear {
			const usual = 60 // seconds between two scrapes, where they are not known
			ended := end{at: t.ended}
			if t.up == 0 || at-t.last >= cmp.Or(t.interval, usual) { // failed, or is no target any more
				ended.newest = t.last
			}
			s.ended[t.instance] = ended
		}
	}
}

// now are the selectors of what the counted instances expose now, or exposed in
// the newest sample of those whose scrapes fail.
func (s *selection) now(metric string, matchers [][]string, more ...[]string) []string {
	const most = 50 // of failing ones: each is a selector of its own
	failing := slices.Sorted(maps.Keys(s.failing))
	failing = failing[:min(most, len(failing))]
	var selectors []string
	for _, one := range matchers {
		own := slices.Concat(more...)
		if len(failing) > 0 {
			own = append(own, noneOf("instance", failing))
		}
		selectors = append(selectors, selector(metric, one, own))
		for _, instance := range failing {
			selectors = append(selectors, selector(metric, one, slices.Concat(more...), []string{oneOf("instance", []string{instance})})+atTime(s.failing[instance]))
		}
	}
	return selectors
}

// past are the selectors of what the instances exposed at the start of the window.
func (s *selection) past(metric string, window time.Duration, more ...string) []string {
	var selectors []string
	for _, one := range s.matchers {
		selectors = append(selectors, fmt.Sprintf("last_over_time(%s%s)", selector(metric, one, more), atStart(window)))
	}
	return selectors
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// problem says why a target is not observed, "" if it is. A scrape or two may fail
// under overload: what counts is how old the newest sample is. Prometheus says so
// before the sample is MaxAge old where it has tried in vain for two and a half
// intervals, as long as the embedded source waits.
func (s *Source) problem(t *target, at time.Time) string {
	age, tried := time.Duration(0), time.Duration(0)
	if t.last > 0 {
		age = at.Sub(timeOf(t.last))
		tried = timeOf(t.upAt).Sub(timeOf(t.last))
	}
	switch patience := time.Duration(2.5 * t.interval * float64(time.Second)); {
	case t.stranger:
		return "one of several clusters"
	case t.conflict != "":
		return "two series at a time, which differ in the label " + t.conflict
	case t.processes > 1:
		return fmt.Sprintf("%d processes answer in turn", t.processes)
	case t.resets > 0:
		return fmt.Sprintf("counters fell %d times, and no start time tells why", t.resets)
	case t.last == 0 && t.up == 0:
		return "scrape failed (up == 0)"
	case t.last == 0:
		return "no sample"
	case t.up == 0 && (age > s.config.MaxAge || t.interval > 0 && tried > patience):
		return "scrapes fail (up == 0), no sample for " + age.Round(time.Second).String()
	case age > s.config.MaxAge:
		return "no sample for " + age.Round(time.Second).String()
	}
	return ""
}

// cause of a problem, for those that have a reason of their own.
func cause(t *target) sources.Reason {
	switch {
	case t.stranger:
		return sources.SeveralClusters
	case t.conflict != "":
		return sources.ConflictingSeries
	case t.processes > 1, t.resets > 0:
		return sources.SharedAddress
	case t.last > 0:
		return sources.StaleSamples
	}
	return ""
}

func (s *Source) instance(component sources.Component, t *target, at time.Time) sources.Instance {
	instance := sources.Instance{Component: component, Name: t.name, Started: timeOf(t.started), Problem: s.problem(t, at), Cause: cause(t)}
	if instance.Problem == "" {
		instance.Observed, instance.Cause = true, ""
		instance.First, instance.Last = timeOf(t.first), timeOf(t.last)
		instance.Lost = time.Duration(t.lost * float64(time.Second)).Round(time.Millisecond)
	}
	return instance
}

// String is the target as a user finds it in Prometheus.
func (t *target) String() string {
	return "job " + strconv.Quote(t.job) + " instance " + strconv.Quote(t.instance)
}
