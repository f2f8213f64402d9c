// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"math"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// differences between what was measured and the indicator: the gravest first.
type differences struct {
	reasons, texts []string
	// unknown says that there may be more, and why it is not known, for that reason.
	unknown, unknownReason string
}

func (d *differences) add(reason, format string, args ...any) {
	d.reasons = append(d.reasons, reason)
	d.texts = append(d.texts, fmt.Sprintf(format, args...))
}

// indicatorFaithful is the condition of that type, for the indicators of which it is
// known what they leave out.
func (c *circumstances) indicatorFaithful(o Objective, k *keys) (metav1.Condition, bool) {
	var d differences
	result := c.reading.Results[o.Signal]
	switch {
	case o.Informational || o.ownSignal || o.Type == v1alpha1.IndicatorRatio || len(result.Series) == 0:
		return metav1.Condition{}, false
	case o.Signal == SignalRequestLatency:
		c.requestDifferences(&d, result.Metrics, k)
	case o.Signal == SignalPodStartLatency:
		c.podStartDifferences(&d)
	default:
		return metav1.Condition{}, false
	}
	if rate := o.Reads.Recorded.Rate; rate != "" && slices.Contains(result.Metrics, rate) {
		d.unknownReason, d.unknown = string(sources.RecordedRate), "which metric "+rate+" was made from the store does not tell: it may include webhooks, queues and dry runs"
	}
	if k != nil && k.interpolated {
		d.add(ReasonNativeHistogramInterpolated, "native histograms have no bound %s, and what they count within it is interpolated: at least %d and at most %d of %d %s are %s",
			le(o), k.slowLeast, k.slowMost, k.requests, o.Events, o.badWord())
	}
	condition := metav1.Condition{
		Type: v1alpha1.ConditionIndicatorFaithful, Status: metav1.ConditionTrue,
		Reason: ReasonAsDefined, Message: "the metric is the indicator",
	}
	switch {
	case len(d.reasons) > 0:
		condition.Status, condition.Reason = metav1.ConditionFalse, d.reasons[0]
		condition.Message = strings.Join(d.texts, "; ")
	case d.unknown != "":
		condition.Status, condition.Reason, condition.Message = metav1.ConditionUnknown, d.unknownReason, d.unknown
	}
	c.addNotes(&condition, o)
	return condition, true
}

// requestDifferences of the metric that was chosen.
func (c *circumstances) requestDifferences(d *differences, metrics []string, k *keys) {
	if slices.Contains(metrics, metricRequest) {
		d.add(ReasonWebhookTimeIncluded, "%s includes the time of webhooks and of API Priority & Fairness queues", metricRequest)
		if len(metrics) == 1 {
			return // it has no dry runs: they are left out by their label
		}
	}
	indicators := slices.DeleteFunc(slices.Clone(metrics), func(m string) bool { return m == metricRequest })
	name := strings.Join(indicators, " and ")
	// The first name was replaced in 1.26, which still includes the wait.
	first, known := oldest(c.apiservers)
	if slices.Contains(metrics, metricRequestSLO) && !known || known && first.queueTimeIncluded() {
		d.add(ReasonQueueTimeIncluded, "%s includes the time of API Priority & Fairness queues before Kubernetes 1.27", name)
	}
	if c.leavesDryRunsOut() || k != nil && k.dryRunsKnown && k.dryRuns == 0 {
		return
	}
	known = known && first.dryRunsIncluded()
	switch {
	case k != nil && k.dryRunsKnown && known:
		d.add(ReasonDryRunsIncluded, "%s includes dry runs before Kubernetes 1.35: %d of the requests here, at most", name, whole(k.dryRuns, k.dryRuns))
	case known || slices.Contains(metrics, metricRequestSLO):
		d.add(ReasonDryRunsIncluded, "%s includes dry runs before Kubernetes 1.35, and how many there were is not known without apiserver_request_total", name)
	default:
		d.unknownReason, d.unknown = ReasonVersionUnknown, "whether dry runs are included is not known: not all kube-apiservers have kubernetes_build_info"
	}
}

