// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// instance is one kube-apiserver that was read, with its series.
type instance struct {
	sources.Instance
	// complete says that its figures stand for the whole window.
	complete bool
	// series by signal and priority level.
	series map[string]map[string][]sources.Series
	// whole says of each signal that what has no series was not there.
	whole map[string]bool
	// pool of seats that its levels share.
	pool pool
}

// survey is what a Reading says about the kube-apiservers, for all levels.
type survey struct {
	at     time.Time
	window time.Duration
	slack  time.Duration
	// observed and missing add up to the instances expected. Sorted by name.
	observed []*instance
	missing  []sources.Instance
	// unlisted is how many there are in the cluster that the source does not know.
	unlisted int
	// findings of the source that concern this package, the gravest first.
	findings []sources.Warning
	// refused is why headroom can not be relied on; nil when it can.
	refused *sources.Warning
}

func newSurvey(reading *sources.Reading) *survey {
	s := &survey{at: reading.At, window: reading.Window, slack: sources.Slack(reading.Window)}
	s.find(reading)
	strangers := map[string]bool{}
	for _, w := range sources.Strangers(reading) {
		strangers[w.Instances[0]] = true
	}
	byName, whole := map[string]*instance{}, map[string]bool{}
	for _, i := range reading.Instances {
		switch {
		case i.Component != sources.KubeAPIServer, strangers[i.Name]:
		case !i.Observed:
			s.missing = append(s.missing, i)
		default:
			read := &instance{
				Instance: i,
				complete: i.Complete(reading.At, reading.Window, s.slack),
				series:   map[string]map[string][]sources.Series{},
				whole:    whole,
			}
			byName[i.Name] = read
			s.observed = append(s.observed, read)
		}
	}
	slices.SortFunc(s.observed, func(a, b *instance) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(s.missing, func(a, b sources.Instance) int { return cmp.Compare(a.Name, b.Name) })

	for _, row := range catalog {
		result := reading.Results[row.Name]
		whole[row.Name] = result.Whole()
		for _, series := range result.Series {
			if read := byName[series.Instance]; read != nil && len(series.Values) == len(row.Labels) {
				read.add(row.Name, series)
			}
		}
	}
	return s
}

// find what speaks against the figures. Other servers are left out, so that they do
// not; nor does trouble with a signal that the pressure does not need, whose figures are
// absent then.
func (s *survey) find(reading *sources.Reading) {
	names := make([]string, len(catalog))
	for i, row := range catalog {
		names[i] = row.Name
	}
	s.findings = sources.Findings(reading, sources.KubeAPIServer, names...)
	for _, w := range sources.Findings(reading, sources.KubeAPIServer, ofPressure()...) {
		if w.Reason.Effect() == sources.Refused && w.Reason != sources.OwnServer && w.Reason != sources.ForeignServer {
			s.refused = &w
			return
		}
	}
}

// isShort says that there may be more trouble than the rows show.
func (s *survey) isShort() bool { return len(s.missing) > 0 || s.unlisted > 0 || s.refused != nil }

func (i *instance) add(signal string, series sources.Series) {
	if i.series[signal] == nil {
		i.series[signal] = map[string][]sources.Series{}
	}
	level := series.Values[0]
	i.series[signal][level] = append(i.series[signal][level], series)
}

// has says that the instance shows the signal for some level.
func (i *instance) has(signal string) bool {
	return len(i.series[signal]) > 0
}

// of returns the series of a level. No series and known: nothing has happened
// that would have made one.
func (i *instance) of(signal, level string) (series []sources.Series, known bool) {
	if series := i.series[signal][level]; len(series) > 0 {
		return series, true
	}
	companion := declared(signal).zeroWith
	return nil, companion != "" && i.has(companion) && i.whole[signal]
}

// tells says that the series of a level are known, if only to be none.
func (i *instance) tells(signal, level string) bool {
	_, known := i.of(signal, level)
	return known
}

// gauge sums the newest and the highest values of a level; nil when unknown.
func (i *instance) gauge(signal, level string) (last, highest *int64) {
	series, known := i.of(signal, level)
	if !known {
		return nil, nil
	}
	var lastSum, highestSum int64
	for _, s := range series {
		l, known := whole(s.Last)
		h, alsoKnown := whole(s.Max)
		if !known || !alsoKnown {
			return nil, nil
		}
		lastSum += l
		highestSum += h
	}
	return &lastSum, &highestSum
}

// only returns the histogram of a level whose signal has one series for each; nil
// when there is none.
func (i *instance) only(signal, level string) *sources.Buckets {
	series, _ := i.of(signal, level)
	if len(series) != 1 {
		return nil
	}
	return series[0].Histogram
}

// increase sums the increases of a level; nil when unknown.
func (i *instance) increase(signal, level string) *int64 {
	series, known := i.of(signal, level)
	if !known {
		return nil
	}
	var sum int64
	for _, s := range series {
		n, known := count(s.Increase)
		if !known {
			return nil
		}
		sum += n
	}
	return &sum
}

// rejections splits the rejected requests of a level, the most first.
func (i *instance) rejections(level string) []v1alpha1.RejectedRequests {
	var split []v1alpha1.RejectedRequests
	series, _ := i.of(rejected, level)
	for _, s := range series {
		if n, known := count(s.Increase); known && n > 0 {
			split = append(split, v1alpha1.RejectedRequests{FlowSchema: s.Values[1], Reason: s.Values[2], Requests: n})
		}
	}
	return mergeRejections(split)
}

// mergeRejections adds up what has the same flow schema and reason, and sorts.
func mergeRejections(split []v1alpha1.RejectedRequests) []v1alpha1.RejectedRequests {
	slices.SortFunc(split, func(a, b v1alpha1.RejectedRequests) int {
		return cmp.Or(cmp.Compare(a.FlowSchema, b.FlowSchema), cmp.Compare(a.Reason, b.Reason))
	})
	var merged []v1alpha1.RejectedRequests
	for _, r := range split {
		if n := len(merged); n > 0 && merged[n-1].FlowSchema == r.FlowSchema && merged[n-1].Reason == r.Reason {
			merged[n-1].Requests += r.Requests
			continue
		}
		merged = append(merged, r)
	}
	slices.SortStableFunc(merged, func(a, b v1alpha1.RejectedRequests) int { return cmp.Compare(b.Requests, a.Requests) })
	return merged
}

// foremost returns the flow schema with the highest newest value of a signal that
// is split by flow schema, and that value; "" when all are zero or unknown.
func (i *instance) foremost(signal, level string) (schema string, value int64) {
	series, _ := i.of(signal, level)
	for _, s := range series {
		v, known := whole(s.Last)
		if known && (v > value || v == value && v > 0 && strings.Compare(s.Values[1], schema) < 0) {
			schema, value = s.Values[1], v
		}
	}
	return schema, value
}

// maxWhole is the end of the integers that a float64 holds exactly.
const maxWhole = 1 << 53

// whole rounds a gauge to an integer. NaN, infinities and negative values are no
// number of seats or requests.
func whole(v float64) (n int64, known bool) {
	if !(v >= 0 && v <= maxWhole) {
		return 0, false
	}
	return int64(math.Round(v)), true
}

// count rounds an increase to an integer. An extrapolated increase is no integer;
// where it says that something happened, that is at least one.
func count(v float64) (n int64, known bool) {
	if v > 0 && v < 1 {
		return 1, true
	}
	return whole(v)
}
