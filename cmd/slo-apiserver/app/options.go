// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/pflag"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/cli/globalflag"
	"k8s.io/component-base/compatibility"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"

	"example.io/slo-apiserver/pkg/apiserver"
)

// Options are the flags, in groups that each validate themselves.
type Options struct {
	Evaluation *EvaluationOptions
	Source     *SourceOptions

	Kubeconfig     string
	Generic        *genericoptions.ServerRunOptions
	SecureServing  *genericoptions.SecureServingOptionsWithLoopback
	Authentication *genericoptions.DelegatingAuthenticationOptions
	Authorization  *genericoptions.DelegatingAuthorizationOptions
	Audit          *genericoptions.AuditOptions
	Logging        *logs.Options
}

// NewOptions returns the defaults.
func NewOptions() *Options {
	o := &Options{
		Evaluation:     NewEvaluationOptions(),
		Source:         NewSourceOptions(),
		Generic:        genericoptions.NewServerRunOptionsForComponent("slo-apiserver", compatibility.NewComponentGlobalsRegistry()),
		SecureServing:  genericoptions.NewSecureServingOptions().WithLoopback(),
		Authentication: genericoptions.NewDelegatingAuthenticationOptions(),
		Authorization:  genericoptions.NewDelegatingAuthorizationOptions(),
		Audit:          genericoptions.NewAuditOptions(),
		Logging:        logs.NewOptions(),
	}
	// A container that runs as an ordinary user may not bind 443, the default.
	o.SecureServing.BindPort = 6443
	// Without a directory the self-signed certificate stays in memory.
	o.SecureServing.ServerCert.CertDirectory = ""
	// The aggregator sends many requests over one connection.
	o.SecureServing.HTTP2MaxStreamsPerConnection = 1000
	// Without it open watches hold up the end for a minute, longer than a pod has.
	o.Generic.ShutdownWatchTerminationGracePeriod = 2 * time.Second
	return o
}

// Flags returns the flags in named sections.
func (o *Options) Flags() (sections cliflag.NamedFlagSets) {
	o.Evaluation.AddFlags(sections.FlagSet("evaluation"))
	o.Source.AddFlags(&sections)
	sections.FlagSet("cluster").StringVar(&o.Kubeconfig, "kubeconfig", o.Kubeconfig,
		"Path of the kubeconfig of the cluster that is reported on. Empty: the service account of the pod. "+
			"Also the default of --authentication-kubeconfig and --authorization-kubeconfig.")
	addGenericFlags(o.Generic, sections.FlagSet("generic"))
	addServingFlags(o.SecureServing, sections.FlagSet("secure serving"))
	o.Authentication.AddFlags(sections.FlagSet("authentication"))
	o.Authorization.AddFlags(sections.FlagSet("authorization"))
	o.Audit.AddFlags(sections.FlagSet("auditing"))
	logsapi.AddFlags(o.Logging, sections.FlagSet("logging"))
	// Those of the logging section would be there a second time, without effect.
	globalflag.AddGlobalFlags(sections.FlagSet("global"), "slo-apiserver", logs.SkipLoggingConfigurationFlags())
	sections.FlagSet("global").Bool("version", false, "version of slo-apiserver") // cobra answers it
	return sections
}

// addGenericFlags adds those of the machinery's flags that mean something for a
// server without storage, admission, browsers or feature gates.
func addGenericFlags(options *genericoptions.ServerRunOptions, flags *pflag.FlagSet) {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	options.AddUniversalFlags(all)
	for _, name := range []string{"max-requests-inflight", "min-request-timeout", "request-timeout", "shutdown-delay-duration"} {
		flags.AddFlag(all.Lookup(name))
	}
	// The machinery's text speaks of flags that we have not.
	flags.Lookup("max-requests-inflight").Usage = "Number of requests, other than watches, that are served at the same time; more are answered with 429. 0: no limit."
}

