// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap"

	"example.io/slo-apiserver/pkg/sources"
)

// scenario is the input part of a file in testdata:
//
//	# why the scenario exists
//	level NAME Queue|Reject|Exempt [shares=] [lendable=] [borrowing=] [queues=] [hand=] [length=]
//	schema NAME LEVEL PRECEDENCE [ByUser|ByNamespace]   with the rules of the default of that name, if any
//	instance NAME [covered=5m] [behind=0s] [born]
//	METRIC{LABEL="VALUE",...} VALUE [max=VALUE] [at:-4m=VALUE ...]
//	METRIC{LABEL="VALUE",...} le:BOUND=COUNT ... le:+Inf=COUNT [sum=SUM]
//	missing NAME PROBLEM
//	warning REASON TEXT
//	warns SIGNAL REASON TEXT            of one signal; that it could not be read: QueryFailed
//
// Metrics belong to the instance before them. Counters and buckets are increases.
type scenario struct {
	levels  []*flowcontrolv1.PriorityLevelConfiguration
	schemas []*flowcontrolv1.FlowSchema
	reading *sources.Reading
	samples []sample
	warns   map[string][]sources.Warning // by signal
}

// sample is a line of metrics.
type sample struct {
	instance, metric string
	labels           map[string]string
	value, max       float64
	buckets          *sources.Buckets
	// at are the samples of a gauge: a scenario gives those that a forecast is from.
	at []sources.Sample
}

var testAt = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

const testWindow = 5 * time.Minute

