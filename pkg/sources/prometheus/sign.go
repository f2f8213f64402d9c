// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"net/http"

	"github.com/prometheus/sigv4"
)

// signedTransport signs requests for Amazon's services. The library looks for
// credentials when a signer is made, and this may take as long as a request: of the
// metadata service, or of STS. So it is made for the first request, within its
// deadline, and where that fails for the next one again.
type signedTransport struct {
	next   http.RoundTripper
	config sigv4.SigV4Config
	// turn is held by the one that looks at the signer, or makes it.
	turn   chan struct{}
	signer http.RoundTripper
}

func newSignedTransport(settings sigv4.SigV4Config, next http.RoundTripper) *signedTransport {
	return &signedTransport{next: next, config: settings, turn: make(chan struct{}, 1)}
}

// RoundTrip implements http.RoundTripper.
func (t *signedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	signer, err := t.made(request.Context())
	if err != nil {
		if request.Body != nil {
			request.Body.Close()
		}
		return nil, fmt.Errorf("sigv4: %w", err)
	}
	return signer.RoundTrip(request)
}

func (t *signedTransport) made(ctx context.Context) (http.RoundTripper, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if t.signer == nil {
		signer, err := sigv4.NewSigV4RoundTripper(&t.config, t.next, sigv4.WithContext(ctx))
		if err != nil {
			return nil, clipped(err)
		}
		t.signer = signer
	}
	return t.signer, nil
}
