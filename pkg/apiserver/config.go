// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package apiserver wires the server together. It is the only place that knows
// which source is in use.
package apiserver

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	utilversion "k8s.io/apimachinery/pkg/util/version"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/compatibility"
	"k8s.io/component-base/version"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"example.io/slo-apiserver/pkg/generated/openapi"
	"example.io/slo-apiserver/pkg/registry/install"
	"example.io/slo-apiserver/pkg/slo"
)

const (
	// DefaultWindow is the window of the official objectives.
	DefaultWindow = slo.DefaultWindow
	// DefaultMinimumRequests is the number of requests below which a report is
	// marked LowTraffic.
	DefaultMinimumRequests = slo.DefaultMinimumRequests
	// MaxWindow is what the history of the embedded source allows, less some
	// missed scrapes.
	MaxWindow = history - 2*time.Minute

	// history that the embedded source keeps.
	history = 10 * time.Minute
)

// Config is what a server is made from.
type Config struct {
	// Generic is the configuration of the API machinery, made by NewConfig.
	// Options are applied to it.
	Generic *genericapiserver.Config
	// scheme of the API group that Generic knows.
	scheme *runtime.Scheme
	// version of this build.
	version compatibility.EffectiveVersion
	// Client reaches the cluster that is reported on.
	Client *rest.Config
	// Source of the metrics.
	Source SourceConfig
	// Window of the indicators.
	Window time.Duration
	// Interval between scrapes, and the longest age of a shared evaluation.
	Interval time.Duration
	// MinimumRequests in the window below which a report is marked LowTraffic.
	MinimumRequests int64
	// ObjectivesFile changes objectives and adds to them; see pkg/objectives. Empty:
	// those that are built in.
	ObjectivesFile string
	// StateDir is the directory in which the days are kept over a restart. Empty:
	// in memory only.
	StateDir string
}

// NewConfig returns a configuration that knows the API group and its OpenAPI
// definitions. All other fields are the caller's to fill.
func NewConfig() (*Config, error) {
	scheme, err := install.NewScheme()
	if err != nil {
		return nil, err
	}
	built := version.Get()
	parsed, err := utilversion.Parse(built.String())
	if err != nil {
		return nil, fmt.Errorf("version %q of this build (see -ldflags in the Makefile): %w", built, err)
	}
	generic := genericapiserver.NewConfig(install.NewCodecs(scheme))
	namer := openapinamer.NewDefinitionNamer(scheme)
	generic.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(openapi.GetOpenAPIDefinitions, namer)
	generic.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(openapi.GetOpenAPIDefinitions, namer)
	for _, info := range []*spec.Info{generic.OpenAPIConfig.Info, generic.OpenAPIV3Config.Info} {
		info.Title, info.Version = "slo-apiserver", built.GitVersion
	}
	// Our /metrics joins the metrics of the machinery with our own.
	generic.EnableMetrics = false
	none := utilversion.MajorMinor(0, 0)
	return &Config{
		Generic: generic,
		scheme:  scheme,
		version: compatibility.NewEffectiveVersion(parsed, true, none, none),
	}, nil
}

// CompletedConfig can only be had from Complete: an incomplete server can not be
// built.
type CompletedConfig struct{ *completedConfig }

type completedConfig struct {
	Config
	generic genericapiserver.CompletedConfig
}

// Complete fills in what can be derived.
func (c Config) Complete() CompletedConfig {
	// The options put that of the Kubernetes component there, which we have not.
	c.Generic.EffectiveVersion = c.version
	return CompletedConfig{&completedConfig{Config: c, generic: c.Generic.Complete(nil)}}
}
