// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// backoff of a caller after an answer that is an error.
const backoff = 500 * time.Millisecond

// callers send one request over and over, as one user, to one kube-apiserver, and
// count what comes back. Nothing is tried again unseen, as client-go would.
type callers struct {
	// send sends the request once, and returns the status.
	send func(context.Context) (int, error)
	// pause of a caller after every answer, and before it reads the body of one: what
	// is larger than the window of a stream keeps its seats until then.
	pause, reading time.Duration

	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup

	mu       sync.Mutex
	statuses map[int]int
	broken   error // a request without an answer
}

// call prepares callers; add starts some.
func call(t *testing.T, server apiserver, user, method, path, body string) *callers {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", server.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:serviceaccounts", "system:authenticated"}}
	config.DisableCompression = true
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	c := &callers{statuses: map[int]int{}}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.send = func(ctx context.Context) (int, error) {
		request, err := http.NewRequestWithContext(ctx, method, config.Host+path, strings.NewReader(body))
		if err != nil {
			return 0, err
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := client.Do(request)
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		if response.StatusCode == http.StatusOK {
			c.wait(c.reading)
		}
		_, err = io.Copy(io.Discard, response.Body)
		return response.StatusCode, err
	}
	t.Cleanup(func() { c.end() })
	return c
}

// add starts so many callers more.
func (c *callers) add(number int) {
	for range number {
		c.done.Go(func() {
			for c.ctx.Err() == nil {
				// A request that is under way when the callers are stopped is answered:
				// otherwise it would be a rejection that nobody has seen.
				status, err := c.send(context.WithoutCancel(c.ctx))
				if c.count(status, err) {
					c.wait(c.pause)
				} else {
					c.wait(backoff)
				}
			}
		})
	}
}

// wait until the time is over, or the callers are stopped.
func (c *callers) wait(d time.Duration) {
	select {
	case <-time.After(d):
	case <-c.ctx.Done():
	}
}

func (c *callers) count(status int, err error) (fine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.broken = err
		return false
	}
	c.statuses[status]++
	return status < http.StatusBadRequest
}

// end stops the callers, waits for their last answers, and returns the counts of
// all of them by status.
func (c *callers) end() map[int]int {
	c.stop()
	c.done.Wait()
	return c.counts()
}

func (c *callers) counts() map[int]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.statuses)
}

// unanswered is why a request had no answer, nil if all had.
func (c *callers) unanswered() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}

// allow gives the user a ClusterRole, and waits until the kube-apiserver lets the
// user do with ConfigMaps what it is for.
func allow(t *testing.T, server apiserver, role, user, verb, namespace string) {
	t.Helper()
	bind(t, role, user)
	config, err := clientcmd.BuildConfigFromFlags("", server.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user, ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Resource: "configmaps", Namespace: namespace},
	}}
	eventually(t, 30*time.Second, user+" may "+verb, func() error {
		answer, err := client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
		if err == nil && !answer.Status.Allowed {
			err = errors.New("it may not")
		}
		return err
	})
}

// serviceAccount is the user that a service account is.
func serviceAccount(namespace, name string) string {
	return fmt.Sprintf("system:serviceaccount:%s:%s", namespace, name)
}
