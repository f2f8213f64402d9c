// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"

	"example.io/slo-apiserver/pkg/sources"
)

func TestNewRejects(t *testing.T) {
	client, err := NewClient(ClientConfig{URL: "http://127.0.0.1:9090"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   string // "" for no error
	}{
		{"good", func(*Config) {}, ""},
		{"no client", func(c *Config) { c.Client = api.Client(nil) }, "a client is needed"},
		{"no signals", func(c *Config) { c.Signals = nil }, "no signals"},
		{"job", func(c *Config) { c.KubeletJob = "kubelet(" }, `the kubelet job "kubelet(" is not a regular expression`},
		{"job that closes what it did not open", func(c *Config) { c.APIServerJob = "a)|(b" }, `"a)|(b" is not a regular expression`},
		{"matcher name", func(c *Config) { c.Match = map[string]string{`a="b",c`: "d"} }, "does not begin with a label name"},
		{"matcher for job", func(c *Config) { c.Match = map[string]string{"job": "x"} }, "belongs into the job options"},
		{"matcher for le", func(c *Config) { c.Match = map[string]string{"le": "x"} }, "use that label themselves"},
		{"matcher value", func(c *Config) { c.Match = map[string]string{"a": "\xff"} }, "is not UTF-8"},
		{"matcher for a label of a metric", func(c *Config) { c.Match, c.Signals[0].Labels = map[string]string{"verb": "GET"}, []string{"verb"} }, `"requests" has that label from its metric`},
		{"parameter", func(c *Config) { c.Parameters = url.Values{"time": {"0"}} }, "the parameter time is not possible"},
		{"timeout", func(c *Config) { c.Timeout = -time.Second }, "may not be negative"},
		{"signal twice", func(c *Config) { c.Signals = append(c.Signals, c.Signals[0]) }, `signal "requests" is declared twice`},
		{"component", func(c *Config) { c.Signals[0].Component = "etcd" }, `unknown component "etcd"`},
		{"kind", func(c *Config) { c.Signals[0].Kind = 7 }, "unknown kind 7"},
		{"samples over instances", func(c *Config) { c.Signals[1].Samples = true }, `signal "seats": only a gauge that is read per instance has samples`},
		{"samples of a counter", func(c *Config) { c.Signals[0].Samples, c.Signals[0].PerInstance = true, true }, `signal "requests": only a gauge`},
		{"samples of a gauge", func(c *Config) { c.Signals[1].Samples, c.Signals[1].PerInstance = true, true }, ""},
		{"metric", func(c *Config) { c.Signals[0].Metrics = []string{"a{}"} }, `"a{}" is not a metric name`},
		{"no metric", func(c *Config) { c.Signals[0].Metrics = nil }, "no metric"},
		{"label", func(c *Config) { c.Signals[0].Labels = []string{"a,b"} }, `"a,b" is not a label to keep`},
		{"label of ours", func(c *Config) { c.Signals[0].Labels = []string{"instance"} }, `"instance" is not a label to keep`},
		{"label twice", func(c *Config) { c.Signals[0].Labels = []string{"a", "a"} }, `"a" is not a label to keep`},
		{"match without values", func(c *Config) { c.Signals[0].Match = map[string][]string{"a": nil} }, "has no value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Config{Client: client, Signals: append([]sources.Signal(nil), twoSignals...)}
			test.change(&c)
			_, err := New(c)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

// What comes from users stays within the quotes.
func TestQueries(t *testing.T) {
	c := Config{KubeletJob: `k"} or up{a="`, Match: map[string]string{"cluster": "a\"b\\c\n", "zone": ""}}.withDefaults()
	signal := sources.Signal{
		Component: sources.Kubelet, Labels: []string{"verb"}, PerInstance: true,
		Match: map[string][]string{"scope": {"a.b", "", `x"`}, "dry_run": {""}},
	}
	matchers := append(c.matchers(sources.Kubelet), c.job(sources.Kubelet), noneOf("instance", []string{"a:1"}))
	e := expressions{signal: signal, part: part{carrier: carrier{metric: "m"}, matchers: [][]string{matchers, {`zone="b"`}}}, chosen: &selection{}, window: 90500 * time.Millisecond}
	got := e.increase("_bucket", []string{`resource="pods"`}, "le")
	const want = `sum by (verb,le,instance,node) (increase(m_bucket{cluster="a\"b\\c\n",zone="",metrics_path=~"|/metrics",` +
		`job=~"k\"} or up{a=\"",instance!="a:1",dry_run="",scope=~"a\\.b||x\"",resource="pods"}[90500ms]) or ` +
		`increase(m_bucket{zone="b",dry_run="",scope=~"a\\.b||x\"",resource="pods"}[90500ms]))`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := noneOf("a", []string{"x.y", "z"}) + oneOf("b", []string{"q"}); got != `a!~"x\\.y|z"b="q"` {
		t.Errorf("got %s", got)
	}
}
