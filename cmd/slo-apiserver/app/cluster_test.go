// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
)

// Tokens of the fake cluster.
const (
	ownToken    = "token-of-the-server"
	readerToken = "token-of-a-reader"
	nobodyToken = "token-without-rights"
)

// fakeCluster is as much of a kube-apiserver as the server needs.
type fakeCluster struct {
	*httptest.Server
	// away refuses everything, as if the cluster had gone.
	away        atomic.Bool
	flowControl fakeFlowControl
}

func newFakeCluster(t *testing.T) *fakeCluster {
	t.Helper()
	c := &fakeCluster{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /apis/authentication.k8s.io/v1/tokenreviews", reviewToken)
	mux.HandleFunc("POST /apis/authorization.k8s.io/v1/subjectaccessreviews", reviewAccess)
	ca, _, err := cert.GenerateSelfSignedCertKey("front-proxy-ca", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	authorities, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "extension-apiserver-authentication", "namespace": "kube-system"},
		"data": map[string]string{
			"client-ca-file":                     string(ca),
			"requestheader-client-ca-file":       string(ca),
			"requestheader-username-headers":     `["X-Remote-User"]`,
			"requestheader-group-headers":        `["X-Remote-Group"]`,
			"requestheader-extra-headers-prefix": `["X-Remote-Extra-"]`,
			"requestheader-allowed-names":        `[]`,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string]string{
		"/api":    `{"kind": "APIVersions", "versions": ["v1"]}`,
		"/apis":   `{"kind": "APIGroupList", "apiVersion": "v1", "groups": []}`,
		"/api/v1": `{"kind": "APIResourceList", "groupVersion": "v1", "resources": [{"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ["list"]}]}`,
		"/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication": string(authorities),
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { answer(w, body) })
	}
	c.flowControl.serve("v1")
	mux.Handle("GET "+flowControlPath+"/", &c.flowControl)
	for path, list := range map[string][3]string{
		"/api/v1/namespaces/kube-system/configmaps":               {"v1", "ConfigMapList", string(authorities)},
		"/apis/apiextensions.k8s.io/v1/customresourcedefinitions": {"meta.k8s.io/v1", "PartialObjectMetadataList", ""},
		"/apis/apiregistration.k8s.io/v1/apiservices":             {"apiregistration.k8s.io/v1", "APIServiceList", ""},
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { serveList(w, r, list) })
	}
	mux.HandleFunc("GET /api/v1/nodes", func(w http.ResponseWriter, r *http.Request) {
		serveList(w, r, [3]string{"v1", "NodeList", c.nodes(t)})
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = io.WriteString(w, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1.7e+09\n")
	})
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.away.Load() || r.Header.Get("Authorization") != "Bearer "+ownToken {
			http.Error(w, "refused", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	c.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that refuse the certificate
	c.StartTLS()
	t.Cleanup(func() { c.CloseClientConnections(); c.Close() })
	return c
}

// nodes are five, whose kubelets are all this server.
func (c *fakeCluster) nodes(t *testing.T) string {
	var nodes []string
	for i := range 5 {
		node := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("node-", i), UID: types.UID(fmt.Sprint("uid-", i)), ResourceVersion: "1"}}
		address := c.Listener.Addr().(*net.TCPAddr)
		node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address.IP.String()}}
		node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(address.Port)
		encoded, err := json.Marshal(node)
		if err != nil {
			t.Error(err)
		}
		nodes = append(nodes, string(encoded))
	}
	return strings.Join(nodes, ",")
}

// kubeconfig of the server's own identity.
func (c *fakeCluster) kubeconfig(t *testing.T) string {
	t.Helper()
	ca, err := cert.EncodeCertificates(c.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{Server: c.URL, CertificateAuthorityData: ca}
	config.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: ownToken}
	config.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	config.CurrentContext = "x"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func answer(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
}

// serveList answers a list, and leaves a watch open until its reader leaves.
func serveList(w http.ResponseWriter, r *http.Request, list [3]string) {
	query := r.URL.Query()
	switch {
	case query.Get("watch") == "":
		answer(w, `{"apiVersion": "`+list[0]+`", "kind": "`+list[1]+`", "metadata": {"resourceVersion": "1"}, "items": [`+list[2]+`]}`)
	case query.Get("sendInitialEvents") == "true":
		w.WriteHeader(http.StatusUnprocessableEntity) // informers list then
		answer(w, `{"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422}`)
	default:
		answer(w, "")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// decode a review in whichever encoding it comes.
func decode(w http.ResponseWriter, r *http.Request) any {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		object, _, decodeErr := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
		if err = decodeErr; err == nil {
			return object
		}
	}
	http.Error(w, err.Error(), http.StatusBadRequest)
	return nil
}

func reviewToken(w http.ResponseWriter, r *http.Request) {
	review, ok := decode(w, r).(*authenticationv1.TokenReview)
	if !ok {
		return
	}
	if user, known := strings.CutPrefix(review.Spec.Token, "token-"); known {
		review.Status = authenticationv1.TokenReviewStatus{Authenticated: true, User: authenticationv1.UserInfo{Username: user}}
	}
	encode(w, review)
}

func reviewAccess(w http.ResponseWriter, r *http.Request) {
	review, ok := decode(w, r).(*authorizationv1.SubjectAccessReview)
	if !ok {
		return
	}
	review.Status.Allowed = review.Spec.User == "of-a-reader"
	encode(w, review)
}

func encode(w http.ResponseWriter, object any) {
	body, err := json.Marshal(object)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, string(body))
}
