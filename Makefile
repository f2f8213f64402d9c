# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

SHELL := /usr/bin/env bash -o pipefail
.DEFAULT_GOAL := help

# What `slo-apiserver --version` prints.
VERSION ?= $(shell git describe --tags --always --dirty --match 'v*' 2>/dev/null | sed 's/^[^v]/v0.0.0-0+&/')
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
V       := k8s.io/component-base/version
LDFLAGS := -X $(V).gitVersion=$(VERSION) -X $(V).gitCommit=$(COMMIT)

# Where the metrics of `make demo` come from: scrape or prometheus.
SOURCE ?= scrape
# How long each fuzz target runs in `make fuzz`.
FUZZTIME ?= 60s
# Where `make lab-up` and `make demo` keep the running lab.
LAB_DIR ?= $(CURDIR)/.lab
LAB     := bin/lab

.PHONY: help
help: ## Show the habits of this repository.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/slo-apiserver.
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w $(LDFLAGS)" -o bin/slo-apiserver ./cmd/slo-apiserver

.PHONY: demo
demo: build $(LAB) ## Real control plane, some load, both tables printed. SOURCE=prometheus reads through Prometheus.
	@hack/demo.sh $(LAB) "$(LAB_DIR)" $(SOURCE)

.PHONY: test
test: test-unit e2e ## All tests: unit, conformance, a few seconds of fuzzing, end-to-end.

.PHONY: test-unit
test-unit:
	@hack/test.sh

.PHONY: e2e
e2e: build $(LAB) ## End-to-end tests: this server behind the real aggregator of a real control plane.
	@hack/e2e.sh $(LAB)

.PHONY: bench
bench: ## What it costs beside Prometheus' parser, storage and query engine: one table.
	@cd test/perf && go run ./cmd/perf

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME (60s).
	@hack/fuzz.sh $(FUZZTIME)

.PHONY: verify
verify: ## All checks: generated code, imports, modules, lint.
	@hack/verify.sh

.PHONY: update
update: ## Repair what verify complains of: generated code, formatting, modules.
	@hack/update.sh

.PHONY: update-codegen
update-codegen:
	@hack/update-codegen.sh

.PHONY: lab-up
lab-up: $(LAB) ## Start a real control plane on loopback.
	@$(LAB) up --dir "$(LAB_DIR)" --detach

.PHONY: lab-down
lab-down: $(LAB) ## Stop it, and the demo.
	@$(LAB) down --dir "$(LAB_DIR)"

# Go decides whether there is anything to do.
.PHONY: $(LAB)
$(LAB):
	@cd test/lab && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o $(CURDIR)/$(LAB) ./cmd/lab
