// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	cliflag "k8s.io/component-base/cli/flag"

	"example.io/slo-apiserver/pkg/apiserver"
	"example.io/slo-apiserver/pkg/slo"
)

// parse returns the options that the flags make.
func parse(t *testing.T, args ...string) *Options {
	t.Helper()
	o := NewOptions()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	sections := o.Flags()
	for _, name := range sections.Order {
		flags.AddFlagSet(sections.FlagSets[name])
	}
	flags.SetNormalizeFunc(cliflag.WordSepNormalizeFunc)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestDefaults(t *testing.T) {
	o := parse(t)
	if errs := o.Validate(); len(errs) > 0 {
		t.Fatalf("the defaults are invalid: %v", errs)
	}
	scrape := o.Source.Config(o.Evaluation.Interval).Scrape
	switch {
	case o.Evaluation.Window != 5*time.Minute, o.Evaluation.Interval != 15*time.Second, o.Evaluation.MinimumRequests != 100:
		t.Errorf("evaluation: %+v", o.Evaluation)
	case scrape == nil || len(scrape.APIServers) > 0 || !scrape.Kubelets || scrape.KubeletInsecureTLS || scrape.Timeout != 10*time.Second:
		t.Errorf("source: %+v", scrape)
	case o.SecureServing.BindPort < 1024:
		t.Errorf("port %d is not for ordinary users", o.SecureServing.BindPort)
	case o.SecureServing.ServerCert.CertDirectory != "":
		t.Errorf("a private key is written to %s", o.SecureServing.ServerCert.CertDirectory)
	case o.Authentication.SkipInClusterLookup, o.Authentication.TolerateInClusterLookupFailure,
		o.Authentication.RemoteKubeConfigFileOptional, o.Authorization.RemoteKubeConfigFileOptional:
		t.Error("authentication or authorization is optional")
	case !slices.Equal(o.Authorization.AlwaysAllowPaths, []string{"/healthz", "/readyz", "/livez"}):
		t.Errorf("paths without authorization: %v", o.Authorization.AlwaysAllowPaths)
	}
}

func TestValidate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	prometheus := func(args ...string) []string {
		return append([]string{"--source=prometheus", "--prometheus-url=https://prometheus:9090"}, args...)
	}
	for name, c := range map[string]struct {
		args []string
		want []string // one for each error
	}{
		"scrape":                  {[]string{"--source=scrape"}, nil},
		"prometheus":              {prometheus(), nil},
		"unknown source":          {[]string{"--source=guess"}, []string{`--source "guess" is unknown: give scrape or prometheus`}},
		"no URL":                  {[]string{"--source=prometheus"}, []string{"--source=prometheus needs --prometheus-url"}},
		"flag of prometheus":      {[]string{"--prometheus-url=http://a", "--prometheus-timeout=1s"}, []string{"--prometheus-timeout, --prometheus-url: no effect with --source=scrape"}},
		"flag of scrape":          {prometheus("--scrape-kubelets=false"), []string{"--scrape-kubelets: no effect with --source=prometheus"}},
		"insecure of scrape":      {prometheus("--kubelet-insecure-tls"), []string{"--kubelet-insecure-tls: no effect with --source=prometheus"}},
		"shortest interval":       {[]string{"--interval=1s"}, nil},
		"interval too short":      {[]string{"--interval=999ms"}, []string{"--interval 999ms is too short: at least 1s"}},
		"shortest window":         {[]string{"--window=150s"}, nil},
		"window too short":        {[]string{"--window=149s"}, []string{"--window 2m29s is too short for --interval 15s: at least 10 intervals, that is 2m30s"}},
		"shortest of all":         {[]string{"--window=1m", "--interval=6s"}, nil},
		"window for no objective": {[]string{"--window=59s", "--interval=5s"}, []string{"--window 59s must be whole seconds, and at least 1m0s"}},
		"window in parts":         {[]string{"--window=90500ms", "--interval=5s"}, []string{"--window 1m30.5s must be whole seconds"}},
		"longest window":          {[]string{"--window=8m"}, nil},
		"window too long":         {[]string{"--window=481s"}, []string{"--window 8m1s is too long: at most 8m0s"}},
		"minimum of requests":     {[]string{"--minimum-requests=0"}, []string{"--minimum-requests 0 is not positive"}},
		"default time-out gives":  {[]string{"--interval=5s"}, nil},
		"time-out of a scrape":    {[]string{"--interval=5s", "--scrape-timeout=6s"}, []string{"--scrape-timeout 6s is longer than --interval 5s"}},
		"time-out of a query":     {prometheus("--interval=5s", "--prometheus-timeout=6s"), []string{"--prometheus-timeout 6s is longer than --interval 5s"}},
		"matcher":                 {prometheus("--prometheus-match=cluster=a=b\"}", "--prometheus-match=zone="), nil},
		"no matcher":              {prometheus("--prometheus-match=cluster"), []string{`--prometheus-match: "cluster" is no matcher: give LABEL=VALUE`}},
		"matcher of two values":   {prometheus("--prometheus-match=cluster=a", "--prometheus-match=cluster=b"), []string{`--prometheus-match: cluster is given twice, as "a" and as "b"`}},
		"matcher with a name":     {prometheus("--prometheus-match=a~=b"), []string{`--prometheus-match: the matcher a~="b" does not begin with a label name`}},
		"matcher for jobs":        {prometheus("--prometheus-match=job=b"), []string{`--prometheus-match: the matcher job="b" belongs into the job options`}},
		"matcher with quotes":     {prometheus(`--prometheus-match=cluster="prod-eu"`), []string{`--prometheus-match: the value of cluster="prod-eu" has quotes: give cluster=prod-eu`}},
		"matcher by expression":   {prometheus("--prometheus-match=cluster=~prod.*"), []string{"--prometheus-match: cluster=~prod.* is a regular expression: give one value"}},
		"job":                     {prometheus("--prometheus-apiserver-job=kube(", "--prometheus-kubelet-job=a)|(b"), []string{`--prometheus-apiserver-job "kube(" is not a regular expression`, `--prometheus-kubelet-job "a)|(b" is not`}},
		"matcher of scrape":       {[]string{"--prometheus-match=a=b"}, []string{"--prometheus-match: no effect with --source=scrape"}},
		"parameters":              {prometheus("--prometheus-query-param=extra_filters[]={a=\"b\"}", "--prometheus-query-param=extra_filters[]={}"), nil},
		"no parameter":            {prometheus("--prometheus-query-param=dedup"), []string{`--prometheus-query-param: "dedup" is no parameter: give NAME=VALUE`}},
		"parameter of ours":       {prometheus("--prometheus-query-param=query=up"), []string{"--prometheus-query-param: the parameter query is not possible"}},
		"no time-out":             {[]string{"--scrape-timeout=0"}, []string{"--scrape-timeout 0s is not positive"}},
		"two ways to verify":      {[]string{"--kubelet-insecure-tls", "--kubelet-certificate-authority=" + file}, []string{"exclude each other"}},
		"insecure, no kubelets":   {[]string{"--kubelet-insecure-tls", "--scrape-kubelets=false"}, []string{"--kubelet-insecure-tls has no effect with --scrape-kubelets=false"}},
		"CA, no kubelets":         {[]string{"--kubelet-certificate-authority=ca", "--scrape-kubelets=false"}, []string{"--kubelet-certificate-authority has no effect"}},
		"types, no kubelets":      {[]string{"--kubelet-preferred-address-types=Hostname", "--scrape-kubelets=false"}, []string{"--kubelet-preferred-address-types has no effect"}},
		"sample, no kubelets":     {[]string{"--scrape-kubelets-sample=10", "--scrape-kubelets=false"}, []string{"--scrape-kubelets-sample has no effect"}},
		"pair, no kubelets": {[]string{"--kubelet-client-certificate=a", "--kubelet-client-key=b", "--scrape-kubelets=false"},
			[]string{"--kubelet-client-certificate has no effect", "--kubelet-client-key has no effect"}},
		"sample":               {[]string{"--scrape-kubelets-sample=10"}, nil},
		"sample of prometheus": {prometheus("--scrape-kubelets-sample=10"), []string{"--scrape-kubelets-sample: no effect with --source=prometheus"}},
		"negative sample":      {[]string{"--scrape-kubelets-sample=-1"}, []string{"--scrape-kubelets-sample -1 is negative: give a number of nodes, or 0 for all"}},
		"all of metrics-server": {[]string{"--kubelet-insecure-tls", "--kubelet-preferred-address-types=InternalIP,Hostname", "--kubelet-use-node-status-port",
			"--kubelet-port=10250", "--kubelet-client-certificate=" + file, "--kubelet-client-key=" + file, "--node-selector=type!=virtual-kubelet"}, nil},
		"client certificate, no key": {[]string{"--kubelet-client-certificate=" + file}, []string{"--kubelet-client-certificate and --kubelet-client-key need each other"}},
		"client key, no certificate": {[]string{"--kubelet-client-key=" + file}, []string{"--kubelet-client-certificate and --kubelet-client-key need each other"}},
		"kubelet files": {[]string{"--kubelet-certificate-authority=/nowhere/ca", "--kubelet-client-certificate=/nowhere/crt", "--kubelet-client-key=/nowhere/key"},
			[]string{"--kubelet-certificate-authority: open /nowhere/ca: ", "--kubelet-client-certificate: open /nowhere/crt: ", "--kubelet-client-key: open /nowhere/key: "}},
		"kubelet port":   {[]string{"--kubelet-port=65536"}, []string{"--kubelet-port 65536 is no port: give 1 to 65535"}},
		"kubelet port 0": {[]string{"--kubelet-port=0"}, []string{"--kubelet-port 0 is no port"}},
		"selector":       {[]string{"--node-selector=a=b=c"}, []string{`--node-selector "a=b=c": `}},
		"unknown address type": {[]string{"--kubelet-preferred-address-types=InternalIp"},
			[]string{`--kubelet-preferred-address-types: "InternalIp" is unknown: give some of InternalIP, ExternalIP, Hostname, InternalDNS, ExternalDNS`}},
		"no port":              {[]string{"--secure-port=0"}, []string{"--secure-port 0"}},
		"certificate, no key":  {[]string{"--tls-cert-file=a"}, []string{"--tls-cert-file and --tls-private-key-file need each other"}},
		"key, no certificate":  {[]string{"--tls-private-key-file=a"}, []string{"--tls-cert-file and --tls-private-key-file need each other"}},
		"no time for requests": {[]string{"--request-timeout=0"}, []string{"--request-timeout 0"}},
		"several at once":      {[]string{"--minimum-requests=-1", "--source=x", "--secure-port=0"}, []string{"--minimum-requests -1", `--source "x"`, "--secure-port 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			errs := parse(t, c.args...).Validate()
			if len(errs) != len(c.want) {
				t.Fatalf("got %v, want %d errors", errs, len(c.want))
			}
			for i, err := range errs {
				if !strings.Contains(err.Error(), c.want[i]) {
					t.Errorf("got %v, want %q", err, c.want[i])
				}
			}
		})
	}
}

