#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Fails when a package imports another room of this module that it may not know.
# Only what is compiled into the product is looked at: tests may reach further.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly module=example.io/slo-apiserver

# One rule per line: a room, and the rooms it may import. A room is a directory
# with all below it; the deepest one that fits is the room of a package. Every
# package needs one, and may always import its own.
readonly rules='
cmd/slo-apiserver          pkg/apiserver
pkg/apiserver              pkg/apis pkg/generated pkg/objectives pkg/registry pkg/evaluation pkg/cluster pkg/slo pkg/apf pkg/apf/classification pkg/sources pkg/sources/prometheus pkg/sources/scrape
pkg/evaluation             pkg/apis pkg/evidence pkg/slo pkg/apf pkg/sources
pkg/cluster                pkg/apis pkg/slo
pkg/slo                    pkg/apis pkg/evidence pkg/objectives pkg/sources
pkg/evidence               pkg/apis pkg/sources
pkg/evidence/evidencetest  pkg/apis
pkg/objectives             pkg/sources
pkg/apf                    pkg/apis pkg/evidence pkg/sources pkg/apf/configuration pkg/apf/forecast
pkg/apf/configuration      pkg/apis
pkg/apf/classification     pkg/apis
pkg/apf/forecast
pkg/registry               pkg/apis
pkg/sources
pkg/sources/conformance    pkg/sources
pkg/sources/prometheus     pkg/sources
pkg/sources/scrape         pkg/sources
pkg/apis
pkg/generated              pkg/apis
test/e2e                   pkg/apis pkg/generated
test/perf                  pkg/apis pkg/generated
'

# What a room may not import from outside of the module, as prefixes: evaluation
# has no I/O (classification calls code of the kube-apiserver, which is made of
# requests, and sends none; configuration reads its defaults), the contract of the
# sources is for everybody to depend on, and what is generated from the types needs
# nothing of a server.
readonly forbidden='
pkg/apis        k8s.io/apiserver k8s.io/client-go
pkg/slo         k8s.io/apiserver k8s.io/client-go net/http os
pkg/evidence    k8s.io/apiserver k8s.io/client-go net/http os
pkg/objectives  k8s.io/apiserver k8s.io/client-go net/http os
pkg/apf         k8s.io/apiserver k8s.io/client-go net/http os
pkg/apf/classification k8s.io/client-go os
pkg/apf/configuration k8s.io/client-go net/http os
pkg/apf/forecast k8s.io net/http os
pkg/sources     k8s.io
'

go list -f '{{.ImportPath}} {{join .Imports " "}}' ./... | awk -v module="${module}" -v rules="${rules}" -v forbidden="${forbidden}" '
function room_of(path,    best, room) {
	for (room in allowed)
		if (index(path "/", room "/") == 1 && length(room) > length(best)) best = room
	return best
}
BEGIN {
	n = split(rules, lines, "\n")
	for (i = 1; i <= n; i++) {
		m = split(lines[i], words, " ")
		if (m == 0) continue
		allowed[words[1]] = " "
		for (j = 2; j <= m; j++) allowed[words[1]] = allowed[words[1]] words[j] " "
	}
	n = split(forbidden, lines, "\n")
	for (i = 1; i <= n; i++) {
		m = split(lines[i], words, " ")
		for (j = 2; j <= m; j++) banned[words[1]] = banned[words[1]] " " words[j]
	}
}
{
	from = substr($1, length(module) + 2)
	room = room_of(from)
	if (room == "") {
		printf "%s is in no room. Remedy: add a rule to hack/verify-imports.sh, or move the package\n", from
		bad = 1
		next
	}
	for (i = 2; i <= NF; i++) {
		if (index($i, module "/") == 1) {
			to = substr($i, length(module) + 2)
			target = room_of(to)
			if (target != room && index(allowed[room], " " target " ") == 0) {
				printf "%s imports %s. Rule: %s may import%s\n", from, to, room, (allowed[room] == " " ? " no other room" : allowed[room])
				bad = 1
			}
			continue
		}
		m = split(banned[room], prefixes, " ")
		for (j = 1; j <= m; j++)
			if (index($i "/", prefixes[j] "/") == 1) {
				printf "%s imports %s. Rule: %s may not import %s\n", from, $i, room, prefixes[j]
				bad = 1
			}
	}
}
END { exit bad }
'
