// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

var update = flag.Bool("update", false, "rewrite the expected part of testdata")

// separator stands between what goes in and what comes out.
const separator = "\n----\n"

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(text), "# ") {
				t.Fatal("the first line does not say why the scenario exists")
			}
			in, want, _ := strings.Cut(string(text), separator)
			s, err := parseScenario(in)
			if err != nil {
				t.Fatal(err)
			}
			got := render(Evaluate(s.reading, s.levels, s.schemas, Options{}))
			if *update {
				if err := os.WriteFile(file, []byte(strings.TrimRight(in, "\n")+separator+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// render writes what kubectl would show, a line for each row; "-" is an absent figure.
func render(headrooms []v1alpha1.APFHeadroom) string {
	var b strings.Builder
	for i := range headrooms {
		h := &headrooms[i]
		status := &h.Status
		fmt.Fprintf(&b, "%s: %s\n", h.Name, status.Pressure)
		fmt.Fprintf(&b, "  labels %v\n", h.Labels)
		fmt.Fprintf(&b, "  spec %s\n", renderSpec(&h.Spec))
		if status.ObservationTime != nil {
			fmt.Fprintf(&b, "  window %ds until %s\n", *status.WindowSeconds, status.ObservationTime.UTC().Format("15:04:05"))
		}
		if status.Worst != nil {
			fmt.Fprintf(&b, "  worst %s\n", status.Worst.Instance)
		}
		for j := range status.ByInstance {
			row := &status.ByInstance[j]
			fmt.Fprintf(&b, "  %s %s %s dispatched=%s rejected=%s waitP99=%s\n", row.Instance, row.Pressure, renderSeats(&row.Seats),
				figure(row.DispatchedRequests), figure(row.RejectedRequests), figure(row.WaitP99Milliseconds))
			fmt.Fprintf(&b, "    %s\n    use %s\n", renderLimits(&row.Seats), renderUse(row))
			if row.Exhaustion != nil {
				fmt.Fprintf(&b, "    exhaustion %s\n", renderExhaustion(row.Exhaustion))
			}
		}
		if status.Total != nil {
			fmt.Fprintf(&b, "  total %s\n    %s\n", renderSeats(status.Total), renderLimits(status.Total))
		}
		if status.Exhaustion != nil {
			fmt.Fprintf(&b, "  exhaustion %s\n", renderExhaustion(status.Exhaustion))
		}
		if status.Requests != nil {
			fmt.Fprintf(&b, "  requests %s\n", renderRequests(status.Requests))
		}
		for j := range status.FlowSchemas {
			fmt.Fprintf(&b, "  by %s\n", renderSchema(&status.FlowSchemas[j]))
		}
		if status.FlowSchemasOmitted != nil {
			fmt.Fprintf(&b, "  by %d more\n", *status.FlowSchemasOmitted)
		}
		fmt.Fprintf(&b, "  instances %d/%d %v\n", status.Instances.Observed, status.Instances.Expected, status.Instances.Missing)
		for _, c := range status.Conditions {
			if c.Reason == ReasonNoFindings && c.Type == v1alpha1.ConditionDataSound {
				continue // nothing to read about
			}
			fmt.Fprintf(&b, "  %s=%s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
		}
	}
	return b.String()
}

func renderSpec(spec *v1alpha1.APFHeadroomSpec) string {
	number := func(n *int32) string {
		if n == nil {
			return "-"
		}
		return fmt.Sprint(*n)
	}
	text := fmt.Sprintf("%s shares=%s lendable=%s borrowing=%s", spec.Type,
		number(spec.NominalConcurrencyShares), number(spec.LendablePercent), number(spec.BorrowingLimitPercent))
	if r := spec.LimitResponse; r != nil {
		text += fmt.Sprintf(" %s queues=%s hand=%s length=%s", r.Type, number(r.Queues), number(r.HandSize), number(r.QueueLengthLimit))
	}
	for _, schema := range spec.FlowSchemas {
		text += strings.TrimSuffix(fmt.Sprintf(" %s/%d/%s", schema.Name, schema.MatchingPrecedence, schema.DistinguisherMethod), "/")
	}
	return text
}

func renderSeats(s *v1alpha1.Seats) string {
	return fmt.Sprintf("nominal=%s limit=%s executing=%s peak=%s demand=%s headroom=%s queued=%s queuedSeats=%s capacity=%s",
		figure(s.NominalSeats), figure(s.CurrentLimitSeats), figure(s.ExecutingSeats), figure(s.PeakExecutingSeats),
		figure(s.PeakDemandSeats), figure(s.HeadroomSeats), figure(s.QueuedRequests), figure(s.QueuedSeats), figure(s.QueueCapacityRequests))
}

func renderLimits(s *v1alpha1.Seats) string {
	return fmt.Sprintf("headroom nominal=%s reachable=%s of %s smoothedDemand=%s",
		figure(s.NominalHeadroomSeats), figure(s.ReachableHeadroomSeats), figure(s.ReachableLimitSeats), figure(s.SmoothedDemandSeats))
}

func renderUse(s *v1alpha1.InstanceSeats) string {
	u := s.Utilization
	if u == nil {
		return "- from " + cmp.Or(string(s.PeakSource), "-")
	}
	return fmt.Sprintf("average=%s peak=(%s,%s] saturated=%sms from %s", cmp.Or(u.Average, "-"),
		cmp.Or(u.PeakOver, "-"), cmp.Or(u.PeakUpTo, "-"), figure(u.SaturatedMilliseconds), s.PeakSource)
}

func renderExhaustion(e *v1alpha1.Exhaustion) string {
	late := "-"
	if e.LateTime != nil {
		late = e.LateTime.Format(time.TimeOnly)
	}
	return fmt.Sprintf("on %s early=%s likely=%s late=%s limit=%d demand=%d trend=%s/min samples=%d span=%ds",
		cmp.Or(e.Instance, "-"), e.EarlyTime.Format(time.TimeOnly), e.LikelyTime.Format(time.TimeOnly), late,
		e.LimitSeats, e.DemandSeats, e.TrendSeatsPerMinute, e.Samples, e.SpanSeconds)
}

func renderSchema(u *v1alpha1.FlowSchemaUse) string {
	return fmt.Sprintf("%s seatSeconds=%s executing=%s share=%s peak=%s dispatched=%s rejected=%s waitP50=%s waitP99=%s execution=%s width=%s",
		u.Name, figure(u.EstimatedSeatSeconds), figure(u.ExecutingSeats), cmp.Or(u.ExecutingShare, "-"), figure(u.PeakExecutingSeats),
		figure(u.Dispatched), figure(u.Rejected), figure(u.WaitP50Milliseconds), figure(u.WaitP99Milliseconds),
		figure(u.ExecutionMeanMilliseconds), cmp.Or(u.MeanWidthSeats, "-"))
}

func renderRequests(r *v1alpha1.RequestFigures) string {
	text := fmt.Sprintf("dispatched=%s rejected=%s waitP99=%s", figure(r.Dispatched), figure(r.Rejected), figure(r.WaitP99Milliseconds))
	if r.WaitP99Bucket != nil {
		text += fmt.Sprintf(" in (%d,%s]", r.WaitP99Bucket.OverMilliseconds, figure(r.WaitP99Bucket.UpToMilliseconds))
	}
	for _, by := range r.RejectedBy {
		text += fmt.Sprintf(" %s/%s=%d", by.FlowSchema, by.Reason, by.Requests)
	}
	return text
}

func figure(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

// Where the cluster has more kube-apiservers than the source knows, nothing good is said
// of those, and what is bad stands.
func TestFewerInstancesThanExpected(t *testing.T) {
	for file, want := range map[string]struct {
		pressure v1alpha1.Pressure
		headroom metav1.ConditionStatus
	}{
		"ok":                   {v1alpha1.PressureUnknown, metav1.ConditionUnknown},
		"rejecting-queue-full": {v1alpha1.PressureRejecting, metav1.ConditionFalse},
	} {
		text, err := os.ReadFile("testdata/" + file + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		in, _, _ := strings.Cut(string(text), separator)
		s, err := parseScenario(in)
		if err != nil {
			t.Fatal(err)
		}
		known := len(s.reading.Instances)
		status := Evaluate(s.reading, s.levels, s.schemas, Options{Expected: known + 1})[0].Status
		headroom := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionHasHeadroom)
		complete := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionDataComplete)
		if status.Pressure != want.pressure || headroom.Status != want.headroom || complete.Reason != ReasonTooFewInstances ||
			int(status.Instances.Expected) != known+1 || int(status.Instances.Observed) != known {
			t.Errorf("%s: %s, instances %+v, %+v, %+v", file, status.Pressure, status.Instances, headroom, complete)
		}
		if diff := gocmp.Diff(Evaluate(s.reading, s.levels, s.schemas, Options{}), Evaluate(s.reading, s.levels, s.schemas, Options{Expected: known})); diff != "" {
			t.Errorf("%s: expecting what is known makes a difference:\n%s", file, diff)
		}
	}
}
