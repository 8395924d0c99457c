# Everything starts from a clean clone on Debian 12 or 13 and takes seconds when nothing has changed.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Without relocations (-no-pie) a guest's PID 1 starts 10 ms sooner; -S drops debug sections, symbols for backtraces stay.
RELEASE := -c release --static-swift-stdlib -Xlinker -no-pie -Xlinker -S
DRBENCH := .build/release/drbench
SOURCES := Package.swift Sources Tests
RUN_FLAGS ?=

.PHONY: help run test setup kernel build lint format unit-test suite mutation determinism clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: setup kernel build ## reproduce the whole story: set up, build, run every shipped scenario (RUN_FLAGS are drbench's)
	@$(DRBENCH) run $(RUN_FLAGS)

test: setup kernel build lint unit-test suite mutation ## prove the project: lint, unit tests, every scenario, mutations

setup: ## install the Debian packages that are missing
	@netns/setup.sh

kernel: setup ## build the lab kernel, once per machine: about 5 minutes on two processors
	@netns/kernel/build.sh >/dev/null

build: setup ## build drbench
	@swift build $(RELEASE) --product drbench

lint: ## check the format
	@swift format lint --strict --parallel --recursive --configuration .swift-format $(SOURCES)

format: ## format the sources in place
	@swift format --in-place --parallel --recursive --configuration .swift-format $(SOURCES)

unit-test: setup kernel build ## run the unit tests
	@DRBENCH_PROGRAM="$(CURDIR)/$(DRBENCH)" swift test

suite: setup kernel build ## run every scenario twice and compare, evidence in .build/suite
	@$(DRBENCH) run --check-determinism --out .build/suite $(RUN_FLAGS)

mutation: setup kernel build ## break every scenario's network, after 'make suite': its expectations must notice
	@$(DRBENCH) mutate --no-baseline --quiet --out .build/mutations

determinism: setup kernel build ## run every scenario twice with each of ten seeds: all must pass and be repeated to the byte
	@for seed in {1..10}; do \
	    $(DRBENCH) run --check-determinism --seed $$seed --quiet --out .build/determinism $(RUN_FLAGS) || exit; \
	done

clean: ## remove what was built here; the lab kernel stays
	rm -rf .build .build-* drbench-results
