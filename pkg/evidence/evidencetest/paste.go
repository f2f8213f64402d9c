// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evidencetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Paste every expression of the evidence, and want the figures claimed of it. Claims
// without an expression are the second result, by figure, and what does not agree is the
// error.
func Paste(address string, e *v1alpha1.Evidence, all []Claim) (pasted, without map[string]int, err error) {
	pasted, without = map[string]int{}, map[string]int{}
	answers := map[string][]Answer{}
	for _, f := range e.Figures {
		if answers[f.Figure], err = ask(address, f.Expression, e.EvaluationTime.Time); err != nil {
			return nil, nil, err
		}
		if answers[f.Figure] == nil {
			answers[f.Figure] = []Answer{}
		}
	}
	var wrong []error
	for _, c := range all {
		if answers[c.Figure] == nil {
			without[c.Figure]++
			continue
		}
		pasted[c.Figure]++
		if failed := c.Check(answers[c.Figure]); failed != nil {
			wrong = append(wrong, fmt.Errorf("at %s: %w:\n%s", e.EvaluationTime.Format(time.TimeOnly), failed, expression(e, c.Figure)))
		}
	}
	for _, f := range e.Figures {
		if pasted[f.Figure] == 0 {
			wrong = append(wrong, fmt.Errorf("at %s: nobody serves %s: %s", e.EvaluationTime.Format(time.TimeOnly), f.Figure, f.Expression))
		}
	}
	return pasted, without, errors.Join(wrong...)
}

func expression(e *v1alpha1.Evidence, figure string) string {
	for _, f := range e.Figures {
		if f.Figure == figure {
			return f.Expression
		}
	}
	return ""
}

// ask as a user would.
func ask(address, promql string, at time.Time) ([]Answer, error) {
	response, err := http.PostForm(address+"/api/v1/query", url.Values{"query": {promql}, "time": {at.Format(time.RFC3339Nano)}, "nocache": {"1"}})
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w", promql, err)
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s\n%s", answer.Status, answer.Error, promql)
	}
	var answers []Answer
	for _, one := range answer.Data.Result {
		value, err := strconv.ParseFloat(fmt.Sprint(one.Value[1]), 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", promql, err)
		}
		answers = append(answers, Answer{one.Metric, value})
	}
	return answers, nil
}
