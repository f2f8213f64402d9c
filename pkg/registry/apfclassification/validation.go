// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apfclassification

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	listvalidation "k8s.io/apimachinery/pkg/apis/meta/internalversion/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

var specPath = field.NewPath("spec")

// maximumCount bounds objects, their bytes and watchers: far above what etcd and a
// kube-apiserver bear, and products of two of them are still numbers.
const maximumCount = 1_000_000_000

// The verbs that a request can have: other verbs of RBAC, such as bind or
// impersonate, are of no request.
var (
	resourceVerbs = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
	pathVerbs     = []string{"get", "head", "post", "put", "patch", "delete", "options"}
	listVerbs     = []string{"list", "watch", "deletecollection"}
)

// namespaceSubresources are no resources of a namespace, because their paths would
// be the same (RequestInfoFactory of k8s.io/apiserver).
var namespaceSubresources = []string{"status", "finalize"}

func validateSpec(spec *slo.APFClassificationSpec) (problems field.ErrorList) {
	if spec.User == "" {
		problems = append(problems, field.Required(specPath.Child("user"), "of a request without credentials it is system:anonymous"))
	}
	for i, group := range spec.Groups {
		if group == "" {
			problems = append(problems, field.Required(specPath.Child("groups").Index(i), "a group has a name"))
		}
	}
	return append(problems, validateRequest(&spec.ClassifiedRequest, specPath)...)
}

func validateRequest(r *slo.ClassifiedRequest, path *field.Path) (problems field.ErrorList) {
	resource, nonResource := path.Child("resourceAttributes"), path.Child("nonResourceAttributes")
	switch {
	case r.ResourceAttributes != nil && r.NonResourceAttributes != nil:
		problems = append(problems, field.Forbidden(nonResource, "a request has either these or resourceAttributes"))
	case r.ResourceAttributes != nil:
		problems = validateResource(r.ResourceAttributes, resource)
	case r.NonResourceAttributes != nil:
		problems = validatePath(r.NonResourceAttributes, nonResource)
	default:
		problems = append(problems, field.Required(resource, "a request has either these or nonResourceAttributes"))
	}
	if c := r.Counts; c != nil {
		counts := path.Child("counts")
		problems = append(problems, validateCount(c.StoredObjects, 0, counts.Child("storedObjects"))...)
		problems = append(problems, validateCount(c.AverageObjectBytes, 1, counts.Child("averageObjectBytes"))...)
		problems = append(problems, validateCount(c.Watchers, 0, counts.Child("watchers"))...)
	}
	return problems
}

func validateCount(count *int64, least int64, path *field.Path) field.ErrorList {
	if count == nil {
		return nil
	}
	if *count < least {
		return field.ErrorList{field.Invalid(path, *count, "is too small; leave it out when it is not known")}
	}
	if *count > maximumCount {
		return field.ErrorList{field.Invalid(path, *count, "is more than a thousand million")}
	}
	return nil
}

func validateResource(r *slo.ClassifiedResource, path *field.Path) (problems field.ErrorList) {
	if !slices.Contains(resourceVerbs, r.Verb) {
		problems = append(problems, field.NotSupported(path.Child("verb"), r.Verb, resourceVerbs))
	}
	for _, segment := range []struct{ name, value string }{
		{"group", r.Group}, {"version", r.Version}, {"resource", r.Resource},
		{"subresource", r.Subresource}, {"namespace", r.Namespace}, {"name", r.Name},
	} {
		if segment.value == "" {
			continue
		}
		for _, message := range content.IsPathSegmentName(segment.value) {
			problems = append(problems, field.Invalid(path.Child(segment.name), segment.value, message))
		}
	}
	lists := slices.Contains(listVerbs, r.Verb)
	switch {
	case r.Resource == "":
		problems = append(problems, field.Required(path.Child("resource"), "the plural, such as pods"))
	case r.Resource == "watch" || r.Resource == "proxy":
		problems = append(problems, field.Invalid(path.Child("resource"), r.Resource, "is a prefix of paths, and no resource"))
	case r.Namespace != "" && slices.Contains(namespaceSubresources, r.Resource):
		problems = append(problems, field.Invalid(path.Child("resource"), r.Resource, "is a subresource of the namespace; ask for the resource namespaces, with it as subresource and the namespace as name"))
	case r.Resource == "namespaces":
		problems = append(problems, validateNamespaces(r, lists, path)...)
	}
	if r.Subresource != "" && lists {
		problems = append(problems, field.Forbidden(path.Child("subresource"), "a "+r.Verb+" is of whole resources"))
	}
	if r.Verb == "deletecollection" && r.Name != "" {
		problems = append(problems, field.Forbidden(path.Child("name"), "with a name, the verb is delete"))
	}
	if r.Options == nil {
		return problems
	}
	if !lists {
		return append(problems, field.Forbidden(path.Child("options"), "only list, watch and deletecollection have them"))
	}
	return append(problems, validateOptions(r.Options, r.Verb == "watch", path.Child("options"))...)
}

