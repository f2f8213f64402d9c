// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package supervisor runs the lab: it decides ports and credentials, starts every process, keeps them until told to end,
// and serves what surrounds them: the address proxy, the delays to etcd, the webhook and the control socket.
package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"

	"example.io/slo-apiserver/test/lab/internal/control"
	"example.io/slo-apiserver/test/lab/internal/delay"
	"example.io/slo-apiserver/test/lab/internal/netproxy"
	"example.io/slo-apiserver/test/lab/internal/proc"
	"example.io/slo-apiserver/test/lab/internal/state"
)

// Supervisor is one running lab.
type Supervisor struct {
	plan     *plan
	say      func(format string, args ...any)
	starter  *proc.Starter
	proxies  map[string]*delay.Proxy
	webhook  *webhook
	admin    *kubernetes.Clientset
	shutdown context.CancelFunc

	mu         sync.Mutex // guards what follows
	state      *state.State
	components []*component
}

// component is one process, or the place of one that has been stopped.
type component struct {
	spec    proc.Spec
	ready   func(context.Context) error
	process *proc.Process // nil when it does not run
	ended   string
	stopped bool // on purpose
	busy    sync.Mutex
}

// Run starts the lab and keeps it until ctx ends or `lab down` asks. It returns when every process has ended.
func Run(ctx context.Context, o Options, out io.Writer) (err error) {
	begin := time.Now()
	var outMu sync.Mutex
	say := func(format string, args ...any) {
		outMu.Lock()
		defer outMu.Unlock()
		fmt.Fprintf(out, "%6.1fs  %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &Supervisor{say: say, starter: &proc.Starter{Warn: say}, shutdown: cancel}

	serving, stopServing := context.WithCancel(context.Background())
	var servers sync.WaitGroup
	defer func() {
		begin := time.Now()
		s.stopAll()
		stopServing()
		servers.Wait()
		if s.plan != nil {
			err = errors.Join(err, Clean(o.Dir, s.plan.runtimeDir))
		}
		say("everything has ended (%.1fs)", time.Since(begin).Seconds())
	}()
	if err := s.prepare(o); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	if err := s.serve(serving, &servers); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	if err := s.bringUp(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // told to end while starting
		}
		return err
	}
	say("ready; export KUBECONFIG=%s", s.state.AdminKubeconfig)
	<-ctx.Done()
	say("ending")
	return nil
}

// Clean removes what a run leaves in dir and its runtime directory. Logs stay.
func Clean(dir, runtimeDir string) error {
	var failed []error
	for _, name := range []string{state.File, state.File + ".tmp", "pki", "kubeconfig", "config", "data"} {
		failed = append(failed, os.RemoveAll(filepath.Join(dir, name)))
	}
	if runtimeDir != "" && filepath.Base(runtimeDir) != "." {
		failed = append(failed, os.RemoveAll(runtimeDir))
	}
	return errors.Join(failed...)
}

// prepare writes every file and decides every address. Nothing runs yet.
func (s *Supervisor) prepare(o Options) error {
	for _, d := range []string{"logs", "pki", "kubeconfig", "config", "data"} {
		if err := os.MkdirAll(filepath.Join(o.Dir, d), 0o700); err != nil {
			return err
		}
	}
	// Sockets may have names of 107 bytes; DIR may be deep in a test's temporary directory.
	runtimeDir, err := os.MkdirTemp("", "slo-lab-")
	if err != nil {
		return err
	}
	p := &plan{Options: o, runtimeDir: runtimeDir, storage: map[string]string{}}
	s.plan = p
	if p.ports, err = choosePorts(o.Nodes); err != nil {
		return fmt.Errorf("ports: %w", err)
	}
	if p.pki, err = makeCredentials(p.path("pki"), o.Nodes); err != nil {
		return fmt.Errorf("credentials: %w", err)
	}
	for i := range o.Nodes {
		if err := os.Mkdir(filepath.Join(runtimeDir, kubeletName(i)), 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(p.path("config", "egress.yaml"), []byte(p.egressConfig()), 0o600); err != nil {
		return err
	}
	if err := p.writeKubeconfigs(); err != nil {
		return err
	}
	if s.admin, err = clientFor(p.kubeconfig("admin")); err != nil {
		return err
	}
	self, err := proc.Self()
	if err != nil {
		return err
	}
	s.state = p.newState(self)
	return nil
}

// serve starts what the supervisor itself listens with. All of it ends with ctx.
func (s *Supervisor) serve(ctx context.Context, servers *sync.WaitGroup) error {
	s.proxies = map[string]*delay.Proxy{}
	for _, name := range []string{big, small} {
		p, err := delay.Listen("127.0.0.1:0", loopback(s.plan.ports.etcd))
		if err != nil {
			return err
		}
		s.proxies[name], s.plan.storage[name] = p, p.Addr()
		servers.Go(func() {
			if err := p.Run(ctx); err != nil {
				s.say("way of %s to etcd: %v", name, err)
			}
		})
	}

	table, err := s.plan.addresses()
	if err != nil {
		return err
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	unix, err := net.Listen("unix", s.plan.egressSocket())
	if err != nil {
		return err
	}
	s.state.ProxyURL = "http://" + tcp.Addr().String()
	servers.Go(func() { (&netproxy.Proxy{Table: table}).Serve(ctx, tcp, unix) })

	if s.webhook, err = newWebhook(s.plan.pki.webhook); err != nil {
		return err
	}
	servers.Go(func() { s.webhook.run(ctx) })

	if err := s.serveControl(ctx, servers); err != nil {
		return err
	}
	return s.state.Save(s.plan.Dir)
}

// addresses says where the addresses that the cluster knows really are.
func (p *plan) addresses() (*netproxy.Table, error) {
	var t netproxy.Table
	var failed error
	set := func(host, port string, target int) {
		failed = errors.Join(failed, t.Set(net.JoinHostPort(host, port), loopback(target)))
	}
	for name, address := range advertised {
		set(address, fmt.Sprint(advertisedPort), p.ports.apiserver[name])
	}
	for i, port := range p.ports.kubelet {
		set(nodeAddress(i), fmt.Sprint(port), port)
	}
	set(aggregatedAddress, netproxy.AnyPort, p.ports.aggregated)
	set(kubernetesService, "443", p.ports.apiserver[big])
	set("kubernetes.default.svc", "443", p.ports.apiserver[big])
	return &t, failed
}

// status is what `lab status` shows.
func (s *Supervisor) status() control.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := control.Status{Ready: s.state.Ready, StorageDelays: map[string]string{}, WebhookDelay: s.webhook.status()}
	for _, c := range s.components {
		one := control.Component{Name: c.spec.Name, Ended: c.ended}
		if c.process != nil {
			one.PID = c.process.PID()
		}
		st.Components = append(st.Components, one)
	}
	for name, p := range s.proxies {
		st.StorageDelays[name] = p.Delay().String()
	}
	return st
}
