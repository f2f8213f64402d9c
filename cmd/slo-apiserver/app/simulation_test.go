// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// post sends a body and returns the code and the answer.
func (s *server) post(t *testing.T, path, token, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/yaml") // as of kubectl create -f
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// The whole way of a simulation: the kube-apiserver here shows no metrics of flow
// control, and its only level has no specification.
func TestSimulation(t *testing.T) {
	const path = "/apis/slo.example.io/v1alpha1/apfsimulations"
	const head = "apiVersion: slo.example.io/v1alpha1\nkind: APFSimulation\n"
	s := serve(t, newFakeCluster(t))
	for name, c := range map[string]struct {
		token, body string
		code        int
		want        string
	}{
		"a question": {
			readerToken, head + "spec:\n  serverConcurrencyLimit: 600\n  levels:\n  - name: noisy\n    new: true\n    nominalConcurrencyShares: 5\n",
			http.StatusCreated, `"nominalSeats":300,"minimumSeats":300,"maximumSeats":900,"reachableSeats":300,"queueCapacityRequests":3200,"widestRequestSeats":37,"peakFit":"Fits"`,
		},
		"what is missing": {readerToken, head, http.StatusCreated, `"reason":"MetricMissing"`},
		"the mark":        {readerToken, head + "status:\n  windowSeconds: 7\n", http.StatusCreated, `"status":{"simulated":true,"observationTime"`},
		"no such level": {
			readerToken, head + "spec:\n  levels:\n  - name: absent\n", http.StatusUnprocessableEntity,
			`{"reason":"FieldValueNotFound","message":"Not found: \"absent\": there is no such level; new: true adds one","field":"spec.levels[0].name"}`,
		},
		"no right":   {nobodyToken, head, http.StatusForbidden, ""},
		"no review":  {readerToken, "apiVersion: slo.example.io/v1alpha1\nkind: SLOReport\n", http.StatusBadRequest, ""},
		"no numbers": {readerToken, head + "spec: {serverConcurrencyLimit: many}\n", http.StatusBadRequest, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if code, body := s.post(t, path, c.token, c.body); code != c.code || !strings.Contains(body, c.want) {
				t.Errorf("%d, want %d and %s:\n%s", code, c.code, c.want, body)
			}
		})
	}
	if code, body := s.get(t, path, readerToken); code != http.StatusMethodNotAllowed {
		t.Errorf("list: %d, want 405: %s", code, body)
	}
}