func parseScenario(text string) (*scenario, error) {
	s := &scenario{warns: map[string][]sources.Warning{}, reading: &sources.Reading{At: testAt, Window: testWindow, Rule: sources.Exact}}
	for n, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if err := s.parseLine(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	s.reading.Results = read(slices.Concat(Signals(), sources.IdentitySignals()), s.reading.Instances, s.samples)
	for signal, warnings := range s.warns {
		result := s.reading.Results[signal]
		result.Warnings = warnings
		s.reading.Results[signal] = result
	}
	return s, nil
}

func (s *scenario) parseLine(line string) error {
	words := strings.Fields(line)
	set := settings(words)
	switch words[0] {
	case "level":
		s.levels = append(s.levels, level(words[1], words[2], set))
	case "schema":
		schema := &flowcontrolv1.FlowSchema{ObjectMeta: metav1.ObjectMeta{Name: words[1]}}
		schema.Spec.PriorityLevelConfiguration.Name = words[2]
		precedence, err := strconv.Atoi(words[3])
		if err != nil {
			return err
		}
		schema.Spec.MatchingPrecedence = int32(precedence)
		if len(words) > 4 {
			kind := flowcontrolv1.FlowDistinguisherMethodType(words[4])
			schema.Spec.DistinguisherMethod = &flowcontrolv1.FlowDistinguisherMethod{Type: kind}
		}
		for _, known := range slices.Concat(bootstrap.MandatoryFlowSchemas, bootstrap.SuggestedFlowSchemas) {
			if known.Name == schema.Name {
				schema.Spec.Rules = known.Spec.Rules
			}
		}
		s.schemas = append(s.schemas, schema)
	case "instance":
		covered, behind := cmp.Or(set["covered"], testWindow.String()), cmp.Or(set["behind"], "0s")
		instance, err := observedInstance(words[1], covered, behind)
		if err != nil {
			return err
		}
		if slices.Contains(words, "born") {
			instance.Started = instance.First
		}
		s.reading.Instances = append(s.reading.Instances, instance)
	case "missing":
		s.reading.Instances = append(s.reading.Instances, sources.Instance{
			Component: sources.KubeAPIServer, Name: words[1], Problem: strings.Join(words[2:], " "),
		})
	case "warning":
		s.reading.Warnings = append(s.reading.Warnings, sources.Warning{Reason: sources.Reason(words[1]), Message: strings.Join(words[2:], " ")})
	case "warns":
		s.warns[words[1]] = append(s.warns[words[1]], sources.Warning{Reason: sources.Reason(words[2]), Message: strings.Join(words[3:], " ")})
	default:
		return s.parseSample(words)
	}
	return nil
}

func observedInstance(name, covered, behind string) (sources.Instance, error) {
	b, err := time.ParseDuration(behind)
	if err != nil {
		return sources.Instance{}, err
	}
	c, err := time.ParseDuration(covered)
	if err != nil {
		return sources.Instance{}, err
	}
	last := testAt.Add(-b)
	return sources.Instance{
		Component: sources.KubeAPIServer, Name: name, Observed: true, First: last.Add(-c), Last: last,
	}, nil
}

func settings(words []string) map[string]string {
	set := map[string]string{}
	for _, word := range words[1:] {
		if name, value, found := strings.Cut(word, "="); found {
			set[name] = value
		}
	}
	return set
}

func level(name, kind string, set map[string]string) *flowcontrolv1.PriorityLevelConfiguration {
	number := func(key string) *int32 {
		n, err := strconv.Atoi(set[key])
		if err != nil {
			return nil
		}
		return new(int32(n))
	}
	l := &flowcontrolv1.PriorityLevelConfiguration{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if kind == "Exempt" {
		l.Spec.Type = flowcontrolv1.PriorityLevelEnablementExempt
		l.Spec.Exempt = &flowcontrolv1.ExemptPriorityLevelConfiguration{
			NominalConcurrencyShares: number("shares"), LendablePercent: number("lendable"),
		}
		return l
	}
	l.Spec.Type = flowcontrolv1.PriorityLevelEnablementLimited
	l.Spec.Limited = &flowcontrolv1.LimitedPriorityLevelConfiguration{
		NominalConcurrencyShares: number("shares"),
		LendablePercent:          number("lendable"),
		BorrowingLimitPercent:    number("borrowing"),
		LimitResponse:            flowcontrolv1.LimitResponse{Type: flowcontrolv1.LimitResponseType(kind)},
	}
	if kind == "Queue" {
		l.Spec.Limited.LimitResponse.Queuing = &flowcontrolv1.QueuingConfiguration{
			Queues:           valueOr(number("queues"), 0),
			HandSize:         valueOr(number("hand"), 0),
			QueueLengthLimit: valueOr(number("length"), 0),
		}
	}
	return l
}

func (s *scenario) parseSample(words []string) error {
	name, rest, found := strings.Cut(words[0], "{")
	if !found || len(words) < 2 || len(s.reading.Instances) == 0 {
		return fmt.Errorf("unknown line %q", strings.Join(words, " "))
	}
	p := sample{
		instance: s.reading.Instances[len(s.reading.Instances)-1].Name,
		metric:   name,
		labels:   map[string]string{},
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(rest, "}"), ",") {
		key, value, _ := strings.Cut(label, "=")
		p.labels[key] = strings.Trim(value, `"`)
	}
	for _, word := range words[1:] {
		key, value, found := strings.Cut(word, "=")
		if !found {
			value = key
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return err
		}
		switch {
		case key == "max":
			p.max = v
		case strings.HasPrefix(key, "at:"):
			offset, err := time.ParseDuration(key[len("at:"):])
			if err != nil {
				return err
			}
			p.at = append(p.at, sources.Sample{Time: testAt.Add(offset), Value: v})
		case key == "sum":
			if p.buckets == nil {
				return fmt.Errorf("a sum before the buckets: %q", strings.Join(words, " "))
			}
			p.buckets.Sum = v
		case strings.HasPrefix(key, "le:"):
			bound, err := strconv.ParseFloat(key[len("le:"):], 64)
			if err != nil {
				return err
			}
			if p.buckets == nil {
				p.buckets = &sources.Buckets{Sum: math.NaN()}
			}
			p.buckets.Bounds = append(p.buckets.Bounds, bound)
			p.buckets.Counts = append(p.buckets.Counts, v)
		default:
			p.value, p.max = v, v
		}
	}
	s.samples = append(s.samples, p)
	return nil
}

// read does what a source does: each instance from the first metric it has, series
// that match, summed over the labels that are not kept.
func read(signals []sources.Signal, instances []sources.Instance, samples []sample) map[string]sources.Result {
	results := map[string]sources.Result{}
	for _, signal := range signals {
		var result sources.Result
		for _, instance := range instances {
			for _, metric := range signal.Metrics {
				series := seriesOf(signal, instance.Name, metric, samples)
				if result.Series = append(result.Series, series...); len(series) > 0 {
					break
				}
			}
		}
		results[signal.Name] = result
	}
	return results
}

func seriesOf(signal sources.Signal, instance, metric string, samples []sample) []sources.Series {
	var kept []sources.Series
	for _, p := range samples {
		matches := p.instance == instance && p.metric == metric
		for label, values := range signal.Match {
			matches = matches && slices.Contains(values, p.labels[label])
		}
		if !matches {
			continue
		}
		var values []string
		for _, label := range signal.Labels {
			values = append(values, p.labels[label])
		}
		i := slices.IndexFunc(kept, func(s sources.Series) bool { return slices.Equal(s.Values, values) })
		if i < 0 {
			i = len(kept)
			kept = append(kept, sources.Series{Instance: instance, Values: values})
		}
		s := &kept[i]
		switch signal.Kind {
		case sources.Histogram:
			s.Histogram = add(s.Histogram, p.buckets)
		case sources.Counter:
			s.Increase += p.value
		default:
			s.Last, s.Max = s.Last+p.value, s.Max+p.max
			if signal.Samples {
				s.Samples = append(s.Samples, p.at...)
			}
		}
	}
	return kept
}
