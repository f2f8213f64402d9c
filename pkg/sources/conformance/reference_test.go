// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// reference is the rule Exact in its plainest form: it looks at every sample of a
// scenario again for every series. It shows that the scenarios can be met.
type reference struct{ scenario Scenario }

func TestReference(t *testing.T) {
	Run(t, func(_ *testing.T, scenario Scenario) sources.Source { return reference{scenario} })
}

func (r reference) Read(_ context.Context, at time.Time, window time.Duration) (*sources.Reading, error) {
	reading := &sources.Reading{At: at, Window: window, Rule: sources.Exact, Origin: sources.Origin{Kind: sources.Scraped}, Results: map[string]sources.Result{}}
	observed := map[string][]Scrape{}
	for _, instance := range r.scenario.Instances {
		if instance.Stranger {
			continue
		}
		read := sources.Instance{Component: instance.Component, Name: instance.Name, Problem: "no answer", URL: "https://" + instance.Name + "/metrics"}
		scrapes := withinWindow(instance.Scrapes, at.Add(-window))
		if last := len(scrapes) - 1; last >= 0 && at.Sub(scrapes[last].Time) <= r.scenario.Step*5/2 {
			observed[string(instance.Component)+instance.Name] = scrapes
			read.Observed, read.Problem = true, ""
			read.First, read.Last = scrapes[0].Time, scrapes[len(scrapes)-1].Time
			for i := 1; i < len(scrapes); i++ {
				if start := startOf(scrapes[i]); start > startOf(scrapes[i-1]) {
					since := max(seconds(scrapes[i-1].Time), seconds(at.Add(-window)))
					read.Lost = max(read.Lost, time.Duration((start-since)*1e9))
				}
			}
			if start := startOf(scrapes[len(scrapes)-1]); start > 0 {
				read.Started = time.UnixMilli(int64(start * 1000))
				if read.Started.After(at.Add(-window)) && startOf(scrapes[0]) == start {
					read.First = read.Started
				}
			}
		}
		reading.Instances = append(reading.Instances, read)
	}
	slices.SortFunc(reading.Instances, instanceOrder)
	for _, signal := range r.scenario.Signals {
		reading.Results[signal.Name] = result(signal, reading, observed)
	}
	return reading, nil
}

// withinWindow starts at the newest answer not after start, else at the oldest.
func withinWindow(scrapes []Scrape, start time.Time) []Scrape {
	scrapes = slices.DeleteFunc(slices.Clone(scrapes), func(s Scrape) bool { return s.Failed })
	for len(scrapes) > 1 && !scrapes[1].Time.After(start) {
		scrapes = scrapes[1:]
	}
	return scrapes
}

func startOf(s Scrape) float64 {
	for _, sample := range s.Samples {
		if sample.Series == startTime {
			return sample.Value
		}
	}
	return 0
}

