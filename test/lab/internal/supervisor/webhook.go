// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	registrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"example.io/slo-apiserver/test/lab/internal/pki"
)

const (
	webhookName = "lab-slow.example.com"
	// webhookLabel on a namespace, with the value webhookValue, makes writes of its ConfigMaps slow.
	webhookLabel, webhookValue = "slo-lab", "webhook"
)

// webhook allows everything, slowly: it raises the total latency of requests and must not count for the SLI.
type webhook struct {
	listener net.Listener
	delay    atomic.Int64 // negative while it is off
}

func newWebhook(pair pki.Pair) (*webhook, error) {
	cert, err := tls.LoadX509KeyPair(pair.CertFile, pair.KeyFile)
	if err != nil {
		return nil, err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return nil, err
	}
	w := &webhook{listener: l}
	w.delay.Store(-1)
	return w, nil
}

func (w *webhook) run(ctx context.Context) {
	server := &http.Server{Handler: w, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	_ = server.Serve(w.listener)
}

func (w *webhook) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(out, "not an AdmissionReview", http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(time.Duration(w.delay.Load())):
	case <-r.Context().Done():
		return
	}
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	review.Request = nil
	out.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(out).Encode(review)
}

// status is the delay in words, or empty when the webhook is off.
func (w *webhook) status() string {
	if d := time.Duration(w.delay.Load()); d >= 0 {
		return d.String()
	}
	return ""
}

// set registers the webhook with a delay, or with an empty one removes it.
func (w *webhook) set(ctx context.Context, client kubernetes.Interface, caFile, delay string) error {
	hooks := client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if delay == "" {
		err := hooks.Delete(ctx, webhookName, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		w.delay.Store(-1)
		return nil
	}
	d, err := time.ParseDuration(delay)
	if err != nil {
		return err
	}
	if d < 0 {
		return errors.New("a delay is not negative")
	}
	w.delay.Store(int64(d))
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	_, err = hooks.Create(ctx, w.configuration(ca), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func (w *webhook) configuration(ca []byte) *registrationv1.ValidatingWebhookConfiguration {
	url := fmt.Sprintf("https://%s/validate", w.listener.Addr())
	// Ten seconds and Ignore: a webhook that sleeps for longer is slow, too, but breaks nothing.
	timeout, ignore, none := int32(10), registrationv1.Ignore, registrationv1.SideEffectClassNone
	return &registrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: webhookName},
		Webhooks: []registrationv1.ValidatingWebhook{{
			Name:                    webhookName,
			ClientConfig:            registrationv1.WebhookClientConfig{URL: &url, CABundle: ca},
			TimeoutSeconds:          &timeout,
			FailurePolicy:           &ignore,
			SideEffects:             &none,
			AdmissionReviewVersions: []string{"v1"},
			NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{webhookLabel: webhookValue}},
			Rules: []registrationv1.RuleWithOperations{{
				Operations: []registrationv1.OperationType{registrationv1.Create, registrationv1.Update},
				Rule:       registrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
			}},
		}},
	}
}
