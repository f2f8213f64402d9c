// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// oneBody is the answer to Check.
const oneBody = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}}`

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

func gzipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

// packed answers those who ask for it with gzip.
func packed(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			http.Error(w, "no gzip", http.StatusNotAcceptable)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(gzipped(text))
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   string // "" for no error
	}{
		{"Prometheus", body(200, oneBody), ""},
		{"HTML with 200", body(200, "<html>Grafana</html>"), "HTML or XML, not JSON"},
		{"another answer", body(200, emptyBody), "answers the query 1 with something else"},
		{"HTML with 404", body(404, "<html>not here</html>"), "404 Not Found: an HTML page; is this the base URL of a Prometheus API"},
		{"401", body(401, "Unauthorized\n"), "401 Unauthorized: Unauthorized; give credentials"},
		{"403", body(403, ""), "403 Forbidden: no message; the credentials do not allow"},
		{"405", body(405, ""), "queries were sent by POST and by GET"},
		{"502", body(502, "bad\x00gateway\n\nline"), "502 Bad Gateway: bad gateway line"},
		{"long text", body(500, strings.Repeat("ä", 1000)), "ä..."},
		{"bad query", body(400, `{"status":"error","errorType":"bad_data","error":"1:2: parse error"}`), "400 Bad Request: bad_data: 1:2: parse error"},
		{"an error with 200", body(200, `{"status":"error","errorType":"execution","error":"too many samples"}`), "execution: too many samples"},
		{"503 without a time", body(503, `{"status":"error","errorType":"timeout","error":"slow"}`), "503 Service Unavailable: timeout: slow"},
		{"truncated", body(200, `{"status":"success","data":{"result":[`), "ends early"},
		{"too long", body(200, `{"x":"`+strings.Repeat("x", 2<<20)), "more than 1048576 bytes"},
		{"redirect", redirect("/login"), "/login)"},
		{"redirect with secrets", redirect("https://user:s3cret@login.example/a?token=s3cret#s3cret"), "give the URL it points at (https://login.example/a)"},
		{"redirect to a long URL", redirect("https://login.example/" + strings.Repeat("a", 10_000)), "aaa...)"},
		{"short body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			_, _ = w.Write([]byte(`{"status":"success"`))
		}, "unexpected EOF"},
		{"unpacks to too much", packed(strings.Repeat(" ", 2<<20)), "more than 1048576 bytes"},
		{"unpacks to nothing", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			none := gzipped("")
			for range 2 << 20 / len(none) {
				if _, err := w.Write(none); err != nil {
					return
				}
			}
		}, "more than 1048576 bytes"},
		{"no gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("\x1f\x8bgarbage, and more of it"))
		}, "unpack the answer: gzip: invalid"},
		{"truncated gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(gzipped(oneBody)[:40])
		}, "unpack the answer: unexpected EOF"},
		{"another encoding", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = w.Write([]byte("x"))
		}, `Content-Encoding "br", which was not asked for`},
		{"packed", packed(oneBody), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			err := newTestSource(t, server.URL, nil).Check(context.Background())
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "check Prometheus: ") {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
			if len(err.Error()) > 500 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error gives the secret away: %v", err)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"30": 30 * time.Second, "0": 0, "Sun, 01 Mar 2026 12:00:05 GMT": 5 * time.Second, "Sun, 01 Mar 2026 11:00:00 GMT": 0,
		"": -1, "-1": -1, "soon": -1, "99999999999": -1,
	} {
		got, ok := retryAfter(header, now)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: got %v, want %v", header, got, want)
		}
	}
}

// Servers that do not say for how long are left alone for a while, too, when they had
// too much; other failures are as long as they are.
func TestCheckBusy(t *testing.T) {
	for _, test := range []struct {
		status int
		header string
		want   time.Duration // 0: not busy
	}{
		{429, "", busyWait}, {429, "soon", busyWait}, {429, "7", 7 * time.Second}, {503, "7", 7 * time.Second}, {503, "", 0},
		{500, "7", 7 * time.Second}, {502, "7", 7 * time.Second}, {504, "7", 7 * time.Second}, {504, "", 0}, {400, "7", 0}, {401, "7", 0},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", test.header)
			w.WriteHeader(test.status)
		}))
		err := newTestSource(t, server.URL, nil).Check(t.Context())
		server.Close()
		busy, is := errors.AsType[*BusyError](err)
		if err == nil || is != (test.want > 0) || is && busy.RetryAfter() != test.want {
			t.Errorf("%d with %q: got %v, want %s", test.status, test.header, err, test.want)
		}
	}
}

// Where POST is not allowed the same is asked by GET, and POST is not tried again.
func TestCheckByGet(t *testing.T) {
	for _, status := range []int{403, 405, 501} {
		var methods []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if methods = append(methods, r.Method); r.Method == http.MethodPost {
				w.WriteHeader(status)
				return
			}
			if r.URL.Query().Get("query") == "" || r.URL.Query().Get("timeout") != "10000ms" || r.URL.Query().Get("dedup") != "true" {
				t.Errorf("got %s", r.URL)
			}
			_, _ = w.Write([]byte(oneBody))
		}))
		source := newTestSource(t, server.URL, func(c *Config) { c.Parameters = map[string][]string{"dedup": {"true"}} })
		for range 2 {
			if err := source.Check(t.Context()); err != nil {
				t.Error(err)
			}
		}
		server.Close()
		if !slices.Equal(methods, []string{http.MethodPost, http.MethodGet, http.MethodGet}) {
			t.Errorf("%d: got %s", status, methods)
		}
	}
}

// The error says whose deadline it was.
func TestCheckTooLate(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for want, timeout := range map[string]time.Duration{"no answer within 10ms": 10 * time.Millisecond, "no answer before the time of the caller was over": time.Minute} {
		source := newTestSource(t, server.URL, func(c *Config) { c.Timeout = timeout })
		asked := t.Context()
		if timeout == time.Minute {
			asked = ctx
		}
		if err := source.Check(asked); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
}
