// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"strings"
	"testing"

	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/version"
)

// While requests are drained, what they are answered from goes on.
func TestSourcesOutliveTheLastRequest(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	began, ended := make(chan struct{}), make(chan struct{})
	failure := errors.New("listener failed")
	s := &Server{
		objects: &objects{},
		runners: []func(context.Context){func(ctx context.Context) {
			close(began)
			<-ctx.Done()
			close(ended)
		}},
		serve: func(ctx context.Context) error {
			<-began
			stop()
			<-ctx.Done() // drained
			select {
			case <-ended:
				t.Error("the sources ended before the server")
			default:
			}
			return failure
		},
	}
	if err := s.Run(ctx); !errors.Is(err, failure) {
		t.Errorf("Run = %v", err)
	}
	select {
	case <-ended:
	default:
		t.Error("Run returned before its goroutines ended")
	}
}

func TestConfigKnowsTheGroupAndTheBuild(t *testing.T) {
	config, err := NewConfig()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := config.version.Info().GitVersion, version.Get().GitVersion; got != want {
		t.Errorf("version %q, want that of the build, %q", got, want)
	}
	for _, name := range []string{"SLOReport", "APFHeadroom"} {
		found := false
		for gvk := range config.scheme.AllKnownTypes() {
			found = found || gvk.Kind == name
		}
		if !found {
			t.Errorf("the scheme does not know %s", name)
		}
	}
	if config.Generic.OpenAPIConfig.Info.Title != "slo-apiserver" || config.Generic.OpenAPIV3Config.Info.Title != "slo-apiserver" {
		t.Error("the OpenAPI documents are those of somebody else")
	}
	if config.Generic.EnableMetrics {
		t.Error("the machinery's /metrics would take the place of ours")
	}
}

func TestNewNeedsASource(t *testing.T) {
	config, err := NewConfig()
	if err != nil {
		t.Fatal(err)
	}
	config.Client = &rest.Config{Host: "https://127.0.0.1:1"}
	incomplete := CompletedConfig{&completedConfig{Config: *config, generic: genericapiserver.CompletedConfig{}}}
	if _, err := incomplete.New(t.Context()); err == nil || !strings.Contains(err.Error(), "no source of metrics") {
		t.Errorf("New = %v", err)
	}
}
