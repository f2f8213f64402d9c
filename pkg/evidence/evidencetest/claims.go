// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package evidencetest says which number each expression of the evidence has to give, for
// tests that paste them.
package evidencetest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Answer is a series in the answer to an expression.
type Answer struct {
	Labels map[string]string
	Value  float64
}

// Claim is a figure as it is served.
type Claim struct {
	Figure string
	// Labels name the series in the answer that give it; nil: all of them.
	Labels map[string]string
	// Want is the number, printed with Format.
	Want, Format string
	// Highest of the answers is the figure, and not their sum.
	Highest bool
}

// Check the answers to the expression; where none is of the claim the figure is 0.
func (c Claim) Check(answers []Answer) error {
	sum, highest := 0.0, 0.0
	for _, a := range answers {
		if c.selects(a.Labels) {
			sum, highest = sum+a.Value, max(highest, a.Value)
		}
	}
	if c.Highest {
		sum = highest
	}
	if got := fmt.Sprintf(c.Format, sum); got != c.Want {
		return fmt.Errorf("%s of %v is %s, and pasted %s", c.Figure, c.Labels, c.Want, got)
	}
	return nil
}

func (c Claim) selects(labels map[string]string) bool {
	for name, value := range c.Labels {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// claims in the making.
type claims []Claim

func (all *claims) add(figure string, labels map[string]string, number *int64) {
	if number != nil {
		*all = append(*all, Claim{Figure: figure, Labels: labels, Want: fmt.Sprint(*number), Format: "%v"})
	}
}

// OfReport are the figures of a report that have expressions.
func OfReport(r *v1alpha1.SLOReport) []Claim {
	var all claims
	s := r.Status
	all.add("requests", nil, s.Requests)
	all.add("slowRequests", nil, s.SlowRequests)
	for _, k := range s.Worst {
		key := keyLabels(r.Spec.Indicator.Key, k.Group, k.Resource, k.Subresource, k.Verb)
		all.add("indicators.requests", key, &k.Requests)
		all.add("indicators.slowRequests", key, &k.SlowRequests)
		all.add("indicators.p99Milliseconds", key, k.P99Milliseconds)
	}
	if s.Overhead != nil {
		all.overhead(s.Overhead)
	}
	if s.RejectedRequests != nil {
		all.add("rejectedRequests.byReason.requests", nil, &s.RejectedRequests.Requests)
		for _, by := range s.RejectedRequests.ByReason {
			all.add("rejectedRequests.byReason.requests", map[string]string{"reason": by.Reason}, &by.Requests)
		}
	}
	all.messages(&s)
	return all
}

func (all *claims) overhead(o *v1alpha1.Overhead) {
	all.add("overhead.lostMilliseconds", nil, o.LostMilliseconds)
	all.add("overhead.lostPerRequestMilliseconds", nil, o.LostPerRequestMilliseconds)
	all.add("overhead.keysOverThreshold", nil, o.KeysOverThreshold)
	for _, w := range o.Webhooks {
		kind := map[string]string{v1alpha1.WebhookMutating: "admit", v1alpha1.WebhookValidating: "validating"}[w.Type]
		labels := map[string]string{"name": w.Name, "type": kind}
		all.add("overhead.webhooks.calls", labels, &w.Calls)
		all.add("overhead.webhooks.milliseconds", labels, &w.Milliseconds)
		all.add("overhead.webhooks.perCallMilliseconds", labels, &w.PerCallMilliseconds)
		all.add("overhead.webhooks.rejections", labels, w.Rejections)
		all.add("overhead.webhooks.failures", labels, w.Failures)
		all.add("overhead.webhooks.failedOpen", labels, w.FailedOpen)
	}
	for _, q := range o.Queues {
		labels := map[string]string{"priority_level": q.PriorityLevel}
		all.add("overhead.queues.requests", labels, &q.Requests)
		all.add("overhead.queues.milliseconds", labels, &q.Milliseconds)
		all.add("overhead.queues.perRequestMilliseconds", labels, &q.PerRequestMilliseconds)
	}
}

var (
	objects    = regexp.MustCompile(`^(\d+) of \d+ ([a-z0-9.-]+)$`)
	churn      = regexp.MustCompile(`churn (?:between ([\d.]+) and|at least) ([\d.]+) of`)
	dryRuns    = regexp.MustCompile(`1\.35: (\d+) of the requests`)
	watchLists = regexp.MustCompile(`(\d+) lists beside these were streamed`)
)

// messages of conditions.
func (all *claims) messages(s *v1alpha1.SLOReportStatus) {
	if c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionIndicatorFaithful); c != nil {
		for figure, pattern := range map[string]*regexp.Regexp{"dryRuns": dryRuns, "watchLists": watchLists} {
			if found := pattern.FindStringSubmatch(c.Message); found != nil {
				*all = append(*all, Claim{Figure: "conditions.IndicatorFaithful." + figure, Want: found[1], Format: "%.0f"})
			}
		}
	}
	c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionPromisesKept)
	if c == nil {
		return
	}
	for text := range strings.SplitSeq(c.Message, "; ") {
		found := objects.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		resource, group, _ := strings.Cut(found[2], ".")
		claim := Claim{Figure: "conditions.PromisesKept.objects", Want: found[1], Format: "%.0f", Highest: true}
		claim.Labels = map[string]string{"group": group, "resource": resource}
		*all = append(*all, claim)
	}
	if found := churn.FindStringSubmatch(c.Message); found != nil {
		least, most := found[1], found[2]
		if least == "" {
			least, most = most, ""
		}
		*all = append(*all, Claim{Figure: "conditions.PromisesKept.churnAtLeast", Want: least, Format: "%.1f"})
		if most != "" {
			*all = append(*all, Claim{Figure: "conditions.PromisesKept.churnAtMost", Want: most, Format: "%.1f"})
		}
	}
}

