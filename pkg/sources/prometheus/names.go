// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"strings"
)

// metricLabel holds the name of a metric in answers to questions about several.
const metricLabel = "metric"

// name what an aggregation makes of expressions after their metric. A regular
// expression for the label __name__ would be shorter: some managed services take
// none (https://cloud.google.com/stackdriver/docs/managed-prometheus/promql-differences).
func name(metric, aggregation string, expressions []string) string {
	return fmt.Sprintf(`label_replace(%s (%s),%q,%q,"","")`, aggregation, strings.Join(expressions, " or "), metricLabel, metric)
}

// mostText of a query, in bytes, that is made of terms for many metrics.
// VictoriaMetrics takes 16 KiB (-search.maxQueryLen).
const mostText = 12 << 10

// queryAll evaluates terms that "or" unites, in one query if it is not too long.
func (s *session) queryAll(ctx context.Context, terms []string, each func(*series) error) error {
	const or = " or "
	for len(terms) > 0 {
		n, length := 1, len(terms[0])
		for n < len(terms) && length+len(or)+len(terms[n]) <= mostText {
			length += len(or) + len(terms[n])
			n++
		}
		if err := s.query(ctx, strings.Join(terms[:n], or), each); err != nil {
			return err
		}
		terms = terms[n:]
	}
	return nil
}
