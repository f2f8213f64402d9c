// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// The largest ledger that there can be is read again: all keys, with the longest names,
// and the events of as many objectives as a file of 200 and all profiles make.
func TestLargestLedgerIsRead(t *testing.T) {
	long := func(kind string, i int) string {
		name := fmt.Sprintf("%s-%d-", kind, i)
		return name + strings.Repeat("x", longestName-len(name))
	}
	var objectives []Objective
	for i := range 213 {
		o := ratioObjective()
		o.Name, o.Key = long("objective", i), []string{labelGroup, labelResource, labelSubresource, labelVerb}
		objectives = append(objectives, o)
	}
	l, err := NewLedger(objectives)
	if err != nil {
		t.Fatal(err)
	}
	minutes := []Minute{{Objective: objectives[0].Name, Verdict: v1alpha1.VerdictViolated}}
	for i := range maximumKeys {
		minutes[0].Keys = append(minutes[0].Keys, KeyVerdict{Key{long("group", i), long("resource", i), long("subresource", i), long("verb", i)}, v1alpha1.VerdictViolated})
	}
	for _, o := range objectives {
		minutes = append(minutes, Minute{Objective: o.Name, Verdict: v1alpha1.VerdictViolated, Events: &Events{Total: 2, Bad: 1}})
	}
	minutes[0].Events = minutes[1].Events
	if refused := l.Record(scenarioAt, minutes); refused > 0 {
		t.Fatalf("%d keys were refused", refused)
	}
	data := l.Encode()
	if n := len(data); n <= 16<<20 || n > MaximumLedgerBytes*9/10 {
		t.Errorf("%d bytes: the bound of %d is not what it says", n, MaximumLedgerBytes)
	}
	again, err := NewLedger(objectives)
	if err != nil {
		t.Fatal(err)
	}
	if startedOver, err := again.Restore(data); err != nil || len(startedOver) > 0 || again.Keys() != maximumKeys {
		t.Errorf("started over: %d, %d keys, %v", len(startedOver), again.Keys(), err)
	}
}

// More bad events than there were are no events.
func TestRestoreRefusesImpossibleEvents(t *testing.T) {
	l, objectives, now := withEvents(t)
	data := l.Encode()
	data = data[:len(data)-sha256.Size]
	slots := data[len(data)-8*burnThreeDays:]
	slot := slots[8*eventSlotOf(minuteOf(now)):]
	if total := binary.BigEndian.Uint32(slot); total != 11 {
		t.Fatalf("%d events and one", total)
	}
	binary.BigEndian.PutUint32(slot[4:], 11)
	again, err := NewLedger(objectives)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Restore(sealed(data)); err == nil || !strings.Contains(err.Error(), "11 of 10 are bad") {
		t.Errorf("got %v", err)
	}
	binary.BigEndian.PutUint32(slot[4:], 10)
	if _, err := again.Restore(sealed(data)); err != nil {
		t.Error(err)
	}
}
