// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package figures

import (
	"slices"
	"strings"
	"testing"

	"example.io/slo-apiserver/test/perf/internal/equality"
)

var tiny = Effort{Warmup: 2, Rounds: 1, Scrapes: 1}

// Every measurement runs, on small clusters. The figures are not looked at: a test
// that fails on a busy machine is none.
func TestMeasurements(t *testing.T) {
	for _, format := range []Format{Protobuf, Text} {
		feed, err := NewGenerated(format, 20, 2)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ParseAndStore(t.Context(), feed, format, tiny)
		if err != nil {
			t.Fatal(err)
		}
		if s.BodyBytes == 0 || (format == Text) != (len(s.Rows("x")) == 4) {
			t.Errorf("%s: %+v", format, s)
		}
	}
	kept, err := Heap(t.Context(), 20, 1)
	if err != nil {
		t.Fatal(err)
	}
	// All of these hold something, and the peer that drops holds less than the one
	// that does not.
	if kept.Ours == 0 || kept.Filtered == 0 || kept.Theirs <= kept.Filtered || kept.Exposed <= kept.Needed || kept.Needed == 0 {
		t.Errorf("%+v", kept)
	}
	evaluation, err := Evaluate(t.Context(), 20, 1, tiny)
	if err != nil {
		t.Fatal(err)
	}
	if evaluation.Keys == 0 || evaluation.Queries != 31 || evaluation.FewQueries != 12 {
		t.Errorf("%+v", evaluation)
	}
	ledger, err := KeepLedger(30, 1)
	if err != nil {
		t.Fatal(err)
	}
	if ledger.Keys != 30 || ledger.PerKey < 100 {
		t.Errorf("%+v", ledger)
	}
	growth, err := Grow(t.Context(), 10, 20, tiny)
	if err != nil {
		t.Fatal(err)
	}
	if rows := growth.Rows(); len(rows) != 3 {
		t.Errorf("%+v", rows)
	}
}

func TestRecordedEnds(t *testing.T) {
	r := &Recorded{Names: []string{"a"}, Bodies: []Bodies{{}}}
	if _, err := r.Next(); err != nil {
		t.Error(err)
	}
	if _, err := take(r, 1); err == nil {
		t.Error("there is always one more body")
	}
}

func TestReached(t *testing.T) {
	for _, test := range []struct {
		row  Row
		want []string
	}{
		{atMostRow("f", "a", "b", 1.0/151, 1.0/150, "r"), []string{"f", "a", "b", "1/151", "r", "yes"}},
		{atMostRow("f", "a", "b", 1.0/8.6, 1.0/150, "r"), []string{"f", "a", "b", "1/8.6", "r", "no"}},
		{atMostRow("f", "a", "b", 1.2, 1, "r"), []string{"f", "a", "b", "1.2x", "r", "no"}},
	} {
		if got := test.row.cells(); !slices.Equal(got, test.want) {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	equal := equality.Result{Figures: 1, Engine: equality.Differences{Quantiles: 1e-13}}
	if _, unequal := EqualRows(equal); unequal {
		t.Error("a quantile may be off by 1e-13")
	}
	for _, d := range []equality.Differences{{Counts: 1e-9}, {Quantiles: 1e-11}, {Fractions: 1e-13}} {
		if _, unequal := EqualRows(equality.Result{Engine: d}); !unequal {
			t.Errorf("%+v from the engine passes", d)
		}
		if _, unequal := EqualRows(equality.Result{Truth: d}); !unequal {
			t.Errorf("%+v from the truth passes", d)
		}
	}
}

func TestPrint(t *testing.T) {
	var b strings.Builder
	if err := Print(&b, []Row{{Figure: "x", Ours: "1 µs"}, {Figure: "yy", Reached: "no"}}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	for _, line := range lines {
		if len([]rune(line)) != len([]rune(lines[0])) || strings.Count(line, "|") != 7 {
			t.Errorf("ragged: %q", line)
		}
	}
}
