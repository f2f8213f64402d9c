// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

func newLedger(t testing.TB) *Ledger {
	t.Helper()
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLedger(objectives)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ledgerScript runs lines of the form
//
//	<clock> <verdicts> [<key>=<verdicts>...]   one verdict a minute from then on
//
// where clock is a time of the day, or +<days>d and one, and a verdict one of
// g(ood), b(ad), i(dle), u(nknown) and '.', a minute in which nothing is evaluated.
func ledgerScript(t *testing.T, l *Ledger, script string) {
	t.Helper()
	for line := range strings.Lines(script) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		at := ledgerTime(t, fields[0])
		for i := range fields[1] {
			if fields[1][i] == '.' {
				continue
			}
			m := Minute{Objective: APILatencyMutating, Verdict: verdictOf(fields[1][i])}
			for _, field := range fields[2:] {
				name, verdicts, _ := strings.Cut(field, "=")
				m.Keys = append(m.Keys, KeyVerdict{Key{Resource: name}, verdictOf(verdicts[i])})
			}
			l.Record(at.Add(time.Duration(i)*time.Minute), []Minute{m})
		}
	}
}

func verdictOf(letter byte) v1alpha1.Verdict {
	return map[byte]v1alpha1.Verdict{
		'g': v1alpha1.VerdictMet, 'b': v1alpha1.VerdictViolated, 'i': v1alpha1.VerdictNoTraffic, 'u': v1alpha1.VerdictUnknown,
	}[letter]
}

func ledgerTime(t *testing.T, clock string) time.Time {
	t.Helper()
	days := 0
	if rest, later := strings.CutPrefix(clock, "+"); later {
		if _, err := fmt.Sscanf(rest, "%dd%s", &days, &clock); err != nil {
			t.Fatalf("%s: %v", clock, err)
		}
	}
	at, err := time.Parse("15:04:05", clock)
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, 2, 3+days, at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
}

// printDay in one line, with "-" for what there is not.
func printDay(d v1alpha1.DayMinutes) string {
	var burn []string
	for _, r := range d.BurnRates {
		burn = append(burn, text(r.Rate))
	}
	clock := func(t *metav1.Time) string {
		if t == nil {
			return "-"
		}
		return t.UTC().Format("02T15:04:05")
	}
	return fmt.Sprintf("good=%d bad=%d idle=%d unknown=%d ratio=%s/%d left=%d/%d burn=%s first=%s last=%s",
		d.GoodMinutes, d.BadMinutes, d.IdleMinutes, d.UnknownMinutes, text(d.GoodRatio), d.JudgedMinutes,
		d.BadMinutesLeft, d.BadMinutesAllowed, strings.Join(burn, ","), clock(d.FirstBadTime), clock(d.LastBadTime))
}

