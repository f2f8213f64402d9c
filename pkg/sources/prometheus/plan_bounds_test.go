// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// TestBoundsOfRecorded wants the bounds in common of a recorded rate whatever its name ends
// with: of instances that differ in bounds a sum has those alone that all have.
func TestBoundsOfRecorded(t *testing.T) {
	const rate = "latency:rate5m_bucket"
	url := serve(t, func(w http.ResponseWriter, _ string) {
		row := `{"metric":{"metric":"` + rate + `","le":%q},"value":[1,"%d"]}`
		_, _ = w.Write(fmt.Appendf(nil, `{"status":"success","data":{"result":[`+row+","+row+","+row+`]}}`, "1", 2, "5", 1, "+Inf", 2))
	})
	signal := sources.Signal{Name: "s", Kind: sources.Histogram, Metrics: []string{"latency"}, Recorded: sources.Recording{Rate: rate, Window: 1}}
	one := carrier{metric: rate, recorded: true}
	p := &plan{assigned: map[string]map[carrier][]string{"s": {one: {"a", "b"}}}}
	q := &session{querier: newTestSource(t, url, nil).querier, at: at}
	if err := p.findBounds(t.Context(), q, &selection{matchers: [][]string{{`job="a"`}}}, []sources.Signal{signal}, time.Minute); err != nil {
		t.Fatal(err)
	}
	series := one.series(signal)
	if want := []float64{1, math.Inf(1)}; !slices.Equal(p.bounds[series], want) || !p.partial[series] {
		t.Errorf("bounds %v, partial %v; want %v and partial", p.bounds, p.partial, want)
	}
}
