// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// testPages: all pages of a list are of the evaluation that it began in, while newer
// ones come.
func testPages(t *testing.T) {
	first := indicators(t, metav1.ListOptions{Limit: 5})
	eventually(t, 12*interval, "a newer evaluation", func() error {
		if newest := indicators(t, metav1.ListOptions{Limit: 1}); newest.ResourceVersion == first.ResourceVersion {
			return fmt.Errorf("it is still %s", newest.ResourceVersion)
		}
		return nil
	})
	var names []string
	for page := first; ; page = indicators(t, metav1.ListOptions{Limit: 5, Continue: page.Continue}) {
		for _, i := range page.Items {
			names = append(names, i.Name)
			if i.ResourceVersion != first.ResourceVersion || page.ResourceVersion != first.ResourceVersion {
				t.Errorf("%s of %s in a list of %s", i.Name, i.ResourceVersion, first.ResourceVersion)
			}
		}
		left := int64(0)
		if page.RemainingItemCount != nil {
			left = *page.RemainingItemCount
		}
		if want := int64(len(first.Items)) + *first.RemainingItemCount - int64(len(names)); left != want || (page.Continue == "") != (left == 0) || len(page.Items) > 5 {
			t.Fatalf("%d items on a page, %d left, want %d; continue %q", len(page.Items), left, want, page.Continue)
		}
		if page.Continue == "" {
			break
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) || len(names) < 50 {
		t.Errorf("%d names, sorted and each once: %q", len(names), names)
	}
}

// testIndicatorSums: what a report counts is what its indicators count together, by
// the same evaluation.
func testIndicatorSums(t *testing.T) {
	eventually(t, 12*interval, "sums of indicators are figures of reports", func() error {
		reports, err := lab.slo.SloV1alpha1().SLOReports().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		all := indicators(t, metav1.ListOptions{})
		if all.ResourceVersion != reports.ResourceVersion {
			return fmt.Errorf("indicators of %s, reports of %s", all.ResourceVersion, reports.ResourceVersion)
		}
		for i := range reports.Items {
			compareSums(t, &reports.Items[i], all.Items)
		}
		return nil
	})
}

func compareSums(t *testing.T, report *v1alpha1.SLOReport, all []v1alpha1.ServiceLevelIndicator) {
	t.Helper()
	if report.Status.Requests == nil || report.Status.Keys == nil {
		known := func(i v1alpha1.ServiceLevelIndicator) bool {
			return i.Spec.Report == report.Name && i.Status.Requests != nil
		}
		if thresholds[report.Name] != 0 || slices.ContainsFunc(all, known) {
			t.Errorf("%s has no figures: %s", report.Name, describe(report.Status.Conditions))
		}
		return // no pod was started yet
	}
	var requests, slow int64
	var excluded []v1alpha1.ExcludedKeys
	for _, e := range report.Status.Keys.Excluded {
		excluded = append(excluded, v1alpha1.ExcludedKeys{Reason: e.Reason})
	}
	for _, i := range all {
		switch {
		case i.Spec.Report != report.Name || i.Status.Requests == nil:
		case i.Status.Outcome == v1alpha1.OutcomeExcluded:
			of := slices.IndexFunc(excluded, func(e v1alpha1.ExcludedKeys) bool { return string(e.Reason) == i.Status.Reason })
			if of < 0 {
				t.Errorf("%s is excluded for %s, and the report does not know", i.Name, i.Status.Reason)
				continue
			}
			excluded[of].Keys++
			excluded[of].Requests += *i.Status.Requests
		default:
			requests += *i.Status.Requests
			if i.Status.SlowRequests != nil {
				slow += *i.Status.SlowRequests
			}
		}
	}
	if requests != *report.Status.Requests || report.Status.SlowRequests != nil && slow != *report.Status.SlowRequests || !slices.Equal(excluded, report.Status.Keys.Excluded) {
		t.Errorf("%s: %s requests, %s slow, excluded %+v; the indicators have %d, %d and %+v",
			report.Name, figure(report.Status.Requests), figure(report.Status.SlowRequests), report.Status.Keys.Excluded, requests, slow, excluded)
	}
	t.Logf("%s: %d requests, %d slow, excluded %+v", report.Name, requests, slow, excluded)
}

// Viewers read indicators, and others do not.
func testIndicatorRights(t *testing.T) {
	const user = "e2e-indicators"
	bind(t, "slo-apiserver:reader", user)
	eventually(t, 30*time.Second, "a reader lists", func() error {
		_, err := as(t, user).SloV1alpha1().ServiceLevelIndicators().List(t.Context(), metav1.ListOptions{})
		return err
	})
	refused := as(t, "nobody").SloV1alpha1().ServiceLevelIndicators()
	if _, err := refused.List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("list: %v, want 403", err)
	}
	if _, err := refused.Get(t.Context(), busyIndicator, metav1.GetOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("get: %v, want 403", err)
	}
	if _, err := refused.Watch(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("watch: %v, want 403", err)
	}
	if _, err := lab.slo.SloV1alpha1().ServiceLevelIndicators().Get(t.Context(), "no-such-key", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("unknown name: %v, want 404", err)
	}
}
