// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"

	"example.io/slo-apiserver/pkg/sources"
)

// accept asks for protobuf, which costs a kube-apiserver 0.4 of what text does,
// and takes text.
const accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=1.0," +
	"text/plain;version=0.0.4;q=0.5"

// answer of a target.
type answer struct {
	exposition *exposition
	bytes      int64 // of the body after decompression, as far as it was read
}

// fetch the metrics of a target. The answer is valid until the scanner releases it.
// Errors name the target and what to do about it where that is known.
func (s *Source) fetch(ctx context.Context, t Target, scanner *scanner) (answer, error) {
	a, err := s.tryFetch(ctx, t, scanner)
	if err != nil {
		return a, fmt.Errorf("scrape %s %s: %w", t.Component, t.Name, err)
	}
	return a, nil
}

func (s *Source) tryFetch(ctx context.Context, t Target, scanner *scanner) (answer, error) {
	if t.Problem != "" {
		return answer{}, errors.New(t.Problem)
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	response, err := s.request(ctx, t)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return answer{}, statusError(t, response)
	}
	return s.decode(response, scanner)
}

func (s *Source) request(ctx context.Context, t Target) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL, nil)
	if err != nil {
		return nil, err
	}
	if request.URL.Scheme != "https" {
		return nil, fmt.Errorf("%s is not https: the credentials would go in the clear", t.URL)
	}
	client, err := s.clients.of(t)
	if err != nil {
		return nil, err
	}
	// A load balancer chooses a kube-apiserver for each connection. On one that is
	// kept, those behind the same address would never be seen.
	request.Close = t.Component == sources.KubeAPIServer
	request.Header.Set("Accept", accept)
	// Compression costs the kube-apiserver more than the bytes cost a cluster's
	// network.
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "slo-apiserver")
	response, err := client.Do(request)
	if err != nil {
		return nil, s.requestError(t, err)
	}
	return response, nil
}

// requestError says what to do about a request without an answer, where that is
// known.
func (s *Source) requestError(t Target, err error) error {
	if isTimeout(err) {
		return fmt.Errorf("no answer within %s: %w", s.config.Timeout, err)
	}
	if remedy := t.certificateRemedy(err); remedy != "" {
		// First, since conditions show no more than the beginning of a long text.
		return fmt.Errorf("%s: %w", remedy, err)
	}
	return err
}

// isTimeout tells a target that is silent from one that answers with an error, or
// refuses the connection.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// statusError says what an answer other than 200 means.
func statusError(t Target, response *http.Response) error {
	switch response.StatusCode {
	case http.StatusUnauthorized:
		return fmt.Errorf("%s: the credentials are not accepted", response.Status)
	case http.StatusForbidden:
		return fmt.Errorf("%s: %s", response.Status, t.remedy())
	}
	if response.StatusCode/100 == 3 {
		return fmt.Errorf("%s: redirects are not followed", response.Status)
	}
	return errors.New(response.Status)
}

// decode the body of an answer in whatever of the accepted formats it is.
func (s *Source) decode(response *http.Response, scanner *scanner) (answer, error) {
	body := &limitedReader{r: response.Body, limit: s.config.Limits.BodyBytes}
	switch encoding := response.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		unzipped, err := gzip.NewReader(response.Body)
		if err != nil {
			return answer{}, fmt.Errorf("gzip: %w", err)
		}
		body.r = unzipped
	default:
		return answer{}, fmt.Errorf("content encoding %q was not asked for", encoding)
	}
	decode, err := decoderFor(response.Header.Get("Content-Type"))
	if err != nil {
		return answer{}, err
	}
	e, err := scanner.read(body, decode)
	if err == nil && body.read == 0 {
		err = errors.New("the answer is empty")
	}
	return answer{e, body.read}, err
}

func decoderFor(contentType string) (decoder, error) {
	media, parameters, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return nil, fmt.Errorf("content type %q: %w", contentType, err)
	case media == "text/plain":
		return decodeText, nil
	case media == "application/vnd.google.protobuf" && parameters["encoding"] == "delimited" &&
		strings.EqualFold(parameters["proto"], "io.prometheus.client.MetricFamily"):
		return decodeProto, nil
	}
	return nil, fmt.Errorf("content type %q was not asked for", contentType)
}

// limitedReader fails past its limit, where io.LimitReader would pretend that the
// body ends.
type limitedReader struct {
	r     io.Reader
	limit int64
	read  int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	// One byte more than allowed tells a body at the limit from one beyond it.
	if room := l.limit - l.read + 1; int64(len(p)) > room {
		p = p[:room]
	}
	n, err := l.r.Read(p)
	l.read += int64(n)
	if l.read > l.limit {
		return 0, fmt.Errorf("the answer has more than %d bytes, the limit", l.limit)
	}
	return n, err
}
