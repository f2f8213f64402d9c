// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evidence"
	"example.io/slo-apiserver/pkg/sources"
)

// Options of an evaluation; the zero value is valid.
type Options struct {
	// ResourcesProblem says why there are no Resources.
	ResourcesProblem error
	// Queues in which requests to the kube-apiservers waited, the one with most time
	// first, and those that were turned away; nil when they are not known.
	Queues   []v1alpha1.QueueTime
	Rejected *v1alpha1.Rejections
	// QueuesEvidence and RejectedEvidence say what these were made from.
	QueuesEvidence, RejectedEvidence evidence.Part
	// Expected is how many instances of a component there are in the cluster, where
	// somebody knows: with fewer in the reading, some are missing that the source does
	// not know. It does not hold for components that are read in part by choice.
	Expected map[sources.Component]int
	// EveryKubelet says that the kubelets of all nodes are to be in the reading, as
	// many as there are nodes in the metrics.
	EveryKubelet bool
	// Unread are signals that the reading does not have, by name, and why: their
	// objectives are Unknown for that reason.
	Unread map[string]Unread
}

// Unread is why a signal was not read.
type Unread struct {
	// Reason in CamelCase.
	Reason, Message string
}

// Evaluate makes one report per objective from one reading, sorted by name. The
// reading covers all Signals and is not changed. Without resources (nil) the
// objectives over API requests are Unknown.
//
// The reports lack what only the caller knows: resourceVersion, and the
// lastTransitionTime of conditions, which spans evaluations. How old the reading
// is, too, only the caller can tell.
//
// The day of a report is unknown: the Ledger has it.
func Evaluate(objectives []Objective, reading *sources.Reading, resources *Resources, options Options) []v1alpha1.SLOReport {
	return Judge(objectives, reading, resources, options).Reports
}

// Judged is what one pass over a reading says.
type Judged struct {
	// Reports are sorted by name.
	Reports []v1alpha1.SLOReport
	// Minutes are the outcomes of all keys, for the Ledger, in the order of the
	// objectives.
	Minutes []Minute
	// Assessments are what the reports were made from, in the order of the objectives.
	Assessments []Assessment
}

// Judge is Evaluate with the outcome of every key.
func Judge(objectives []Objective, reading *sources.Reading, resources *Resources, options Options) Judged {
	judged := Judged{}
	c := circumstancesOf(reading, options)
	for _, o := range objectives {
		if why, is := options.Unread[o.Signal]; is {
			judged.Reports = append(judged.Reports, unknownReport(o, why.Reason, why.Message))
			judged.Minutes = append(judged.Minutes, Minute{Objective: o.Name, Verdict: v1alpha1.VerdictUnknown})
			judged.Assessments = append(judged.Assessments, Assessment{objective: o, problem: why.Reason})
			continue
		}
		report := newReport(o)
		assessment := evaluate(&report.Status, o, c, resources, options)
		assessment.weigh(&report.Status, reading, options)
		report.Status.Evidence = assessment.evidence(&report.Status, c, resources, options)
		assessment.evidenceOfKeys = evidenceOfKeys(report.Status.Evidence)
		judged.Reports = append(judged.Reports, report)
		judged.Minutes = append(judged.Minutes, Minute{Objective: o.Name, Verdict: report.Status.Verdict, Keys: assessment.keyVerdicts(), Events: assessment.events()})
		judged.Assessments = append(judged.Assessments, assessment)
	}
	sortByName(judged.Reports)
	return judged
}

// Unknown makes the reports for when there is no reading at all: everything is
// unknown for the reason given, which has to be in CamelCase.
func Unknown(objectives []Objective, reason, message string) []v1alpha1.SLOReport {
	reports := make([]v1alpha1.SLOReport, 0, len(objectives))
	for _, o := range objectives {
		reports = append(reports, unknownReport(o, reason, message))
	}
	sortByName(reports)
	return reports
}

func unknownReport(o Objective, reason, message string) v1alpha1.SLOReport {
	report := newReport(o)
	setConditions(&report.Status, judgement{v1alpha1.VerdictUnknown, reason, message},
		metav1.Condition{Status: metav1.ConditionFalse, Reason: reason, Message: message},
		metav1.Condition{Status: metav1.ConditionUnknown, Reason: reason, Message: message})
	return report
}

func sortByName(reports []v1alpha1.SLOReport) {
	slices.SortFunc(reports, func(a, b v1alpha1.SLOReport) int { return cmp.Compare(a.Name, b.Name) })
}

