// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
)

const flowControlGroup = "flowcontrol.apiserver.k8s.io"

// versions are those that a cluster serves at the time.
type versions struct {
	discovery.ServerResourcesInterfaceWithContext
	mu     sync.Mutex
	served []string
	err    error
	asked  int
}

// awaitLook waits until they have been asked for again, to the end of a look.
func (v *versions) awaitLook(t *testing.T) {
	t.Helper()
	count := func() int {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.asked
	}
	before := count()
	for deadline := time.Now().Add(20 * time.Second); count() < before+2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody looks for versions")
		}
	}
}

func (v *versions) set(err error, served ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.served, v.err = served, err
}

func (v *versions) ServerResourcesForGroupVersionWithContext(_ context.Context, gv string) (*metav1.APIResourceList, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	if v.err != nil {
		return nil, v.err
	}
	for _, version := range v.served {
		if gv == flowControlGroup+"/"+version {
			return list(gv, "flowschemas: list watch", "flowschemas/status: get", "prioritylevelconfigurations: list watch"), nil
		}
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{}, gv)
}

// flowControlClient has a level and a flow schema in every version, whose names tell it.
func flowControlClient() *dynamicfake.FakeDynamicClient {
	kinds := map[schema.GroupVersionResource]string{}
	var objects []runtime.Object
	for _, version := range flowControlVersions {
		gv := schema.GroupVersion{Group: flowControlGroup, Version: version}
		for resource, kind := range map[string]string{PriorityLevels: "PriorityLevelConfiguration", FlowSchemas: "FlowSchema"} {
			kinds[gv.WithResource(resource)] = kind + "List"
			objects = append(objects, &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": gv.String(), "kind": kind, "metadata": map[string]any{"name": "of-" + version},
			}})
		}
	}
	return dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, objects...)
}

// run reads until the test ends.
func run(t *testing.T, f *FlowControl) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); f.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
}

// waitFor the name of the only level and flow schema, or for a part of an error.
func waitFor(t *testing.T, f *FlowControl, want string) {
	t.Helper()
	var got string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		levels, schemas, err := f.Objects()
		switch {
		case err != nil:
			got = err.Error()
		case len(levels) == 1 && len(schemas) == 1 && levels[0].Name == schemas[0].Name:
			got = levels[0].Name
		default:
			t.Fatalf("levels %v and flow schemas %v", levels, schemas)
		}
		if strings.Contains(got, want) {
			return
		}
	}
	t.Fatalf("got %s, want %s", got, want)
}

const noVersion = "serves flowcontrol.apiserver.k8s.io in none of the versions v1, v1beta3, v1beta2"

func TestBestVersionIsRead(t *testing.T) {
	for want, served := range map[string][]string{
		"of-v1":      {"v1beta3", "v1"}, // 1.29 to 1.31
		"of-v1beta3": {"v1beta1", "v1beta2", "v1beta3"},
		"of-v1beta2": {"v1beta1", "v1beta2"},
		noVersion:    {"v1beta1"},
	} {
		v := &versions{}
		v.set(nil, served...)
		f := NewFlowControl(v, flowControlClient(), time.Minute)
		if levels, schemas, err := f.Objects(); !errors.Is(err, errNotAskedYet) || levels != nil || schemas != nil {
			t.Errorf("before Run: %v, %v, %v", levels, schemas, err)
		}
		for _, resource := range []string{PriorityLevels, FlowSchemas} {
			if f.Synced(resource)() {
				t.Errorf("%s are read before Run", resource)
			}
		}
		run(t, f)
		waitFor(t, f, want)
		for _, resource := range []string{PriorityLevels, FlowSchemas} {
			if !f.Synced(resource)() {
				t.Errorf("%s: %s are still waited for", want, resource)
			}
		}
	}
}

