// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// signature of a request, made from the specification with the standard library alone
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
func signature(r *http.Request, body []byte, secret, day, region, service string, signed []string) string {
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	sum := func(text []byte) string {
		h := sha256.Sum256(text)
		return hex.EncodeToString(h[:])
	}
	var headers strings.Builder
	for _, name := range signed {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		headers.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	query := strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")
	path := (&url.URL{Path: r.URL.EscapedPath()}).EscapedPath() // twice, as for all services but S3
	canonical := strings.Join([]string{r.Method, path, query, headers.String(), strings.Join(signed, ";"), sum(body)}, "\n")
	scope := strings.Join([]string{day, region, service, "aws4_request"}, "/")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), scope, sum([]byte(canonical))}, "\n")
	key := mac(mac(mac(mac([]byte("AWS4"+secret), day), region), service), "aws4_request")
	return hex.EncodeToString(mac(key, text))
}

// verified says what is wrong with the signature of a request by one of the keys.
func verified(r *http.Request, secrets map[string]string, region, service string) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	fields := map[string]string{}
	algorithm, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	for pair := range strings.SplitSeq(rest, ", ") {
		name, value, _ := strings.Cut(pair, "=")
		fields[name] = value
	}
	id, scope, _ := strings.Cut(fields["Credential"], "/")
	day, _, _ := strings.Cut(scope, "/")
	signed := strings.Split(fields["SignedHeaders"], ";")
	secret, known := secrets[id]
	switch {
	case algorithm != "AWS4-HMAC-SHA256":
		return fmt.Errorf("algorithm %q", algorithm)
	case !known:
		return fmt.Errorf("key %q", id)
	case scope != day+"/"+region+"/"+service+"/aws4_request" || !strings.HasPrefix(r.Header.Get("X-Amz-Date"), day):
		return fmt.Errorf("scope %q", scope)
	case !slices.Contains(signed, "host") || !slices.Contains(signed, "x-amz-date") || slices.Contains(signed, "accept-encoding"):
		return fmt.Errorf("signed headers %q", signed)
	case fields["Signature"] != signature(r, body, secret, day, region, service, signed):
		return fmt.Errorf("signature %q", fields["Signature"])
	}
	return nil
}

// noAWS makes sure that no credentials of the machine are found, and nobody is asked.
func noAWS(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_ROLE_ARN",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", dir)
	t.Setenv("AWS_CONFIG_FILE", dir+"/config")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", dir+"/credentials")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return dir
}

// A server that verifies signatures as the specification has them takes ours: by POST
// and by GET, with a tenant header that is not signed, and with credentials wherever
// they come from.
func TestSigned(t *testing.T) {
	secrets := map[string]string{"AKIDENV": "s3cret/env", "AKIDFILE": "s3cret/file", "AKIDSHARED": "s3cret+shared"}
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		service := "aps"
		if strings.HasPrefix(r.URL.Path, "/other") {
			service = "monitoring"
		}
		if err := verified(r, secrets, "eu-west-1", service); err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		if strings.HasPrefix(r.URL.Path, "/get") && r.Method == http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		if r.FormValue("query") == "" || r.Header.Get("X-Scope-OrgID") != "tenant-1" || r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("got %v %v", r.Form, r.Header)
		}
		_, _ = w.Write([]byte(oneBody))
	}))
	defer server.Close()
	const tenant = "http_headers: {X-Scope-OrgID: {values: [tenant-1]}}\n"
	for _, test := range []struct {
		name, path, text string
		prepare          func(dir string)
	}{
		{"environment", "/workspaces/ws-1", "sigv4: {region: eu-west-1}\n", func(string) {
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "s3cret/env")
			t.Setenv("AWS_SESSION_TOKEN", "session")
		}},
		{"file", "/workspaces/ws-1/", "sigv4: {region: eu-west-1, access_key: AKIDFILE, secret_key: s3cret/file}\n", func(string) {}},
		{"profile", "/other", "sigv4: {service_name: monitoring, profile: mine}\n", func(dir string) {
			write(t, dir, "config", "[profile mine]\nregion = eu-west-1\n")
			write(t, dir, "credentials", "[mine]\naws_access_key_id = AKIDSHARED\naws_secret_access_key = s3cret+shared\n")
		}},
		{"by GET", "/get/a b", "sigv4: {region: eu-west-1, access_key: AKIDFILE, secret_key: s3cret/file}\n", func(string) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := noAWS(t)
			test.prepare(dir)
			source := clientSource(t, dir, server.URL+strings.ReplaceAll(test.path, " ", "%20"), test.text+tenant)
			for range 2 {
				if err := source.Check(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if asked != 2+2+2+3 {
		t.Errorf("%d requests", asked)
	}
}

// Where there are no credentials yet, the next query looks again.
func TestSignedLater(t *testing.T) {
	dir := noAWS(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := verified(r, map[string]string{"AKIDLATER": "s3cret"}, "eu-west-1", "aps"); err != nil {
			t.Error(err)
		}
		_, _ = w.Write([]byte(oneBody))
	}))
	defer server.Close()
	source := clientSource(t, dir, server.URL, "sigv4: {region: eu-west-1}\n")
	if err := source.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "sigv4: could not get SigV4 credentials") || len(err.Error()) > 400 {
		t.Errorf("got error %v", err)
	}
	write(t, dir, "credentials", "[default]\naws_access_key_id = AKIDLATER\naws_secret_access_key = s3cret\n")
	if err := source.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
