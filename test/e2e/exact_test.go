// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// stretch is from one answer of a kube-apiserver to another: what an evaluation may
// have taken for the window.
type stretch struct {
	expositions []exposition // the first is the one that the others are counted from
	increases   []point
}

func newStretch(all []exposition) stretch { return stretch{all, increases(all)} }

// length is from the first sample to the last; 0 when it begins with a birth.
func (s stretch) length() time.Duration {
	if s.expositions[0].begun.IsZero() {
		return 0
	}
	return s.last().begun.Sub(s.expositions[0].begun)
}

func (s stretch) last() exposition { return s.expositions[len(s.expositions)-1] }

// exact works the figures of a recorded server out again, from the answers that it
// got, and wants the very same numbers: all of them from the same answers. The
// only freedom is which answers an evaluation was made from, where the times it
// gives, in seconds, leave a choice.
func exact(t *testing.T, r *recording) (reports []v1alpha1.SLOReport) {
	t.Helper()
	eventually(t, window+4*r.spacing, "figures are those of the scrapes", func() error {
		list, err := r.client.SloV1alpha1().SLOReports().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		headrooms, err := r.client.SloV1alpha1().APFHeadrooms().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		reports = list.Items
		// A list is of one evaluation, two lists need not be.
		if err := r.anyPair(headrooms.Items[0].Status.ObservationTime, func(pair [2]stretch) error {
			return r.exactHeadrooms(pair, headrooms.Items)
		}); err != nil {
			return err
		}
		return r.anyPair(list.Items[0].Status.ObservationTime, func(pair [2]stretch) error { return exactReports(pair, list.Items) })
	})
	return reports
}

// anyPair wants the check to pass for one choice of stretches, one of each recorder.
// Otherwise the error is that of the first choice.
func (r *recording) anyPair(observed *metav1.Time, check func([2]stretch) error) (failed error) {
	ones, err := r.recorders[0].stretches(observed, r.spacing)
	if err != nil {
		return err
	}
	others, err := r.recorders[1].stretches(observed, r.spacing)
	if err != nil {
		return err
	}
	for _, one := range ones {
		for _, other := range others {
			err := check([2]stretch{one, other})
			if err == nil {
				return nil
			}
			failed = cmp.Or(failed, err)
		}
	}
	return cmp.Or(failed, errors.New("no answers that could be those of the evaluation"))
}

// stretches that an evaluation may stand for whose newest sample, of any instance,
// is of this time. The likeliest come first.
func (r *recorder) stretches(observed *metav1.Time, spacing time.Duration) (found []stretch, err error) {
	if observed == nil {
		return nil, errors.New("nothing was observed yet")
	}
	all, err := r.expositions()
	if err != nil {
		return nil, err
	}
	for to, last := range slices.Backward(all) {
		end := last.begun
		// Truncated to seconds, and each instance has its own slot.
		if end.After(observed.Add(time.Second+100*time.Millisecond)) || end.Before(observed.Add(-spacing-time.Second)) {
			continue
		}
		// The window is read from the newest answer that is not after its start.
		from := to - 1
		for from >= 0 && all[from].begun.After(end.Add(spacing-window+time.Second)) {
			from--
		}
		if from < 0 {
			found = append(found, newStretch(append([]exposition{{}}, all[:to+1]...)))
		}
		for oldest := max(0, from-3); from >= oldest; from-- {
			found = append(found, newStretch(all[from:to+1]))
			if all[from+1].started() != all[from].started() {
				// Born in the window: all of it counts.
				found = append(found, newStretch(append([]exposition{{}}, all[from+1:to+1]...)))
			}
		}
	}
	return found, nil
}

