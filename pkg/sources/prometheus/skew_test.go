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

// A backend whose clock differs answers about another window, and nothing in the answer
// shows it but the header.
func TestReadWithAnotherClock(t *testing.T) {
	for _, test := range []struct {
		ahead time.Duration
		want  string
	}{
		{0, ""},
		{time.Minute, ""}, // within the slack of five minutes
		{10 * time.Minute, " ahead of ours"},
		{-10 * time.Minute, " behind ours"},
	} {
		url := serve(t, func(w http.ResponseWriter, promql string) {
			w.Header().Set("Date", time.Now().Add(test.ahead).UTC().Format(http.TimeFormat))
			if strings.Contains(promql, "up") {
				_, _ = w.Write([]byte(instancesBody))
				return
			}
			_, _ = w.Write([]byte(emptyBody))
		})
		reading, err := newTestSource(t, url, nil).Read(t.Context(), at, 5*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, w := range reading.Warnings {
			if w.Reason == sources.FutureSamples {
				got = w.Message
			}
		}
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s ahead: warned %q, want %q", test.ahead, got, test.want)
		}
	}
}