func addServingFlags(options *genericoptions.SecureServingOptionsWithLoopback, flags *pflag.FlagSet) {
	options.AddFlags(flags)
	flags.Lookup("cert-dir").Usage = "Directory to keep the self-signed certificate in that is made without --tls-cert-file and --tls-private-key-file. Empty: in memory."
	flags.Lookup("secure-port").Usage = "The port on which to serve HTTPS with authentication and authorization."
}

// Validate returns everything that is wrong with the flags.
func (o *Options) Validate() []error {
	var errs []error
	errs = append(errs, o.Evaluation.Validate()...)
	errs = append(errs, o.Source.Validate(o.Evaluation.Interval)...)
	errs = append(errs, o.Generic.Validate()...)
	errs = append(errs, o.SecureServing.Validate()...)
	errs = append(errs, o.validateServing()...)
	errs = append(errs, o.Authentication.Validate()...)
	errs = append(errs, o.Authorization.Validate()...)
	errs = append(errs, o.Audit.Validate()...)
	return errs
}

// validateServing checks what the machinery would answer with a crash, or not at all.
func (o *Options) validateServing() []error {
	var errs []error
	if o.SecureServing.BindPort == 0 && o.SecureServing.Listener == nil {
		errs = append(errs, errors.New("--secure-port 0: there is nothing to serve without a port"))
	}
	if pair := o.SecureServing.ServerCert.CertKey; (pair.CertFile == "") != (pair.KeyFile == "") {
		errs = append(errs, errors.New("--tls-cert-file and --tls-private-key-file need each other"))
	}
	if o.Generic.RequestTimeout == 0 {
		errs = append(errs, errors.New("--request-timeout 0 leaves no time for any request"))
	}
	return errs
}

// Config turns the flags into the configuration of the server. It reads files
// and asks the cluster how to authenticate.
func (o *Options) Config(ctx context.Context) (*apiserver.Config, error) {
	client, err := o.clientConfig()
	if err != nil {
		return nil, err
	}
	config, err := apiserver.NewConfig()
	if err != nil {
		return nil, err
	}
	config.Client = client
	config.Source = o.Source.Config(o.Evaluation.Interval)
	config.Window = o.Evaluation.Window
	config.Interval = o.Evaluation.Interval
	config.MinimumRequests = o.Evaluation.MinimumRequests
	config.ObjectivesFile = o.Evaluation.ObjectivesFile
	config.StateDir = o.Evaluation.StateDir
	if err := o.applyTo(config); err != nil {
		return nil, err
	}
	return config, ctx.Err()
}

func (o *Options) clientConfig() (*rest.Config, error) {
	if o.Kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("no --kubeconfig given, and not in a pod: %w", err)
		}
		return config, nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", o.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig %s: %w", o.Kubeconfig, err)
	}
	return config, nil
}

func (o *Options) applyTo(config *apiserver.Config) error {
	// Delegation fails closed: without the cluster nobody is let in.
	for _, file := range []*string{&o.Authentication.RemoteKubeConfigFile, &o.Authorization.RemoteKubeConfigFile} {
		if *file == "" {
			*file = o.Kubeconfig
		}
	}
	if err := o.SecureServing.MaybeDefaultWithSelfSignedCerts("localhost", nil, []net.IP{net.IPv4(127, 0, 0, 1)}); err != nil {
		return fmt.Errorf("make a self-signed certificate (or give --tls-cert-file and --tls-private-key-file): %w", err)
	}
	generic := config.Generic
	if err := o.Generic.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	if err := o.Generic.ApplyTo(generic); err != nil {
		return err
	}
	if err := o.SecureServing.ApplyTo(&generic.SecureServing, &generic.LoopbackClientConfig); err != nil {
		return fmt.Errorf("secure serving: %w", err)
	}
	if err := o.Authentication.ApplyTo(&generic.Authentication, generic.SecureServing, generic.OpenAPIConfig); err != nil {
		return fmt.Errorf("delegated authentication: %w", err)
	}
	if err := o.Authorization.ApplyTo(&generic.Authorization); err != nil {
		return fmt.Errorf("delegated authorization: %w", err)
	}
	return o.Audit.ApplyTo(generic)
}
