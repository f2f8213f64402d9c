// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/klog/v2"
)

// Resources of API Priority & Fairness.
const (
	PriorityLevels = "prioritylevelconfigurations"
	FlowSchemas    = "flowschemas"
)

// flowControlVersions are those that can be read, the best first: v1 is served from
// 1.29 on, v1beta3 from 1.26 to 1.31, v1beta2 from 1.23 to 1.28
// (k8s.io/api/flowcontrol, zz_generated.prerelease-lifecycle.go). All of one cluster
// show the same objects.
var flowControlVersions = []string{"v1", "v1beta3", "v1beta2"}

var errNotAskedYet = errors.New("the versions of " + flowcontrolv1.GroupName + " have not been discovered yet")

// FlowControl keeps the configuration of API Priority & Fairness, read in the best
// version that the cluster serves now. An upgrade of the control plane may take
// the one away that is being read.
type FlowControl struct {
	discovery discovery.ServerResourcesInterfaceWithContext
	dynamic   dynamic.Interface
	interval  time.Duration
	// trouble of an informer is a reason to look at the versions at once.
	trouble chan struct{}

	mu sync.RWMutex
	// current is nil until a version is found, and when none is served any more.
	current *flowControlObjects
	// err is why there is no current version.
	err error
}

// NewFlowControl looks for the version again every interval, and when a list or a
// watch fails. One look is one discovery request, or one for each version that is
// not there.
func NewFlowControl(d discovery.ServerResourcesInterfaceWithContext, dyn dynamic.Interface, interval time.Duration) *FlowControl {
	return &FlowControl{
		discovery: d, dynamic: dyn, interval: interval,
		trouble: make(chan struct{}, 1), err: errNotAskedYet,
	}
}

// Objects returns all priority levels and flow schemas, or why they are not known.
// They belong to a cache and may not be changed.
func (f *FlowControl) Objects() ([]*flowcontrolv1.PriorityLevelConfiguration, []*flowcontrolv1.FlowSchema, error) {
	current, err := f.inForce()
	if current == nil {
		return nil, nil, err
	}
	return current.list()
}

// Synced tells of one of the two resources whether there is nothing to wait for: it
// has been read, or no version of it is served.
func (f *FlowControl) Synced(resource string) func() bool {
	return func() bool {
		current, err := f.inForce()
		if current == nil {
			var notServed *notServedError
			return errors.As(err, &notServed)
		}
		return current.informers[resource].HasSynced()
	}
}

func (f *FlowControl) inForce() (*flowControlObjects, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.current, f.err
}

// Run reads until ctx ends.
func (f *FlowControl) Run(ctx context.Context) {
	defer func() {
		if current, _ := f.inForce(); current != nil {
			current.stop()
		}
	}()
	for ctx.Err() == nil {
		f.look(ctx)
		timer := time.NewTimer(f.pause())
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-f.trouble:
		}
		timer.Stop()
	}
}

// pause until the next look.
func (f *FlowControl) pause() time.Duration {
	if current, _ := f.inForce(); current == nil {
		return min(firstRetry, f.interval)
	}
	return f.interval
}

// look for the best version, and change over to it.
func (f *FlowControl) look(ctx context.Context) {
	version, err := f.served(ctx)
	var notServed *notServedError
	current, before := f.inForce()
	switch {
	case ctx.Err() != nil:
		return // stopping is nobody's fault
	case errors.As(err, &notServed):
		if current != nil || !errors.As(before, &notServed) {
			klog.FromContext(ctx).Info("There will be no APFHeadrooms", "reason", err.Error())
		}
		f.replace(nil, err)
	case err != nil && current == nil:
		f.replace(nil, err) // served as the reason
	case err != nil:
		// What is known stays in force, so this is the only report.
		klog.FromContext(ctx).Error(err, "Could not look for the versions of the flow control API")
	case current == nil || current.version != version:
		f.change(ctx, current, version)
	}
}

// change over to a version, but not before it has been read, as long as there is
// anything to serve from another one.
func (f *FlowControl) change(ctx context.Context, current *flowControlObjects, version string) {
	next := readFlowControl(ctx, f.dynamic, version, f.trouble)
	if current != nil && current.hasSynced() && !next.waitForSync(ctx, f.interval) {
		next.stop()
		if ctx.Err() == nil {
			klog.FromContext(ctx).Info("Could not read a better version of the flow control API yet", "version", version, "inForce", current.version)
		}
		return
	}
	klog.FromContext(ctx).Info("Reading the configuration of API Priority & Fairness", "group", flowcontrolv1.GroupName, "version", version)
	f.replace(next, nil)
}

func (f *FlowControl) replace(next *flowControlObjects, err error) {
	f.mu.Lock()
	last := f.current
	f.current, f.err = next, err
	f.mu.Unlock()
	if last != nil {
		last.stop()
	}
}

// notServedError is the answer of a cluster that is well, and has no flow control API.
type notServedError struct{}

func (*notServedError) Error() string {
	return fmt.Sprintf("the cluster serves %s in none of the versions %s: API Priority & Fairness is off, or its API is withheld",
		flowcontrolv1.GroupName, strings.Join(flowControlVersions, ", "))
}

// served returns the best version that the cluster serves.
func (f *FlowControl) served(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, f.interval)
	defer cancel()
	for _, version := range flowControlVersions {
		gv := schema.GroupVersion{Group: flowcontrolv1.GroupName, Version: version}
		list, err := f.discovery.ServerResourcesForGroupVersionWithContext(ctx, gv.String())
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return "", fmt.Errorf("discover %s: %w", gv, err)
		case hasBoth(list):
			return version, nil
		}
	}
	return "", &notServedError{}
}
