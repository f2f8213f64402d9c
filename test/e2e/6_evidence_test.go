// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evidence/evidencetest"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

// TestEvidence repeats the figures of both sources by their evidence: what it says is
// pasted into Prometheus, or the very answers that it names are subtracted.
func TestEvidence(t *testing.T) {
	lab.load(t, "mixed")
	lab.load(t, "custom")
	lab.load(t, "pods")
	lab.do(t, "webhook", webhookSleeps.String())
	t.Cleanup(func() { lab.do(t, "webhook", "off") })
	keepCreating(t, webhookNamespace(t))
	eventually(t, 3*window, "PromQL of the evidence gives what is served", func() error { return pasteAll(t) })
	eventually(t, 3*window, "the answers of the evidence give what is served", func() error { return subtractAll(t, lab.recorded) })
}

// keepCreating ConfigMaps through the webhook until the test ends: its calls are in every
// window, however many it takes.
func keepCreating(t *testing.T, namespace string) {
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended }) // after that of the context
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("slow-%d", i)}}
			_, err := lab.admin.CoreV1().ConfigMaps(namespace).Create(t.Context(), configMap, metav1.CreateOptions{})
			if t.Context().Err() != nil {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	}()
}

// evaluated are the reports and indicators of one evaluation.
type evaluated struct {
	reports    []v1alpha1.SLOReport
	indicators map[string][]v1alpha1.ServiceLevelIndicator // by report
}

func listEvaluated(t *testing.T, client *versioned.Clientset) (*evaluated, error) {
	reports, err := client.SloV1alpha1().SLOReports().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	indicators, err := client.SloV1alpha1().ServiceLevelIndicators().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	if indicators.ResourceVersion != reports.ResourceVersion {
		return nil, fmt.Errorf("indicators of %s, reports of %s", indicators.ResourceVersion, reports.ResourceVersion)
	}
	all := &evaluated{reports.Items, map[string][]v1alpha1.ServiceLevelIndicator{}}
	for _, i := range indicators.Items {
		all.indicators[i.Spec.Report] = append(all.indicators[i.Spec.Report], i)
	}
	return all, nil
}

// claims of a report and of its indicators, which have to point to its evidence.
func (e *evaluated) claims(r *v1alpha1.SLOReport) ([]evidencetest.Claim, error) {
	if r.Status.Evidence == nil {
		return nil, fmt.Errorf("%s has no evidence: %s", r.Name, describe(r.Status.Conditions))
	}
	claims := evidencetest.OfReport(r)
	for _, i := range e.indicators[r.Name] {
		if i.Status.Evidence == nil || !i.Status.Evidence.EvaluationTime.Equal(&r.Status.Evidence.EvaluationTime) {
			return nil, fmt.Errorf("%s has the evidence %+v, and its report that of %s", i.Name, i.Status.Evidence, r.Status.Evidence.EvaluationTime)
		}
		claims = append(claims, evidencetest.OfIndicator(&i, r.Spec.Indicator.Key)...)
	}
	return claims, nil
}

// everyFigure is what the load has to have made something of.
var everyFigure = []string{
	"requests", "slowRequests", "indicators.requests", "indicators.slowRequests", "indicators.p99Milliseconds",
	"indicators.total.p99Milliseconds", "indicators.total.lostMilliseconds", "indicators.total.lostPerRequestMilliseconds",
	"overhead.lostMilliseconds", "overhead.lostPerRequestMilliseconds", "overhead.keysOverThreshold",
	"overhead.webhooks.calls", "overhead.webhooks.milliseconds", "overhead.webhooks.perCallMilliseconds",
	"overhead.queues.requests", "overhead.queues.milliseconds", "overhead.queues.perRequestMilliseconds",
	"conditions.PromisesKept.objects", "conditions.PromisesKept.churnAtLeast", "conditions.PromisesKept.churnAtMost",
	"byInstance.nominalSeats", "byInstance.currentLimitSeats", "byInstance.executingSeats", "byInstance.dispatchedRequests",
}

