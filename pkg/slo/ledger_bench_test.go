// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// benchmarkKeys are 600 keys as a busy cluster has them.
func benchmarkKeys() []KeyVerdict {
	var keys []KeyVerdict
	for i := range 120 {
		for j, verb := range mutatingVerbs() {
			verdict := v1alpha1.VerdictMet
			if (i+j)%7 == 0 {
				verdict = v1alpha1.VerdictViolated
			}
			keys = append(keys, KeyVerdict{Key{fmt.Sprintf("group%d.k8s.io", i/10), fmt.Sprintf("resource%03d", i), "", verb}, verdict})
		}
	}
	return keys
}

func fullLedger(b *testing.B, keys []KeyVerdict) (*Ledger, time.Time) {
	b.Helper()
	l := newLedger(b)
	at := scenarioAt
	for range minutesPerDay {
		at = at.Add(time.Minute)
		l.Record(at, []Minute{{Objective: APILatencyMutating, Verdict: v1alpha1.VerdictMet, Keys: keys}})
	}
	return l, at
}

// The day figures of 600 keys, most of them with bad minutes to be found.
func BenchmarkLedgerKeyDays600(b *testing.B) {
	l, at := fullLedger(b, benchmarkKeys())
	b.ReportAllocs()
	for b.Loop() {
		if len(l.KeyDays(APILatencyMutating, at)) != 600 {
			b.Fatal("keys are missing")
		}
	}
}

// A minute of 600 keys.
func BenchmarkLedgerRecord600(b *testing.B) {
	keys := benchmarkKeys()
	l, at := fullLedger(b, keys)
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Minute)
		l.Record(at, []Minute{{Objective: APILatencyMutating, Verdict: v1alpha1.VerdictMet, Keys: keys}})
	}
}

func BenchmarkLedgerEncode600(b *testing.B) {
	l, _ := fullLedger(b, benchmarkKeys())
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(len(l.Encode())))
	}
}

// Heap that a key takes, names included.
func BenchmarkLedgerBytesPerKey(b *testing.B) {
	keys := benchmarkKeys()
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		l, _ := fullLedger(b, keys)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(l.Keys()), "B/key")
		runtime.KeepAlive(l)
	}
}
