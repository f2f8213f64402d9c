// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package apiserver wires the server together. It is the only place that knows
// which source is in use.
package apiserver

import (
	"time"

	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	utilversion "k8s.io/apimachinery/pkg/util/version"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/compatibility"
	"k8s.io/component-base/version"

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
	// Generic is the configuration of the API machinery, from NewGenericConfig
	// and the options that apply to it.
	Generic *genericapiserver.Config
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
}

// NewGenericConfig returns a configuration that knows the API group and its
// OpenAPI definitions.
func NewGenericConfig() *genericapiserver.Config {
	config := genericapiserver.NewConfig(install.Codecs)
	namer := openapinamer.NewDefinitionNamer(install.Scheme)
	config.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(openapi.GetOpenAPIDefinitions, namer)
	config.OpenAPIConfig.Info.Title = "slo-apiserver"
	config.OpenAPIConfig.Info.Version = version.Get().GitVersion
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(openapi.GetOpenAPIDefinitions, namer)
	config.OpenAPIV3Config.Info = config.OpenAPIConfig.Info
	config.EffectiveVersion = compatibility.NewEffectiveVersion(utilversion.MustParse(version.Get().String()), true, nil, nil)
	// Our /metrics joins the metrics of the machinery with those of the source.
	config.EnableMetrics = false
	return config
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
	return CompletedConfig{&completedConfig{Config: c, generic: c.Generic.Complete(nil)}}
}