// Every window that the flags take is one that the objectives take.
func TestWindowsAreThoseOfTheObjectives(t *testing.T) {
	for window := 55 * time.Second; window <= apiserver.MaxWindow; window += 500 * time.Millisecond {
		o := &EvaluationOptions{Window: window, Interval: time.Second, MinimumRequests: 1}
		_, err := slo.Catalog(window, o.MinimumRequests)
		if errs := o.Validate(); (len(errs) == 0) != (err == nil) {
			t.Errorf("window %s: the flags say %v, the objectives %v", window, errs, err)
		}
	}
}

// A default time-out gives way to a shorter interval, in either source.
func TestSourceConfig(t *testing.T) {
	if got := parse(t, "--interval=5s").Source.Config(5 * time.Second); got.Prometheus != nil || got.Scrape.Timeout != 5*time.Second {
		t.Errorf("scrape: %+v", got)
	}
	got := parse(t, "--source=prometheus", "--prometheus-url=http://a", "--prometheus-kubelet-job=k",
		"--prometheus-match=cluster=prod,eu", "--prometheus-match", "zone=", "--prometheus-query-param=dedup=true").Source.Config(time.Minute)
	want := apiserver.DefaultPrometheusConfig()
	want.URL, want.KubeletJob = "http://a", "k"
	want.Match, want.QueryParameters = []string{"cluster=prod,eu", "zone="}, []string{"dedup=true"}
	if got.Scrape != nil || !reflect.DeepEqual(*got.Prometheus, want) {
		t.Errorf("prometheus: %+v, want %+v", got.Prometheus, want)
	}
}

