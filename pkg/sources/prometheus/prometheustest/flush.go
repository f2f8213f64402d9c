// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheustest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// flush makes VictoriaMetrics show the samples: it keeps what is new to itself for some
// seconds.
func flush(address string, samples []Sample) error {
	want := map[string]bool{}
	var newest time.Time
	for _, sample := range samples {
		if sample.At.After(newest) {
			newest = sample.At
		}
		if !math.IsNaN(sample.Value) {
			want[sample.Series] = true
		}
	}
	seen := 0
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		response, err := http.Get(address + "/internal/force_flush")
		if err != nil {
			return err
		}
		response.Body.Close()
		if seen, err = countSeries(address, newest); err != nil || seen >= len(want) {
			return err
		}
	}
	return fmt.Errorf("%d series of %d were shown", seen, len(want))
}

// countSeries of all that there is up to a time.
func countSeries(address string, newest time.Time) (int, error) {
	response, err := http.PostForm(address+"/api/v1/query", url.Values{
		"query": {`count(last_over_time({__name__!=""}[10d]))`}, "time": {strconv.FormatInt(newest.Unix()+1, 10)}, "nocache": {"1"},
	})
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if len(answer.Data.Result) == 0 {
		return 0, nil
	}
	text, is := answer.Data.Result[0].Value[1].(string)
	if !is {
		return 0, errors.New("the answer to a count has no value")
	}
	return strconv.Atoi(text)
}
