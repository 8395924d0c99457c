# Everything starts from a clean clone on Debian 12 or 13 and takes seconds when nothing has changed.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Without relocations (-no-pie) a guest's PID 1 starts 10 ms sooner; -S drops debug sections, symbols for backtraces stay.
# From archives where there are some: each shared library is a millisecond or two of every guest's start.
STATIC := .build/static
ARCHIVES := libpcap libsqlite3 libnl-3 libnl-genl-3 libnl-route-3 libstdc++
RELEASE := -c release --static-swift-stdlib -Xlinker -no-pie -Xlinker -S \
	--pkg-config-path $(STATIC) -Xlinker -L$(CURDIR)/$(STATIC)
DRBENCH := .build/release/drbench
SOURCES := Package.swift Sources Tests
RUN_FLAGS ?=
FUZZ_FLAGS ?=
# Tests that keep all processors busy; beside them those that look at what happens in real time would starve.
WHOLE := SuiteTests\.|EngineTests\.|HistoryTests\.

PREFIX ?= /usr/local
DOCS := .build/docs

.PHONY: help run test setup kernel build lint format unit-test suite mutation fuzz fuzz-briefly determinism bench docs \
	install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: setup kernel build ## reproduce the whole story: set up, build, run every shipped scenario (RUN_FLAGS are drbench's)
	@$(DRBENCH) run $(RUN_FLAGS)

test: setup kernel build lint unit-test suite mutation fuzz-briefly ## prove the project: lint, unit tests, every scenario, mutations, garbage

setup: ## install the Debian packages that are missing
	@netns/setup.sh

kernel: setup ## build the lab kernel, once per machine: about 5 minutes on two processors
	@netns/kernel/build.sh >/dev/null

build: setup ## build drbench
	@mkdir -p $(STATIC)
	@for archive in $(ARCHIVES); do \
	    path=$$(gcc -print-file-name=$$archive.a); [ ! -e "$$path" ] || ln -sf "$$path" $(STATIC)/; \
	done
	@ln -sf "$$(gcc -print-file-name=libgcc_eh.a)" $(STATIC)/libgcc_s.a
	@for name in libpcap libnl-3.0 libnl-genl-3.0 libnl-route-3.0 libnetfilter_conntrack libnfnetlink libmnl; do \
	    folder=$$(pkg-config --variable=pcfiledir $$name 2>/dev/null) || continue; \
	    sed '/^Libs/s/-L[^ ]*//; /private/d' "$$folder/$$name.pc" >$(STATIC)/$$name.pc; \
	done
	@swift build $(RELEASE) --product drbench-lab
	@swift build $(RELEASE) --product drbench

lint: ## check the format
	@swift format lint --strict --parallel --recursive --configuration .swift-format $(SOURCES)

format: ## format the sources in place
	@swift format --in-place --parallel --recursive --configuration .swift-format $(SOURCES)

unit-test: setup kernel build ## run the unit tests
	@netns/setup.sh --tests
	@swift test --skip '$(WHOLE)'
	@for suite in $(subst |, ,$(WHOLE)); do \
	    DRBENCH_PROGRAM="$(CURDIR)/$(DRBENCH)" swift test --skip-build --filter "$$suite" || exit; \
	done

suite: setup kernel build ## run every scenario twice and compare, evidence in .build/suite
	@$(DRBENCH) run --check-determinism --out .build/suite $(RUN_FLAGS)

mutation: setup kernel build ## break every scenario's network, after 'make suite': its expectations must notice
	@$(DRBENCH) mutate --no-baseline --quiet --out .build/mutations

fuzz-briefly: unit-test # what 'make fuzz' does, for a minute
	@.build/debug/fuzz --seconds 60 --drbench $(DRBENCH)

fuzz: setup kernel build ## give drbench damaged files of every kind (FUZZ_FLAGS: --seconds N, --count N, --seed S, --target NAME)
	@swift build --product fuzz
	@.build/debug/fuzz --seconds 1800 --drbench $(DRBENCH) $(FUZZ_FLAGS)

determinism: setup kernel build ## run every scenario twice with each of ten seeds: all must pass and be repeated to the byte
	@for seed in {1..10}; do \
	    $(DRBENCH) run --check-determinism --seed $$seed --quiet --out .build/determinism $(RUN_FLAGS) || exit; \
	done

bench: setup kernel build ## compare DR, NAT, TUN and proxies (.build/bench/index.html), and drbench with other tools (as root)
	@netns/setup.sh --bench
	@$(DRBENCH) bench mode-comparison --out .build/bench --history .build/bench/history.sqlite
	@Tests/Speed/compare.sh .build/speed

docs: build ## the man page and the shells' completions, from the commands themselves, in .build/docs
	@swift build $(RELEASE) --product generate-manual 2>&1 | tail -n 1
	@mkdir -p $(DOCS)
	@.build/release/generate-manual --output-directory $(DOCS) --date "$$(git log -1 --format=%cs 2>/dev/null || date +%F)" \
	    $(DRBENCH) >/dev/null
	@sed -i 's/^$$/.Pp/' $(DOCS)/drbench.1 # paragraphs of a discussion
	@for shell in bash zsh fish; do $(DRBENCH) --generate-completion-script $$shell >$(DOCS)/drbench.$$shell; done

install: docs ## install drbench, its man page and completions below PREFIX (/usr/local); DESTDIR is heeded
	@to="$(DESTDIR)$(PREFIX)" && \
	    install -D -t "$$to/bin" $(DRBENCH) && install -D -t "$$to/libexec/drbench" .build/release/drbench-lab && \
	    install -D -m 644 -t "$$to/share/man/man1" $(DOCS)/drbench.1 && \
	    install -D -m 644 $(DOCS)/drbench.bash "$$to/share/bash-completion/completions/drbench" && \
	    install -D -m 644 $(DOCS)/drbench.zsh "$$to/share/zsh/site-functions/_drbench" && \
	    install -D -m 644 $(DOCS)/drbench.fish "$$to/share/fish/vendor_completions.d/drbench.fish" && \
	    mkdir -p "$$to/share/drbench" && rm -rf "$$to/share/drbench/Scenarios" "$$to/share/drbench/netns" && \
	    cp -R Scenarios netns "$$to/share/drbench/" && chmod -R a+rX "$$to/share/drbench" && \
	    echo "installed $$to/bin/drbench"

clean: ## remove what was built here; the lab kernel stays
	rm -rf .build .build-* drbench-results drbench-bench drbench-mutations drbench-mutations
