// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// BusyError says that Prometheus turned a query away and is to be left alone for a
// while: it asked for that, or had too many queries and did not say for how long.
type BusyError struct {
	// Status is the HTTP status: 429, or 500, 502, 503 or 504.
	Status int
	// Wait is how long to stay away.
	Wait time.Duration
	// Message is what the server said.
	Message string
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("answer of Prometheus: %s, to be asked again after %s: %s", httpStatus(e.Status), e.Wait, e.Message)
}

// RetryAfter is how long to stay away.
func (e *BusyError) RetryAfter() time.Duration { return e.Wait }

// busyWait after 429 without a time to stay away, which Mimir and Thanos send: one
// evaluation is left out at the default interval.
const busyWait = 20 * time.Second

// maxMessage is how much of what a server says goes into an error, in bytes.
const maxMessage = 200

// statusError says why an answer without success is none, and what to do about it
// where that is known.
func statusError(response *http.Response, body string) error {
	status := response.StatusCode
	message := serverMessage(body)
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		wait, told := retryAfter(response.Header.Get("Retry-After"), time.Now())
		if !told {
			wait = busyWait
		}
		if told || status == http.StatusTooManyRequests {
			return &BusyError{Status: status, Wait: wait, Message: message}
		}
	}
	remedy := ""
	switch {
	case status >= 300 && status < 400:
		remedy = fmt.Sprintf("; redirects are not followed, give the URL it points at (%s)", location(response))
	case status == http.StatusUnauthorized:
		remedy = "; give credentials in the HTTP client configuration file"
	case status == http.StatusForbidden:
		remedy = "; the credentials do not allow queries, neither by POST nor by GET"
	case status == http.StatusNotFound:
		remedy = "; is this the base URL of a Prometheus API, without /api/v1?"
	case status == http.StatusMethodNotAllowed:
		remedy = "; queries were sent by POST and by GET, and something on the way allows neither"
	}
	return fmt.Errorf("answer of Prometheus: %s: %s%s", httpStatus(status), message, remedy)
}

// location that a redirect points at, without what may be secret in it.
func location(response *http.Response) string {
	target, err := response.Location()
	if err != nil {
		return "nowhere"
	}
	return clip((&url.URL{Scheme: target.Scheme, Host: target.Host, Path: target.Path}).String())
}

// clippedError is an error with its text as clip makes it.
type clippedError struct{ error }

// clipped makes the text of an error short and printable: some repeat what a server
// said, or a file.
func clipped(err error) error { return clippedError{err} }

// Error implements error.
func (e clippedError) Error() string { return clip(e.error.Error()) }

// Unwrap returns the error as it was.
func (e clippedError) Unwrap() error { return e.error }

func httpStatus(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

// serverMessage is the error of a JSON body, or the beginning of any other body.
func serverMessage(body string) string {
	answer, err := decode(body, 0, func(*series) error { return nil })
	if err == nil && answer.status == "error" {
		return clip(answer.errorType + ": " + answer.message)
	}
	if strings.HasPrefix(strings.TrimSpace(body), "<") {
		return "an HTML page"
	}
	if message := clip(body); message != "" {
		return message
	}
	return "no message"
}

// clip makes one short printable line of what a server said.
func clip(text string) string {
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "..."
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// retryAfter reads the header of that name: seconds or a date (RFC 9110, 10.2.3).
func retryAfter(header string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, date.Sub(now)), true
	}
	return 0, false
}
