# The two commands of the README, and the few that developers use. Each sets up what it needs. All build with the features of the whole
# workspace, so that one does not compile again what another has.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
SETUP := . .ci/setup
BUILT := $${CARGO_TARGET_DIR:-target}/debug

.PHONY: help demo test build bench fmt lint

help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

demo: ## the main job: embedded upstream, components, a real MariaDB, a comparison of every row
	@$(SETUP) demo && cargo build --locked -q --workspace --bin tidegate && $(BUILT)/tidegate demo $(DEMO_ARGS)

test: ## what CI runs: format, lints, unit, property, golden and system tests
	@$(SETUP) test && .ci/test

build: ## the binary, as target/debug/tidegate
	@$(SETUP) build && cargo build --locked --workspace --bin tidegate

bench: ## the table of ratios, of an optimised build
	@$(SETUP) demo && cargo build --release --locked -q --workspace --bin tg-bench && $(BUILT)/../release/tg-bench $(BENCH_ARGS)

lint: ## clippy and rustfmt
	@$(SETUP) build && cargo fmt --all --check && cargo clippy --workspace --all-targets --locked -- -D warnings
