// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"strings"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
)

func TestFlowControlSaysWhenItKnowsNothing(t *testing.T) {
	client := fake.NewClientset(
		&flowcontrolv1.PriorityLevelConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "workload-low"}},
		&flowcontrolv1.FlowSchema{ObjectMeta: metav1.ObjectMeta{Name: "service-accounts"}},
	)
	factory := informers.NewSharedInformerFactory(client, 0)
	f := NewFlowControl(factory.Flowcontrol().V1())
	if levels, schemas, err := f.Objects(); err == nil || !strings.Contains(err.Error(), "have not been read yet") {
		t.Errorf("before the informers started: %v, %v, %v", levels, schemas, err)
	}
	factory.Start(t.Context().Done())
	t.Cleanup(factory.Shutdown)
	factory.WaitForCacheSync(t.Context().Done())
	levels, schemas, err := f.Objects()
	if err != nil || len(levels) != 1 || levels[0].Name != "workload-low" || len(schemas) != 1 || schemas[0].Name != "service-accounts" {
		t.Errorf("got %v, %v, %v", levels, schemas, err)
	}
}
