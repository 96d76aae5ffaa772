.DEFAULT_GOAL := help
CONFIGURATION ?= Release
RUN := dotnet run --project src/StickyIngress --configuration $(CONFIGURATION) --
BENCH := dotnet run --project tests/StickyIngress.Benchmarks --configuration Release --

# The container image: its version and name, and the base it stands on (NAME@sha256:... pins one; the default is in the Dockerfile).
VERSION ?= $(shell sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
IMAGE ?= stickyingress/sticky-ingress:$(VERSION)
BASE ?=
PUBLISH := dotnet publish src/StickyIngress --nologo -v quiet -p:PublishProfile=Image -p:Version=$(VERSION) --artifacts-path artifacts/publish

# What is measured from its start is compiled ahead of time, as the image is.
AHEAD := --use-current-runtime --no-self-contained -p:PublishReadyToRun=true --artifacts-path artifacts/ahead

.PHONY: help run build test check format golden conformance bench picks sessions sync-report sync-faults load rollout scale endpoints outage compile chart dashboard generate publish image image-report release

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-12s %s\n", $$1, $$2 }'

run: ## Build, then serve the demo on 8080 (admin on 9090) until Ctrl-C
	@dotnet build src/StickyIngress --configuration $(CONFIGURATION) --nologo -v quiet -clp:ErrorsOnly
	@exec artifacts/bin/StickyIngress/$(shell echo $(CONFIGURATION) | tr A-Z a-z)/sticky-ingress demo

build: ## Build everything; warnings are errors
	dotnet build StickyIngress.sln --nologo -v quiet -clp:ErrorsOnly

test: ## Build and run all tests; the last line sums them up
	@tests/run.sh

check: ## All of CI: format, build, tests, generated files
	dotnet format StickyIngress.sln --verify-no-changes --no-restore
	@tests/run.sh
	@$(MAKE) --no-print-directory generate
	@git diff --exit-code --stat -- crds charts manifests docs || { echo "generated files were not up to date"; exit 1; }

format: ## Format the code as the build wants it
	dotnet format StickyIngress.sln

golden: ## Write the expected outputs of the compiler's cases anew; review the diff like code
	UPDATE_GOLDEN=1 tests/run.sh StickyIngress.Control.Tests

conformance: ## Replay nginx's recorded answers against the running product; a line for each file
	@tests/conformance.sh

bench: ## Benchmarks of the hot paths (filter with FILTER=*Pick*)
	$(BENCH) --filter '$(or $(FILTER),*)'

picks: ## What a pick costs by each method, and a change of the ring; prints a table, a minute
	@$(BENCH) pick-report

sessions: ## The budgets of the session table, measured: lookups, latency beside inserts, memory, hash, loading from a file
	@$(BENCH) session-report

load: ## The same load on StickyIngress and its peers, side by side, an hour; tables go to tests/load/results and the docs (FAST=1: one minute, one table)
	@tests/load/run.sh $(if $(FAST),--fast,--results --docs) $(LOAD)

sync-report: ## The budgets of shared sessions, measured with a redis-server: delay, cost of a miss, bytes, loss
	@tests/tools.sh redis-server
	@$(BENCH) sync-report

sync-faults: ## Each fault of the shared store under load; prints the table of docs/sync.md
	@tests/sync-faults.sh

rollout: ## Replace every pod under 200 clients with sessions, with StickyIngress and with HAProxy; prints a table
	@tests/load/rollout

scale: publish ## 5,000 upstreams in a cluster: cold start, time of a change, memory; on the fake API server, and a real one with KUBEBUILDER_ASSETS
	@dotnet build tests/StickyIngress.Benchmarks --configuration Release --nologo -v quiet -clp:ErrorsOnly
	@STICKY_INGRESS=$(CURDIR)/artifacts/image/sticky-ingress tests/loopback.sh artifacts/bin/StickyIngress.Benchmarks/release/StickyIngress.Benchmarks scale $(OPTIONS)

endpoints: ## Memory of 100,000 endpoints, read once and listed again; half a minute
	@$(BENCH) endpoints

outage: publish ## The API server goes away for three minutes under load (OPTIONS=10: ten); prints a table; fake, and real with KUBEBUILDER_ASSETS
	@dotnet build tests/StickyIngress.Benchmarks --configuration Release --nologo -v quiet -clp:ErrorsOnly
	@STICKY_INGRESS=$(CURDIR)/artifacts/image/sticky-ingress tests/loopback.sh artifacts/bin/StickyIngress.Benchmarks/release/StickyIngress.Benchmarks outage $(OPTIONS)

compile: ## Read and compile 10,000 upstreams with 40,000 peers from files in a fresh process; prints time and memory
	@dotnet publish tests/StickyIngress.Benchmarks --nologo -v quiet $(AHEAD) --output artifacts/ahead/benchmarks
	@artifacts/ahead/benchmarks/StickyIngress.Benchmarks compile-report

chart: ## Lint the charts, render every case of them, and test what comes out
	@tests/chart.sh

generate: ## Write the generated files: the CRD and its copy in the chart, the tables of values, manifests/install.yaml
	@$(RUN) crd > crds/stickyingress.io_stickyupstreams.yaml
	@cp crds/stickyingress.io_stickyupstreams.yaml charts/sticky-ingress-crds/templates/
	@tests/tools.sh unzip helm
	@dotnet build tests/StickyIngress.Tests --nologo -v quiet -clp:ErrorsOnly
	@manifests/render.sh > manifests/install.yaml
	@UPDATE_GOLDEN=1 artifacts/bin/StickyIngress.Tests/debug/StickyIngress.Tests -noLogo -noColor -class '*GeneratedFilesTests' >/dev/null

dashboard: ## Draw docs/dashboard.svg from the demo under load, scraped by Prometheus, and take docs/prometheus.png of that; takes three minutes
	@dotnet build src/StickyIngress --configuration Release --nologo -v quiet -clp:ErrorsOnly
	@docs/dashboard.sh

publish: ## Publish the program with its runtime, as the container image holds it, to artifacts/image
	@rm -rf artifacts/image
	@$(PUBLISH) --output artifacts/image

image: publish ## Build the container image IMAGE on the base BASE
	docker build --target published $(if $(BASE),--build-arg BASE=$(BASE)) --tag $(IMAGE) .

image-report: publish ## Build the image and print its size and its time from start to ready, beside their bars
	@tests/tools.sh dockerd iptables
	@tests/docker.sh tests/image-report.sh

release: ## Build image, charts, manifests, bill of materials and checksums of VERSION into artifacts/release
	@.ci/release.sh "$(VERSION)" "$(IMAGE)" "$(BASE)"
