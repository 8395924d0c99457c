# make run    reproduce the whole story: set up, build, run every shipped scenario
# make test   prove the project: set up, lint, unit tests, every scenario
#
# Both start from a clean clone on Debian 12 or 13 and take seconds when nothing has changed.

SHELL := /bin/bash
.DEFAULT_GOAL := build

# Without relocations (-no-pie) a guest's PID 1 starts 10 ms sooner; -S drops debug sections, symbols for backtraces stay.
RELEASE := -c release --static-swift-stdlib -Xlinker -no-pie -Xlinker -S
DRBENCH := .build/release/drbench
RUN_FLAGS ?=

.PHONY: run test build setup kernel lint format suite unit-test clean

run: setup kernel build
	$(DRBENCH) run $(RUN_FLAGS)

test: setup kernel build lint unit-test suite

build: setup
	@swift build $(RELEASE) --product drbench

setup:
	@netns/setup.sh

kernel: setup
	@netns/kernel/build.sh >/dev/null

lint:
	@swift format lint --strict --parallel --recursive --configuration .swift-format Package.swift Sources Tests

format:
	@swift format --in-place --parallel --recursive --configuration .swift-format Package.swift Sources Tests

unit-test: setup kernel build
	@DRBENCH_PROGRAM=$(CURDIR)/$(DRBENCH) swift test

suite: kernel build
	$(DRBENCH) run --jobs 2 --out .build/suite $(RUN_FLAGS)

clean:
	rm -rf .build drbench-results
