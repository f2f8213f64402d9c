// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// probe trusts anyone: it asks only whether a loopback port that the lab has just chosen is ready, and sends nothing secret.
var probe = &http.Client{Transport: &http.Transport{
	TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	DisableKeepAlives: true,
}}

func httpReady(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := probe.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			body, _ := io.ReadAll(io.LimitReader(response.Body, 2000))
			return fmt.Errorf("%s: %s: %s", url, response.Status, body)
		}
		return nil
	}
}

// nodeReady asks for a Ready condition that this start of the kubelet has written: an old one may say Ready for 40 s.
func (s *Supervisor) nodeReady(name string) func(context.Context) error {
	var since time.Time
	return func(ctx context.Context) error {
		if since.IsZero() {
			since = time.Now().Truncate(time.Second)
		}
		node, err := s.admin.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, c := range node.Status.Conditions {
			if c.Type == "Ready" && c.Status == "True" && !c.LastHeartbeatTime.Time.Before(since) {
				since = time.Time{}
				return nil
			}
		}
		return fmt.Errorf("node %s is not Ready", name)
	}
}
