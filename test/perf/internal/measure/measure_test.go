// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"errors"
	"runtime"
	"testing"
)

func TestOf(t *testing.T) {
	var kept [][]byte
	cost, err := Of(func() error {
		for range 1000 {
			kept = append(kept, make([]byte, 1000))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if cost.Allocations < 1000 || cost.Bytes < 1_000_000 || cost.CPU < 0 {
		t.Errorf("%+v", cost)
	}
	if per := cost.Per(1000); per.Bytes < 1000 || per.Bytes > 2000 {
		t.Errorf("%+v each", per)
	}
	runtime.KeepAlive(kept)
	broken := errors.New("broken")
	if _, err := Of(func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestLive(t *testing.T) {
	before := Live()
	kept := make([]byte, 10<<20)
	const small = 64 << 10 // of before, may have gone meanwhile
	if grown := int64(Live()) - int64(before); grown < 10<<20-small || grown > 11<<20 {
		t.Errorf("10 MB are %d", grown)
	}
	runtime.KeepAlive(kept)
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := Median(test.values); got != test.want {
			t.Errorf("Median(%v) = %v, want %v", test.values, got, test.want)
		}
	}
}
