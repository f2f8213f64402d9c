// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/testing/protocmp"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func mustNew(t *testing.T, c Config) *Process {
	t.Helper()
	c.Now = noon
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// decodeText and decodeProto read a body with the libraries of Prometheus.
func decodeText(t *testing.T, body []byte) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func decodeProto(t *testing.T, body []byte) map[string]*dto.MetricFamily {
	t.Helper()
	families := map[string]*dto.MetricFamily{}
	for r := bufio.NewReader(bytes.NewReader(body)); ; {
		f := &dto.MetricFamily{}
		err := (protodelim.UnmarshalOptions{MaxSize: -1}).UnmarshalFrom(r, f)
		if errors.Is(err, io.EOF) {
			return families
		}
		if err != nil {
			t.Fatal(err)
		}
		families[f.GetName()] = f
	}
}

// plain takes from families what only one format has: the bucket +Inf (text), and
// times of creation (protobuf).
func plain(families map[string]*dto.MetricFamily) {
	for _, f := range families {
		for _, m := range f.Metric {
			if c := m.Counter; c != nil {
				c.CreatedTimestamp = nil
			}
			if s := m.Summary; s != nil {
				s.CreatedTimestamp = nil
			}
			if h := m.Histogram; h != nil {
				h.CreatedTimestamp = nil
				if last := len(h.Bucket) - 1; math.IsInf(h.Bucket[last].GetUpperBound(), 1) {
					h.Bucket = h.Bucket[:last]
				}
			}
		}
	}
}

// Both formats say the same, also after traffic, births and a restart.
func TestFormatsAgree(t *testing.T) {
	p := mustNew(t, Config{Combinations: 30, Births: 5, Seed: 1})
	for step, seconds := range []int{15, 30, 45, 600} {
		if step == 2 {
			p.Restart(noon.Add(40 * time.Second))
		}
		p.Advance(noon.Add(time.Duration(seconds) * time.Second))
		text, proto := decodeText(t, p.AppendText(nil)), decodeProto(t, p.AppendProto(nil))
		plain(text)
		plain(proto)
		if diff := cmp.Diff(text, proto, protocmp.Transform()); diff != "" {
			t.Fatalf("step %d: text -, protobuf +:\n%.3000s", step, diff)
		}
	}
}

// The true counts are what the series say, as long as nothing restarts.
func TestTruth(t *testing.T) {
	p := mustNew(t, Config{Combinations: 40, Births: 10, Seed: 2})
	p.Advance(noon.Add(10 * time.Minute))
	truths := p.Truths()
	if len(truths) < 45 {
		t.Errorf("%d combinations, want births", len(truths))
	}
	metrics := decodeProto(t, p.AppendProto(nil))["apiserver_request_sli_duration_seconds"].Metric
	if len(metrics) != len(truths) {
		t.Fatalf("%d series of %d combinations", len(metrics), len(truths))
	}
	for _, m := range metrics {
		labels := map[string]string{}
		for _, l := range m.Label {
			labels[l.GetName()] = l.GetValue()
		}
		key := Key{labels["group"], labels["resource"], labels["subresource"], labels["verb"], labels["scope"]}
		if got, want := m.Histogram.GetSampleCount(), truths[key].Count(); got != want {
			t.Errorf("%v: %d observed, %d happened", key, got, want)
		}
	}
	before := maps.Clone(truths)
	p.Restart(noon.Add(11 * time.Minute))
	if diff := cmp.Diff(before, p.Truths()); diff != "" {
		t.Errorf("a restart changes what happened: %s", diff)
	}
	if got := decodeProto(t, p.AppendProto(nil))["apiserver_request_sli_duration_seconds"]; got != nil {
		t.Errorf("%d series right after a restart", len(got.Metric))
	}
}

// What makes a figure worth its name: most of a body is in families that nobody
// needs, and most series do not change between two scrapes, as in the lab.
func TestProportions(t *testing.T) {
	needed := func(name string) bool {
		return name == "apiserver_request_sli_duration_seconds" || strings.HasPrefix(name, "apiserver_flowcontrol_")
	}
	for _, test := range []struct {
		combinations             int
		bytesFrom, bytesTo, want float64 // MB of text, share needed at most
	}{{60, 0.8, 2, 0.4}, {600, 5, 10, 0.45}} {
		t.Run(fmt.Sprint(test.combinations), func(t *testing.T) {
			p := mustNew(t, Config{Combinations: test.combinations, Seed: 3})
			before := p.AppendText(nil)
			p.Advance(noon.Add(15 * time.Second))
			after := p.AppendText(nil)
			stats := p.Stats(needed)
			if stats.TextBytes != len(after) {
				t.Errorf("%d bytes counted, %d written", stats.TextBytes, len(after))
			}
			if mb := float64(len(after)) / 1e6; mb < test.bytesFrom || mb > test.bytesTo {
				t.Errorf("%.1f MB", mb)
			}
			share := float64(stats.NeededBytes) / float64(stats.TextBytes)
			changed := changedLines(before, after)
			t.Logf("%+v, %.2f needed, %.2f changed, protobuf %d", stats, share, changed, len(p.AppendProto(nil)))
			if share > test.want || share < 0.1 {
				t.Errorf("%.2f of the bytes are needed", share)
			}
			// 0.27 in the lab under mixed load.
			if changed < 0.1 || changed > 0.35 {
				t.Errorf("%.2f of the lines changed", changed)
			}
		})
	}
}

func changedLines(before, after []byte) float64 {
	known, lines, changed := map[string]bool{}, 0, 0
	for line := range bytes.Lines(before) {
		known[string(line)] = true
	}
	for line := range bytes.Lines(after) {
		if line[0] == '#' {
			continue
		}
		lines++
		if !known[string(line)] {
			changed++
		}
	}
	return float64(changed) / float64(lines)
}

func TestDeterministic(t *testing.T) {
	body := func(seed uint64) []byte {
		p := mustNew(t, Config{Combinations: 20, Births: 3, Seed: seed})
		p.Advance(noon.Add(time.Minute))
		return p.AppendText(nil)
	}
	if !bytes.Equal(body(1), body(1)) {
		t.Error("two bodies of one seed differ")
	}
	if bytes.Equal(body(1), body(2)) {
		t.Error("two bodies of two seeds are equal")
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []Config{{}, {Combinations: 1, Births: -1}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}
