// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// withEvents is a ledger of a ratio and of an official objective, half an hour old.
func withEvents(t testing.TB) (*Ledger, []Objective, time.Time) {
	t.Helper()
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	objectives = append(objectives, ratioObjective())
	l, err := NewLedger(objectives)
	if err != nil {
		t.Fatal(err)
	}
	now := scenarioAt
	for i := range 30 {
		now = scenarioAt.Add(time.Duration(i) * time.Minute)
		l.Record(now, []Minute{
			{Objective: APILatencyMutating, Verdict: v1alpha1.VerdictMet, Keys: []KeyVerdict{{Key{Resource: "pods", Verb: "PUT"}, v1alpha1.VerdictMet}}},
			{Objective: "availability", Verdict: v1alpha1.VerdictViolated, Events: &Events{Total: 10, Bad: 1}},
		})
	}
	return l, objectives, now
}

// What is as it was goes on; what is another, or new, begins a day.
func TestAdopt(t *testing.T) {
	l, objectives, now := withEvents(t)
	changed := slices.Clone(objectives)
	changed[0].DayGoodPercent = 90 // the minutes are the same
	changed[1].Threshold = time.Second
	changed = append(changed, Objective{Name: "new"})
	changed = slices.DeleteFunc(changed, func(o Objective) bool { return o.Name == PodStartupLatency })
	begun, err := l.Adopt(changed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{APILatencyReadOnlyCluster, "new"}, begun); diff != "" {
		t.Error(diff)
	}
	if day := l.Day(APILatencyMutating, now); day.Good != 30 || len(l.KeyDays(APILatencyMutating, now)) != 1 {
		t.Errorf("the day of an objective that is as it was: %+v", day)
	}
	if rates := l.BurnRates("availability", now); rates[0].Requests != 60 || rates[0].CoveredMinutes != 30 {
		t.Errorf("the events of an objective that is as it was: %+v", rates)
	}
	if l.book(PodStartupLatency) != nil {
		t.Error("what was removed is there")
	}
	if _, err := l.Adopt([]Objective{{Name: "a"}, {Name: "a"}}); err == nil || l.book("new") == nil {
		t.Errorf("error %v, and the ledger changed", err)
	}
	changed[len(changed)-2].GoodMillionths++
	if begun, _ := l.Adopt(changed); len(begun) != 1 || l.BurnRates("availability", now)[0].Requests != 0 || l.Day("availability", now).Bad != 0 {
		t.Errorf("another target does not begin a day: %v", begun)
	}
}

func TestRestoreEvents(t *testing.T) {
	l, objectives, now := withEvents(t)
	data := l.Encode()
	restored, err := NewLedger(objectives)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := restored.Restore(data); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(l.BurnRates("availability", now), restored.BurnRates("availability", now)); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(restored.Encode(), data) {
		t.Error("what was read is written in another way")
	}
	// Another definition starts over, with its events.
	objectives[5].GoodMillionths++
	other, err := NewLedger(objectives)
	if err != nil {
		t.Fatal(err)
	}
	if over, err := other.Restore(data); err != nil || len(over) != 1 || other.BurnRates("availability", now)[0].CoveredMinutes != 0 {
		t.Errorf("%v, %v, %+v", over, err, other.BurnRates("availability", now))
	}
}

func TestRestoreBadEvents(t *testing.T) {
	l, objectives, _ := withEvents(t)
	body := l.Encode()
	body = body[:len(body)-sha256.Size]
	const ring = 1 + len("availability") + 8 + 8*burnThreeDays
	count := len(body) - ring - 4
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"cut":            {body[:len(body)-1], "cut short"},
		"more":           {append(slices.Clone(body), 0), "bytes too many"},
		"many rings":     {append(append(slices.Clone(body[:count]), 0, 0, 1, 0), body[count+4:]...), "events of 256 objectives"},
		"the same twice": {append(append(append(slices.Clone(body[:count]), 0, 0, 0, 2), body[count+4:]...), body[count+4:]...), "which is no objective or has some"},
	} {
		restored, err := NewLedger(objectives)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := restored.Restore(sealed(c.data)); c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
