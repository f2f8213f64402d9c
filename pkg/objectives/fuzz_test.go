// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"errors"
	"strings"
	"testing"
)

// Whatever a file holds, it is either in force as a whole, or refused with errors
// that name the file; and what is in force is sound.
func FuzzLoad(f *testing.F) {
	f.Add(string(builtIn))
	f.Add(header)
	f.Add(header + "profiles: [legacy, informational, clusterloader2]\n")
	f.Add(header + changed("exclude: [{group: batch}]"))
	f.Add(header + ratio("goodRatio: 0.99, bad: {code: [5xx]}"))
	f.Add(header + signal("name: s, component: kubelet, type: Histogram, metrics: [a], bucketSeconds: [1]"))
	f.Add(header + "objectives: &a [*a]\n")
	f.Fuzz(func(t *testing.T, data string) {
		catalog, err := Load("f.yaml", []byte(data))
		if err != nil {
			var errs Errors
			if !errors.As(err, &errs) || len(errs) == 0 || !strings.HasPrefix(errs[0].Error(), "f.yaml") {
				t.Fatalf("an error without a place: %v", err)
			}
			for _, one := range errs {
				if one.Line < 0 || one.Line > strings.Count(data, "\n")+strings.Count(data, "\r")+strings.Count(data, "\u0085")+
					strings.Count(data, "\u2028")+strings.Count(data, "\u2029")+2 {
					t.Fatalf("%v is not in the file", one)
				}
			}
			return
		}
		for i, o := range catalog.Objectives {
			latency := o.Type == Latency && o.Percentile >= 1 && o.Percentile <= 99 && (o.Threshold > 0) != o.Informational
			ratio := o.Type == Ratio && (o.Good == nil) != (o.Bad == nil) && (o.GoodRatio > 0 && o.GoodRatio < RatioOne) != o.Informational
			if o.Name == "" || len(o.Name) > 253 || !(latency || ratio) || i > 0 && o.Name <= catalog.Objectives[i-1].Name {
				t.Fatalf("in force: %+v", o)
			}
		}
	})
}
