// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"example.io/slo-apiserver/pkg/sources"
)

var testLimits = Limits{BodyBytes: 1 << 20, SeriesPerTarget: 100, LabelBytes: 64}

// testPlan wants the histogram h, the counter c and the gauge g.
func testPlan(t testing.TB) plan {
	plans, err := newPlans([]sources.Signal{
		{Name: "h", Component: "x", Kind: sources.Histogram, Metrics: []string{"h"}},
		{Name: "c", Component: "x", Kind: sources.Counter, Metrics: []string{"c"}, Match: map[string][]string{"code": {"", "200"}}},
		{Name: "g", Component: "x", Kind: sources.Gauge, Metrics: []string{"g"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return plans["x"]
}

func newTestScanner(t testing.TB) *scanner {
	return newScanner(testPlan(t), testLimits, newIdentities(), &scratches{})
}

// show an exposition as lines.
func show(e *exposition) string {
	var out strings.Builder
	for _, s := range e.samples {
		s.spellOut()
		fmt.Fprintf(&out, "%s%s", s.place.id.family.name, formatLabels(s.place.id.labels()))
		switch {
		case s.state == unknown:
			fmt.Fprint(&out, " unknown")
		case s.counts != nil:
			fmt.Fprintf(&out, " %v %v %v", s.bounds, s.counts, s.number)
		default:
			fmt.Fprint(&out, " ", s.number)
		}
		fmt.Fprintln(&out)
	}
	for _, f := range []string{"c", "g", "h"} {
		for _, w := range slices.Sorted(slices.Values(e.warnings[f])) {
			fmt.Fprintln(&out, "warning:", w)
		}
	}
	return out.String()
}

func TestDecodeText(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"numbers": {"c 1\nc{code=\"200\"} 2e3 1700000000000\n  g{}\t-4\n", "c{} 1\nc{code=\"200\"} 2000\ng{} -4\n"},
		"other families and series": {
			"# HELP c Some.\n# TYPE c counter\nc{code=\"500\"} 1\ncc 1\nh 1\nother{x=\"\\\"}\"} 1\n\n# just a comment\n", ""},
		"labels":                  {"g{b=\"2\", a=\"1\",} 5\n", "g{a=\"1\",b=\"2\"} 5\n"},
		"escapes":                 {`g{a="x\\y\"z\nß{,}"} 5` + "\n", `g{a="x\\y\"z\nß{,}"} 5` + "\n"},
		"empty labels are absent": {"g{a=\"\",b=\"1\"} 5\n", "g{b=\"1\"} 5\n"},
		"gauges of any value":     {"g NaN\ng{a=\"b\"} +Inf\n", "g{} NaN\ng{a=\"b\"} +Inf\n"},
		"a counter that is none":  {"c NaN\n", "c{} unknown\nwarning: c has series with the value NaN: not read\n"},
		"a negative counter":      {"c -1\n", "c{} unknown\nwarning: c has series with the value -1: not read\n"},
		"an infinite counter":     {"c 1e999\n", "c{} unknown\nwarning: c has series with the value +Inf: not read\n"},
		"another type":            {"# TYPE c gauge\nc 1\n", "warning: c is a gauge, not a counter: not read\n"},
		"histogram": {
			"h_bucket{a=\"b\",le=\"1\"} 2\nh_bucket{a=\"b\",le=\"+Inf\"} 3\nh_sum{a=\"b\"} 4.5\nh_count{a=\"b\"} 3\n",
			"h{a=\"b\"} [1 +Inf] [2 3] 4.5\n"},
		"histogram in any order": {
			"h_count 3\nh_bucket{le=\"+Inf\"} 3\nh_sum 4.5\nh_bucket{le=\"5.0\"} 3\nh_bucket{le=\"1\"} 2\n",
			"h{} [1 5 +Inf] [2 3 3] 4.5\n"},
		"the count is the bucket +Inf": {"h_bucket{le=\"1\"} 2\nh_count 3\n", "h{} [1 +Inf] [2 3] NaN\n"},
		"neither count nor +Inf": {"h_bucket{le=\"1\"} 2\nh_sum 1\n",
			"h{} unknown\nwarning: h has histograms without the bucket +Inf and without a count: not read\n"},
		"buckets that fall": {"h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\n",
			"h{} unknown\nwarning: h has histograms with counts that fall from one bucket to the next: not read\n"},
		"a negative bucket": {"h_bucket{le=\"1\"} -2\nh_bucket{le=\"+Inf\"} 1\n",
			"h{} unknown\nwarning: h has histograms with a negative or infinite count: not read\n"},
		"a bucket that is NaN": {"h_bucket{le=\"1\"} NaN\nh_bucket{le=\"+Inf\"} 1\n",
			"h{} unknown\nwarning: h has histograms with a negative or infinite count: not read\n"},
		"two buckets of one bound": {"h_bucket{le=\"1\"} 1\nh_bucket{le=\"1.0\"} 1\nh_count 1\n",
			"h{} unknown\nwarning: h has histograms with two buckets of one bound: not read\n"},
		"no classic buckets": {"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_count 1\n",
			"warning: h has no classic buckets: its native histogram is not read\n"},
		"a summary": {"# TYPE h summary\nh_sum 1\nh_count 1\n", "warning: h is a summary, not a histogram: not read\n"},
		"a long label": {"g{a=\"" + strings.Repeat("x", 65) + "\"} 1\n",
			"warning: g has series with labels of more than 64 bytes: not read\n"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := newTestScanner(t).read(strings.NewReader(test.text), decodeText)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, show(e)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeTextErrors(t *testing.T) {
	for text, want := range map[string]string{
		"c 1\ng":                     "line 2: the answer ends in the middle",
		"\ng\n":                      "line 2: no value after \"g\"",
		"g 1 2 3\n":                  "line 1: g: 3 fields after the labels",
		"g{} \n":                     "line 1: g: 0 fields after the labels",
		"g x\n":                      "line 1: g: value \"x\" is not a number",
		"g 1 x\n":                    "line 1: g: timestamp \"x\"",
		"g{a=\"b} 1\n":               "line 1: g: label a: the value has no end",
		"g{a=b} 1\n":                 "line 1: g: label a: the value is not quoted",
		"g{a=\"b\" c=\"d\"} 1\n":     "line 1: g: no comma or brace after label a",
		"g{a 1\n":                    "line 1: g: labels without an end",
		"g{a:b=\"b\"} 1\n":           "line 1: g: label name \"a:b\"",
		"g{1a=\"b\"} 1\n":            "line 1: g: label name \"1a\"",
		"g{a=\"b\",a=\"b\"} 1\n":     "line 1: label \"a\" stands twice",
		"g{a=\"b\\":                  "line 1: the answer ends in the middle",
		"g{a=\"\xff\"} 1\n":          "line 1: a label of g is not UTF-8",
		"g 1\ng 1\n":                 "line 2: one series of g stands twice: {}",
		"h_bucket 1\n":               "line 1: a bucket has no label le",
		"h_bucket{le=\"x\"} 1\n":     "line 1: label le=\"x\" is not a number",
		strings.Repeat("x", 2<<20):   "line 1: longer than 1048576 bytes",
		"<html>not metrics</html>\n": "line 1: \"<html>not\" is not the name of a metric",
	} {
		_, err := newTestScanner(t).read(strings.NewReader(text), decodeText)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40q: error %v, want %q", text, err, want)
		}
	}
}

// delimited messages of families, as a target sends them.
func delimited(t testing.TB, families ...*dto.MetricFamily) []byte {
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, expfmt.NewFormat(expfmt.TypeProtoDelim))
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func text(t testing.TB, families ...*dto.MetricFamily) []byte {
	var out bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&out, f); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestDecodeProtoErrors(t *testing.T) {
	counter := delimited(t, randomFamily(rand.New(rand.NewPCG(1, 1)), "c", dto.MetricType_COUNTER))
	noValue, _ := proto.Marshal(&dto.MetricFamily{Name: proto.String("g"), Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{}}})
	for name, test := range map[string]struct {
		body []byte
		want string
	}{
		"cut off":           {counter[:len(counter)-1], "family 1: the answer ends in the middle"},
		"cut off length":    {append(bytes.Clone(counter), 0x80), "family 2: the answer ends in the middle"},
		"not protobuf":      {[]byte{3, 0xff, 0xff, 0xff}, "family 1: is not protobuf"},
		"too long":          {binary.AppendUvarint(nil, 1<<40), "family 1: is said to have 1099511627776 bytes, more than the limit"},
		"no value":          {append(binary.AppendUvarint(nil, uint64(len(noValue))), noValue...), "family 1: a series of g has no value"},
		"the family again":  {append(bytes.Clone(counter), counter...), "family 2: one series of c stands twice"},
		"unwanted, cut off": {[]byte{100, 1<<3 | 2, 1, 'x'}, "family 1: the answer ends in the middle"},
	} {
		_, err := newTestScanner(t).read(bytes.NewReader(test.body), decodeProto)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
}

// randomFamily with up to five series, some of them odd.
func randomFamily(r *rand.Rand, name string, typ dto.MetricType) *dto.MetricFamily {
	f := &dto.MetricFamily{Name: &name, Help: proto.String("Help \\ \n."), Type: &typ}
	for i := range 1 + r.IntN(5) {
		m := &dto.Metric{Label: []*dto.LabelPair{
			{Name: proto.String("a"), Value: proto.String([]string{"", "x", "\"\\\n", "ß", strings.Repeat("l", 70)}[r.IntN(5)])},
			{Name: proto.String("code"), Value: proto.String([]string{"", "200", "500"}[r.IntN(3)])},
			{Name: proto.String("n"), Value: proto.String(fmt.Sprint(i))},
		}}
		number := []float64{0, 1, -1, 2.5, 1e300, math.NaN(), math.Inf(1)}[r.IntN(7)]
		switch typ {
		case dto.MetricType_COUNTER:
			m.Counter = &dto.Counter{Value: &number}
		case dto.MetricType_GAUGE:
			m.Gauge = &dto.Gauge{Value: &number}
		case dto.MetricType_UNTYPED:
			m.Untyped = &dto.Untyped{Value: &number}
		case dto.MetricType_HISTOGRAM:
			m.Histogram = randomHistogram(r)
		}
		f.Metric = append(f.Metric, m)
	}
	return f
}

func randomHistogram(r *rand.Rand) *dto.Histogram {
	h := &dto.Histogram{SampleSum: proto.Float64(r.Float64() * 100)}
	count := uint64(0)
	for _, bound := range []float64{0.05, 1, 5, 30}[r.IntN(5):] {
		count += r.Uint64N(10)
		h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: proto.Float64(bound), CumulativeCount: proto.Uint64(count)})
	}
	h.SampleCount = proto.Uint64(count + r.Uint64N(10))
	if r.IntN(2) == 0 { // a native histogram beside the classic buckets
		h.Schema = proto.Int32(3)
		h.PositiveSpan = []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(1)}}
		h.PositiveDelta = []int64{int64(count)}
	}
	return h
}

// Both formats of the same families give the same samples and warnings.
func TestFormatsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	types := []dto.MetricType{dto.MetricType_COUNTER, dto.MetricType_GAUGE, dto.MetricType_UNTYPED, dto.MetricType_HISTOGRAM}
	for range 2000 {
		families := []*dto.MetricFamily{
			randomFamily(r, "c", types[r.IntN(3)]),
			randomFamily(r, "g", types[r.IntN(3)]),
			randomFamily(r, "h", dto.MetricType_HISTOGRAM),
			randomFamily(r, "other", types[r.IntN(4)]),
		}
		r.Shuffle(len(families), func(i, j int) { families[i], families[j] = families[j], families[i] })
		fromProto, err := newTestScanner(t).read(bytes.NewReader(delimited(t, families...)), decodeProto)
		if err != nil {
			t.Fatal(err)
		}
		fromText, err := newTestScanner(t).read(bytes.NewReader(text(t, families...)), decodeText)
		if err != nil {
			t.Fatalf("%v\n%s", err, text(t, families...))
		}
		if diff := cmp.Diff(show(fromProto), show(fromText)); diff != "" {
			t.Fatalf("protobuf, then text: %s\n%s", diff, text(t, families...))
		}
		if diff := cmp.Diff(fromProto.families, fromText.families, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("families: %s", diff)
		}
	}
}

