// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apiserver/pkg/authentication/user"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

var aRequest = &v1alpha1.ClassifiedRequest{NonResourceAttributes: &v1alpha1.ClassifiedPath{Verb: "get", Path: "/version"}}

// The cluster has the level exempt and no other: its headroom is known, and that
// of catch-all, which the kube-apiserver imagines, is not.
func TestReviewsAreAnsweredOutOfTheEvaluation(t *testing.T) {
	c := classifier{fakeCluster{}, newEvaluator(t, fakeCluster{})}
	exempt, err := c.ClassifyUser(t.Context(), "admin", []string{"system:masters"}, aRequest)
	if err != nil {
		t.Fatal(err)
	}
	if exempt.Treatment != v1alpha1.TreatmentExempt || exempt.Headroom == nil || exempt.HeadroomProblem != "" {
		t.Errorf("%+v", exempt)
	}
	rejected, err := c.ClassifyUser(t.Context(), "alice", nil, aRequest)
	if err != nil {
		t.Fatal(err)
	}
	if rejected.Treatment != v1alpha1.TreatmentReject || rejected.Headroom != nil || !strings.Contains(rejected.HeadroomProblem, "no APFHeadroom of catch-all") {
		t.Errorf("%+v", rejected)
	}
}

// Nothing is added to what authentication says of a caller.
func TestCallersAreTakenAsTheyAre(t *testing.T) {
	c := classifier{fakeCluster{}, newEvaluator(t, fakeCluster{})}
	groups := []string{"dev"}
	got, err := c.ClassifyCaller(t.Context(), &user.DefaultInfo{Name: "alice", Groups: groups}, aRequest)
	if err != nil || got.User.Name != "alice" || !slices.Equal(got.User.Groups, groups) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReviewsWithoutConfiguration(t *testing.T) {
	problem := errors.New("forbidden")
	c := classifier{fakeCluster{err: problem}, newEvaluator(t, fakeCluster{err: problem})}
	if got, err := c.ClassifyUser(t.Context(), "alice", nil, aRequest); !errors.Is(err, problem) {
		t.Errorf("%+v, %v", got, err)
	}
	// The objects have come since, the evaluation is of before.
	c.flowControl = fakeCluster{}
	if got, err := c.ClassifyUser(t.Context(), "alice", nil, aRequest); err != nil || got.Headroom != nil || !strings.Contains(got.HeadroomProblem, problem.Error()) {
		t.Errorf("%+v, %v", got, err)
	}
}