// An upgrade of the control plane, step by step, and flow control switched off and on.
func TestVersionsComeAndGo(t *testing.T) {
	v := &versions{}
	v.set(nil, "v1beta2")
	f := NewFlowControl(v, flowControlClient(), 300*time.Millisecond)
	run(t, f)
	waitFor(t, f, "of-v1beta2")
	v.set(nil, "v1beta2", "v1beta3")
	waitFor(t, f, "of-v1beta3")
	v.set(nil, "v1")
	waitFor(t, f, "of-v1")
	v.set(nil)
	waitFor(t, f, noVersion)
	v.set(nil, "v1beta3")
	waitFor(t, f, "of-v1beta3")
}

// A watch that fails is a reason to look at once: the version may have gone.
func TestTroubleIsAReasonToLook(t *testing.T) {
	v := &versions{}
	v.set(nil, "v1beta3")
	client := flowControlClient()
	began, gone := make(chan struct{}, 2), make(chan struct{})
	client.PrependWatchReactor("*", func(action clienttesting.Action) (bool, watch.Interface, error) {
		if action.GetResource().Version != "v1beta3" {
			return false, nil, nil
		}
		began <- struct{}{}
		<-gone
		return true, nil, apierrors.NewNotFound(schema.GroupResource{Resource: action.GetResource().Resource}, "")
	})
	f := NewFlowControl(v, client, time.Hour)
	run(t, f)
	<-began
	v.set(nil, "v1")
	close(gone)
	waitFor(t, f, "of-v1")
}

// While discovery fails, what is known stays; without anything known it is the reason.
func TestObjectsOutliveTrouble(t *testing.T) {
	v, refused := &versions{}, errors.New("connection refused")
	v.set(refused)
	f := NewFlowControl(v, flowControlClient(), 10*time.Millisecond)
	f.look(t.Context())
	if _, _, err := f.Objects(); !errors.Is(err, refused) || !strings.Contains(err.Error(), "discover flowcontrol.apiserver.k8s.io/v1: ") {
		t.Errorf("got %v, want what discovery said", err)
	}
	if f.Synced(PriorityLevels)() {
		t.Error("nothing is waited for, and nothing is known")
	}
	v.set(nil, "v1")
	run(t, f)
	waitFor(t, f, "of-v1")
	v.set(refused)
	v.awaitLook(t)
	waitFor(t, f, "of-v1")
}

// A better version that can not be read does not replace one that can.
func TestWorseVersionStaysUntilTheBetterIsRead(t *testing.T) {
	v, client := &versions{}, flowControlClient()
	v.set(nil, "v1beta3")
	var mu sync.Mutex
	refuse, refused := true, make(chan struct{}, 100)
	client.PrependReactor("list", FlowSchemas, func(action clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		if !refuse || action.GetResource().Version != "v1" {
			return false, nil, nil
		}
		select {
		case refused <- struct{}{}:
		default:
		}
		return true, nil, errors.New("forbidden")
	})
	f := NewFlowControl(v, client, 200*time.Millisecond)
	run(t, f)
	waitFor(t, f, "of-v1beta3")
	v.set(nil, "v1")
	<-refused
	<-refused
	waitFor(t, f, "of-v1beta3")
	mu.Lock()
	refuse = false
	mu.Unlock()
	waitFor(t, f, "of-v1")
}

// A version that lacks one of the resources is no use.
func TestHalfAVersion(t *testing.T) {
	if hasBoth(list("g/v", "flowschemas: list")) || hasBoth(list("g/v")) || hasBoth(list("g/v", "prioritylevelconfigurations: list")) {
		t.Error("half a version was taken for a whole")
	}
}

// The objects that have not been read are named, usually for want of a right.
func TestNotReadYet(t *testing.T) {
	v, client := &versions{}, flowControlClient()
	v.set(nil, "v1")
	client.PrependReactor("list", FlowSchemas, func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("forbidden")
	})
	f := NewFlowControl(v, client, time.Minute)
	run(t, f)
	waitFor(t, f, "of flowcontrol.apiserver.k8s.io/v1 have not been read yet")
	for deadline := time.Now().Add(20 * time.Second); !f.Synced(PriorityLevels)(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the levels could be read, and were not")
		}
	}
	if f.Synced(FlowSchemas)() {
		t.Error("flow schemas could not be read")
	}
}
