// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package proc starts and ends the lab's processes, and only those: a process is ended by the handle it was started with,
// never by a name.
package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Spec is what to run. It is the same at every start.
type Spec struct {
	Name     string
	Path     string
	Args     []string
	Env      []string // added to the environment
	Dir      string   // working directory
	LogFile  string   // appended to
	Hostname string   // when set, the process sees this host name, if the machine allows
}

// Process is a running process.
type Process struct {
	spec Spec
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Starter starts processes that end with this one, however it ends.
type Starter struct {
	once  sync.Once
	work  chan func()
	noUTS sync.Once
	Warn  func(format string, args ...any)
}

// Start runs spec.
func (s *Starter) Start(spec Spec) (*Process, error) {
	p, err := s.start(spec)
	if err != nil && spec.Hostname != "" {
		// A host name of its own needs a namespace, and that needs root. Without it two kube-apiservers write one
		// apiserver Lease, which is untidy and harms nothing here.
		s.noUTS.Do(func() { s.Warn("%s keeps the machine's host name: %v", spec.Name, err) })
		spec.Hostname = ""
		p, err = s.start(spec)
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	return p, nil
}

func (s *Starter) start(spec Spec) (*Process, error) {
	log, err := os.OpenFile(spec.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	path, args := spec.Path, spec.Args
	attributes := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if spec.Hostname != "" {
		path, args = "/proc/self/exe", append([]string{RenameCommand, spec.Hostname, spec.Path}, spec.Args...)
		attributes.Cloneflags = syscall.CLONE_NEWUTS
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), spec.Env...)
	cmd.Dir = spec.Dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes
	if err := s.onLastingThread(cmd.Start); err != nil {
		return nil, err
	}
	p := &Process{spec: spec, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// onLastingThread runs start on a thread that lives as long as the process: Linux sends the parent-death signal when the
// thread that started the child ends, and Go ends threads as it sees fit.
func (s *Starter) onLastingThread(start func() error) error {
	s.once.Do(func() {
		s.work = make(chan func())
		go func() {
			runtime.LockOSThread()
			for f := range s.work {
				f()
			}
		}()
	})
	result := make(chan error, 1)
	s.work <- func() { result <- start() }
	return <-result
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the process ended; valid after Done.
func (p *Process) Err() error {
	if p.err == nil {
		return errors.New("ended with status 0")
	}
	return p.err
}

// Stop ends the process: SIGTERM, and SIGKILL after patience.
func (p *Process) Stop(ctx context.Context, patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return
	case <-time.After(patience):
	case <-ctx.Done():
	}
	_ = p.cmd.Process.Kill()
	<-p.done
}

// RenameCommand is the hidden first argument with which the lab's own binary sets its host name and becomes the process
// that is named after it: RenameCommand HOSTNAME PATH ARGS...
const RenameCommand = "exec-with-hostname"

// Rename does what RenameCommand says. It returns only when it cannot.
func Rename(args []string) error {
	if len(args) < 2 {
		return errors.New(RenameCommand + " takes HOSTNAME PATH and arguments")
	}
	if err := syscall.Sethostname([]byte(args[0])); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	return syscall.Exec(args[1], args[1:], os.Environ())
}
