// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/conformance"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// quantileTime is when the histograms of this file were scraped: at the end of the
// scenarios, for prometheustest.Start takes samples of one hour.
var quantileTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// randomHistograms are 300 histograms of every kind: with a negative or no finite
// bound, empty, of counts that fall, and of counts that are no integers.
func randomHistograms() []*sources.Buckets {
	random := rand.New(rand.NewPCG(3, 4))
	all := make([]*sources.Buckets, 300)
	for i := range all {
		b := &sources.Buckets{}
		bound, count := random.Float64()-0.5, 0.0
		for range random.IntN(12) {
			b.Bounds = append(b.Bounds, bound)
			b.Counts = append(b.Counts, count)
			bound += random.ExpFloat64()
			if random.IntN(3) > 0 {
				count += random.ExpFloat64() * math.Pow(10, float64(random.IntN(7)))
			}
			if random.IntN(20) == 0 {
				count *= 0.999
			}
		}
		b.Bounds = append(b.Bounds, math.Inf(1))
		b.Counts = append(b.Counts, count)
		all[i] = b
	}
	return all
}

func quantileSamples() []prometheustest.Sample {
	var samples []prometheustest.Sample
	for i, b := range randomHistograms() {
		for j, bound := range b.Bounds {
			series := fmt.Sprintf(`random_bucket{case="%d",le="%s"}`, i, conformance.FormatValue(bound))
			samples = append(samples, prometheustest.Sample{Series: series, At: quantileTime, Value: b.Counts[j]})
		}
	}
	return samples
}

// testQuantiles compares our quantiles with those of the real histogram_quantile.
func testQuantiles(t *testing.T, address string) {
	t.Helper()
	histograms := randomHistograms()
	for _, q := range []float64{-0.5, 0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1, 1.5} {
		compared := 0
		for name, want := range ask(t, address, fmt.Sprintf("histogram_quantile(%v, random_bucket)", q)) {
			i, err := strconv.Atoi(name)
			if err != nil {
				t.Fatal(err)
			}
			compared++
			got := histograms[i].EnsureMonotonic().Quantile(q)
			if got != want && !(math.IsNaN(got) && math.IsNaN(want)) && !(math.Abs(got-want) <= 1e-12*math.Abs(want)) {
				t.Errorf("quantile %v of %+v is %v, histogram_quantile has %v", q, histograms[i], got, want)
			}
		}
		if compared != len(histograms) {
			t.Errorf("quantile %v: compared %d histograms of %d", q, compared, len(histograms))
		}
	}
}

// ask returns the values of an instant query by the label case, with none of the
// code under test.
func ask(t *testing.T, address, promql string) map[string]float64 {
	t.Helper()
	response, err := http.PostForm(address+"/api/v1/query", url.Values{
		"query": {promql}, "time": {strconv.FormatInt(quantileTime.Unix(), 10)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, one := range body.Data.Result {
		value, err := strconv.ParseFloat(one.Value[1].(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		values[one.Metric["case"]] = value
	}
	return values
}