// checkExposition holds for whatever a target sends.
func checkExposition(t *testing.T, e *exposition) {
	if e == nil {
		return
	}
	keys := map[string]bool{}
	for _, s := range e.samples {
		s.spellOut()
		if keys[s.place.id.key] {
			t.Errorf("key %q stands twice", s.place.id.key)
		}
		keys[s.place.id.key] = true
		for _, l := range s.place.id.labels() {
			if len(l.name) > testLimits.LabelBytes || len(l.value) > testLimits.LabelBytes || l.value == "" {
				t.Errorf("label %q=%q", l.name, l.value)
			}
		}
		last := len(s.bounds) - 1
		if last < 0 {
			continue
		}
		if len(s.counts) != len(s.bounds) || !math.IsInf(s.bounds[last], 1) {
			t.Errorf("buckets %v %v", s.bounds, s.counts)
		}
		for i := range s.counts {
			if !(s.counts[i] >= 0) || (i > 0 && (s.counts[i] < s.counts[i-1] || !(s.bounds[i] > s.bounds[i-1]))) {
				t.Errorf("buckets %v %v", s.bounds, s.counts)
			}
		}
	}
}

func fuzz(f *testing.F, decode decoder) {
	f.Fuzz(func(t *testing.T, body []byte) {
		limited := &limitedReader{r: bytes.NewReader(body), limit: 4096}
		e, err := newTestScanner(t).read(limited, decode)
		if err == nil && len(body) > 4096 {
			t.Errorf("a body of %d bytes passed the limit", len(body))
		}
		checkExposition(t, e)
	})
}

func FuzzDecodeText(f *testing.F) {
	f.Add([]byte("# TYPE h histogram\nh_bucket{a=\"b\\n\",le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\nc{code=\"200\"} 1 2\ng NaN\n"))
	f.Add([]byte("process_start_time_seconds 1.7e9\nh_count 1\nh_bucket{le=\"NaN\"} 1\n"))
	fuzz(f, decodeText)
}

func FuzzDecodeProto(f *testing.F) {
	r := rand.New(rand.NewPCG(4, 4))
	f.Add(delimited(f, randomFamily(r, "c", dto.MetricType_COUNTER), randomFamily(r, "h", dto.MetricType_HISTOGRAM)))
	f.Add(delimited(f, randomFamily(r, "other", dto.MetricType_GAUGE), randomFamily(r, "g", dto.MetricType_UNTYPED)))
	fuzz(f, decodeProto)
}
