// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// none spells a series without samples.
const none = "none"

// parseSamples reads "-60s:5,0s:7.5", or "none": the samples that a series has to
// have, by their offsets from the end of the window.
func parseSamples(at time.Time, text string) ([]sources.Sample, error) {
	if text == none {
		return nil, nil
	}
	var samples []sources.Sample
	for pair := range strings.SplitSeq(text, ",") {
		offset, number, _ := strings.Cut(pair, ":")
		after, err := time.ParseDuration(offset)
		if err != nil {
			return nil, fmt.Errorf("sample %q: %w", pair, err)
		}
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, fmt.Errorf("sample %q: %w", pair, err)
		}
		samples = append(samples, sources.Sample{Time: at.Add(after), Value: value})
	}
	return samples, nil
}

// checkSamples refuses expectations about samples that are malformed, or that no
// source is asked for.
func (p *parser) checkSamples(e expectation) error {
	for _, property := range e.properties {
		text, found := strings.CutPrefix(property, "samples=")
		if !found {
			continue
		}
		i := slices.IndexFunc(p.scenario.Signals, func(s sources.Signal) bool { return s.Name == e.signal })
		if e.series == "" || !p.scenario.Signals[i].Samples {
			return fmt.Errorf("%q is of no series of a signal with samples", property)
		}
		if _, err := parseSamples(end, text); err != nil {
			return err
		}
	}
	return nil
}

// samplesProperty returns "" when a series has the samples, and those it has otherwise.
func (t tolerance) samplesProperty(got []sources.Sample, at time.Time, text string) string {
	want, err := parseSamples(at, text)
	same := func(a, b sources.Sample) bool {
		return a.Time.Round(time.Millisecond).Equal(b.Time) && t.number(a.Value, FormatValue(b.Value)) == ""
	}
	if err == nil && slices.EqualFunc(got, want, same) {
		return ""
	}
	pairs := make([]string, len(got))
	for i, sample := range got {
		pairs[i] = offset(sample.Time, at) + ":" + FormatValue(sample.Value)
	}
	if len(pairs) == 0 {
		return none
	}
	return strings.Join(pairs, ",")
}
