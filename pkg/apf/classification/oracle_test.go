// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package classification

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/server/mux"
	"k8s.io/apiserver/pkg/util/flowcontrol"
	fcrequest "k8s.io/apiserver/pkg/util/flowcontrol/request"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// serverConcurrency of the oracle, in seats: that of a kube-apiserver by default.
const serverConcurrency = 600

// oracle is the controller of the kube-apiserver itself, on a cluster that has
// nothing but these objects.
type oracle struct {
	controller flowcontrol.Interface
	debug      *mux.PathRecorderMux
}

// newOracle returns once the controller uses the objects. There is no telling but
// by what it classifies: so a probe is among them.
func newOracle(t *testing.T, levels []*flowcontrolv1.PriorityLevelConfiguration, schemas []*flowcontrolv1.FlowSchema) *oracle {
	t.Helper()
	objects := []runtime.Object{}
	for _, l := range levels {
		objects = append(objects, l)
	}
	for _, s := range schemas {
		objects = append(objects, s)
	}
	objects = append(objects, probe(), newLimited("probe", nil))
	ctx, cancel := context.WithCancel(t.Context())
	client := fake.NewClientset(objects...)
	factory := informers.NewSharedInformerFactory(client, 0)
	o := &oracle{flowcontrol.New(factory, client.FlowcontrolV1(), serverConcurrency), mux.NewPathRecorderMux("oracle")}
	o.controller.Install(o.debug)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := o.controller.Run(ctx.Done()); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	info := &request.RequestInfo{Path: "/probe", Verb: "get"}
	for range 5000 {
		if fs, _, _ := o.classify(&user.DefaultInfo{Name: "probe"}, info); fs == "probe" {
			return o
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the oracle did not take the objects")
	return nil
}

// probe comes first, and matches a user that no test has. The controller takes all
// objects of its caches at once, so when it has this one it has the others.
func probe() *flowcontrolv1.FlowSchema {
	return &flowcontrolv1.FlowSchema{
		ObjectMeta: metav1.ObjectMeta{Name: "probe"},
		Spec: flowcontrolv1.FlowSchemaSpec{
			PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: "probe"},
			MatchingPrecedence:         0,
			Rules: []flowcontrolv1.PolicyRulesWithSubjects{{
				Subjects:         []flowcontrolv1.Subject{{Kind: flowcontrolv1.SubjectKindUser, User: &flowcontrolv1.UserSubject{Name: "probe"}}},
				NonResourceRules: []flowcontrolv1.NonResourcePolicyRule{{Verbs: []string{"*"}, NonResourceURLs: []string{"*"}}},
			}},
		},
	}
}

// classify asks the controller without executing anything: the request's context
// is over before it could wait.
func (o *oracle) classify(caller user.Info, info *request.RequestInfo) (flowSchema, level, distinguisher string) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o.controller.Handle(ctx, flowcontrol.RequestDigest{RequestInfo: info, User: caller},
		func(fs *flowcontrolv1.FlowSchema, pl *flowcontrolv1.PriorityLevelConfiguration, flow string) {
			flowSchema, level, distinguisher = fs.Name, pl.Name, flow
		},
		func() fcrequest.WorkEstimate { return fcrequest.WorkEstimate{InitialSeats: 1} },
		func(bool) {}, func() {})
	return flowSchema, level, distinguisher
}

// queue executes a request of a flow until the test ends, and returns the queue it
// was in, from the controller's own account of executing requests.
func (o *oracle) queue(t *testing.T, caller user.Info, info *request.RequestInfo) string {
	t.Helper()
	executing, done := make(chan struct{}), make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		o.controller.Handle(context.Background(), flowcontrol.RequestDigest{RequestInfo: info, User: caller},
			func(*flowcontrolv1.FlowSchema, *flowcontrolv1.PriorityLevelConfiguration, string) {},
			func() fcrequest.WorkEstimate { return fcrequest.WorkEstimate{InitialSeats: 1} },
			func(bool) {}, func() { close(executing); <-done })
	}()
	defer func() { close(done); <-ended }()
	select {
	case <-executing:
	case <-time.After(10 * time.Second):
		t.Fatal("the oracle did not execute the request")
	}
	answer := httptest.NewRecorder()
	o.debug.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/debug/api_priority_and_fairness/dump_requests", nil))
	lines := strings.Split(strings.TrimSpace(answer.Body.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("want one request in\n%s", answer.Body)
	}
	return strings.TrimSpace(strings.Split(lines[1], ",")[2])
}

// compare holds an answer against the oracle's.
func (o *oracle) compare(t *testing.T, c *Configuration, caller user.Info, r *slo.ClassifiedRequest) *slo.APFClassificationStatus {
	t.Helper()
	got, err := c.Classify(t.Context(), caller, r, noHeadrooms)
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	if got.Treatment == slo.TreatmentLongRunning {
		return got
	}
	_, info, err := newRequest(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	fs, level, distinguisher := o.classify(caller, info)
	flow := ""
	if got.Flow != nil {
		flow = got.Flow.Distinguisher
	}
	if got.FlowSchema.Name != fs || got.PriorityLevel.Name != level || flow != distinguisher {
		t.Errorf("%s of %v: %s, %s, %q; the kube-apiserver says %s, %s, %q", describe(info), caller, got.FlowSchema.Name, got.PriorityLevel.Name, flow, fs, level, distinguisher)
	}
	return got
}

// compareQueue holds the hand of queues against the queue that the oracle takes.
func (o *oracle) compareQueue(t *testing.T, caller user.Info, r *slo.ClassifiedRequest, got *slo.APFClassificationStatus) {
	t.Helper()
	if got.Treatment != slo.TreatmentQueue {
		return
	}
	_, info, err := newRequest(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	queue := o.queue(t, caller, info)
	if !slices.ContainsFunc(got.Queue.Hand, func(i int32) bool { return fmt.Sprint(i) == queue }) {
		t.Errorf("%s of %v: hand %v of %s; the kube-apiserver takes queue %s", describe(info), caller, got.Queue.Hand, got.FlowSchema.Name, queue)
	}
}

func noHeadrooms(string) (*slo.APFHeadroom, error) { return nil, errNoHeadroom }

func describe(info *request.RequestInfo) string {
	return fmt.Sprintf("%s %s", info.Verb, info.Path)
}
