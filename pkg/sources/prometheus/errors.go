// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// BusyError says that Prometheus turned a query away and asked to be left alone
// for a while.
type BusyError struct {
	// Status is the HTTP status, 429 or 503.
	Status int
	// Wait is how long to stay away.
	Wait time.Duration
	// Message is what the server said.
	Message string
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("answer of Prometheus: %s and asks to retry after %s: %s", httpStatus(e.Status), e.Wait, e.Message)
}

// RetryAfter is how long to stay away.
func (e *BusyError) RetryAfter() time.Duration { return e.Wait }

// maxMessage is how much of what a server says goes into an error, in bytes.
const maxMessage = 200

// statusError says why an answer without success is none, and what to do about it
// where that is known.
func statusError(response *http.Response, body string) error {
	status := response.StatusCode
	message := serverMessage(body)
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		if wait, ok := retryAfter(response.Header.Get("Retry-After"), time.Now()); ok {
			return &BusyError{Status: status, Wait: wait, Message: message}
		}
	}
	remedy := ""
	switch {
	case status >= 300 && status < 400:
		remedy = fmt.Sprintf("; redirects are not followed, give the URL it points at (%s)", response.Header.Get("Location"))
	case status == http.StatusUnauthorized:
		remedy = "; give credentials in the HTTP client configuration file"
	case status == http.StatusForbidden:
		remedy = "; the credentials do not allow queries"
	case status == http.StatusNotFound:
		remedy = "; is this the base URL of a Prometheus API, without /api/v1?"
	case status == http.StatusMethodNotAllowed:
		remedy = "; queries are sent by POST, which something on the way does not allow"
	}
	return fmt.Errorf("answer of Prometheus: %s: %s%s", httpStatus(status), message, remedy)
}

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
