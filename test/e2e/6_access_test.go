// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

// as is a client of an ordinary user, authenticated by impersonation.
func as(t *testing.T, user string) *versioned.Clientset {
	t.Helper()
	config := rest.CopyConfig(lab.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	client, err := versioned.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// bind gives a user a ClusterRole until the test ends.
func bind(t *testing.T, role, user string) {
	t.Helper()
	bindings := lab.admin.RbacV1().ClusterRoleBindings()
	binding, err := bindings.Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: user}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bindings.Delete(context.Background(), binding.Name, metav1.DeleteOptions{}) })
}

func TestWithoutRights(t *testing.T) {
	reports := as(t, "nobody").SloV1alpha1().SLOReports()
	if _, err := reports.List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("list: %v, want 403", err)
	}
	if _, err := reports.Get(t.Context(), mutating, metav1.GetOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("get: %v, want 403", err)
	}
	if _, err := reports.Watch(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("watch: %v, want 403", err)
	}
}

// A right on one name is a right to get it, and to list and watch it by its name.
func TestRightOnOneName(t *testing.T) {
	const user = "release-gate"
	role, err := lab.admin.RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{v1alpha1.GroupName}, Resources: []string{"sloreports"},
			ResourceNames: []string{podStartup}, Verbs: []string{"get", "list", "watch"},
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = lab.admin.RbacV1().ClusterRoles().Delete(context.Background(), role.Name, metav1.DeleteOptions{})
	})
	bind(t, role.Name, user)
	reports := as(t, user).SloV1alpha1().SLOReports()
	eventually(t, 30*time.Second, "get of the one name", func() error {
		_, err := reports.Get(t.Context(), podStartup, metav1.GetOptions{})
		return err
	})
	byName := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", podStartup).String()}
	if list, err := reports.List(t.Context(), byName); err != nil || len(list.Items) != 1 || list.Items[0].Name != podStartup {
		t.Errorf("list by name: %v, %v", list, err)
	}
	events, err := reports.Watch(t.Context(), byName)
	if err != nil {
		t.Fatalf("watch by name: %v", err)
	}
	defer events.Stop()
	select {
	case event := <-events.ResultChan():
		if report, ok := event.Object.(*v1alpha1.SLOReport); !ok || event.Type != watch.Added || report.Name != podStartup {
			t.Errorf("first event %+v", event)
		}
	case <-time.After(30 * time.Second):
		t.Error("no event")
	}
	if _, err := reports.Get(t.Context(), mutating, metav1.GetOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("get of another name: %v, want 403", err)
	}
	if _, err := reports.List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("list of all: %v, want 403", err)
	}
}

// The role for readers aggregates to view.
func TestViewersMayRead(t *testing.T) {
	const user = "viewer"
	bind(t, "view", user)
	eventually(t, 30*time.Second, "a viewer lists", func() error {
		_, err := as(t, user).SloV1alpha1().APFHeadrooms().List(t.Context(), metav1.ListOptions{})
		return err
	})
}

func TestUnknownNamesAndWrites(t *testing.T) {
	if _, err := getReport(t, lab.slo, "no-such-report"); !apierrors.IsNotFound(err) {
		t.Errorf("unknown report: %v, want 404", err)
	}
	client := lab.slo.RESTClient()
	const path = "/apis/slo.example.io/v1alpha1/sloreports"
	body := []byte(`{"apiVersion":"slo.example.io/v1alpha1","kind":"SLOReport","metadata":{"name":"mine"}}`)
	for what, request := range map[string]*rest.Request{
		"create":     client.Post().AbsPath(path).Body(body).SetHeader("Content-Type", "application/json"),
		"update":     client.Put().AbsPath(path, mutating).Body(body).SetHeader("Content-Type", "application/json"),
		"patch":      client.Patch("application/merge-patch+json").AbsPath(path, mutating).Body([]byte(`{}`)),
		"delete":     client.Delete().AbsPath(path, mutating),
		"delete all": client.Delete().AbsPath(path),
	} {
		if err := request.Do(t.Context()).Error(); !apierrors.IsMethodNotSupported(err) {
			t.Errorf("%s: %v, want 405", what, err)
		}
	}
}

// Nobody is let in unknown, neither by the aggregator nor on the port itself.
func TestAnonymousIsRefused(t *testing.T) {
	for what, base := range map[string]string{
		"aggregator":  lab.config.Host,
		"port":        fmt.Sprintf("https://127.0.0.1:%d", lab.state.Aggregated.Port),
		"second port": lab.viaPrometheus.RESTClient().Get().URL().Scheme + "://" + lab.viaPrometheus.RESTClient().Get().URL().Host,
	} {
		config := rest.AnonymousClientConfig(lab.config)
		config.TLSClientConfig = rest.TLSClientConfig{Insecure: true}
		client, err := rest.HTTPClientFor(config)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/apis/slo.example.io/v1alpha1/sloreports", "/apis/slo.example.io/v1alpha1/apfheadrooms/exempt", "/metrics"} {
			response, err := client.Get(base + path)
			if err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			response.Body.Close()
			if response.StatusCode != http.StatusForbidden && response.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s%s: %s, want 401 or 403", what, path, response.Status)
			}
		}
	}
}
