// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// tokenSource is a source that gets its tokens from an endpoint with that answer. It
// returns the number of times it was asked, too.
func tokenSource(t *testing.T, answer http.HandlerFunc) (*Source, *atomic.Int32) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(oneBody))
	}))
	t.Cleanup(server.Close)
	asked := &atomic.Int32{}
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(issuer.Close)
	dir := t.TempDir()
	write(t, dir, "secret", "s3cret\n")
	return clientSource(t, dir, server.URL, "oauth2: {client_id: a, client_secret_file: secret, token_url: '"+issuer.URL+"'}\n"), asked
}

// A token endpoint that hangs costs the time of a query, and no more.
func TestTokenHangs(t *testing.T) {
	release := make(chan struct{})
	source, _ := tokenSource(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var failed sync.WaitGroup
	for range 3 { // those that wait for the one that asks, too
		failed.Go(func() {
			if err := source.Check(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got error %v", err)
			}
		})
	}
	done := make(chan struct{})
	go func() { failed.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("queries hang after their deadline")
	}
}

// The client secret goes to the token endpoint alone.
func TestTokenRedirect(t *testing.T) {
	for _, status := range []int{301, 302, 307, 308} {
		var got atomic.Value
		elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got.Store(fmt.Sprint(r.Header)) }))
		source, _ := tokenSource(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/token?s3cret", status)
		})
		err := source.Check(t.Context())
		elsewhere.Close()
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("oauth2: token_url answers %d", status)) ||
			!strings.Contains(err.Error(), "redirects are not followed, give the URL it points at ("+elsewhere.URL+"/token)") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("got error %v", err)
		}
		if got.Load() != nil {
			t.Errorf("%d was followed with %v", status, got.Load())
		}
	}
}

// Errors do not repeat what a token endpoint says of what it got.
func TestTokenRefused(t *testing.T) {
	for want, answer := range map[string]http.HandlerFunc{
		"oauth2: token_url answers 401 Unauthorized: invalid_client": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte("{\"error\":\"invalid_client\",\n\"error_description\":\"s3cret is wrong\"}"))
		},
		"oauth2: token_url answers 500 Internal Server Error: no reason": body(500, "s3cret"),
		"oauth2: get a token: oauth2: cannot parse json":                 body(200, "<html>s3cret</html>"),
		"oauth2: get a token: oauth2: server response missing":           body(200, strings.Repeat("s3cret", maxTokenBytes)),
	} {
		source, _ := tokenSource(t, answer)
		err := source.Check(t.Context())
		if err == nil || len(err.Error()) > 400 || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("got error %v", err)
		}
		if err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
}

// Queries at one time share one token, as long as it is valid.
func TestTokenIsShared(t *testing.T) {
	source, asked := tokenSource(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"t","token_type":"bearer","expires_in":3600}`))
	})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := source.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if asked.Load() != 1 {
		t.Errorf("%d tokens were asked for", asked.Load())
	}
}

// A token may be asked for with an assertion that is signed, as Google's endpoints take it.
func TestTokenByAssertion(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims := jwt.MapClaims{}
		token, err := jwt.ParseWithClaims(r.FormValue("assertion"), claims, func(*jwt.Token) (any, error) { return &key.PublicKey, nil })
		if err != nil || token.Method.Alg() != "RS512" || r.FormValue("grant_type") != jwtBearer || claims["iss"] != "me" || claims["sub"] != "me" {
			t.Errorf("got %v %v: %v", r.Form, claims, err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"t","token_type":"bearer","expires_in":3600}`))
	}))
	defer issuer.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t" {
			t.Errorf("got %v", r.Header)
		}
		_, _ = w.Write([]byte(oneBody))
	}))
	defer server.Close()
	dir := t.TempDir()
	write(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	source := clientSource(t, dir, server.URL, "oauth2: {client_id: me, grant_type: '"+jwtBearer+"', client_certificate_key_file: key.pem, signature_algorithm: RS512, token_url: '"+issuer.URL+"'}\n")
	if err := source.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
