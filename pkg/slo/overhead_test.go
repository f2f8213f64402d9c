// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// parseOverhead reads lines of the form
//
//	total <verb> <scope> <resource[.group][/subresource]> <n>x<seconds>...
//	dryrun <verb> <scope> <resource[.group][/subresource]> <n>x<seconds>...
//	without sums                           in the series so far
//	webhook <admit|validating> <name> <n>x<seconds>...
//	refused <admit|validating> <name> <error type> <n>
//	opened <admit|validating> <name> <n>
//	queue <priority level> <n>x<seconds>
//	rejected <reason> <n>
func (s *scenario) parseOverhead(verb string, args []string) error {
	switch verb {
	case "total", "dryrun":
		name, subresource, _ := strings.Cut(args[2], "/")
		resource := schema.ParseGroupResource(name)
		dry := map[string]string{"total": "", "dryrun": "All"}[verb]
		values := []string{resource.Group, resource.Resource, subresource, args[0], args[1], dry}
		return s.addSeries(SignalTotalLatency, values, requestBounds(), args[3:])
	case "without":
		for _, result := range s.results {
			for _, series := range result.Series {
				series.Histogram.Sum = math.NaN()
			}
		}
		return nil
	case "webhook":
		return s.addSeries(SignalWebhookTime, []string{args[1], args[0]}, []float64{0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25, math.Inf(+1)}, args[2:])
	case "refused":
		return s.addCount(SignalWebhookRejections, []string{args[1], args[0], args[2]}, args[3])
	case "opened":
		return s.addCount(SignalWebhookFailOpen, []string{args[1], args[0]}, args[2])
	case "queue":
		var n, seconds float64
		if _, err := fmt.Sscanf(args[1], "%fx%f", &n, &seconds); err != nil {
			return err
		}
		s.queues = append(s.queues, v1alpha1.QueueTime{
			PriorityLevel: args[0], Requests: int64(n), Milliseconds: int64(n * seconds * 1000), PerRequestMilliseconds: int64(seconds * 1000),
		})
		return nil
	case "rejected":
		n, err := strconv.ParseInt(args[1], 10, 64)
		if s.rejected == nil {
			s.rejected = &v1alpha1.Rejections{}
		}
		s.rejected.Requests += n
		s.rejected.ByReason = append(s.rejected.ByReason, v1alpha1.RejectedByReason{Reason: args[0], Requests: n})
		return err
	}
	return errors.New("no such line")
}

func (s *scenario) addCount(signal string, values []string, count string) error {
	n, err := strconv.ParseFloat(count, 64)
	result := s.results[signal]
	result.Series = append(result.Series, sources.Series{Values: values, Increase: n})
	s.results[signal] = result
	return err
}

// TestOverheadScenarios is TestScenarios for what indicators leave out:
// testdata/overhead.
func TestOverheadScenarios(t *testing.T) {
	runScenarios(t, "testdata/overhead/*.txt", (*scenario).overhead)
}

func (s *scenario) overhead(t *testing.T) string {
	t.Helper()
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	judged := Judge(objectives, s.reading(), s.resources(), Options{Queues: s.queues, Rejected: s.rejected})
	var out strings.Builder
	for _, report := range judged.Reports {
		if s.shows(report.Name) {
			printOverhead(&out, report)
		}
	}
	for _, i := range Indicators(judged.Assessments, noDays) {
		if total := i.Status.Total; total != nil && s.shows(i.Spec.Report) {
			fmt.Fprintf(&out, "%s: %s lost=%s each=%s total %s %s\n", i.Name, i.Status.Outcome,
				number(total.LostMilliseconds), number(total.LostPerRequestMilliseconds), quantiles(total.Quantiles), text(total.Problem))
		}
	}
	return out.String()
}

func printOverhead(out *strings.Builder, report v1alpha1.SLOReport) {
	fmt.Fprintf(out, "%s: %s\n  finding: %s\n", report.Name, report.Status.Verdict, text(report.Status.Finding))
	if o := report.Status.Overhead; o != nil {
		fmt.Fprintf(out, "  lost=%s each=%s over=%s %s\n", number(o.LostMilliseconds), number(o.LostPerRequestMilliseconds), number(o.KeysOverThreshold), text(o.Problem))
		for _, w := range o.Webhooks {
			fmt.Fprintf(out, "  %s webhook %s: %d calls, %d ms, %d each, rejections=%s failures=%s open=%s\n",
				w.Type, w.Name, w.Calls, w.Milliseconds, w.PerCallMilliseconds, number(w.Rejections), number(w.Failures), number(w.FailedOpen))
		}
		for _, q := range o.Queues {
			fmt.Fprintf(out, "  queue %s: %d requests, %d ms, %d each\n", q.PriorityLevel, q.Requests, q.Milliseconds, q.PerRequestMilliseconds)
		}
	}
	if r := report.Status.RejectedRequests; r != nil {
		fmt.Fprintf(out, "  rejected: %d %v\n", r.Requests, r.ByReason)
	}
}

// Whatever the histograms hold, numbers that are none among it: time lost is never
// negative, and what is not known has a reason.
func TestOverheadIsNeverNegative(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	odd := []float64{0, 1, 99, 100, 101, 1e-9, -1, math.NaN(), math.Inf(+1), 1e300}
	some := func() *sources.Buckets {
		if random.IntN(8) == 0 {
			return nil
		}
		n := odd[random.IntN(len(odd))]
		return &sources.Buckets{Bounds: []float64{1, math.Inf(+1)}, Counts: []float64{odd[random.IntN(3)], n}, Sum: odd[random.IntN(len(odd))]}
	}
	for round := range 20_000 {
		k := &tally{}
		k.add(some(), 1)
		sum := &total{}
		for range random.IntN(3) {
			sum.add(some(), random.IntN(2) == 0)
		}
		l := k.overheadOf(sum)
		status := l.status(k.count, sources.Exact)
		switch {
		case l.seconds < 0, status.LostMilliseconds != nil && (*status.LostMilliseconds < 0 || *status.LostPerRequestMilliseconds < 0):
			t.Fatalf("round %d: %v lost by %+v of %+v", round, l.seconds, k, sum)
		case !l.isKnown() && l.problem == "":
			t.Fatalf("round %d: not known, and no reason, by %+v of %+v", round, k, sum)
		}
	}
}
