// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/yaml"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

// misleading is a server that reads a Prometheus in which something is there twice, or
// is what it should not be.
type misleading struct {
	flags []string
	// reason of the condition DataSound, and the remedy that it has.
	reason, remedy string
	// met is the reason of the condition Met of a whole window.
	met string
	// isMet, since nothing is counted that should not be.
	isMet bool
}

// TestMisleadingPrometheus scrapes the lab in ways in which Prometheus adds up what is
// no sum. What is there twice is counted once; where that can not be, or another server
// is counted in, nothing is met, for the reason that docs/conditions.md gives. Nothing is
// met either by one kube-apiserver, before the other is scraped for the first time.
func TestMisleadingPrometheus(t *testing.T) {
	t.Parallel()
	lab.load(t, "mixed")
	url := startMisleading(t)
	for name, m := range map[string]misleading{
		"two jobs":     {[]string{"--prometheus-apiserver-job=apiserver(-again)?"}, "ScrapedTwice", "", "AllKeysHold", true},
		"our own":      {[]string{"--prometheus-apiserver-job=(slo-)?apiserver"}, "OwnServer", "correct the scrape job", "OwnServer", false},
		"two clusters": {[]string{"--prometheus-apiserver-job=shared"}, "SeveralClusters", "--prometheus-match cluster=", "NoInstances", false},
		"one of two":   {[]string{"--prometheus-apiserver-job=shared", "--prometheus-match=cluster=one"}, "NoFindings", "", "AllKeysHold", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !m.isMet {
				wantTargets(t, url) // until then nothing misleads
			}
			flags := append([]string{"--source=prometheus", "--prometheus-url=" + url}, m.flags...)
			client, process, err := lab.startServer(strings.ReplaceAll(name, " ", "-"), flags...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = process.Signal(syscall.SIGTERM) })
			eventually(t, window, "the server is ready", func() error {
				return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(t.Context()).Error()
			})
			for _, objective := range slices.Sorted(maps.Keys(thresholds)) {
				eventually(t, 3*window, objective+" is as sound as "+m.reason, func() error { return m.judged(t, client, objective) })
			}
		})
	}
}

// judged compares a report with one of a server that is not misled.
func (m misleading) judged(t *testing.T, client *versioned.Clientset, objective string) error {
	t.Helper()
	report, err := getReport(t, client, objective)
	if err != nil {
		return err
	}
	conditions := report.Status.Conditions
	instances := report.Status.Instances
	areBoth := instances != nil && instances.Observed == 2 && instances.Expected == 2
	if report.Status.Verdict == v1alpha1.VerdictMet && !(m.isMet && areBoth) {
		t.Fatalf("%s is Met by %+v: %s", objective, instances, describe(conditions))
	}
	sound := meta.FindStatusCondition(conditions, v1alpha1.ConditionDataSound)
	met := meta.FindStatusCondition(conditions, v1alpha1.ConditionMet)
	if met == nil || met.Reason != m.met {
		return errors.New(describe(conditions))
	}
	if sound == nil || sound.Reason != m.reason || !strings.Contains(sound.Message, m.remedy) || (sound.Status == "True") != m.isMet {
		return errors.New(describe(conditions))
	}
	if !m.isMet {
		return nil
	}
	right, err := getReport(t, lab.viaPrometheus, objective)
	if err != nil {
		return err
	}
	if !areBoth {
		return fmt.Errorf("instances %+v", instances)
	}
	got, want := report.Status.Requests, right.Status.Requests
	// The samples are of other times: but what is there twice would be twice as much.
	if got == nil || want == nil || 2*(*got) > 3*(*want) || 3*(*got) < 2*(*want) {
		return fmt.Errorf("%s requests, where one job has %s: %s", figure(got), figure(want), describe(conditions))
	}
	return nil
}

// startMisleading runs another Prometheus, with the jobs of the lab's and some more.
func startMisleading(t *testing.T) (url string) {
	t.Helper()
	var config map[string]any
	data, err := os.ReadFile(lab.state.Prometheus.ConfigFile)
	if err == nil {
		err = yaml.Unmarshal(data, &config)
	}
	if err != nil {
		t.Fatal(err)
	}
	jobs := config["scrape_configs"].([]any)
	apiservers := jobs[0].(map[string]any)
	targets := apiservers["static_configs"].([]any)[0].(map[string]any)["targets"]
	again, shared := maps.Clone(apiservers), maps.Clone(apiservers)
	again["job_name"], shared["job_name"] = "apiserver-again", "shared"
	shared["static_configs"] = []any{
		map[string]any{"targets": targets, "labels": map[string]string{"cluster": "one"}},
		map[string]any{"targets": targets, "labels": map[string]string{"cluster": "two"}},
	}
	config["scrape_configs"] = append(jobs, again, shared)
	if data, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yaml") // of which JSON is a part
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	binary, err := exec.LookPath("prometheus")
	if err != nil { // the lab keeps Debian's
		binary = filepath.Join(filepath.Dir(lab.state.BinDir), "prometheus-debian", "usr", "bin", "prometheus")
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	command := exec.Command(binary, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=warn")
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Signal(syscall.SIGTERM); _ = command.Wait() })
	url = "http://" + address
	eventually(t, window, "Prometheus is ready", func() error {
		_, err := promQLAt(t, url, "vector(1)", time.Now())
		return err
	})
	return url
}

// wantTargets waits until all targets were scraped.
func wantTargets(t *testing.T, url string) {
	t.Helper()
	// Two kube-apiservers in the lab's job and three times more, and one of ours.
	const query = `count(up{job!="kubelet"}) == 9`
	eventually(t, 6*interval, "all targets are scraped", func() error {
		_, err := promQLAt(t, url, query, time.Now())
		return err
	})
}
