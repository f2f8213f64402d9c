// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package install_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/compatibility"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/openapi"
	"example.io/slo-apiserver/pkg/registry/apfclassification"
	"example.io/slo-apiserver/pkg/registry/apfheadroom"
	"example.io/slo-apiserver/pkg/registry/apfsimulation"
	"example.io/slo-apiserver/pkg/registry/computed"
	"example.io/slo-apiserver/pkg/registry/install"
	"example.io/slo-apiserver/pkg/registry/registrytest"
	"example.io/slo-apiserver/pkg/registry/servicelevelindicator"
	"example.io/slo-apiserver/pkg/registry/sloreport"
)

// reports is a Provider whose evaluations the test publishes.
type reports struct {
	mu       sync.Mutex
	snapshot computed.Snapshot[slo.SLOReport]
	more     chan struct{}
}

func (p *reports) publish(items ...slo.SLOReport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.snapshot = computed.Snapshot[slo.SLOReport]{ResourceVersion: p.snapshot.ResourceVersion + 10, Items: items}
	if p.more != nil {
		close(p.more)
	}
	p.more = make(chan struct{})
}

func (p *reports) Latest(ctx context.Context) (*computed.Snapshot[slo.SLOReport], error) {
	return p.Next(ctx, 0)
}

func (p *reports) Next(ctx context.Context, after uint64) (*computed.Snapshot[slo.SLOReport], error) {
	for {
		p.mu.Lock()
		snapshot, more := p.snapshot, p.more
		p.mu.Unlock()
		if snapshot.ResourceVersion > after {
			return &snapshot, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

var observed = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// report has a verdict, which watchers want to know, and requests, which move.
func report(name string, verdict slo.Verdict, requests int64) slo.SLOReport {
	return slo.SLOReport{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{slo.LabelOfficial: "true"}},
		Status: slo.SLOReportStatus{
			Verdict:         verdict,
			Requests:        &requests,
			ObservationTime: &metav1.Time{Time: observed},
		},
	}
}

// serve runs the group in a generic API server, as pkg/apiserver does, without
// authentication: that is not ours.
func serve(t *testing.T, provider *reports) *rest.Config {
	t.Helper()
	listener := httptest.NewServer(newHandler(t, provider, registrytest.Static[slo.ServiceLevelIndicator]{}))
	t.Cleanup(func() {
		listener.CloseClientConnections() // watches go on until their client leaves
		listener.Close()
	})
	return &rest.Config{Host: listener.URL, QPS: -1}
}

func newHandler(t testing.TB, provider computed.Provider[slo.SLOReport], indicators computed.Provider[slo.ServiceLevelIndicator]) http.Handler {
	t.Helper()
	scheme, err := install.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	reportREST, err := sloreport.NewRESTWithClock(provider, func() time.Time { return observed.Add(12 * time.Second) })
	if err != nil {
		t.Fatal(err)
	}
	indicatorREST, err := servicelevelindicator.NewREST(indicators)
	if err != nil {
		t.Fatal(err)
	}
	headroomREST, err := apfheadroom.NewREST(registrytest.Static[slo.APFHeadroom]{})
	if err != nil {
		t.Fatal(err)
	}
	classificationREST, selfClassificationREST, err := apfclassification.New(catchAll{})
	if err != nil {
		t.Fatal(err)
	}
	simulationREST, err := apfsimulation.NewREST(noChange{})
	if err != nil {
		t.Fatal(err)
	}
	config := genericapiserver.NewConfig(install.NewCodecs(scheme))
	config.ExternalAddress = "127.0.0.1:443"
	config.LoopbackClientConfig = &rest.Config{}
	config.EffectiveVersion = compatibility.NewEffectiveVersionFromString("1.37", "", "")
	namer := openapinamer.NewDefinitionNamer(scheme)
	config.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(openapi.GetOpenAPIDefinitions, namer)
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(openapi.GetOpenAPIDefinitions, namer)
	config.OpenAPIConfig.Info.Title, config.OpenAPIConfig.Info.Version = "slo-apiserver", "test"
	config.OpenAPIV3Config.Info.Title, config.OpenAPIV3Config.Info.Version = "slo-apiserver", "test"

	server, err := config.Complete(nil).New("test", genericapiserver.NewEmptyDelegate())
	if err != nil {
		t.Fatal(err)
	}
	if err := server.InstallAPIGroup(install.APIGroup(scheme, install.Storage{
		Reports: reportREST, Indicators: indicatorREST, Headrooms: headroomREST,
		Classifications: classificationREST, SelfClassifications: selfClassificationREST,
		Simulations: simulationREST,
	})); err != nil {
		t.Fatal(err)
	}
	server.PrepareRun()
	t.Cleanup(server.Destroy)
	return server.Handler
}

const group = "/apis/slo.example.io/v1alpha1"

// call sends a request and returns the code and the body.
func call(t *testing.T, config *rest.Config, method, path, accept string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, config.Host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// eventually waits until the check says nothing more.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	var err error
	for range 500 {
		if err = check(); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal(fmt.Errorf("after 5s: %w", err))
}