// A name in two sections would be two flags, of which one has no effect.
func TestEveryFlagIsThereOnce(t *testing.T) {
	place := map[string]string{}
	sections := NewOptions().Flags()
	for _, section := range sections.Order {
		sections.FlagSets[section].VisitAll(func(flag *pflag.Flag) {
			if other, twice := place[flag.Name]; twice {
				t.Errorf("--%s is in %s and in %s", flag.Name, other, section)
			}
			place[flag.Name] = section
			if flag.Usage == "" {
				t.Errorf("--%s has no help", flag.Name)
			}
		})
	}
}

func TestVerbosityIsThatOfTheLoggingOptions(t *testing.T) {
	if o := parse(t, "-v=7", "--logging-format=json"); o.Logging.Verbosity != 7 || o.Logging.Format != "json" {
		t.Errorf("-v=7 --logging-format=json made %+v", o.Logging)
	}
}

func TestHelp(t *testing.T) {
	command := NewCommand(t.Context())
	var out bytes.Buffer
	command.SetOut(&out)
	command.SetArgs([]string{"--help"})
	if err := command.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Evaluation flags:", "Source flags:", "Scrape source flags:", "Prometheus source flags:", "Cluster flags:", "Generic flags:",
		"Secure serving flags:", "Authentication flags:", "Authorization flags:", "Auditing flags:", "Logging flags:", "Global flags:",
		"--window duration", "--source string", "--prometheus-url string", "--version", "-h, --help",
	} {
		if n := strings.Count(out.String(), want); n != 1 {
			t.Errorf("%q is there %d times", want, n)
		}
	}
	// Flags that the machinery speaks of, and that we have not.
	for _, foreign := range []string{"enable-priority-and-fairness", "max-mutating-requests-inflight", "etcd", "feature-gates"} {
		if strings.Contains(out.String(), foreign) {
			t.Errorf("the help speaks of %s", foreign)
		}
	}
}

func TestVersion(t *testing.T) {
	command := NewCommand(t.Context())
	var out bytes.Buffer
	command.SetOut(&out)
	command.SetArgs([]string{"--version"})
	if err := command.Execute(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "slo-apiserver version v") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("version: %q", out.String())
	}
}

// Both delegations fall back on the kubeconfig, and neither on nothing.
func TestKubeconfig(t *testing.T) {
	if _, err := parse(t, "--kubeconfig=/nowhere/kubeconfig").Config(t.Context()); err == nil || !strings.Contains(err.Error(), "--kubeconfig /nowhere/kubeconfig") {
		t.Errorf("absent kubeconfig: %v", err)
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if _, err := parse(t).Config(t.Context()); err == nil || !strings.Contains(err.Error(), "no --kubeconfig given") {
		t.Errorf("outside of a pod: %v", err)
	}
}
