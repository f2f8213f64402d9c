// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"example.io/slo-apiserver/pkg/sources"
)

// Names as the data model of Prometheus has them.
var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

// Bounds on what a file may have us read.
const (
	mostSignals = 100
	mostMetrics = 10
	mostLabels  = 10
)

const (
	kindHistogram = "Histogram"
	kindCounter   = "Counter"
)

func components() []sources.Component {
	return []sources.Component{sources.KubeAPIServer, sources.Kubelet, KubeProxy, CoreDNS}
}

// indicator is what can be made of the signal.
func (s Signal) indicator() Type {
	if s.Kind == sources.Counter {
		return Ratio
	}
	return Latency
}

func (s Signal) kindName() string {
	if s.Kind == sources.Counter {
		return kindCounter
	}
	return kindHistogram
}

// signalsOf takes over the signals of a file.
func (b *builder) signalsOf(d *document, builtIn bool) {
	if len(d.signals) > mostSignals {
		d.fail(d.lines["signals"], fmt.Sprintf("signals: there are %d; at most %d are taken", len(d.signals), mostSignals))
		return
	}
	for _, entry := range d.signals {
		s := Signal{
			Signal: sources.Signal{
				Name: given(entry.name), Component: sources.Component(given(entry.component)),
				Metrics: entry.metrics, Labels: entry.labels, Match: entry.match, Everywhere: given(entry.everywhere),
				Recorded: sources.Recording{Rate: given(entry.recordedRate), Window: given(entry.recordedWindow)},
			},
			BucketSeconds: entry.bucketSeconds,
			BuiltIn:       builtIn,
		}
		if given(entry.kind) == kindCounter {
			s.Kind = sources.Counter
		}
		errs := s.validate(entry)
		if !builtIn && len(errs) == 0 {
			errs = b.validateBeside(entry.path, s)
		}
		if earlier, there := b.signal(s.Name); there {
			problem := field.Duplicate(entry.path.Child("name"), s.Name)
			if earlier.BuiltIn {
				problem.Detail = "it is built in; choose another name"
			}
			errs = append(errs, problem)
		} else {
			// Also with an error, so that what reads it has not one more.
			b.signals = append(b.signals, s)
		}
		d.report(errs)
	}
}

func (s Signal) validate(e signalEntry) (errs field.ErrorList) {
	if e.name == nil {
		errs = append(errs, field.Required(e.path.Child("name"), "objectives refer to it"))
	} else {
		for _, problem := range validation.IsDNS1123Subdomain(*e.name) {
			errs = append(errs, field.Invalid(e.path.Child("name"), *e.name, problem))
		}
	}
	if !slices.Contains(components(), s.Component) {
		errs = append(errs, field.NotSupported(e.path.Child("component"), s.Component, components()))
	}
	if kind := given(e.kind); kind != kindHistogram && kind != kindCounter {
		errs = append(errs, field.NotSupported(e.path.Child("type"), kind, []string{kindHistogram, kindCounter}))
	}
	errs = append(errs, s.validateMetrics(e.path.Child("metrics"))...)
	errs = append(errs, s.validateLabels(e.path)...)
	errs = append(errs, s.validateRecorded(e.path)...)
	return append(errs, s.validateBuckets(e.path.Child("bucketSeconds"))...)
}

func (s Signal) validateMetrics(path *field.Path) (errs field.ErrorList) {
	if n := len(s.Metrics); n == 0 || n > mostMetrics {
		errs = append(errs, field.Invalid(path, n, fmt.Sprintf("name 1 to %d metric families, the preferred one first", mostMetrics)))
	}
	for i, metric := range s.Metrics {
		at := path.Index(i)
		switch {
		case !metricName.MatchString(metric):
			errs = append(errs, field.Invalid(at, metric, "is no name of a metric"))
		case slices.Contains(s.Metrics[:i], metric):
			errs = append(errs, field.Duplicate(at, metric))
		}
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if s.Kind == sources.Histogram && strings.HasSuffix(metric, suffix) {
				errs = append(errs, field.Invalid(at, metric, fmt.Sprintf("name the histogram without %s", suffix)))
			}
		}
	}
	return errs
}

func (s Signal) validateRecorded(path *field.Path) (errs field.ErrorList) {
	rate, window := path.Child("recordedRate"), path.Child("recordedWindow")
	switch {
	case s.Recorded == (sources.Recording{}):
		return nil
	case s.Kind != sources.Histogram:
		errs = append(errs, field.Forbidden(rate, "only rates of the buckets of a histogram are read"))
	case !metricName.MatchString(s.Recorded.Rate):
		errs = append(errs, field.Invalid(rate, s.Recorded.Rate, "name the recording rule that keeps the rate of the buckets with all of their labels"))
	case slices.Contains(s.Metrics, s.Recorded.Rate):
		errs = append(errs, field.Duplicate(rate, s.Recorded.Rate))
	}
	if s.Recorded.Window < time.Second {
		errs = append(errs, field.Invalid(window, s.Recorded.Window.String(), "give the window of the rate, such as 5m: only evaluations over the same window read it"))
	}
	return errs
}

// reservedLabels mean something to Prometheus or to a histogram.
var reservedLabels = []string{"__name__", "instance", "job", "le", "quantile"}

func (s Signal) validateLabels(path *field.Path) (errs field.ErrorList) {
	check := func(at *field.Path, label string) {
		switch {
		case !labelName.MatchString(label):
			errs = append(errs, field.Invalid(at, label, "is no name of a label"))
		case slices.Contains(reservedLabels, label):
			errs = append(errs, field.Invalid(at, label, "is not one of the labels that the component gives"))
		}
	}
	if n := len(s.Labels); n > mostLabels {
		errs = append(errs, field.TooMany(path.Child("labels"), n, mostLabels))
	}
	for i, label := range s.Labels {
		at := path.Child("labels").Index(i)
		check(at, label)
		if slices.Contains(s.Labels[:i], label) {
			errs = append(errs, field.Duplicate(at, label))
		}
	}
	for _, label := range slices.Sorted(maps.Keys(s.Match)) {
		at := path.Child("match").Child(label)
		check(at, label)
		if len(s.Match[label]) == 0 {
			errs = append(errs, field.Required(at, `give at least one value; "" is that of an absent label`))
		}
	}
	return errs
}

func (s Signal) validateBuckets(path *field.Path) (errs field.ErrorList) {
	if s.Kind == sources.Counter && len(s.BucketSeconds) > 0 {
		errs = append(errs, field.Forbidden(path, "a counter has no buckets"))
	}
	for i, bound := range s.BucketSeconds {
		if bound <= 0 || i > 0 && bound <= s.BucketSeconds[i-1] {
			errs = append(errs, field.Invalid(path.Index(i), bound, "bounds are positive seconds and ascend; +Inf is left out"))
		}
	}
	return errs
}