func result(signal sources.Signal, reading *sources.Reading, observed map[string][]Scrape) sources.Result {
	var result sources.Result
	series := map[string]*sources.Series{}
	bounds := map[string]map[string]map[float64]float64{} // series, instance, bound
	for _, instance := range reading.Instances {
		scrapes := observed[string(instance.Component)+instance.Name]
		metric := firstMetric(signal, scrapes)
		if instance.Component == signal.Component && instance.Observed && metric == "" && signal.Everywhere {
			result.Missing = append(result.Missing, instance.Name)
		}
		if instance.Component != signal.Component || metric == "" {
			continue
		}
		if !slices.Contains(result.Metrics, metric) {
			result.Metrics = append(result.Metrics, metric)
		}
		sums := map[string][]Sample{} // of gauges, one for each scrape
		for _, name := range seriesOf(scrapes) {
			family, labels, ok := match(signal, metric, name)
			if !ok {
				continue
			}
			values := make([]string, len(signal.Labels))
			for i, label := range signal.Labels {
				values[i] = labels[label]
			}
			key := strings.Join(values, "\xff")
			if signal.PerInstance {
				key = instance.Name + "\xff" + key
			}
			if series[key] == nil {
				series[key] = &sources.Series{Values: values}
				if signal.PerInstance {
					series[key].Instance = instance.Name
				}
				bounds[key] = map[string]map[float64]float64{}
			}
			s := series[key]
			switch {
			case signal.Kind == sources.Gauge:
				if sums[key] == nil {
					sums[key] = make([]Sample, len(scrapes))
				}
				for i, scrape := range scrapes {
					if now, found := value(scrape, name); found {
						sums[key][i].Value += now
						sums[key][i].Series = name
					}
				}
			case signal.Kind == sources.Counter:
				s.Increase += increase(scrapes, name, instance)
			case strings.HasSuffix(family, "_sum"):
				s.Max += increase(scrapes, name, instance) // kept here until the buckets are known
			case strings.HasSuffix(family, "_bucket"):
				le, _ := strconv.ParseFloat(labels["le"], 64)
				if bounds[key][instance.Name] == nil {
					bounds[key][instance.Name] = map[float64]float64{}
				}
				bounds[key][instance.Name][le] += increase(scrapes, name, instance)
			}
		}
		for key, sum := range sums {
			if newest := sum[len(sum)-1]; newest.Series == "" {
				delete(series, key) // which holds while no other instance has it
				continue
			}
			last, highest := gauge(sum, scrapes, reading.At.Add(-reading.Window))
			series[key].Last, series[key].Max = series[key].Last+last, series[key].Max+highest
			if signal.Samples {
				series[key].Samples = samples(sum, scrapes, reading.At.Add(-reading.Window))
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(series)) {
		if signal.Kind == sources.Histogram {
			series[key].Histogram = histogram(bounds[key], series[key].Max)
		}
		result.Series = append(result.Series, *series[key])
	}
	slices.SortFunc(result.Series, seriesOrder)
	result.Expressions = sources.Canonical{Signal: signal, Metrics: result.Metrics, Window: reading.Window}
	return result
}

func histogram(instances map[string]map[float64]float64, sum float64) *sources.Buckets {
	var total *sources.Buckets
	for _, counts := range instances {
		b := &sources.Buckets{Bounds: slices.Sorted(maps.Keys(counts))}
		for _, bound := range b.Bounds {
			b.Counts = append(b.Counts, counts[bound])
		}
		if total != nil {
			b = total.Add(b)
		}
		total = b
	}
	total.Sum = sum
	return total
}

func firstMetric(signal sources.Signal, scrapes []Scrape) string {
	for _, metric := range signal.Metrics {
		for _, scrape := range scrapes {
			if slices.ContainsFunc(scrape.Samples, func(s Sample) bool { return s.Family == metric }) {
				return metric
			}
		}
	}
	return ""
}

func seriesOf(scrapes []Scrape) []string {
	names := map[string]bool{}
	for _, scrape := range scrapes {
		for _, sample := range scrape.Samples {
			names[sample.Series] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func match(signal sources.Signal, metric, series string) (family string, labels map[string]string, ok bool) {
	family, text, _ := strings.Cut(series, "{")
	labels = map[string]string{}
	for pair := range strings.SplitSeq(strings.TrimSuffix(text, "}"), ",") {
		name, value, _ := strings.Cut(pair, "=")
		labels[name] = strings.Trim(value, `"`)
	}
	for label, values := range signal.Match {
		if !slices.Contains(values, labels[label]) {
			return "", nil, false
		}
	}
	return family, labels, family == metric || strings.HasPrefix(family, metric+"_") && signal.Kind == sources.Histogram
}

func value(s Scrape, name string) (float64, bool) {
	for i := range s.Samples {
		if s.Samples[i].Series == name {
			return s.Samples[i].Value, true
		}
	}
	return 0, false
}

func increase(scrapes []Scrape, name string, instance sources.Instance) float64 {
	total, before, known, started := 0.0, 0.0, false, 0.0
	for i, scrape := range scrapes {
		now, found := value(scrape, name)
		if !found {
			continue
		}
		start := startOf(scrape)
		switch {
		case i == 0 && !(start > 0 && instance.First.Equal(instance.Started)):
		case i > 0 && startOf(scrapes[i-1]) != start, known && started != start, now < before, !known:
			total += now
		default:
			total += now - before
		}
		before, known, started = now, true, start
	}
	return total
}
