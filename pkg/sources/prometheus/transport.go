// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// gzipTransport asks for compressed answers and unpacks them. Those of a large cluster
// are 15 MB of JSON in which most is repeated: a tenth travels.
type gzipTransport struct {
	next http.RoundTripper
	// limit in bytes of an answer as it travels: one may be long and unpack to nothing.
	limit int64
}

// RoundTrip implements http.RoundTripper.
func (t gzipTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := t.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	switch encoding := response.Header.Get("Content-Encoding"); {
	case strings.EqualFold(encoding, "gzip"):
		response.Body = &gzipBody{packed: &limitedBody{ReadCloser: response.Body, left: t.limit, limit: t.limit}}
		response.Header.Del("Content-Encoding")
		response.Header.Del("Content-Length")
		response.ContentLength, response.Uncompressed = -1, true
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		response.Body.Close()
		return nil, fmt.Errorf("the answer has the Content-Encoding %q, which was not asked for", clip(encoding))
	}
	return response, nil
}

// gzipBody unpacks from the first Read on, which may wait for the network.
type gzipBody struct {
	packed io.ReadCloser
	reader *gzip.Reader
	failed error
}

// Read implements io.Reader.
func (b *gzipBody) Read(p []byte) (int, error) {
	if b.reader == nil && b.failed == nil {
		b.reader, b.failed = gzip.NewReader(b.packed)
	}
	if b.failed != nil {
		return 0, fmt.Errorf("unpack the answer: %w", b.failed)
	}
	n, err := b.reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("unpack the answer: %w", err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *gzipBody) Close() error { return b.packed.Close() }

// limitedTransport fails the reading of an answer beyond limit bytes.
type limitedTransport struct {
	next  http.RoundTripper
	limit int64
}

// RoundTrip implements http.RoundTripper.
func (t limitedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	if err == nil {
		response.Body = &limitedBody{ReadCloser: response.Body, left: t.limit, limit: t.limit}
	}
	return response, err
}

type limitedBody struct {
	io.ReadCloser
	left, limit int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	// One byte more than allowed tells a body that is too long from one that fits.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("the answer has more than %d bytes", b.limit)
	}
	return n, err
}
