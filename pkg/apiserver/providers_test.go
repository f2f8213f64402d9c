// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evaluation"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

// fakeCluster has one priority level, or says why it has none.
type fakeCluster struct{ err error }

func (f fakeCluster) Classes() (*slo.Resources, error) { return slo.NewResources(nil, nil), nil }

func (f fakeCluster) Objects() ([]*flowcontrolv1.PriorityLevelConfiguration, []*flowcontrolv1.FlowSchema, error) {
	if f.err != nil {
		return nil, nil, f.err
	}
	return []*flowcontrolv1.PriorityLevelConfiguration{{ObjectMeta: metav1.ObjectMeta{Name: "exempt"}}}, nil, nil
}

func (f fakeCluster) Read(context.Context, time.Time, time.Duration) (*sources.Reading, error) {
	return nil, errors.New("connection refused")
}

func newEvaluator(t *testing.T, cluster fakeCluster) *evaluation.Evaluator {
	t.Helper()
	objectives, err := slo.Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	e, err := evaluation.New(evaluation.Config{
		Source: cluster, Resources: cluster, FlowControl: cluster, Objectives: objectives, Window: DefaultWindow,
		Interval: time.Minute, Timeout: time.Second, MaxAge: time.Minute, Clock: testclock.NewFakeClock(time.Unix(1e9, 0)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestBothKindsAreOfOneEvaluation(t *testing.T) {
	e := newEvaluator(t, fakeCluster{})
	reportsOf, headroomsOf := provider[v1alpha1.SLOReport]{e, reports}, provider[v1alpha1.APFHeadroom]{e, headrooms}
	r, err := reportsOf.Latest(t.Context())
	if err != nil || len(r.Items) == 0 || r.ResourceVersion == 0 {
		t.Fatalf("reports: %+v, %v", r, err)
	}
	h, err := headroomsOf.Next(t.Context(), r.ResourceVersion-1)
	if err != nil || len(h.Items) != 1 || h.ResourceVersion != r.ResourceVersion {
		t.Fatalf("headrooms: %+v, %v, want those of version %d", h, err, r.ResourceVersion)
	}
}

// Which priority levels there are is not known: that is an error, no empty list.
func TestHeadroomsWithoutPriorityLevels(t *testing.T) {
	problem := errors.New("forbidden")
	e := newEvaluator(t, fakeCluster{err: problem})
	h := provider[v1alpha1.APFHeadroom]{e, headrooms}
	if snapshot, err := h.Latest(t.Context()); !errors.Is(err, problem) {
		t.Errorf("Latest = %+v, %v", snapshot, err)
	}
	if snapshot, err := h.Next(t.Context(), 0); !errors.Is(err, problem) {
		t.Errorf("Next = %+v, %v", snapshot, err)
	}
	r := provider[v1alpha1.SLOReport]{e, reports}
	if snapshot, err := r.Latest(t.Context()); err != nil || len(snapshot.Items) == 0 {
		t.Errorf("reports need no priority levels: %+v, %v", snapshot, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Next(ended, 1<<62); !errors.Is(err, context.Canceled) {
		t.Errorf("Next after the end: %v", err)
	}
}
