#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Generates deepcopy functions, OpenAPI model names and definitions, clientset,
# listers and informers from the API types. The generators are pinned in
# hack/tools/codegen; the network is needed only until their modules are cached.
#
# They are called one by one, not through kube_codegen.sh of k8s.io/code-generator:
# that script installs into the user's GOBIN, and compiles generators we do not use.

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd "${root}"

readonly module=example.io/slo-apiserver
readonly api="${module}/pkg/apis/slo/v1alpha1"
readonly api_dir=pkg/apis/slo/v1alpha1
readonly out=pkg/generated
readonly boilerplate="${root}/hack/boilerplate.go.txt"

# The types of these packages have OpenAPI definitions of their own in our answers.
readonly meta=(
	k8s.io/apimachinery/pkg/api/resource
	k8s.io/apimachinery/pkg/apis/meta/v1
	k8s.io/apimachinery/pkg/runtime
	k8s.io/apimachinery/pkg/version
)
# Packages in which openapi-gen may not write model names: all that is not ours
# and that it meets (the list of kube_codegen.sh).
readonly foreign=(
	"${meta[@]}"
	k8s.io/apimachinery/pkg/types
	k8s.io/apimachinery/pkg/util/intstr
	time
)

generate() {
	local tool="$1"
	shift
	echo "${tool}" >&2
	go tool -modfile=hack/tools/codegen/go.mod "${tool}" --go-header-file="${boilerplate}" "$@"
}

# A generator neither removes nor empties the file of a type that is gone.
rm -rf "${out}" "${api_dir}"/zz_generated.*.go
mkdir -p "${out}"

generate deepcopy-gen --output-file=zz_generated.deepcopy.go "${api}"

violations="$(mktemp)"
trap 'rm -f "${violations}"' EXIT
generate openapi-gen \
	--output-file=zz_generated.openapi.go \
	--output-model-name-file=zz_generated.model_name.go \
	--output-dir="${out}/openapi" \
	--output-pkg="${module}/${out}/openapi" \
	--report-filename="${violations}" \
	"${foreign[@]/#/--readonly-pkg=}" \
	"${meta[@]}" "${api}"
# Upstream's own types break a few API rules; ours break none.
if grep -F "${api}," "${violations}" >&2; then
	echo "The API types break the API rules listed above. Remedy: follow them in ${api_dir}." >&2
	exit 1
fi

generate client-gen \
	--clientset-name=versioned \
	--input-base="${module}/pkg/apis" \
	--input=slo/v1alpha1 \
	--plural-exceptions="" \
	--output-dir="${out}/clientset" \
	--output-pkg="${module}/${out}/clientset"

generate lister-gen \
	--output-dir="${out}/listers" \
	--output-pkg="${module}/${out}/listers" \
	"${api}"

generate informer-gen \
	--versioned-clientset-package="${module}/${out}/clientset/versioned" \
	--listers-package="${module}/${out}/listers" \
	--output-dir="${out}/informers" \
	--output-pkg="${module}/${out}/informers" \
	"${api}"
