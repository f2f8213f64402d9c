// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// busyIndicator is one that the mixed load has requests of.
const busyIndicator = mutating + ".post.configmaps"

// All keys of all reports, as kubectl shows them: in tables, by label, sorted, in
// chunks, by name and as a watch.
func TestIndicators(t *testing.T) {
	lab.load(t, "mixed")
	eventually(t, 2*window, busyIndicator+" is met", func() error {
		indicator, err := lab.slo.SloV1alpha1().ServiceLevelIndicators().Get(t.Context(), busyIndicator, metav1.GetOptions{})
		if err == nil && indicator.Status.Outcome != v1alpha1.OutcomeMet {
			err = fmt.Errorf("%s %s", indicator.Status.Outcome, indicator.Status.Reason)
		}
		return err
	})
	const ofReport = v1alpha1.LabelReport + "=" + mutating
	commands := map[string]struct {
		args []string
		want []string // regular expressions, all to be found
	}{
		"get": {
			[]string{"get", "servicelevelindicators"},
			[]string{`^NAME +OUTCOME +P99 +GOOD +SLOW +REQUESTS +BAD MINUTES +AGE\n`, `(?m)^api-latency-mutating\.post\.configmaps +Met +\S+ +\d`, `(?m)^pod-startup-latency `},
		},
		"wide": {
			[]string{"get", "sli", "-o", "wide"},
			[]string{`^NAME +OUTCOME .* AGE +P50 +P90 +TOTAL P99 +LOST +THRESHOLD +REASON +REPORT +KEY\n`, `(?m)^api-latency-mutating\.post\.configmaps .* 1s +- +api-latency-mutating +configmaps POST$`},
		},
		"label": {
			[]string{"get", "sli", "-l", ofReport, "-o", "name"},
			[]string{`^(servicelevelindicator\.slo\.example\.io/api-latency-mutating\.\S+\n)+$`, `(?m)/api-latency-mutating\.post\.configmaps$`},
		},
		"name": {
			[]string{"get", "sli", busyIndicator, "-o", "yaml"},
			[]string{`(?m)^kind: ServiceLevelIndicator$`, `(?m)^  name: api-latency-mutating\.post\.configmaps$`, `(?m)^  verb: POST$`, `(?m)^  outcome: Met$`, `(?m)^  requests: [1-9]`, `(?m)^    lostMilliseconds: \d`},
		},
		"explain": {
			[]string{"explain", "sli.status.total.lostMilliseconds"},
			[]string{`KIND: +ServiceLevelIndicator`, `webhooks\s+and\s+queues`},
		},
	}
	for version, binary := range kubectls(t) {
		for name, c := range commands {
			t.Run(version+"/"+name, func(t *testing.T) {
				t.Parallel()
				out, stderr, err := kubectl(t, binary, c.args...)
				if err != nil {
					t.Fatalf("kubectl %v: %v\n%s", c.args, err, stderr)
				}
				for _, want := range c.want {
					if !regexp.MustCompile(want).MatchString(out) {
						t.Errorf("kubectl %v: no match for %s in\n%s", c.args, want, out)
					}
				}
			})
		}
		t.Run(version+"/sorted", func(t *testing.T) { t.Parallel(); testSorted(t, binary, ofReport) })
		t.Run(version+"/chunks", func(t *testing.T) { t.Parallel(); testChunks(t, binary) })
		t.Run(version+"/watch", func(t *testing.T) { t.Parallel(); testIndicatorWatch(t, binary) })
	}
	t.Run("pages", testPages)
	t.Run("sums", testIndicatorSums)
	t.Run("rights", testIndicatorRights)
}

// testSorted has the table sorted by kubectl: it is sent the objects with the rows.
func testSorted(t *testing.T, binary, selector string) {
	t.Helper()
	out, stderr, err := kubectl(t, binary, "get", "sli", "-l", selector, "--sort-by=.status.requests")
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	var requests []int
	for line := range strings.Lines(out) {
		const column = 5
		if number, err := strconv.Atoi(strings.Fields(line)[column]); err == nil {
			requests = append(requests, number)
		}
	}
	if len(requests) < 5 || !slices.IsSorted(requests) || requests[0] == requests[len(requests)-1] {
		t.Errorf("not sorted by requests: %d\n%s", requests, out)
	}
}

// testChunks: each object comes exactly once, and none is missing.
func testChunks(t *testing.T, binary string) {
	t.Helper()
	eventually(t, 12*interval, "chunks have all indicators once", func() error {
		before := indicators(t, metav1.ListOptions{})
		out, stderr, err := kubectl(t, binary, "get", "sli", "--chunk-size=5", "-o", "name")
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		after := indicators(t, metav1.ListOptions{})
		if before.ResourceVersion != after.ResourceVersion {
			return fmt.Errorf("from %s to %s evaluations came between", before.ResourceVersion, after.ResourceVersion)
		}
		var want strings.Builder
		for _, i := range after.Items {
			want.WriteString("servicelevelindicator.slo.example.io/" + i.Name + "\n")
		}
		if out != want.String() {
			t.Errorf("kubectl has\n%s, want\n%s", out, want.String())
		}
		return nil
	})
}

func indicators(t *testing.T, options metav1.ListOptions) *v1alpha1.ServiceLevelIndicatorList {
	t.Helper()
	list, err := lab.slo.SloV1alpha1().ServiceLevelIndicators().List(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// testIndicatorWatch: a watch begins with what there is.
func testIndicatorWatch(t *testing.T, binary string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, binary, "--kubeconfig", lab.state.AdminKubeconfig, "--cache-dir", t.TempDir(),
		"get", "sli", "--watch", "--output-watch-events", "-l", v1alpha1.LabelResource+"=configmaps,"+v1alpha1.LabelReport+"="+mutating)
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = command.Wait() }()
	var seen []string
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		seen = append(seen, strings.Join(strings.Fields(lines.Text())[:2], " "))
		if strings.HasSuffix(seen[len(seen)-1], busyIndicator) {
			break
		}
	}
	if len(seen) < 2 || seen[0] != "EVENT NAME" || seen[len(seen)-1] != "ADDED "+busyIndicator {
		t.Errorf("watched %q", seen)
	}
}
