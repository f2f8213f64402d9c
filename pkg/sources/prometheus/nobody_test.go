// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// A matcher that is misspelled finds as little as a job does: the warning names both.
func TestReadNobody(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ string) { _, _ = w.Write([]byte(emptyBody)) })
	for want, match := range map[string]map[string]string{
		`has job=~"kube.*",cluster="prod-us",env="a\"b": which instances of kube-apiserver there are is not known; check --prometheus-apiserver-job and --prometheus-match`: {"cluster": "prod-us", "env": `a"b`},
		`has job=~"kube.*": which instances of kube-apiserver there are is not known; check --prometheus-apiserver-job`:                                                     nil,
	} {
		reading, err := newTestSource(t, url, func(c *Config) { c.APIServerJob, c.Match = "kube.*", match }).Read(t.Context(), at, 5*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if len(reading.Warnings) != 1 || reading.Warnings[0].Reason != sources.TargetsUnknown || !strings.HasSuffix(reading.Warnings[0].Message, want) {
			t.Errorf("got warnings %+v, want one that ends in %s", reading.Warnings, want)
		}
	}
}