// evaluate fills the status of one objective, and returns what was made of it.
func evaluate(status *v1alpha1.SLOReportStatus, o Objective, around *circumstances, resources *Resources, options Options) Assessment {
	reading := around.reading
	c := cover(o, reading)
	c.expect(around, options)
	status.ObservationTime = c.observationTime()
	status.WindowSeconds = c.windowSeconds()
	status.Instances = c.counts()

	result := reading.Results[o.Signal]
	findings := findingsOf(o, reading, options)
	complete := dataComplete(o, c, result)
	if j, without := unfit(o, c, result, resources, options.ResourcesProblem); without {
		if failed := findings; len(failed) > 0 && failed[0].Reason == sources.QueryFailed && j.reason == ReasonMetricMissing {
			j.reason, j.message = string(sources.QueryFailed), failed[0].Message
		}
		setConditions(status, j, complete, metav1.Condition{Status: metav1.ConditionUnknown, Reason: j.reason, Message: j.message})
		around.addConditions(status, o, findings, nil, resources)
		return Assessment{objective: o, coverage: c, rule: reading.Rule, problem: j.reason}
	}

	tallies := collect(o, o.Reads.Labels, result.Series, resources)
	dryRunsKnown := around.markDryRuns(o, tallies)
	leftOut := around.leftOut(o, dryRunsKnown)
	for _, t := range tallies {
		t.leftOut = leftOut
	}
	k := assess(o, tallies, c.shares(), reading.Rule)
	k.dryRunsKnown = dryRunsKnown
	setFigures(status, o, k)
	traffic := metav1.Condition{Status: metav1.ConditionFalse, Reason: ReasonEnoughRequests}
	low, message := lowTraffic(o, k)
	if low {
		traffic.Status, traffic.Reason = metav1.ConditionTrue, ReasonFewRequests
	}
	traffic.Message = message
	refused := refusal(findings)
	j := judge(o, c, k).refuse(refused)
	if note := c.sample(); note != "" && j.verdict != v1alpha1.VerdictUnknown {
		j.message += ", in " + note
	}
	setConditions(status, j, complete, traffic)
	around.addConditions(status, o, findings, k, resources)
	return Assessment{objective: o, coverage: c, rule: reading.Rule, refused: refused, tallies: tallies}
}

// findingsOf what concerns an objective. Where the kubelets of all nodes are to be read, a
// number of nodes that was not read is one of them: as many may be missing as there are.
func findingsOf(o Objective, reading *sources.Reading, options Options) []sources.Warning {
	signals := []string{o.Signal}
	if o.Component == sources.Kubelet && options.EveryKubelet && !reading.Results[SignalObjects].Whole() {
		signals = append(signals, SignalObjects)
	}
	return sources.Findings(reading, o.Component, signals...)
}

// addConditions about what the figures are made from. Without figures k is nil.
func (c *circumstances) addConditions(status *v1alpha1.SLOReportStatus, o Objective, findings []sources.Warning, k *keys, resources *Resources) {
	status.Conditions = append(status.Conditions, dataSound(findings))
	if faithful, known := c.indicatorFaithful(o, k); known {
		status.Conditions = append(status.Conditions, faithful)
	}
	if o.Official {
		status.Conditions = append(status.Conditions, c.promisesKept(resources))
	}
}

// unfit says why there can be no figures at all.
func unfit(o Objective, c coverage, result sources.Result, resources *Resources, problem error) (judgement, bool) {
	unknown := func(reason, message string) (judgement, bool) {
		return judgement{v1alpha1.VerdictUnknown, reason, message}, true
	}
	switch {
	case !c.isRead():
		return unknown(ReasonNoInstances, c.message())
	case len(result.Series) == 0:
		return unknown(ReasonMetricMissing, missingMetric(o))
	case o.perResource() && resources == nil:
		message := "which resources are built in is not known"
		if problem != nil {
			message += ": " + problem.Error()
		}
		return unknown(ReasonResourcesUnknown, message)
	}
	return judgement{}, false
}

// missingMetric names what no instance has.
func missingMetric(o Objective) string {
	message := fmt.Sprintf("no %s has %s", o.Component, strings.Join(o.Reads.Metrics, " or "))
	if o.Signal == SignalPodStartLatency {
		// k8s.io/kubernetes pkg/kubelet/metrics/metrics.go: a vector without
		// labels, whose only series is made by its first observation.
		message += "; a kubelet has it once it has started a pod"
	}
	return message
}

// dataComplete is the condition of that type. Its message also holds where the
// figures come from.
func dataComplete(o Objective, c coverage, result sources.Result) metav1.Condition {
	condition := metav1.Condition{Status: metav1.ConditionFalse, Reason: c.reason()}
	notes := []string{c.message()}
	switch {
	case c.isRead() && len(result.Series) == 0:
		condition.Reason = ReasonMetricMissing
		notes = append(notes, missingMetric(o))
	case c.isFull() && c.sampledFrom == 0:
		condition.Status = metav1.ConditionTrue
	}
	if note := c.sample(); note != "" {
		notes = append(notes, "the figures are those of "+note)
	}
	if len(result.Metrics) > 0 {
		notes = append(notes, "figures from "+strings.Join(result.Metrics, " and "))
	}
	condition.Message = strings.Join(notes, "; ")
	return condition
}
