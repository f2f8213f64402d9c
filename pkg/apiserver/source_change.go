// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

// Reasons of the condition Met for objectives whose signal is not read.
const (
	// reasonSignalPending: the source reads it since a short time only.
	reasonSignalPending = "SignalPending"
	// reasonComponentNotRead: no source of this server reads the component.
	reasonComponentNotRead = "ComponentNotRead"
)

// readComponents are those that both sources read.
func readComponents() []sources.Component {
	return []sources.Component{sources.KubeAPIServer, sources.Kubelet}
}

// readable are the signals of definitions that a source can read, with those of API
// Priority & Fairness.
func readable(d slo.Definitions) []sources.Signal {
	own := slices.DeleteFunc(slices.Clone(d.Signals), func(s sources.Signal) bool {
		return !slices.Contains(readComponents(), s.Component)
	})
	return slices.Concat(own, apf.Signals())
}

// includes says that every wanted signal is among those that are read, as it is
// declared: its name alone says nothing.
func includes(read, wanted []sources.Signal) bool {
	return len(lacking(read, wanted)) == 0
}

func lacking(read, wanted []sources.Signal) []sources.Signal {
	return slices.DeleteFunc(slices.Clone(wanted), func(s sources.Signal) bool {
		return slices.ContainsFunc(read, func(r sources.Signal) bool { return reflect.DeepEqual(r, s) })
	})
}

// unread says of each signal that a source does not read why it does not. Since is
// when a source that does began, and full when that one covers a window.
func unread(d slo.Definitions, read []sources.Signal, since, full time.Time) map[string]slo.Unread {
	why := map[string]slo.Unread{}
	for _, s := range lacking(read, d.Signals) {
		if !slices.Contains(readComponents(), s.Component) {
			why[s.Name] = slo.Unread{Reason: reasonComponentNotRead, Message: fmt.Sprintf(
				"%s comes from %s, which this server does not read; it reads kube-apiservers and kubelets", strings.Join(s.Metrics, " or "), s.Component)}
			continue
		}
		why[s.Name] = slo.Unread{Reason: reasonSignalPending, Message: fmt.Sprintf(
			"%s is read since %s, when the objectives were changed; there are figures when that covers a window, at %s or soon after",
			strings.Join(s.Metrics, " or "), since.UTC().Format(time.RFC3339), full.UTC().Format(time.RFC3339))}
	}
	return why
}

// runningSource is a source at work.
type runningSource struct {
	*source
	signals []sources.Signal
	began   time.Time
	stop    context.CancelFunc
	ended   sync.WaitGroup
}

func (r *runningSource) start(ctx context.Context, now time.Time) {
	ctx, r.stop = context.WithCancel(ctx)
	r.began = now
	r.ended.Go(func() { r.run(ctx) })
}

// end the work of a source, if there is one that began.
func (r *runningSource) end() {
	if r == nil || r.stop == nil {
		return
	}
	r.stop()
	r.ended.Wait()
}

// standsFor says that a source tells of the window that ends now as much as the one
// that it is to replace: every instance that covers it there covers it here. After two
// windows it does in any case: what it lacks then, it says.
func (r *runningSource) standsFor(ctx context.Context, old *runningSource, now time.Time, window time.Duration) bool {
	age := now.Sub(r.began)
	if age < window {
		return false
	}
	if age > 2*window {
		return true
	}
	reading, err := r.Read(ctx, now, window)
	if err != nil {
		return false
	}
	before, err := old.Read(ctx, now, window)
	if err != nil {
		return true
	}
	complete := func(i sources.Instance) bool { return i.Complete(now, window, sources.Slack(window)) }
	for _, was := range before.Instances {
		if complete(was) && !slices.ContainsFunc(reading.Instances, func(is sources.Instance) bool {
			return is.Component == was.Component && is.Name == was.Name && complete(is)
		}) {
			return false
		}
	}
	return true
}
