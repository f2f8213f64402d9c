// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestLateBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := io.Pipe()
		late := newLateBody(from, time.Second)
		begun := time.Now()
		go func() {
			for range 3 {
				_, _ = to.Write([]byte("event"))
				time.Sleep(100 * time.Millisecond)
			}
			to.Close()
		}()
		data := make([]byte, 3)
		if n, err := late.Read(data); n != 3 || err != nil || time.Since(begun) != time.Second {
			t.Errorf("first read: %d bytes, %v, after %s", n, err, time.Since(begun))
		}
		rest, err := io.ReadAll(late)
		if err != nil || string(rest) != "nteventevent" {
			t.Errorf("the rest: %q, %v", rest, err)
		}
		// Delays do not add up.
		if took := time.Since(begun); took != 1300*time.Millisecond {
			t.Errorf("all took %s", took)
		}
		if err := late.Close(); err != nil {
			t.Error(err)
		}
		if _, err := late.Read(data); err == nil {
			t.Error("a closed body goes on")
		}
	})
}

func TestLateBodyIsClosedWhileRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := io.Pipe()
		late := newLateBody(from, time.Second)
		go func() {
			time.Sleep(time.Minute)
			late.Close()
		}()
		if _, err := late.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("read ended with %v", err)
		}
		to.Close()
	})
}

func TestOnlyWatchesAreLate(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("body")) }))
	defer server.Close()
	client := &http.Client{Transport: lateWatch{http.DefaultTransport, time.Millisecond}}
	for query, watch := range map[string]bool{"": false, "?watch=true": true} {
		response, err := client.Get(server.URL + query)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if _, late := response.Body.(*lateBody); late != watch || err != nil || !bytes.Equal(body, []byte("body")) {
			t.Errorf("%q: late is %v, body %q, %v", query, late, body, err)
		}
		response.Body.Close()
	}
}
