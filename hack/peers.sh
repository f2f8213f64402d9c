#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Builds what the tests of the Prometheus source need beside Debian's packages, which
# they unpack by themselves: a Prometheus 3, of the version in test/peers/go.mod, into
# the user's cache directory. It is built once, in three or four minutes on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../test/peers"

# The same as in pkg/sources/prometheus/prometheustest.
case "$(uname -s)" in
Darwin) cache="${HOME}/Library/Caches" ;;
*) cache="${XDG_CACHE_HOME:-${HOME}/.cache}" ;;
esac
dir="${SLO_PEERS_CACHE:-${cache}/slo-apiserver}/prometheus-3"

# Service discovery but that of Kubernetes would bring the SDK of every cloud.
readonly tags='remove_all_sd enable_kubernetes_sd'
module=github.com/prometheus/prometheus
key="$(cat go.mod go.sum | cksum) ${tags} $(go env GOVERSION)"
if [[ -x "${dir}/prometheus" && "$(cat "${dir}/key" 2>/dev/null)" == "${key}" ]]; then
	exit 0
fi
version="$(go list -m -f '{{.Version}}' "${module}")" # v0.315.0 is 3.15.0
IFS=. read -r _ minor patch <<<"${version}"
version="${minor:0:1}.$((10#${minor:1})).${patch}"
echo "building Prometheus ${version}, once" >&2
mkdir -p "${dir}"
work="$(mktemp -d "${dir}/build-XXXXXX")"
trap 'rm -rf "${work}"' EXIT
CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags "${tags}" \
	-ldflags "-s -w -X github.com/prometheus/common/version.Version=${version}" \
	-o "${work}/prometheus" "${module}/cmd/prometheus"
mv "${work}/prometheus" "${dir}/prometheus" # in one step, whoever else builds
echo "${key}" >"${dir}/key"
