// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"example.io/slo-apiserver/pkg/sources"
)

const (
	nativeVector = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"histogram":[1435781451.781,{"count":"3","sum":"2.5","buckets":[[3,"-0.001","0.001","1"],[0,"1","1.0905077326652577","2"]]}]}]}}`
	nativeMatrix = `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"histograms":[[1,{"count":"2","sum":"1","buckets":[[3,"-Inf","0.05","1"],[0,"60","+Inf","1"]]}],[2,{"count":"0","sum":"0"}]]}]}}`
)

// checkNative wants buckets in order of whatever an answer holds that adds up: bounds
// that ascend, and counts that do not fall.
func checkNative(t *testing.T, n native) {
	t.Helper()
	custom, _ := layoutOf(slices.Values([]native{n}))
	if !n.isValid() {
		return
	}
	b := n.as(custom)
	if !slices.IsSorted(b.Bounds) || len(slices.Compact(slices.Clone(b.Bounds))) != len(b.Bounds) || !slices.IsSorted(b.Counts) || !math.IsInf(b.Bounds[len(b.Bounds)-1], 1) {
		t.Errorf("%+v became %+v", n, b)
	}
}

// FuzzRoundTripNative does so with a native histogram, alone and in a matrix.
func FuzzRoundTripNative(f *testing.F) {
	f.Add(1435781451.781, 3.0, 0.5, 1.0, 1.0905077326652577, 2.0, false)
	f.Add(-1.0, 1e300, math.Inf(-1), math.Inf(-1), 0.05, 5e-324, true)
	f.Fuzz(func(t *testing.T, at, count, sum, lower, upper, in float64, matrix bool) {
		if math.IsNaN(at) || math.IsInf(at, 0) {
			return
		}
		text := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
		histogram := []any{at, map[string]any{"count": text(count), "sum": text(sum), "buckets": []any{[]any{0, text(lower), text(upper), text(in)}}}}
		member, points := "histogram", any(histogram)
		if matrix {
			member, points = "histograms", []any{histogram, histogram}
		}
		body, err := json.Marshal(map[string]any{"status": "success", "data": map[string]any{"result": []any{map[string]any{member: points}}}})
		if err != nil {
			t.Fatal(err)
		}
		one := native{at: at, count: count, sum: sum, buckets: []sources.NativeBucket{{Lower: lower, Upper: upper, Count: in}}}
		want := []native{one}
		if matrix {
			want = append(want, one)
		}
		read := false
		_, err = decode(string(body), 1, func(s *series) error {
			read = fmt.Sprint(s.natives) == fmt.Sprint(want) && len(s.points) == 0
			return nil
		})
		if err != nil || !read {
			t.Errorf("%s: read alike: %t, %v", body, read, err)
		}
	})
}
