// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// promQL asks the lab's Prometheus for one number.
func promQL(t *testing.T, query string, at time.Time) (float64, error) {
	t.Helper()
	return promQLAt(t, lab.state.Prometheus.URL, query, at)
}

// promQLAt asks any Prometheus.
func promQLAt(t *testing.T, url, query string, at time.Time) (float64, error) {
	t.Helper()
	client, err := api.NewClient(api.Config{Address: url})
	if err != nil {
		t.Fatal(err)
	}
	value, _, _, err := promv1.NewAPI(client).Query(t.Context(), query, at)
	if err != nil {
		return 0, err
	}
	vector, ok := value.(model.Vector)
	if !ok || len(vector) != 1 {
		return 0, fmt.Errorf("%s: %v, want one number", query, value)
	}
	return float64(vector[0].Value), nil
}
