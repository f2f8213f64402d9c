// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// TestWidth compares the width of a LIST with the kube-apiserver's own estimate. A
// kube-apiserver counts its objects once in a minute or two: the ConfigMaps of loads
// before are known by now.
func TestWidth(t *testing.T) {
	const name = "e2e-width"
	fs := &flowcontrolv1.FlowSchema{ObjectMeta: metav1.ObjectMeta{Name: name}}
	fs.Spec.PriorityLevelConfiguration.Name, fs.Spec.MatchingPrecedence = "workload-low", 2
	fs.Spec.Rules = []flowcontrolv1.PolicyRulesWithSubjects{{
		Subjects:      []flowcontrolv1.Subject{{Kind: "User", User: &flowcontrolv1.UserSubject{Name: name}}},
		ResourceRules: []flowcontrolv1.ResourcePolicyRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}, ClusterScope: true, Namespaces: []string{"*"}}},
	}}
	createSchema(t, fs)
	namespace := manyConfigMaps(t, 60, 20_000)
	small, err := clientcmd.BuildConfigFromFlags("", lab.state.AdminSmallKubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	var counts *v1alpha1.ClassifiedCounts
	eventually(t, 4*time.Minute, "the kube-apiserver has counted the ConfigMaps", func() (err error) {
		counts, err = storedConfigMaps(t, lab.state.APIServers[0])
		if err == nil && *counts.StoredObjects < 60 {
			err = fmt.Errorf("%d stored", *counts.StoredObjects)
		}
		return err
	})
	for _, options := range []*v1alpha1.ClassifiedListOptions{
		nil,
		{Limit: 10},
		{ResourceVersion: "0"},
		{FieldSelector: "metadata.name=absent"},
		{LabelSelector: "a=b", Limit: 30, ResourceVersion: "1"}, // exact, and so from etcd
	} {
		asked := request{user: name, verb: "list", resource: "configmaps", namespace: namespace, options: options}
		vague := asked.ask(t).Width.InitialSeats
		asked.counts = counts
		width := asked.ask(t).Width
		// The small kube-apiserver has so few seats that it counts every request as one.
		big, small := measuredSeats(t, lab.config, lab.state.APIServers[0], asked), measuredSeats(t, small, lab.state.APIServers[1], asked)
		t.Logf("%+v of %d objects of %d bytes: %v and %v seats, estimated %+v, without counts %+v",
			options, *counts.StoredObjects, *counts.AverageObjectBytes, small, big, width.InitialSeats, vague)
		if float64(width.InitialSeats.AtLeast) != small || float64(width.InitialSeats.AtMost) != big || len(width.Unknown) != 0 {
			t.Errorf("%+v: %v and %v seats, estimated %+v", options, small, big, width)
		}
		if vague.AtLeast > width.InitialSeats.AtLeast || vague.AtMost < width.InitialSeats.AtMost {
			t.Errorf("%+v: %+v without counts", options, vague)
		}
	}
}
