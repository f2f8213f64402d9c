// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Whatever is wrong is found before anything is served: exit code 1, and one
// error that names the input.
func TestRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html>Welcome</html>"))
	}))
	t.Cleanup(page.Close)
	nobody, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	unused := "http://127.0.0.1:" + strconv.Itoa(nobody)
	prometheus := func(args ...string) []string { return append([]string{"--source=prometheus"}, args...) }

	cases := map[string]struct {
		args []string
		want []string
	}{
		"unknown flag":         {[]string{"--sauce=scrape"}, []string{"unknown flag: --sauce"}},
		"argument":             {[]string{"serve"}, []string{`"serve"`}},
		"unknown source":       {[]string{"--source=guess"}, []string{`--source "guess"`, "scrape or prometheus"}},
		"malformed duration":   {[]string{"--window=5"}, []string{"--window"}},
		"window too short":     {[]string{"--window=10s"}, []string{"--window 10s", "50s"}},
		"window too long":      {[]string{"--window=24h"}, []string{"--window 24h0m0s"}},
		"minimum":              {[]string{"--minimum-requests=0"}, []string{"--minimum-requests 0"}},
		"no URL":               {prometheus(), []string{"--prometheus-url"}},
		"malformed URL":        {prometheus("--prometheus-url=prometheus:9090"), []string{"--prometheus-url", "prometheus:9090"}},
		"credentials in URL":   {prometheus("--prometheus-url=http://me:secret@127.0.0.1:1"), []string{"--prometheus-url", "basic_auth"}},
		"unreachable URL":      {prometheus("--prometheus-url=" + unused), []string{"--prometheus-url " + unused, "connection refused"}},
		"not a Prometheus":     {prometheus("--prometheus-url=" + page.URL), []string{"--prometheus-url " + page.URL}},
		"job is no expression": {prometheus("--prometheus-url="+lab.state.Prometheus.URL, "--prometheus-apiserver-job=("), []string{`"("`}},
		"flag of other source": {[]string{"--prometheus-url=" + unused}, []string{"--prometheus-url", "--source=scrape"}},
		"absent file":          {prometheus("--prometheus-url="+lab.state.Prometheus.URL, "--prometheus-http-config-file="+dir+"/none"), []string{dir + "/none"}},
		"malformed file": {
			prometheus("--prometheus-url="+lab.state.Prometheus.URL, "--prometheus-http-config-file="+file("http.yaml", "basic_auth:\n  user: me\n")),
			[]string{"http.yaml", "line 2"},
		},
		"bad objectives": {
			[]string{"--objectives-file=" + file("objectives.yaml", ownObjectives("7"))},
			[]string{"--objectives-file: ", `objectives.yaml:6: objectives[0].threshold: "7" must be a duration with its unit`},
		},
		"malformed target":       {[]string{"--scrape-apiservers=10.0.0.1:6443"}, []string{"--scrape-apiservers", "10.0.0.1:6443"}},
		"target without TLS":     {[]string{"--scrape-apiservers=http://10.0.0.1:6443"}, []string{"--scrape-apiservers", "https"}},
		"contradiction":          {[]string{"--kubelet-insecure-tls", "--kubelet-certificate-authority=ca.crt"}, []string{"--kubelet-insecure-tls", "--kubelet-certificate-authority"}},
		"absent authority":       {[]string{"--kubelet-certificate-authority=" + dir + "/ca.crt"}, []string{dir + "/ca.crt"}},
		"absent kubeconfig":      {[]string{"--kubeconfig=" + dir + "/none"}, []string{"--kubeconfig", dir + "/none"}},
		"malformed kubeconfig":   {[]string{"--kubeconfig=" + file("kubeconfig", "clusters: 7")}, []string{"--kubeconfig", "kubeconfig"}},
		"unreachable kubeconfig": {[]string{"--kubeconfig=" + file("away", strings.ReplaceAll(unreachable, "URL", "https://127.0.0.1:"+strconv.Itoa(nobody)))}, []string{"connection refused"}},
		"absent certificate":     {[]string{"--tls-cert-file=" + dir + "/tls.crt"}, []string{"tls"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port, err := freePort()
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			command := exec.CommandContext(ctx, *serverBinary, append(lab.serverFlags(port), c.args...)...)
			var output bytes.Buffer
			command.Stdout, command.Stderr = &output, &output
			err = command.Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("%v, want exit code 1", err)
			}
			for _, want := range c.want {
				// The log quotes the error.
				if !strings.Contains(strings.ReplaceAll(output.String(), `\"`, `"`), want) {
					t.Errorf("no %q in\n%s", want, output.String())
				}
			}
			if strings.Contains(output.String(), "Serving securely") || strings.Contains(output.String(), "secret") {
				t.Errorf("served, or told a secret:\n%s", output.String())
			}
		})
	}
}

const unreachable = `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: URL}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`
