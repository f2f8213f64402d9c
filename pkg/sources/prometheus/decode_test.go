// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// decodeAll collects what decode finds, one line for each series.
func decodeAll(body string, limit int) ([]string, answer, error) {
	var all []string
	a, err := decode(body, limit, func(s *series) error {
		line := fmt.Sprint(s.labels, s.points)
		if len(s.natives) > 0 {
			line += fmt.Sprint(" ", s.natives)
		}
		all = append(all, line)
		return nil
	})
	return all, a, err
}

func TestDecode(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       []string
		answer     answer
	}{
		{"vector", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1435781451.781,"1"]},{"metric":{},"value":[1,"-0.5"]}]}}`,
			[]string{"[{__name__ up} {job a}] [{1.435781451781e+09 1}]", "[] [{1 -0.5}]"}, answer{status: "success"}},
		{"matrix", `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"a"},"values":[[1,"1"],[2.5,"2e3"]]}]}}`,
			[]string{"[{job a}] [{1 1} {2.5 2000}]"}, answer{status: "success"}},
		{"scalar", `{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}`, []string{"[] [{1 2}]"}, answer{status: "success"}},
		{"empty", `{"status":"success","data":{"resultType":"vector","result":[]}}`, nil, answer{status: "success"}},
		{"not finite", `{"status":"success","data":{"result":[{"metric":{},"values":[[1,"NaN"],[2,"+Inf"],[3,"-Inf"]]}]}}`,
			[]string{"[] [{1 NaN} {2 +Inf} {3 -Inf}]"}, answer{status: "success"}},
		{"spaces, another order and unknown members", " {\n\t\"warnings\" : [ \"w1\" , \"w2\" ], \"infos\":[\"i\"], \"new\": {\"a\":[1,{\"b\":null}],\"c\":true}, \"data\" : { \"result\" : [ { \"value\" : [ 1 , \"2\" ] , \"metric\" : { \"a\" : \"b\" } } ] , \"resultType\":\"vector\", \"stats\":{} } , \"status\" : \"success\" } ",
			[]string{"[{a b}] [{1 2}]"}, answer{status: "success", warnings: []string{"w1", "w2"}}},
		{"empty label is an absent one", `{"status":"success","data":{"result":[{"metric":{"a":"","b":"c"},"value":[1,"2"]}]}}`, []string{"[{b c}] [{1 2}]"}, answer{status: "success"}},
		{"escapes", `{"status":"success","data":{"result":[{"metric":{"a":"\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00\ud83dx"},"value":[1,"2"]}]}}`,
			[]string{"[{a \"\\/\b\f\n\r\tä😀\ufffdx}] [{1 2}]"}, answer{status: "success"}},
		{"native histogram", `{"status":"success","data":{"result":[{"metric":{"a":"b"},"histogram":[1,{"count":"1","sum":"2","buckets":[[0,"1","2","1"],[3,"-0.5","0.5","3e2"]]}]}]}}`,
			[]string{"[{a b}] [] [{1 1 2 [{1 2 1} {-0.5 0.5 300}]}]"}, answer{status: "success"}},
		{"native histograms of a matrix, one empty and some beside values", `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"histograms":[[1,{"count":"0","sum":"0"}],[2.5,{"new":[],"buckets":[],"sum":"NaN","count":"1"}]],"values":[[3,"4"]]},{"metric":{},"values":[[5,"6"]]}]}}`,
			[]string{"[{a b}] [{3 4}] [{1 0 0 []} {2.5 1 NaN []}]", "[] [{5 6}]"}, answer{status: "success"}},
		{"error", `{"status":"error","errorType":"bad_data","error":"parse error","data":null}`, nil,
			answer{status: "error", errorType: "bad_data", message: "parse error"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, a, err := decodeAll(test.body, 10)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.answer, a, cmp.AllowUnexported(answer{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeRejects(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"nothing", "", "ends early, after 0 bytes"},
		{"HTML", "\n<!DOCTYPE html><html>", "HTML or XML, not JSON"},
		{"text", "no healthy upstream", `byte 0 is 'n' where '{' should be`},
		{"another API", `{"status":"ok"}`, `status "ok"`},
		{"no status", `{}`, `status ""`},
		{"no data", `{"status":"success"}`, "no data.result"},
		{"more behind it", `{"status":"success","data":{"result":[]}}x`, `'x' where the end should be`},
		{"a string", `{"status":"success","data":{"resultType":"string","result":[1,"a"]}}`, `"a" is not a number`},
		{"a native histogram that is none", `{"status":"success","data":{"result":[{"histogram":[1,"2"]}]}}`, "where '{' should be"},
		{"a bucket without a count", `{"status":"success","data":{"result":[{"histograms":[[1,{"buckets":[[0,"1","2"]]}]]}]}}`, "where ',' should be"},
		{"a bound that is no number", `{"status":"success","data":{"result":[{"histogram":[1,{"buckets":[[0,"1","x","2"]]}]}]}}`, `"x" is not a number`},
		{"a value that is a number", `{"status":"success","data":{"result":[{"value":[1,2]}]}}`, "where a string should be"},
		{"too many series", `{"status":"success","data":{"result":[{"value":[1,"2"]},{"value":[1,"2"]},{"value":[1,"2"]}]}}`, "more than 2 series"},
		{"too deep", `{"x":` + strings.Repeat("[", 100), "nested more than 32 levels"},
		{"unknown escape", `{"status":"\x"}`, "an escape that JSON has"},
		{"control character", "{\"status\":\"a\nb\"}", "without control characters"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, _, err := decodeAll(test.body, 2); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

const wholeBody = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"\u00e4"},"value":[1435781451.781,"0.5"]}]},"warnings":["w"]}`

// TestDecodeTruncated cuts a body off at every byte.
func TestDecodeTruncated(t *testing.T) {
	for _, body := range []string{wholeBody, nativeVector, nativeMatrix} {
		for i := range len(body) {
			if _, _, err := decodeAll(body[:i], 10); !errors.Is(err, errEnds) {
				t.Errorf("%s: got error %v", body[:i], err)
			}
		}
	}
}

func TestDecodeStops(t *testing.T) {
	stop := errors.New("stop")
	if _, err := decode(wholeBody, 10, func(*series) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got error %v", err)
	}
}

// FuzzDecode looks for bodies that decode chokes on, or that it makes more of than
// they hold.
func FuzzDecode(f *testing.F) {
	f.Add(wholeBody)
	f.Add(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"NaN"],[2,"+Inf"]]}]}}`)
	f.Add(`{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}`)
	f.Add(`{"status":"error","errorType":"x","error":"\ud800"}`)
	f.Add(nativeVector)
	f.Add(nativeMatrix)
	f.Fuzz(func(t *testing.T, body string) {
		points, buckets := 0, 0
		_, err := decode(body, 1000, func(s *series) error {
			points += len(s.points) + len(s.natives)
			for _, n := range s.natives {
				buckets += len(n.buckets)
				checkNative(t, n)
			}
			return nil
		})
		if most := len(body) / len(`[1,{}]`); points > most {
			t.Errorf("%d samples in %d bytes", points, len(body))
		}
		if most := len(body) / len(`[0,"1","2","3"]`); buckets > most {
			t.Errorf("%d buckets in %d bytes", buckets, len(body))
		}
		if err == nil && body[len(body)-1] != '}' && strings.TrimSpace(body) == body {
			t.Errorf("accepted %q", body)
		}
	})
}

// FuzzRoundTrip writes a body with encoding/json, which decode has to read alike.
func FuzzRoundTrip(f *testing.F) {
	f.Add("job", "a\"b\\c\n\u2028<ä😀", 1435781451.781, 0.1)
	f.Add("a", "\xff", -1.0, math.Inf(1))
	f.Fuzz(func(t *testing.T, name, value string, at, v float64) {
		name, value = strings.ToValidUTF8(name, "?"), strings.ToValidUTF8(value, "?")
		if math.IsNaN(at) || math.IsInf(at, 0) || value == "" {
			return
		}
		body, err := json.Marshal(map[string]any{"status": "success", "data": map[string]any{"result": []any{
			map[string]any{"metric": map[string]string{name: value}, "value": []any{at, strconv.FormatFloat(v, 'g', -1, 64)}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprint([]label{{name, value}}, []point{{at, v}})
		if got, _, err := decodeAll(string(body), 1); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %v, %v", body, got, err)
		}
	})
}

func TestHistogram(t *testing.T) {
	inf := math.Inf(1)
	for _, test := range []struct {
		name           string
		buckets        []bucket
		common         []float64
		bounds, counts []float64
	}{
		{"out of order", []bucket{{inf, 3}, {1, 1}, {5, 2}}, nil, []float64{1, 5, inf}, []float64{1, 2, 3}},
		{"one bound twice", []bucket{{1, 1}, {inf, 3}, {1, 1}}, nil, []float64{1, inf}, []float64{2, 3}},
		{"falling", []bucket{{1, 2}, {5, 1.9}, {inf, 3}}, nil, []float64{1, 5, inf}, []float64{2, 2, 3}},
		{"not in common", []bucket{{1, 1}, {5, 2}, {inf, 3}}, []float64{5, inf}, []float64{5, inf}, []float64{2, 3}},
		{"without +Inf", []bucket{{1, 1}}, nil, nil, nil},
		{"empty", nil, nil, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := histogram(test.buckets, test.common, math.NaN())
			if got == nil {
				if test.bounds != nil {
					t.Error("got none")
				}
				return
			}
			if diff := cmp.Diff(test.bounds, got.Bounds, cmpopts.EquateEmpty()) + cmp.Diff(test.counts, got.Counts); diff != "" || !math.IsNaN(got.Sum) {
				t.Errorf("sum %v, %s", got.Sum, diff)
			}
		})
	}
}

// BenchmarkDecode reads a vector of buckets as a query for latencies returns it.
func BenchmarkDecode(b *testing.B) {
	const n = 10_000
	var body strings.Builder
	body.WriteString(`{"status":"success","data":{"resultType":"vector","result":[`)
	for i := range n {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"metric":{"group":"apps","le":"0.%d","resource":"deployments","verb":"GET"},"value":[1435781451.781,"%d.5"]}`, i%23, i)
	}
	body.WriteString("]}}")
	b.SetBytes(int64(body.Len()))
	for b.Loop() {
		if _, err := decode(body.String(), n, func(*series) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/sample")
}
