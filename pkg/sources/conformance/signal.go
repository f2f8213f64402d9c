// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.io/slo-apiserver/pkg/sources"
)

func (p *parser) signal(fields []string) error {
	if len(fields) < 4 {
		return errors.New("signal needs a name, a kind, a component and metrics")
	}
	kinds := map[string]sources.Kind{"histogram": sources.Histogram, "counter": sources.Counter, "gauge": sources.Gauge}
	kind, known := kinds[fields[1]]
	if !known {
		return fmt.Errorf("unknown kind %q", fields[1])
	}
	signal := sources.Signal{
		Name: fields[0], Kind: kind, Component: sources.Component(fields[2]), Metrics: strings.Split(fields[3], ","),
	}
	for rest := fields[4:]; len(rest) > 0; {
		switch {
		case rest[0] == "per-instance":
			signal.PerInstance = true
			rest = rest[1:]
		case rest[0] == "samples":
			signal.Samples = true
			rest = rest[1:]
		case rest[0] == "everywhere":
			signal.Everywhere = true
			rest = rest[1:]
		case rest[0] == "by" && len(rest) > 1:
			signal.Labels = strings.Split(rest[1], ",")
			rest = rest[2:]
		case rest[0] == "where" && len(rest) > 1 && strings.Contains(rest[1], "="):
			label, values, _ := strings.Cut(rest[1], "=")
			if signal.Match == nil {
				signal.Match = map[string][]string{}
			}
			signal.Match[label] = strings.Split(values, "|")
			rest = rest[2:]
		default:
			return fmt.Errorf("unknown part %q of a signal", rest[0])
		}
	}
	if signal.Samples && (signal.Kind != sources.Gauge || !signal.PerInstance) {
		return errors.New("only a gauge per-instance has samples")
	}
	p.scenario.Signals = append(p.scenario.Signals, signal)
	return nil
}

// family of a series and its type, after the signals that read it.
func family(series string, signals []sources.Signal) (name, kind string) {
	name, _, _ = strings.Cut(series, "{")
	if name == startTime {
		return name, "gauge"
	}
	for _, signal := range signals {
		for _, metric := range signal.Metrics {
			switch {
			case signal.Kind == sources.Counter && name == metric:
				return metric, "counter"
			case signal.Kind == sources.Gauge && name == metric:
				return metric, "gauge"
			case signal.Kind == sources.Histogram && slices.Contains([]string{metric + "_bucket", metric + "_sum", metric + "_count"}, name):
				return metric, "histogram"
			}
		}
	}
	return name, "untyped"
}