// validateNamespaces sees to requests for namespaces: that for the namespace a is
// one within a, for rules as for authorization.
func validateNamespaces(r *slo.ClassifiedResource, lists bool, path *field.Path) (problems field.ErrorList) {
	named := !lists && r.Verb != "create"
	if named && r.Name == "" {
		problems = append(problems, field.Required(path.Child("name"), "rules look at it: a request for a namespace is one within it"))
	}
	if r.Namespace != "" && (!named || r.Namespace != r.Name) {
		problems = append(problems, field.Invalid(path.Child("namespace"), r.Namespace, "a request for namespaces is in none but that of its name"))
	}
	if r.Subresource != "" && r.Name == "" {
		problems = append(problems, field.Required(path.Child("name"), "a subresource is of one namespace"))
	}
	if s := r.Subresource; s != "" && !slices.Contains(namespaceSubresources, s) {
		problems = append(problems, field.NotSupported(path.Child("subresource"), s, namespaceSubresources))
	}
	return problems
}

func validateOptions(o *slo.ClassifiedListOptions, watch bool, path *field.Path) (problems field.ErrorList) {
	if _, err := labels.Parse(o.LabelSelector); err != nil {
		problems = append(problems, field.Invalid(path.Child("labelSelector"), o.LabelSelector, err.Error()))
	}
	if _, err := fields.ParseSelector(o.FieldSelector); err != nil {
		problems = append(problems, field.Invalid(path.Child("fieldSelector"), o.FieldSelector, err.Error()))
	}
	if o.Limit < 0 {
		problems = append(problems, field.Invalid(path.Child("limit"), o.Limit, "is negative"))
	}
	// What a kube-apiserver says to them; the gate has been on since 1.34.
	const watchList = true
	for _, problem := range listvalidation.ValidateListOptions(&metainternalversion.ListOptions{
		Watch: watch, ResourceVersion: o.ResourceVersion,
		ResourceVersionMatch: metav1.ResourceVersionMatch(o.ResourceVersionMatch), SendInitialEvents: o.SendInitialEvents,
	}, watchList) {
		problem.Field = path.String() + "." + problem.Field
		problems = append(problems, problem)
	}
	return problems
}

func validatePath(r *slo.ClassifiedPath, path *field.Path) (problems field.ErrorList) {
	if !slices.Contains(pathVerbs, r.Verb) {
		problems = append(problems, field.NotSupported(path.Child("verb"), r.Verb, pathVerbs))
	}
	switch {
	case r.Path == "":
		problems = append(problems, field.Required(path.Child("path"), "such as /healthz"))
	case !strings.HasPrefix(r.Path, "/"):
		problems = append(problems, field.Invalid(path.Child("path"), r.Path, "begins with no slash"))
	case strings.ContainsAny(r.Path, "?#"):
		problems = append(problems, field.Invalid(path.Child("path"), r.Path, "has a query or a fragment, which rules do not look at; leave out what begins with the first ? or #"))
	case ofResource(r.Path):
		problems = append(problems, field.Invalid(path.Child("path"), r.Path, "is the path of a resource; ask with resourceAttributes"))
	}
	return problems
}

// ofResource tells whether a path has a version, or a group and a version, and
// more below it.
func ofResource(path string) bool {
	switch parts := strings.Split(strings.Trim(path, "/"), "/"); parts[0] {
	case "api":
		return len(parts) > 2
	case "apis":
		return len(parts) > 3
	default:
		return false
	}
}