// exactReports compares reports with what two kube-apiservers counted.
func exactReports(pair [2]stretch, reports []v1alpha1.SLOReport) error {
	points := slices.Concat(pair[0].increases, pair[1].increases)
	length := max(pair[0].length(), pair[1].length())
	for i := range reports {
		report := &reports[i]
		if thresholds[report.Name] == 0 {
			continue // not of kube-apiservers
		}
		if got := report.Status.WindowSeconds; length > 0 && (got == nil || (time.Duration(*got)*time.Second-length).Abs() > time.Second) {
			return fmt.Errorf("%s: a window of %s seconds; the scrapes say %s", report.Name, figure(got), length)
		}
		sum := func(custom bool, matches func(labels map[string]string) bool) (requests, slow int64) {
			for _, p := range points {
				of := objectiveOf(p.labels)
				if custom {
					of = objectiveBy(p.labels)
				}
				switch {
				case of != report.Name || custom != slices.Contains(customResources, p.labels["resource"]) || !matches(p.labels):
				case p.metric == sliMetric+"_count":
					requests, slow = requests+int64(p.number), slow+int64(p.number)
				case p.metric == sliMetric+"_good":
					slow -= int64(p.number)
				}
			}
			return requests, slow
		}
		requests, slow := sum(false, func(map[string]string) bool { return true })
		if got := report.Status; got.Requests == nil || *got.Requests != requests || *got.SlowRequests != slow {
			return fmt.Errorf("%s: %s requests, %s slow; the scrapes say %d and %d", report.Name, figure(got.Requests), figure(got.SlowRequests), requests, slow)
		}
		for _, key := range report.Status.Worst {
			requests, slow := sum(false, func(labels map[string]string) bool {
				return labels["group"] == key.Group && labels["resource"] == key.Resource && labels["subresource"] == key.Subresource &&
					(key.Verb == "" || labels["verb"] == key.Verb)
			})
			if key.Requests != requests || key.SlowRequests != slow {
				return fmt.Errorf("%s: %+v; the scrapes say %d and %d", report.Name, key, requests, slow)
			}
		}
		var excluded int64
		for _, e := range report.Status.Keys.Excluded {
			if e.Reason == v1alpha1.ExcludedCustomResource {
				excluded = e.Requests
			}
		}
		if requests, _ := sum(true, func(map[string]string) bool { return true }); excluded != requests {
			return fmt.Errorf("%s: %d requests for custom resources; the scrapes say %d", report.Name, excluded, requests)
		}
		if err := exactBeside(report, points); err != nil {
			return err
		}
	}
	return nil
}

// exactHeadrooms compares headrooms with what two kube-apiservers said and counted.
func (r *recording) exactHeadrooms(pair [2]stretch, headrooms []v1alpha1.APFHeadroom) error {
	for i, recorder := range r.recorders {
		if err := exactRows(recorder.kubeAPIServer.Name, r.instance(i, pair[i].last()), pair[i], headrooms); err != nil {
			return err
		}
	}
	points := slices.Concat(pair[0].increases, pair[1].increases)
	for _, headroom := range headrooms {
		want := map[string]int64{}
		for _, p := range points {
			if p.metric == "apiserver_flowcontrol_rejected_requests_total" && p.labels["priority_level"] == headroom.Name && p.number > 0 {
				want[p.labels["flow_schema"]+" "+p.labels["reason"]] += int64(p.number)
			}
		}
		got := map[string]int64{}
		for _, by := range headroom.Status.Requests.RejectedBy {
			got[by.FlowSchema+" "+by.Reason] = by.Requests
		}
		if !maps.Equal(got, want) {
			return fmt.Errorf("%s: rejected %v; the scrapes say %v", headroom.Name, got, want)
		}
		for _, use := range headroom.Status.FlowSchemas {
			var dispatched int64
			for _, p := range points {
				if p.metric == "apiserver_flowcontrol_dispatched_requests_total" && p.labels["priority_level"] == headroom.Name && p.labels["flow_schema"] == use.Name {
					dispatched += int64(p.number)
				}
			}
			if use.Dispatched == nil || *use.Dispatched != dispatched {
				return fmt.Errorf("%s: flow schema %s dispatched %s; the scrapes say %d", headroom.Name, use.Name, figure(use.Dispatched), dispatched)
			}
		}
	}
	return nil
}

