// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package control is how `lab` commands talk to the supervisor: JSON over a unix socket.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Paths of the supervisor's API. All but PathStatus (GET) are POST.
const (
	PathStatus   = "/v1/status"
	PathDelay    = "/v1/storage-delay"
	PathStop     = "/v1/stop"
	PathStart    = "/v1/start"
	PathWebhook  = "/v1/webhook"
	PathServe    = "/v1/serve"
	PathShutdown = "/v1/shutdown"
)

// Status is what runs.
type Status struct {
	Ready      bool        `json:"ready"`
	Components []Component `json:"components"`
	// StorageDelays per apiserver, such as 1.2s.
	StorageDelays map[string]string `json:"storageDelays"`
	// WebhookDelay is empty while the webhook is off.
	WebhookDelay string `json:"webhookDelay,omitempty"`
}

// Component is one process.
type Component struct {
	Name string `json:"name"`
	// PID is 0 when it does not run.
	PID int `json:"pid"`
	// Ended says why a process ended that nobody stopped.
	Ended string `json:"ended,omitempty"`
}

// DelayRequest sets the way from one apiserver to etcd.
type DelayRequest struct {
	APIServer string `json:"apiserver"` // big, small or both
	Delay     string `json:"delay"`     // such as 1200ms
}

// ComponentRequest stops or starts.
type ComponentRequest struct {
	Component string `json:"component"`
	// Address: stop takes the apiserver's address out of default/kubernetes, too. Start always puts it back.
	Address bool `json:"address"`
}

// ServeRequest runs a slo-apiserver as the component of that name.
type ServeRequest struct {
	Binary string   `json:"binary"`
	Args   []string `json:"args"` // beside what the lab knows: ports, certificates, kubeconfig
}

// WebhookRequest switches the sleeping webhook.
type WebhookRequest struct {
	Delay string `json:"delay"` // such as 2s; empty switches it off
}

// Client calls the supervisor.
type Client struct{ http http.Client }

// NewClient dials socket at each call.
func NewClient(socket string) *Client {
	return &Client{http.Client{
		Timeout: 3 * time.Minute, // starting all kubelets again is the longest
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}},
	}}
}

// Status asks for the status.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	var s Status
	return &s, c.call(ctx, http.MethodGet, PathStatus, nil, &s)
}

// Post sends a request and waits until it is done.
func (c *Client) Post(ctx context.Context, path string, request any) error {
	return c.call(ctx, http.MethodPost, path, request, nil)
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://lab"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", bytes.TrimSpace(answer))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}
