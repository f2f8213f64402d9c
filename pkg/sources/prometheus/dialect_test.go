// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// What MetricsQL needs is sent to it alone, and what users give to all.
func TestDialect(t *testing.T) {
	for probe, want := range map[string]struct {
		rule    sources.Rule
		nocache string
	}{
		scalarBody: {sources.Extrapolated, ""},
		oneBody:    {sources.BetweenSamples, "1"},
		emptyBody:  {sources.Extrapolated, ""}, // no sign of either
	} {
		var forms []url.Values
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			switch promql := r.Form.Get("query"); {
			case promql == "1":
				_, _ = w.Write([]byte(probe))
				return
			case strings.HasPrefix(promql, startTime):
				// A scrape failed: MetricsQL shows the marker that says so.
				_, _ = w.Write([]byte(strings.Replace(instancesBody, `],[`, fmt.Sprintf(`],[%d,"NaN"],[`, at.Unix()-150), 1)))
			default:
				_, _ = w.Write([]byte(emptyBody))
			}
			forms = append(forms, r.Form)
		}))
		source := newTestSource(t, server.URL, func(c *Config) {
			c.Concurrency = 1
			c.Parameters = url.Values{"dedup": {"true"}, "extra_filters[]": {"{a=\"b\"}", "{}"}}
		})
		for range 2 {
			reading, err := source.Read(t.Context(), at, 5*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if reading.Rule != want.rule || reading.Instances[0].Observed != (want.nocache == "1") {
				t.Errorf("%s: got rule %s, instance %+v", probe, reading.Rule, reading.Instances[0])
			}
		}
		server.Close()
		for _, form := range forms {
			if form.Get("nocache") != want.nocache || form.Get("dedup") != "true" || !slices.Equal(form["extra_filters[]"], []string{"{a=\"b\"}", "{}"}) {
				t.Errorf("%s: got %v", probe, form)
			}
		}
	}
}

// Instances of which it is not known what they had at the start of the window count from
// their first sample in MetricsQL, too.
func TestIncreaseOfMetricsQL(t *testing.T) {
	e := expressions{
		signal: twoSignals[0], part: part{carrier: carrier{metric: "m"}, matchers: [][]string{{`job="a"`}}}, window: time.Minute,
		chosen: &selection{unborn: []string{"x", "y"}}, dialect: metricsQL,
	}
	const want = `sum by () (increase(m{job="a",instance!~"x|y"}[60s]) or increase_prometheus(m{job="a",instance=~"x|y"}[60s]))`
	if got := e.increase("", nil); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	e.dialect = promQL
	if got := e.increase("", nil); got != `sum by () (increase(m{job="a"}[60s]))` {
		t.Errorf("got %s", got)
	}
}
