// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/objectives"
	"example.io/slo-apiserver/pkg/sources"
)

// Names of the official objectives.
const (
	APILatencyMutating          = "api-latency-mutating"
	APILatencyReadOnlyCluster   = "api-latency-readonly-cluster"
	APILatencyReadOnlyNamespace = "api-latency-readonly-namespace"
	APILatencyReadOnlyResource  = "api-latency-readonly-resource"
	PodStartupLatency           = "pod-startup-latency"
)

// Bounds of the window. Below a minute, the usual interval between evaluations
// and between scrapes, a window holds less than two samples. Above a day it would
// be longer than the day it is a minute of.
const (
	minimumWindow = time.Minute
	maximumWindow = 24 * time.Hour
)

// Definitions are what is evaluated, and what has to be read for it. They are a
// value; nobody changes their slices.
type Definitions struct {
	// Objectives are sorted by name.
	Objectives []Objective
	// Signals that they read, and those that tell what they leave out.
	Signals []sources.Signal
}

// Define returns the objectives of a catalog, with this window and this number of
// requests below which traffic is called low where the catalog says no other. The
// window has to be of whole seconds, from one minute to one day; minimumRequests
// may be zero.
func Define(catalog *objectives.Catalog, window time.Duration, minimumRequests int64) (Definitions, error) {
	if window < minimumWindow || window > maximumWindow || window%time.Second != 0 {
		return Definitions{}, fmt.Errorf("window %s: must be whole seconds from %s to %s; the official window is %s",
			window, span(minimumWindow), span(maximumWindow), span(DefaultWindow))
	}
	if minimumRequests < 0 {
		return Definitions{}, fmt.Errorf("minimum requests %d: must not be negative; 0 never calls traffic low, the default is %d",
			minimumRequests, DefaultMinimumRequests)
	}
	var d Definitions
	for _, signal := range catalog.Signals {
		d.Signals = append(d.Signals, signal.Signal)
	}
	for _, own := range SignalsBeside() {
		if slices.ContainsFunc(d.Signals, func(s sources.Signal) bool { return s.Name == own.Name }) {
			return Definitions{}, fmt.Errorf("signal %s: the name is in use for a signal that is built in", own.Name)
		}
		d.Signals = append(d.Signals, own)
	}
	for _, defined := range catalog.Objectives {
		i := slices.IndexFunc(catalog.Signals, func(s objectives.Signal) bool { return s.Name == defined.Signal })
		if i < 0 {
			return Definitions{}, fmt.Errorf("objective %s: reads the signal %s, which is not in the catalog", defined.Name, defined.Signal)
		}
		o := objectiveOf(defined, catalog.Signals[i])
		o.Window = window
		if o.MinimumRequests = minimumRequests; defined.MinimumRequests != nil {
			o.MinimumRequests = *defined.MinimumRequests
		}
		d.Objectives = append(d.Objectives, o)
	}
	return d, nil
}

// SignalsBeside are those that are read with the signals of any objectives: they tell
// what objectives leave out, and what they are made from.
func SignalsBeside() []sources.Signal {
	return append(overheadSignals(), circumstanceSignals()...)
}

func objectiveOf(o objectives.Objective, signal objectives.Signal) Objective {
	return Objective{
		Name:           o.Name,
		Description:    o.Description,
		Component:      signal.Component,
		Official:       o.Official,
		Informational:  o.Informational,
		Type:           v1alpha1.IndicatorType(o.Type),
		Signal:         o.Signal,
		Reads:          signal.Signal,
		ownSignal:      !signal.BuiltIn,
		Verbs:          o.Verbs,
		Scope:          o.Scope,
		Key:            o.Key,
		Exclude:        o.Exclude,
		Events:         o.Events,
		EvenShares:     o.EvenShares,
		Percentile:     o.Percentile,
		Threshold:      o.Threshold,
		Good:           o.Good,
		Bad:            o.Bad,
		GoodMillionths: o.GoodRatio,
		DayGoodPercent: o.GoodMinutesPercent,
	}
}

// builtIn is the catalog that is built in, decoded and checked once. It is cloned for
// whoever defines something by it.
var builtIn = sync.OnceValues(objectives.BuiltIn)

// DefaultDefinitions returns the objectives that are built in, without any profile: see Define.
func DefaultDefinitions(window time.Duration, minimumRequests int64) (Definitions, error) {
	catalog, err := builtIn()
	if err != nil {
		return Definitions{}, err
	}
	return Define(catalog.Clone(), window, minimumRequests)
}

// Catalog returns the objectives that are built in, sorted by name: see Define.
func Catalog(window time.Duration, minimumRequests int64) ([]Objective, error) {
	d, err := DefaultDefinitions(window, minimumRequests)
	return d.Objectives, err
}
