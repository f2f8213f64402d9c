// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"example.io/slo-apiserver/pkg/apiserver"
)

const (
	// minInterval keeps the cost for the kube-apiserver, which renders some
	// megabytes of metrics for each scrape, below a percent of a core.
	minInterval = time.Second
	// minWindow is the shortest that the objectives take.
	minWindow = time.Minute
	// minSamples in a window: with fewer, a missed scrape is a hole of more than
	// the slack that a window may have.
	minSamples = 10
)

// EvaluationOptions say what is computed, and how often.
type EvaluationOptions struct {
	Window          time.Duration
	Interval        time.Duration
	MinimumRequests int64
	ObjectivesFile  string
	StateDir        string
}

// NewEvaluationOptions returns the official window.
func NewEvaluationOptions() *EvaluationOptions {
	return &EvaluationOptions{
		Window:          apiserver.DefaultWindow,
		Interval:        15 * time.Second,
		MinimumRequests: apiserver.DefaultMinimumRequests,
	}
}

// AddFlags adds the flags of the group.
func (o *EvaluationOptions) AddFlags(flags *pflag.FlagSet) {
	flags.DurationVar(&o.Window, "window", o.Window,
		"Window of the indicators. The official objectives are over 5m; another window is for trials.")
	flags.DurationVar(&o.Interval, "interval", o.Interval,
		"How often metrics are scraped, and the age up to which an evaluation is served to all readers.")
	flags.Int64Var(&o.MinimumRequests, "minimum-requests", o.MinimumRequests,
		"Number of requests in the window below which a report carries the condition LowTraffic.")
	flags.StringVar(&o.ObjectivesFile, "objectives-file", o.ObjectivesFile,
		"YAML file with what this cluster changes in the objectives, and adds: thresholds, exclusions, minimum traffic, profiles, "+
			"latencies and ratios of its own. It is read again when it changes; while it can not be used, the objectives of before stay in force. "+
			"Empty: the official objectives.")
	flags.StringVar(&o.StateDir, "state-dir", o.StateDir,
		"Directory in which the minutes of the last day, and of three days of ratios, are kept over a restart; it has to be there, and to be writable. "+
			"The time in which the server did not run is unknown, but for what Prometheus remembers. Empty: in memory only.")
}

// Validate checks the flags of the group.
func (o *EvaluationOptions) Validate() []error {
	var errs []error
	if o.Interval < minInterval {
		errs = append(errs, fmt.Errorf("--interval %s is too short: at least %s", o.Interval, minInterval))
	}
	if o.Window < minSamples*o.Interval {
		errs = append(errs, fmt.Errorf("--window %s is too short for --interval %s: at least %d intervals, that is %s",
			o.Window, o.Interval, minSamples, minSamples*o.Interval))
	}
	if o.Window < minWindow || o.Window%time.Second != 0 {
		errs = append(errs, fmt.Errorf("--window %s must be whole seconds, and at least %s", o.Window, minWindow))
	}
	if o.Window > apiserver.MaxWindow {
		errs = append(errs, fmt.Errorf("--window %s is too long: at most %s", o.Window, apiserver.MaxWindow))
	}
	if o.MinimumRequests < 1 {
		errs = append(errs, fmt.Errorf("--minimum-requests %d is not positive", o.MinimumRequests))
	}
	return errs
}
