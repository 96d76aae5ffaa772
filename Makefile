.DEFAULT_GOAL := help
CONFIGURATION ?= Release
RUN := dotnet run --project src/StickyIngress --configuration $(CONFIGURATION) --
BENCH := dotnet run --project tests/StickyIngress.Benchmarks --configuration Release --

.PHONY: help run build test check format golden conformance bench picks sessions load rollout generate

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
	@git diff --exit-code --stat -- crds charts || { echo "generated files were not up to date"; exit 1; }

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

load: ## The same load on StickyIngress and its peers, side by side; the table goes to tests/load/results
	@tests/load/run.sh

rollout: ## Replace every pod under 200 clients with sessions, with StickyIngress and with HAProxy; prints a table
	@$(BENCH) rollout

generate: ## Write the generated files: the CRD, and its copy in the chart
	@$(RUN) crd > crds/stickyingress.io_stickyupstreams.yaml
	@cp crds/stickyingress.io_stickyupstreams.yaml charts/sticky-ingress-crds/templates/
