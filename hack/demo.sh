#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Shows the main job on a real control plane: starts one on loopback, runs this
# server in it, makes some load, and prints both tables after the first window.
# What it starts goes on until `make lab-down`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lab=${1:?usage: demo.sh LAB DIR scrape|prometheus}
dir=${2:?a directory for the lab}
source=${3:?scrape or prometheus}
# A shorter window than the official five minutes: DEMO_WINDOW=1m make demo.
window=${DEMO_WINDOW:-5m}

say() { printf '\n== %s\n' "$*"; }

case $source in
scrape | prometheus) ;;
*)
	echo "SOURCE=$source is unknown: give scrape or prometheus" >&2
	exit 2
	;;
esac
if "$lab" status --dir "$dir" >/dev/null 2>&1; then
	say "ending the lab that still runs"
	"$lab" down --dir "$dir"
fi

say "a control plane of real components on loopback (the first time, they are built: some minutes)"
up=(--dir "$dir" --detach)
flags=(--source="$source" --window="$window" --interval=5s)
if [[ $source == prometheus ]]; then
	up+=(--prometheus)
fi
"$lab" up "${up[@]}"
state() { sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" "$dir/state.json" | head -n 1; }
kubeconfig=$(state adminKubeconfig)
kubectl=$(state binDir)/kubectl
k() { "$kubectl" --kubeconfig "$kubeconfig" "$@"; }
if [[ $source == prometheus ]]; then
	flags+=(--prometheus-url="$("$lab" status --dir "$dir" | sed -n 's/^prometheus: //p')")
fi

say "slo-apiserver in it, with the manifests of artifacts/deploy"
"$lab" register --dir "$dir" >/dev/null
"$lab" serve --dir "$dir" bin/slo-apiserver -- "${flags[@]}"
k wait --for=condition=Available --timeout=60s apiservice/v1alpha1.slo.example.io

say "some load: writes, reads, starting pods, a custom resource, a flood on the small kube-apiserver"
for kind in mixed pods custom; do
	"$lab" load "$kind" --dir "$dir" --duration 10m >/dev/null &
done
"$lab" load flood --dir "$dir" --parallel 40 --duration 10m >/dev/null &
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT

say "the first full window ($window) under this load"
# A process that is younger than the window has no history to miss, so the answers
# are complete at once; the tables are worth more when the load is in all of it.
start=$SECONDS
wanted=$(k get sloreport api-latency-mutating -o 'jsonpath={.spec.indicator.windowSeconds}')
until ((SECONDS - start >= wanted)); do
	printf '\r   %3ss of %ss; api-latency-mutating: %s ' $((SECONDS - start)) "$wanted" \
		"$(k get sloreport api-latency-mutating -o 'jsonpath={.status.verdict}, {.status.requests} requests in {.status.windowSeconds}s')"
	sleep 5
done
printf '\n'

for resource in sloreports apfheadrooms; do
	printf '\n$ kubectl get %s\n' "$resource"
	k get "$resource"
done

cat <<TXT

The control plane and the server go on (the load has ended). Try:

    export KUBECONFIG=$kubeconfig
    kubectl get slo -w
    kubectl get slor api-latency-mutating -o yaml
    kubectl explain apfheadroom.status
    bin/lab load flood --dir $dir --parallel 450 --duration 1m
    bin/lab storage-delay big 1200ms --dir $dir

make lab-down ends it.
TXT