// podStartDifferences by the versions of the kubelets.
func (c *circumstances) podStartDifferences(d *differences) {
	if !c.kubeletsTell() {
		d.unknownReason, d.unknown = ReasonVersionUnknown, "whether stateful pods and init containers are included is not known: not all kubelets have kubernetes_build_info"
	}
	var including []string
	for _, r := range c.kubelets {
		if r.statefulPodsIncluded() {
			including = append(including, r.String())
		}
	}
	const most = 3
	if more := len(including) - most; more > 0 {
		including = append(including[:most], fmt.Sprintf("%d more", more))
	}
	if len(including) > 0 {
		d.add(ReasonStatefulPodsIncluded, "kubelets of Kubernetes %s include stateful pods and the time of init containers", strings.Join(including, ", "))
	}
}

// addNotes of what is beside the indicator, and no difference.
func (c *circumstances) addNotes(condition *metav1.Condition, o Objective) {
	if o.Signal == SignalPodStartLatency {
		// The kubelet counts from the creation of the pod, and learns of it when it is
		// bound and so no longer unschedulable (k8s.io/kubernetes
		// pkg/kubelet/config/apiserver.go, pkg/registry/core/pod/storage).
		condition.Message += "; the time that a pod waited for a node may be in it"
		return
	}
	if n := c.streamed(o); n > 0 {
		condition.Message += fmt.Sprintf("; %d lists beside these were streamed by a watch, which the indicator leaves out: see apiserver_watch_list_duration_seconds", n)
		if condition.Reason == ReasonAsDefined {
			condition.Reason = ReasonListsStreamed
		}
	}
}

// streamed lists beside those of the objective.
func (c *circumstances) streamed(o Objective) int64 {
	if !slices.Contains(o.Verbs, "LIST") {
		return 0
	}
	streamed := 0.0
	for _, s := range c.reading.Results[SignalWatchLists].Series {
		if len(s.Values) == 1 && s.Values[0] == o.Scope && usable(s.Histogram) {
			streamed += s.Histogram.Count()
		}
	}
	return whole(streamed, streamed)
}

// oldest of some versions.
func oldest(versions []release) (release, bool) {
	if len(versions) == 0 {
		return release{}, false
	}
	return versions[0], true
}

// markDryRuns says of each key how many of its requests may have been dry runs. Known
// is false where an instance does not count its requests, or that was not read. What has
// no label for dry runs may include them, unless the versions say that it does not.
func (c *circumstances) markDryRuns(o Objective, tallies []*tally) (known bool) {
	if !o.mayHaveDryRuns() {
		return false
	}
	if c.leavesDryRunsOut() {
		return true
	}
	if metrics := c.reading.Results[o.Signal].Metrics; len(metrics) == 1 && metrics[0] == metricRequest {
		return true
	}
	if !c.countsRequests() || !c.reading.Results[SignalDryRuns].Whole() {
		return false
	}
	byKey := c.dryRunsByKey(o)
	for _, t := range tallies {
		t.dryRuns = math.Min(byKey[t.key], t.count)
	}
	return true
}

// dryRunsByKey are the answers to dry runs.
func (c *circumstances) dryRunsByKey(o Objective) map[key]float64 {
	byKey := map[key]float64{}
	for _, s := range c.reading.Results[SignalDryRuns].Series {
		value := func(label string) string {
			if i := slices.Index(dryRunLabels(), label); i < len(s.Values) {
				return s.Values[i]
			}
			return ""
		}
		if !o.selects(value(labelVerb), value(labelScope)) || s.Increase == 0 {
			continue
		}
		if !(s.Increase > 0) {
			s.Increase = math.Inf(+1) // no number, and so any
		}
		byKey[o.keyOf(value)] += s.Increase
	}
	return byKey
}

// mayHaveDryRuns says that dry runs may be among the requests, which are not to count.
func (o Objective) mayHaveDryRuns() bool {
	return o.Signal == SignalRequestLatency && o.Type != v1alpha1.IndicatorRatio
}

func dryRunLabels() []string {
	return []string{labelGroup, labelResource, labelSubresource, labelVerb, labelScope}
}
