// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"cmp"
	"math"
	"slices"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// errorTypeNone is error_type of a webhook that answered and refused; all others are
// failures to call it (k8s.io/apiserver pkg/admission/metrics, WebhookNoError).
const errorTypeNone = "no_error"

// webhook as the metrics name it.
type webhook struct{ name, kind string }

// typeOf a webhook; see notes of ObserveWebhook in k8s.io/apiserver
// pkg/admission/metrics: mutating ones are of the type "admit".
func (w webhook) typeOf() string {
	switch w.kind {
	case "admit":
		return v1alpha1.WebhookMutating
	case "validating":
		return v1alpha1.WebhookValidating
	}
	return w.kind
}

// webhooks that were called in the window, the one that took most time first. Those
// without a sum are left out: there is nothing to say of their time.
func webhooks(reading *sources.Reading) []v1alpha1.WebhookTime {
	rejections := webhookCounts(reading.Results[SignalWebhookRejections], func(s sources.Series) bool { return s.Values[2] == errorTypeNone })
	failures := webhookCounts(reading.Results[SignalWebhookRejections], func(s sources.Series) bool { return s.Values[2] != errorTypeNone })
	opened := webhookCounts(reading.Results[SignalWebhookFailOpen], func(sources.Series) bool { return true })
	var called []v1alpha1.WebhookTime
	for _, s := range reading.Results[SignalWebhookTime].Series {
		if len(s.Values) < 2 || !usable(s.Histogram) {
			continue
		}
		calls := s.Histogram.Count()
		all, mean := lost(s.Histogram.Sum, calls)
		if all == nil || whole(calls, calls) == 0 {
			continue
		}
		w := webhook{s.Values[0], s.Values[1]}
		called = append(called, v1alpha1.WebhookTime{
			Name: w.name, Type: w.typeOf(), Calls: whole(calls, calls), Milliseconds: *all, PerCallMilliseconds: *mean,
			Rejections: rejections(w), Failures: failures(w), FailedOpen: opened(w),
		})
	}
	slices.SortFunc(called, func(a, b v1alpha1.WebhookTime) int {
		return cmp.Or(-cmp.Compare(a.Milliseconds, b.Milliseconds), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
	})
	return first(called)
}

// webhookCounts sums the series that count by webhook. Series appear with their first
// use: where there are none of any webhook it is not known whether the family is
// there, and so neither whether one was never counted.
func webhookCounts(result sources.Result, counts func(sources.Series) bool) func(webhook) *int64 {
	sums := map[webhook]float64{}
	for _, s := range result.Series {
		if len(s.Values) >= 2 && s.Increase >= 0 && s.Increase <= maxWhole && counts(s) {
			sums[webhook{s.Values[0], s.Values[1]}] += s.Increase
		}
	}
	return func(w webhook) *int64 {
		if len(result.Series) == 0 {
			return nil
		}
		n := int64(math.Round(sums[w]))
		return &n
	}
}
