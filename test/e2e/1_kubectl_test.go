// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// kubectls are the lab's own kubectl, and the one of the machine if it has one:
// another version, with its own idea of tables and watches.
func kubectls(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{"lab": filepath.Join(lab.state.BinDir, "kubectl")}
	if path, err := exec.LookPath("kubectl"); err == nil {
		found["machine"] = path
	} else {
		t.Log("no kubectl on the PATH: only the lab's own is tried")
	}
	return found
}

func kubectl(t *testing.T, binary string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// A cache of its own: discovery of before the registration would be in the other.
	args = append([]string{"--kubeconfig", lab.state.AdminKubeconfig, "--cache-dir", t.TempDir()}, args...)
	command := exec.CommandContext(ctx, binary, args...)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err = command.Run()
	return out.String(), errs.String(), err
}

func TestAPIServiceBecomesAvailable(t *testing.T) {
	lab.do(t, "register") // again: the manifests may be applied over what they made
	out, stderr, err := kubectl(t, kubectls(t)["lab"], "wait", "--for=condition=Available", "--timeout=50s", "apiservice/v1alpha1.slo.example.io")
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr)
	}
}

func TestKubectl(t *testing.T) {
	// Some traffic, so that waits for Met end.
	lab.load(t, "mixed")
	lab.load(t, "pods")
	wantVerdict(t, lab.slo, mutating, 4*window, v1alpha1.VerdictMet)

	commands := []struct {
		args []string
		want []string // regular expressions, all to be found
	}{
		{
			[]string{"get", "sloreports"},
			[]string{`^NAME +MET +P99 +GOOD +SLOW +REQUESTS +BAD MINUTES +WORST +AGE\n`, `(?m)^api-latency-mutating +True +\S+ +\d+%`, `(?m)^pod-startup-latency `},
		},
		{
			[]string{"get", "slor", mutating, "-o", "yaml"},
			[]string{`(?m)^kind: SLOReport$`, `(?m)^  thresholdMilliseconds: 1000$`, `(?m)^  verdict: Met$`, `(?m)^    type: Met$`},
		},
		{
			[]string{"get", "apfheadrooms", "-o", "wide"},
			[]string{`^NAME +PRESSURE +HEADROOM +IN USE +LIMIT .*WORST INSTANCE .*FLOW SCHEMAS\n`, `(?m)^exempt +Unlimited `, `(?m)^workload-low +\S+ +\d+ .*service-accounts`},
		},
		{
			[]string{"get", "slo"},
			[]string{`sloreport.slo.example.io/api-latency-mutating`, `apfheadroom.slo.example.io/workload-low`},
		},
		{
			[]string{"get", "apfh", "-l", "slo.example.io/type=Exempt", "-o", "name"},
			[]string{`^apfheadroom.slo.example.io/exempt\n$`},
		},
		{
			[]string{"explain", "sloreport.status.day"},
			[]string{`badMinutes\s+<integer>`, `KIND: +SLOReport`},
		},
		{
			[]string{"explain", "apfheadroom.status.worst.headroomSeats"},
			[]string{`currentLimitSeats less\s+executingSeats`},
		},
		{
			[]string{"get", "--raw", "/apis/slo.example.io/v1alpha1/sloreports"},
			[]string{`"kind":"SLOReportList"`, `"name":"api-latency-readonly-cluster"`},
		},
		{
			[]string{"wait", "--for=condition=Met", "sloreport/" + mutating, "--timeout=50s"},
			[]string{`condition met`},
		},
	}
	for name, binary := range kubectls(t) {
		for _, c := range commands {
			t.Run(name+"/"+strings.Join(c.args[:2], "_"), func(t *testing.T) {
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
	}
}

// A watch is sent an update within a minute or so: beside all other waits.
func TestKubectlWatch(t *testing.T) {
	t.Parallel()
	for name, binary := range kubectls(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testWatch(t, binary)
		})
	}
}

// testWatch follows a report with kubectl until it is sent an update.
func testWatch(t *testing.T, binary string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, binary, "--kubeconfig", lab.state.AdminKubeconfig, "--cache-dir", t.TempDir(), "get", "sloreports", "-w")
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = command.Wait() }()
	seen := map[string]int{}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		name, _, _ := strings.Cut(lines.Text(), " ")
		if seen[name]++; seen["NAME"] == 1 && seen[mutating] == 2 {
			return
		}
	}
	t.Errorf("no header and no update of %s in the watch: %v", mutating, seen)
}

func TestOneEvaluationIsOneTruth(t *testing.T) {
	list, err := lab.slo.SloV1alpha1().SLOReports().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 5 || list.ResourceVersion == "" {
		t.Fatalf("%d reports of version %q, want the five official ones", len(list.Items), list.ResourceVersion)
	}
	for _, item := range list.Items {
		if item.ResourceVersion != list.ResourceVersion || !item.CreationTimestamp.IsZero() || item.UID != "" {
			t.Errorf("%s: %+v in a list of version %s", item.Name, item.ObjectMeta, list.ResourceVersion)
		}
	}
	// Within an interval two readers get the same bytes.
	eventually(t, 4*interval, "two reads of one evaluation are identical", func() error {
		first, err := lab.slo.RESTClient().Get().AbsPath("/apis/slo.example.io/v1alpha1/apfheadrooms").DoRaw(t.Context())
		if err != nil {
			return err
		}
		second, err := lab.slo.RESTClient().Get().AbsPath("/apis/slo.example.io/v1alpha1/apfheadrooms").DoRaw(t.Context())
		if err != nil {
			return err
		}
		return sameEvaluation(first, second)
	})
}

func sameEvaluation(first, second []byte) error {
	var versions [2]struct {
		Metadata metav1.ListMeta `json:"metadata"`
	}
	for i, data := range [][]byte{first, second} {
		if err := json.Unmarshal(data, &versions[i]); err != nil {
			return err
		}
	}
	if versions[0].Metadata.ResourceVersion != versions[1].Metadata.ResourceVersion {
		return errors.New("a new evaluation came between")
	}
	if !bytes.Equal(first, second) {
		return errors.New("one evaluation was served in two ways")
	}
	return nil
}
