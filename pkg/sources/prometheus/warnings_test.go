// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// What Prometheus 2 remarks on the text of a query says nothing against its answer.
func TestReadRemarks(t *testing.T) {
	for warning, want := range map[string]sources.Reason{
		"PromQL info: metric might not be a counter":   sources.QueryRemark,
		"PromQL warning: bucket label le is missing":   sources.PartialResponse,
		"No StoreAPIs matched for this query":          sources.PartialResponse,
		"stores say PromQL info: and are not there":    sources.PartialResponse,
		"results truncated due to limit":               sources.PartialResponse,
		"expanding series failed: PromQL info: a, b c": sources.PartialResponse,
	} {
		url := serve(t, func(w http.ResponseWriter, promql string) {
			if strings.Contains(promql, "up") {
				_, _ = w.Write([]byte(instancesBody))
				return
			}
			_, _ = w.Write([]byte(strings.Replace(emptyBody, "{", fmt.Sprintf(`{"warnings":[%q],`, warning), 1)))
		})
		reading, err := newTestSource(t, url, nil).Read(t.Context(), at, 5*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if len(reading.Warnings) != 1 || reading.Warnings[0].Reason != want || reading.Warnings[0].Message != "Prometheus warns: "+warning {
			t.Errorf("%s: got %+v, want %s", warning, reading.Warnings, want)
		}
	}
}

// An instance whose samples end is not observed, for a reason of its own.
func TestReadStaleSamples(t *testing.T) {
	for age, want := range map[time.Duration]sources.Reason{100 * time.Second: "", 151 * time.Second: sources.StaleSamples} {
		last := at.Add(-age).Unix()
		body := fmt.Sprintf(`{"status":"success","data":{"result":[{"metric":{"__name__":"process_start_time_seconds","job":"apiserver","instance":"a"},"values":[[%d,"1"],[%d,"1"]]}]}}`, last-200, last)
		url := serve(t, func(w http.ResponseWriter, promql string) {
			if strings.HasPrefix(promql, startTime) {
				_, _ = w.Write([]byte(body))
				return
			}
			_, _ = w.Write([]byte(emptyBody))
		})
		reading, err := newTestSource(t, url, nil).Read(t.Context(), at, 5*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if i := reading.Instances; len(i) != 1 || i[0].Cause != want || i[0].Observed != (want == "") {
			t.Errorf("%s: got %+v, want %q", age, i, want)
		}
	}
}