// exactRows compares what headrooms say of one kube-apiserver with its answers.
func exactRows(kubeAPIServer, instance string, s stretch, headrooms []v1alpha1.APFHeadroom) error {
	for _, headroom := range headrooms {
		i := slices.IndexFunc(headroom.Status.ByInstance, func(row v1alpha1.InstanceSeats) bool { return row.Instance == instance })
		if i < 0 {
			return fmt.Errorf("%s: no row of %s", headroom.Name, instance)
		}
		row := headroom.Status.ByInstance[i]
		gauge := func(e exposition, metric string) (sum int64) {
			for _, p := range e.points {
				if p.metric == "apiserver_flowcontrol_"+metric && p.labels["priority_level"] == headroom.Name {
					sum += int64(p.number)
				}
			}
			return sum
		}
		counter := func(metric string) (sum int64) {
			for _, p := range s.increases {
				if p.metric == "apiserver_flowcontrol_"+metric && p.labels["priority_level"] == headroom.Name {
					sum += int64(p.number)
				}
			}
			return sum
		}
		highest := func(metric string) (highest int64) {
			for _, e := range s.expositions[1:] {
				highest = max(highest, gauge(e, metric))
			}
			return highest
		}
		want := []claim{
			{"nominal seats", row.NominalSeats, gauge(s.last(), "nominal_limit_seats")},
			{"executing seats", row.ExecutingSeats, gauge(s.last(), "current_executing_seats")},
			{"peak of executing seats", row.PeakExecutingSeats, highest("current_executing_seats")},
			{"peak of demand", row.PeakDemandSeats, highest("demand_seats_high_watermark")},
			{"queued requests", row.QueuedRequests, gauge(s.last(), "current_inqueue_requests")},
			{"queued seats", row.QueuedSeats, gauge(s.last(), "current_inqueue_seats")},
			{"dispatched requests", row.DispatchedRequests, counter("dispatched_requests_total")},
			{"rejected requests", row.RejectedRequests, counter("rejected_requests_total")},
		}
		if headroom.Spec.Type == "Limited" {
			executing := gauge(s.last(), "current_executing_seats")
			reclaimed, reachable := s.withinReach(headroom.Name, headrooms)
			want = append(want, []claim{
				{"current limit", row.CurrentLimitSeats, gauge(s.last(), "current_limit_seats")},
				{"reachable limit", row.ReachableLimitSeats, reachable},
				{"headroom", row.HeadroomSeats, gauge(s.last(), "current_limit_seats") - executing},
				{"nominal headroom", row.NominalHeadroomSeats, reclaimed - executing},
				{"reachable headroom", row.ReachableHeadroomSeats, reachable - executing},
			}...)
		}
		for _, w := range want {
			// Absent figures of an exempt level have no metric either.
			if w.got == nil && w.want == 0 && headroom.Spec.Type != "Limited" {
				continue
			}
			if w.got == nil || *w.got != w.want {
				return fmt.Errorf("%s at %s: %s %s; the scrapes say %d", headroom.Name, kubeAPIServer, w.what, figure(w.got), w.want)
			}
		}
	}
	return nil
}

// claim is a figure, and what it should be.
type claim struct {
	what string
	got  *int64
	want int64
}

// withinReach are the limit that a level gets when it wants its nominal seats, and the
// highest that it can get (k8s.io/apiserver pkg/util/flowcontrol,
// updateBorrowingLocked). What exempt levels want is taken off all nominal seats. When
// the rest is no more than the lower limits, every level has its own; when it is no more
// than what all keep, what is over the lower limits is divided in proportion; else no
// level gets less than it keeps, and all nominal seats are divided.
func (s stretch) withinReach(level string, headrooms []v1alpha1.APFHeadroom) (reclaimed, reachable int64) {
	gauge := func(metric, level string) int64 {
		for _, p := range s.last().points {
			if p.metric == "apiserver_flowcontrol_"+metric && p.labels["priority_level"] == level {
				return int64(p.number)
			}
		}
		return 0
	}
	nominal, lower := gauge("nominal_limit_seats", level), gauge("lower_limit_seats", level)
	var all, exempt, lowers, keep int64 // the last two of the others
	for _, other := range headrooms {
		n, l, high := gauge("nominal_limit_seats", other.Name), gauge("lower_limit_seats", other.Name), gauge("demand_seats_high_watermark", other.Name)
		all += n
		switch {
		case other.Spec.Type != "Limited":
			exempt += max(l, high)
		case other.Name != level:
			lowers, keep = lowers+l, keep+max(l, min(n, high))
		}
	}
	left := all - exempt
	if left <= lower+lowers {
		return lower, lower
	}
	reclaimed, reachable = nominal, min(all-lowers, gauge("upper_limit_seats", level))
	if left <= nominal+lowers {
		reachable = left - lowers
	}
	if left < nominal+keep {
		part := float64(left-lower-lowers) / float64(nominal+keep-lower-lowers)
		reclaimed = lower + int64(math.Round(float64(nominal-lower)*part))
	}
	return reclaimed, reachable
}

func figure(n *int64) string {
	if n == nil {
		return "no"
	}
	return fmt.Sprint(*n)
}