func TestLedgerDay(t *testing.T) {
	for name, c := range map[string]struct{ script, now, want string }{
		"nothing is known of a new one": {
			"", "12:00:00", "good=0 bad=0 idle=0 unknown=1440 ratio=-/0 left=14/14 burn=-,- first=- last=-",
		},
		"idle and unknown minutes are in no ratio": {
			"12:00:00 gbiu", "12:03:30", "good=1 bad=1 idle=1 unknown=1437 ratio=0.5/2 left=13/14 burn=50,50 first=03T12:01:00 last=03T12:01:00",
		},
		"a third is rounded down in the ratio and up in the burn": {
			"12:00:00 ggb", "12:02:00", "good=2 bad=1 idle=0 unknown=1437 ratio=0.666666/3 left=13/14 burn=33.333334,33.333334 first=03T12:02:00 last=03T12:02:00",
		},
		"the budget may be overdrawn": {
			"12:00:00 " + strings.Repeat("b", 20), "12:19:59", "good=0 bad=20 idle=0 unknown=1420 ratio=0/20 left=-6/14 burn=100,100 first=03T12:00:00 last=03T12:19:00",
		},
		"the first verdict on a minute stands": {
			"12:00:10 g\n12:00:40 b", "12:00:50", "good=1 bad=0 idle=0 unknown=1439 ratio=1/1 left=14/14 burn=0,0 first=- last=-",
		},
		"an unknown minute may become known while it lasts": {
			"12:00:10 u\n12:00:40 b", "12:00:50", "good=0 bad=1 idle=0 unknown=1439 ratio=0/1 left=13/14 burn=100,100 first=03T12:00:00 last=03T12:00:00",
		},
		"a process that was suspended: the gap is unknown": {
			"10:00:00 ggg\n10:30:00 g", "10:30:10", "good=4 bad=0 idle=0 unknown=1436 ratio=1/4 left=14/14 burn=0,0 first=- last=-",
		},
		"a clock set back for minutes neither rewrites nor counts twice": {
			"12:00:00 gbg\n12:00:30 bgb", "12:02:40", "good=2 bad=1 idle=0 unknown=1437 ratio=0.666666/3 left=13/14 burn=33.333334,33.333334 first=03T12:01:00 last=03T12:01:00",
		},
		"a clock set forward for hours and back: nothing is lost, and what follows counts": {
			"12:00:00 gb\n18:00:00 g\n12:02:00 bb", "12:03:30", "good=2 bad=3 idle=0 unknown=1435 ratio=0.4/5 left=11/14 burn=0,75 first=03T12:01:00 last=03T12:03:00",
		},
		"a clock set forward for years: nothing is known any more": {
			"12:00:00 gb\n+1000d12:00:00 g", "+1000d12:00:00", "good=1 bad=0 idle=0 unknown=1439 ratio=1/1 left=14/14 burn=0,0 first=- last=-",
		},
		"and back again": {
			"12:00:00 gb\n+1000d12:00:00 g\n12:02:00 gb", "12:03:00", "good=1 bad=1 idle=0 unknown=1438 ratio=0.5/2 left=13/14 burn=50,50 first=03T12:03:00 last=03T12:03:00",
		},
		"a day later nothing of the day before is left": {
			"12:00:00 gb", "+1d12:02:00", "good=0 bad=0 idle=0 unknown=1440 ratio=-/0 left=14/14 burn=-,- first=- last=-",
		},
		"less than a day later some of it is, without any evaluation": {
			"12:00:00 gb", "+1d12:01:59", "good=0 bad=1 idle=0 unknown=1439 ratio=0/1 left=13/14 burn=-,- first=03T12:01:00 last=03T12:01:00",
		},
		"burn rates are of the last hour and the last six": {
			"12:00:00 bggg\n18:00:00 g", "18:00:00", "good=4 bad=1 idle=0 unknown=1435 ratio=0.8/5 left=13/14 burn=0,0 first=03T12:00:00 last=03T12:00:00",
		},
		"six hours to the minute": {
			"12:01:00 bggg\n18:00:00 g", "18:00:00", "good=4 bad=1 idle=0 unknown=1435 ratio=0.8/5 left=13/14 burn=0,20 first=03T12:01:00 last=03T12:01:00",
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t)
			ledgerScript(t, l, c.script)
			o := l.book(APILatencyMutating).objective
			if diff := cmp.Diff(c.want, printDay(l.Day(APILatencyMutating, ledgerTime(t, c.now)).Minutes(o))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLedgerKeys(t *testing.T) {
	l := newLedger(t)
	ledgerScript(t, l, "12:00:00 gbgi pods=gbgi nodes=iigg secrets=iuiu")
	now := ledgerTime(t, "12:03:00")
	got := ""
	for _, k := range l.KeyDays(APILatencyMutating, now) {
		got += fmt.Sprintf("%s good=%d bad=%d idle=%d unknown=%d\n", k.Key.Resource, k.Day.Good, k.Day.Bad, k.Day.Idle, k.Day.Unknown)
	}
	// Keys that are idle all day are not given.
	if diff := cmp.Diff("nodes good=2 bad=0 idle=2 unknown=1436\npods good=2 bad=1 idle=1 unknown=1436\n", got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if days := l.KeyDays("nobody's", now); days != nil {
		t.Errorf("an objective that is not there has the keys %v", days)
	}
	if d := l.Day("nobody's", now); d.Unknown != 1440 {
		t.Errorf("an objective that is not there has the day %+v", d)
	}
	// The last known minute of secrets is 12:02, those of pods and nodes are 12:03.
	for clock, want := range map[string]int{"+1d12:01:00": 3, "+1d12:02:00": 2, "+1d12:03:00": 0} {
		aged := newLedger(t)
		if _, err := aged.Restore(l.Encode()); err != nil {
			t.Fatal(err)
		}
		ledgerScript(t, aged, clock+" i pods=u nodes=u")
		if aged.Keys() != want {
			t.Errorf("at %s %d keys are left, want %d", clock, aged.Keys(), want)
		}
	}
}

// Too many keys cost no more memory than the limit allows, and it is told.
func TestLedgerRefusesKeys(t *testing.T) {
	l := newLedger(t)
	l.limit = 3
	verdict := func(names ...string) []Minute {
		m := Minute{Objective: APILatencyMutating, Verdict: v1alpha1.VerdictMet}
		for _, name := range names {
			m.Keys = append(m.Keys, KeyVerdict{Key{Resource: name}, v1alpha1.VerdictMet})
		}
		return []Minute{m}
	}
	at := ledgerTime(t, "12:00:00")
	if refused := l.Record(at, verdict("b", "a", "d", "c", "e")); refused != 2 || l.Keys() != 3 {
		t.Errorf("%d refused and %d kept, want 2 and 3", refused, l.Keys())
	}
	if refused := l.Record(at.Add(time.Minute), verdict("a", "b", "c")); refused != 0 {
		t.Errorf("%d keys that are there were refused", refused)
	}
	l.limit = 10
	if refused := l.Record(at.Add(2*time.Minute), verdict("a", strings.Repeat("x", 254), strings.Repeat("x", 253))); refused != 1 || l.Keys() != 4 {
		t.Errorf("long names: %d refused and %d kept, want 1 and 4", refused, l.Keys())
	}
	if l.Day(APILatencyMutating, at.Add(2*time.Minute)).Good != 3 {
		t.Error("the day of the objective lacks minutes in which keys were refused")
	}
}

func TestNewLedger(t *testing.T) {
	for _, objectives := range [][]Objective{{{}}, {{Name: strings.Repeat("x", 254)}}, {{Name: "a"}, {Name: "a"}}} {
		if _, err := NewLedger(objectives); err == nil {
			t.Errorf("a ledger of %v was made", objectives)
		}
	}
}

// What the ledger records of a key follows the rules of the verdict.
func TestJudgeKeys(t *testing.T) {
	bounds := []float64{1, 30}
	series := func(resource string, counts ...float64) sources.Series {
		return sources.Series{Values: []string{"", resource, "", "PATCH", "resource"},
			Histogram: &sources.Buckets{Bounds: append(slices.Clone(bounds), requestBounds()[21]), Counts: counts}}
	}
	all := []sources.Series{series("pods", 10, 10, 10), series("nodes", 9, 10, 10), series("configmaps", 0, 0, 0), series("strays.example.com", 1, 1, 1)}
	away := sources.Instance{Component: sources.KubeAPIServer, Name: "b", Problem: "off"}
	for name, c := range map[string]struct {
		change func(*sources.Reading)
		want   string
	}{
		"complete":            {func(*sources.Reading) {}, "configmaps=NoTraffic nodes=Violated pods=Met"},
		"an instance missing": {func(r *sources.Reading) { r.Instances = append(r.Instances, away) }, "nodes=Violated"},
		"none complete":       {func(r *sources.Reading) { r.Instances[0].First = r.At.Add(-time.Minute) }, ""},
		"none read":           {func(r *sources.Reading) { r.Instances[0] = away }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
			if err != nil {
				t.Fatal(err)
			}
			reading := readingOf(slices.Clone(all))
			c.change(reading)
			classes := map[schema.GroupResource]Class{{Resource: "pods"}: BuiltIn, {Resource: "nodes"}: BuiltIn,
				{Resource: "configmaps"}: BuiltIn, {Resource: "strays.example.com"}: Custom}
			judged := Judge(objectives, reading, NewResources(classes, nil), Options{})
			reports, minutes := judged.Reports, judged.Minutes
			var got []string
			for _, k := range minutes[0].Keys {
				got = append(got, fmt.Sprintf("%s=%s", k.Key.Resource, k.Verdict))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for i, m := range minutes {
				if m.Objective != reports[i].Name || m.Verdict != reports[i].Status.Verdict {
					t.Errorf("the minute of %s is %s, and its report %s", m.Objective, m.Verdict, reports[i].Status.Verdict)
				}
			}
		})
	}
}
