# make help lists the targets. Everything but `deps` needs Go and nothing else.
.DEFAULT_GOAL := help
.PHONY: help build functions run test test-user bench lint fuzz deps clean

GO      ?= go
VERSION ?= $(shell git describe --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
STATIC  := CGO_ENABLED=0 GOFLAGS=-buildvcs=false
FUNCTIONS := thumbnail hello supervisor
BIN     ?= bin
# The processor that is built for: this machine's, or make build GOARCH=arm64.
export GOARCH := $(or $(GOARCH),$(shell $(GO) env GOARCH))
BUILT   := $(FUNCTIONS:%=workloads/bin/$(GOARCH)/%)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: functions ## bin/coldstorm, one static binary with the functions in it
	$(STATIC) $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/coldstorm ./cmd/coldstorm

functions: $(BUILT)

# A function's binary is stripped: its size is part of what is measured.
workloads/bin/$(GOARCH)/%: workloads/% $(shell find workloads -name '*.go') go.mod
	GOOS=linux $(STATIC) $(GO) build -trimpath -ldflags '-s -w' -o $@ ./$<

run: build ## the main job on the default scenario; prints the report's path
	bin/coldstorm run

test: functions ## all tests
	$(STATIC) $(GO) vet ./...
	$(STATIC) $(GO) test -count=1 -timeout 20m ./...

test-user: ## tests of what depends on the user, as an ordinary one (needs root to switch)
	./.ci/as-user

bench: build ## comparisons with peers and limits, into results/bench/
	bin/coldstorm bench

lint: ## gofumpt, vet and staticcheck, pinned in go.mod
	@files=$$($(GO) tool gofumpt -l *.go cmd runtime loadgen report workloads results); \
	if [ -n "$$files" ]; then echo "gofumpt -w:" $$files; exit 1; fi
	$(GO) vet ./... && $(GO) tool staticcheck ./...

fuzz: functions ## each fuzz target for 20 seconds
	$(GO) list ./... | while read p; do $(GO) test -list '^Fuzz' $$p | grep '^Fuzz' | \
	  while read f; do $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime 20s -fuzzminimizetime 1x $$p || exit 1; done || exit 1; done

deps: ## the runtimes and clients that tests and benchmarks run, zip, python3, nodejs, virtual machines (Debian, root)
	apt-get update -q && apt-get install -qy --no-install-recommends runc crun runsc hey zip python3 nodejs awscli qemu-system-x86 qemu-system-arm \
	  $$(command -v npm >/dev/null || echo npm)
	.ci/kernel
	.ci/ric
	.ci/node

clean: ## remove what was built
	rm -rf bin results/bench $(FUNCTIONS:%=workloads/bin/*/%)
