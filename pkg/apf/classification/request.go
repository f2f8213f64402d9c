// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package classification

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"
	genericfilters "k8s.io/apiserver/pkg/server/filters"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// someName stands for the name of an object where a URL has one and no rule looks
// at it.
const someName = "name"

// methods of the verbs of resources (RequestInfoFactory of k8s.io/apiserver, read
// the other way round).
var methods = map[string]string{
	"get": http.MethodGet, "list": http.MethodGet, "watch": http.MethodGet,
	"create": http.MethodPost, "update": http.MethodPut, "patch": http.MethodPatch,
	"delete": http.MethodDelete, "deletecollection": http.MethodDelete,
}

// Caller is the user that a kube-apiserver sees when this user is impersonated
// with these groups (pkg/endpoints/filters/impersonation): what every such user is
// in is added.
func Caller(name string, groups []string) user.Info {
	groups = slices.Clone(groups)
	if namespace, _, err := serviceaccount.SplitUsername(name); err == nil && len(groups) == 0 {
		groups = serviceaccount.MakeGroupNames(namespace)
	}
	switch known := func(group string) bool { return slices.Contains(groups, group) }; {
	case name == user.Anonymous:
		if !known(user.AllUnauthenticated) {
			groups = append(groups, user.AllUnauthenticated)
		}
	case !known(user.AllAuthenticated) && !known(user.AllUnauthenticated):
		groups = append(groups, user.AllAuthenticated)
	}
	return &user.DefaultInfo{Name: name, Groups: groups}
}

// newRequest makes the request, as far as a kube-apiserver looks at it before it
// is executed; it is not sent. What kind of a request it is, that is left to the parser of
// k8s.io/apiserver: the request for a namespace, say, is one within it.
func newRequest(ctx context.Context, r *slo.ClassifiedRequest) (*http.Request, *request.RequestInfo, error) {
	// The URL is not written and read again: "//a/b" is a path for a server, which
	// knows where a request line's path begins, and host and path for everybody else.
	req := &http.Request{URL: &url.URL{}, Header: http.Header{}, Body: http.NoBody}
	switch {
	case r.ResourceAttributes != nil:
		req.Method, req.URL = methods[r.ResourceAttributes.Verb], resourceURL(r.ResourceAttributes)
	case r.NonResourceAttributes != nil:
		req.Method, req.URL.Path = strings.ToUpper(r.NonResourceAttributes.Verb), r.NonResourceAttributes.Path
	}
	parser := request.RequestInfoFactory{APIPrefixes: sets.NewString("api", "apis"), GrouplessAPIPrefixes: sets.NewString("api")}
	info, err := parser.NewRequestInfo(req)
	if err != nil {
		return nil, nil, err
	}
	if resource := r.ResourceAttributes; resource != nil && (!info.IsResourceRequest || info.Verb != resource.Verb || info.Resource != resource.Resource) {
		return nil, nil, fmt.Errorf("%s is no request to %s %s", req.URL, resource.Verb, resource.Resource)
	}
	return req.WithContext(request.WithRequestInfo(ctx, info)), info, nil
}

func resourceURL(r *slo.ClassifiedResource) *url.URL {
	path := []string{"", "api"}
	if r.Group != "" {
		path = []string{"", "apis", r.Group}
	}
	version := r.Version
	if version == "" {
		version = "v1"
	}
	path = append(path, version)
	if r.Namespace != "" && r.Resource != "namespaces" {
		path = append(path, "namespaces", r.Namespace)
	}
	path = append(path, r.Resource)

	query := url.Values{}
	name := r.Name
	switch r.Verb {
	case "list", "watch", "deletecollection":
		setOptions(query, r)
		name = ""
	case "get", "update", "patch", "delete":
		if name == "" {
			name = someName
		}
	case "create":
		if r.Subresource == "" {
			name = ""
		} else if name == "" {
			name = someName
		}
	}
	if name != "" {
		path = append(path, name)
	}
	if r.Subresource != "" && name != "" {
		path = append(path, r.Subresource)
	}
	return &url.URL{Path: strings.Join(path, "/"), RawQuery: query.Encode()}
}

func setOptions(query url.Values, r *slo.ClassifiedResource) {
	set := func(key, value string) {
		if value != "" {
			query.Set(key, value)
		}
	}
	if r.Verb == "watch" {
		set("watch", "true")
	}
	selectors := []string{}
	if r.Name != "" {
		// Names may have what has a meaning in selectors: this escapes it, as clients do.
		selectors = append(selectors, fields.OneTermEqualSelector(metav1.ObjectNameField, r.Name).String())
	}
	if o := r.Options; o != nil {
		if o.FieldSelector != "" {
			selectors = append(selectors, o.FieldSelector)
		}
		set("labelSelector", o.LabelSelector)
		set("resourceVersion", o.ResourceVersion)
		set("resourceVersionMatch", o.ResourceVersionMatch)
		if o.Limit > 0 {
			set("limit", strconv.FormatInt(o.Limit, 10))
		}
		if o.SendInitialEvents != nil {
			set("sendInitialEvents", strconv.FormatBool(*o.SendInitialEvents))
		}
	}
	set("fieldSelector", strings.Join(selectors, ","))
	// The newest state comes out of the cache, too, where etcd reports the progress
	// of watches (ConsistentReadSupported in pkg/storage/cacher/delegator). The
	// estimator asks its own process for that, which here has no etcd.
	if !query.Has("resourceVersion") {
		set("resourceVersion", "0")
	}
}

// longRunning tells whether a kube-apiserver does not classify the request: it is
// long-running by kube-apiserver's own list (pkg/controlplane/apiserver
// BuildGenericConfig), and no watch (WithPriorityAndFairness).
func longRunning(req *http.Request, info *request.RequestInfo) bool {
	check := genericfilters.BasicLongRunningRequestCheck(
		sets.NewString("watch", "proxy"),
		sets.NewString("attach", "exec", "proxy", "log", "portforward"))
	return check(req, info) && info.Verb != "watch"
}
