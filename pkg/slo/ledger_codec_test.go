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

func filledLedger(t testing.TB) *Ledger {
	t.Helper()
	l := newLedger(t)
	for i := range 3 {
		l.Record(scenarioAt.Add(time.Duration(i)*time.Minute), []Minute{{
			Objective: APILatencyMutating, Verdict: v1alpha1.VerdictViolated,
			Keys: []KeyVerdict{
				{Key{"", "nodes", "", "PATCH"}, v1alpha1.VerdictMet},
				{Key{"apps", "deployments", "scale", "PUT"}, v1alpha1.VerdictViolated},
			},
		}})
	}
	return l
}

// sealed puts the right checksum behind a body.
func sealed(data []byte) []byte {
	sum := sha256.Sum256(data)
	return append(slices.Clone(data), sum[:]...)
}

func TestRestoreRefuses(t *testing.T) {
	good := filledLedger(t).Encode()
	unsealed := good[:len(good)-sha256.Size]
	changed := func(i int, b byte) []byte {
		data := slices.Clone(unsealed)
		data[i] = b
		return sealed(data)
	}
	header := len(ledgerMagic) + 4
	unsorted := bytes.Replace(unsealed, []byte("\x04apps"), []byte("\x00"), 1)
	twice := filledLedger(t)
	twice.books[1].objective.Name = twice.books[0].objective.Name
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":           {nil, "not a ledger"},
		"another file":      {[]byte("#!/bin/sh"), "not a ledger"},
		"cut in the header": {good[:header], "cut short"},
		"cut":               {good[:len(good)-1], "checksum"},
		"a flipped bit":     {append(slices.Clone(good[:100]), append([]byte{good[100] ^ 1}, good[101:]...)...), "checksum"},
		"a later version":   {changed(header-1, 3), "version 3; this server reads version 1 and 2"},
		"cut and sealed":    {sealed(unsealed[:len(unsealed)-1]), "cut short"},
		"more than there is": {
			sealed(append(slices.Clone(unsealed), 0)), "1 bytes too many",
		},
		"many objectives":    {changed(header+8, 1), "objectives"},
		"a long name":        {changed(header+12, 255), "a name of 255 bytes"},
		"too large":          {make([]byte, MaximumLedgerBytes+1), "more than"},
		"unsorted keys":      {sealed(unsorted), "follows"},
		"an objective twice": {twice.Encode(), "two objectives are called"},
	} {
		t.Run(name, func(t *testing.T) {
			l := filledLedger(t)
			_, err := l.Restore(c.data)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if !bytes.Equal(l.Encode(), good) {
				t.Error("the ledger changed all the same")
			}
		})
	}
}

// An objective with another definition starts over, and the others do not.
func TestRestoreAfterAChange(t *testing.T) {
	data := filledLedger(t).Encode()
	for name, c := range map[string]struct {
		change func(*Objective)
		want   []string
	}{
		"nothing":             {func(*Objective) {}, nil},
		"the threshold":       {func(o *Objective) { o.Threshold *= 2 }, []string{APILatencyMutating}},
		"the window":          {func(o *Objective) { o.Window *= 2 }, []string{APILatencyMutating}},
		"the percentile":      {func(o *Objective) { o.Percentile-- }, []string{APILatencyMutating}},
		"the verbs":           {func(o *Objective) { o.Verbs = o.Verbs[1:] }, []string{APILatencyMutating}},
		"the share of a day":  {func(o *Objective) { o.DayGoodPercent-- }, nil},
		"the low traffic":     {func(o *Objective) { o.MinimumRequests++ }, nil},
		"the words":           {func(o *Objective) { o.Description = "" }, nil},
		"the name":            {func(o *Objective) { o.Name = "another" }, nil},
		"the key, by a label": {func(o *Objective) { o.Key = o.Key[1:] }, []string{APILatencyMutating}},
	} {
		t.Run(name, func(t *testing.T) {
			objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
			if err != nil {
				t.Fatal(err)
			}
			c.change(&objectives[0])
			l, err := NewLedger(objectives)
			if err != nil {
				t.Fatal(err)
			}
			startedOver, err := l.Restore(data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, startedOver); diff != "" {
				t.Errorf("started over (-want +got):\n%s", diff)
			}
			known := l.Keys() == 2 && l.Day(objectives[0].Name, scenarioAt.Add(2*time.Minute)).Bad == 3
			empty := l.Keys() == 0 && l.Day(objectives[0].Name, scenarioAt.Add(2*time.Minute)).Unknown == 1440
			if kept := c.want == nil && name != "the name"; known != kept || empty != !kept {
				t.Errorf("%d keys, day %+v", l.Keys(), l.Day(objectives[0].Name, scenarioAt.Add(2*time.Minute)))
			}
		})
	}
}

// Whatever a file holds, reading it ends, takes little memory, and what is taken
// is a ledger: it can be written and read again, and goes on.
func FuzzRestoreLedger(f *testing.F) {
	good := filledLedger(f).Encode()
	f.Add(good[:len(good)-sha256.Size])
	f.Add(newLedger(f).Encode()[:100])
	ratios, _, _ := withEvents(f)
	events := ratios.Encode()
	f.Add(events[:len(events)-sha256.Size])
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newLedger(t)
		if _, err := l.Restore(data); err == nil && len(data) < sha256.Size {
			t.Fatal("a ledger without a checksum was read")
		}
		// The checksum keeps chance away; look behind it.
		if _, err := l.Restore(sealed(data)); err != nil {
			if !bytes.Equal(l.Encode(), newLedger(t).Encode()) {
				t.Fatalf("an error, and a change: %v", err)
			}
			return
		}
		again := newLedger(t)
		if _, err := again.Restore(l.Encode()); err != nil || !bytes.Equal(again.Encode(), l.Encode()) {
			t.Fatalf("what was read can not be read again: %v", err)
		}
		l.Record(scenarioAt, []Minute{{Objective: APILatencyMutating, Verdict: v1alpha1.VerdictMet}})
		if d := l.Day(APILatencyMutating, scenarioAt); d.Good+d.Bad+d.Idle+d.Unknown != 1440 || d.Unknown < 0 {
			t.Fatalf("a day of %+v", d)
		}
	})
}