// pasteAll expressions of the server that reads Prometheus.
func pasteAll(t *testing.T) error {
	all, err := listEvaluated(t, lab.viaPrometheus)
	if err != nil {
		return err
	}
	pasted := map[string]int{}
	paste := func(name string, e *v1alpha1.Evidence, claims []evidencetest.Claim) error {
		compared, _, err := evidencetest.Paste(lab.state.Prometheus.URL, e, claims)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for figure, n := range compared {
			pasted[figure] += n
		}
		return nil
	}
	for i := range all.reports {
		r := &all.reports[i]
		claims, err := all.claims(r)
		if err == nil {
			err = paste(r.Name, r.Status.Evidence, claims)
		}
		if err != nil {
			return err
		}
	}
	headrooms, err := lab.viaPrometheus.SloV1alpha1().APFHeadrooms().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range headrooms.Items {
		h := &headrooms.Items[i]
		if h.Status.Evidence == nil {
			return fmt.Errorf("%s has no evidence: %s", h.Name, describe(h.Status.Conditions))
		}
		if err := paste(h.Name, h.Status.Evidence, evidencetest.OfHeadroom(h)); err != nil {
			return err
		}
	}
	for _, figure := range everyFigure {
		if pasted[figure] == 0 {
			return fmt.Errorf("%s was not pasted: %v", figure, pasted)
		}
	}
	t.Logf("figures pasted: %v", pasted)
	return nil
}

// subtractAll takes the answers between the times of the evidence, and no others.
func subtractAll(t *testing.T, r *recording) error {
	all, err := listEvaluated(t, r.client)
	if err != nil {
		return err
	}
	headrooms, err := r.client.SloV1alpha1().APFHeadrooms().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all.reports, func(r v1alpha1.SLOReport) bool { return r.Name == mutating })
	pair, err := r.named(all.reports[i].Status.Evidence)
	if err != nil {
		return err
	}
	if err := exactReports(pair, all.reports); err != nil {
		return err
	}
	if err := all.subtract(t, pair); err != nil {
		return err
	}
	if pair, err = r.named(headrooms.Items[0].Status.Evidence); err != nil {
		return err
	}
	return r.exactHeadrooms(pair, headrooms.Items)
}

// subtract wants the figures of reports and indicators to be those of the answers.
func (e *evaluated) subtract(t *testing.T, pair [2]stretch) error {
	compared := map[string]int{}
	for i := range e.reports {
		r := &e.reports[i]
		if thresholds[r.Name] == 0 {
			continue // not of kube-apiservers
		}
		claims, err := e.claims(r)
		if err != nil {
			return err
		}
		answers := subtract(r.Name, pair)
		for _, c := range claims {
			if answers[c.Figure] == nil {
				continue // of all buckets, or of what there was none of
			}
			compared[c.Figure]++
			if err := c.Check(answers[c.Figure]); err != nil {
				return fmt.Errorf("%s: %w", r.Name, err)
			}
		}
	}
	for _, figure := range everyFigure {
		of := slices.Sorted(maps.Keys(subtract(mutating, pair)))
		if slices.Contains(of, figure) && compared[figure] == 0 {
			return fmt.Errorf("%s was not subtracted: %v", figure, compared)
		}
	}
	t.Logf("figures subtracted: %v", compared)
	return nil
}

// named are the stretches of answers that evidence names by URL and times.
func (r *recording) named(e *v1alpha1.Evidence) (pair [2]stretch, err error) {
	if e == nil {
		return pair, errors.New("no evidence yet")
	}
	for i, recorder := range r.recorders {
		n := slices.IndexFunc(e.Targets, func(t v1alpha1.TargetEvidence) bool { return t.URL == recorder.URL+"/metrics" })
		if n < 0 {
			return pair, fmt.Errorf("%s is no target of %+v", recorder.URL, e.Targets)
		}
		all, err := recorder.expositions()
		if err != nil {
			return pair, err
		}
		// A sample is dated before its request is sent, which then arrives.
		at := func(sample time.Time) int {
			return slices.IndexFunc(all, func(e exposition) bool {
				return !e.begun.Before(sample) && e.begun.Before(sample.Add(interval/2))
			})
		}
		target := e.Targets[n]
		first, last := at(target.FirstSampleTime.Time), at(target.LastSampleTime.Time)
		switch {
		case last < 0:
		case target.FirstSampleTime.Equal(target.StartTime): // all since then counts
			born := slices.IndexFunc(all, func(e exposition) bool { return e.started() == all[last].started() })
			pair[i] = newStretch(append([]exposition{{}}, all[born:last+1]...))
			continue
		case first >= 0 && first < last:
			pair[i] = newStretch(all[first : last+1])
			continue
		}
		return pair, fmt.Errorf("no answers of %s and %s", target.FirstSampleTime, target.LastSampleTime)
	}
	return pair, nil
}