// OfIndicator are the figures of one key in the expressions of its report.
func OfIndicator(i *v1alpha1.ServiceLevelIndicator, key []string) []Claim {
	var all claims
	labels := keyLabels(key, i.Spec.Group, i.Spec.Resource, i.Spec.Subresource, i.Spec.Verb)
	all.add("indicators.requests", labels, i.Status.Requests)
	all.add("indicators.slowRequests", labels, i.Status.SlowRequests)
	all.add("indicators.p99Milliseconds", labels, i.Status.P99Milliseconds)
	if total := i.Status.Total; total != nil {
		all.add("indicators.total.p99Milliseconds", labels, total.P99Milliseconds)
		all.add("indicators.total.lostMilliseconds", labels, total.LostMilliseconds)
		all.add("indicators.total.lostPerRequestMilliseconds", labels, total.LostPerRequestMilliseconds)
	}
	return all
}

func keyLabels(key []string, group, resource, subresource, verb string) map[string]string {
	labels := map[string]string{"group": group, "resource": resource, "subresource": subresource, "verb": verb}
	maps.DeleteFunc(labels, func(name, _ string) bool { return !slices.Contains(key, name) })
	return labels
}

// OfHeadroom are the figures of a level.
func OfHeadroom(h *v1alpha1.APFHeadroom) []Claim {
	var all claims
	for _, row := range h.Status.ByInstance {
		labels := map[string]string{"instance": row.Instance}
		for figure, number := range map[string]*int64{
			"nominalSeats": row.NominalSeats, "currentLimitSeats": row.CurrentLimitSeats,
			"executingSeats": row.ExecutingSeats, "queuedRequests": row.QueuedRequests,
			"dispatchedRequests": row.DispatchedRequests, "rejectedRequests": row.RejectedRequests,
		} {
			all.add("byInstance."+figure, labels, number)
		}
	}
	return all
}
