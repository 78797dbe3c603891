# Every target runs in every module: the root, then those nested in it.
NESTED := $(filter-out ./,$(dir $(sort $(shell find . -name go.mod -not -path './.cache/*' -not -path './tools/*' -not -path '*/testdata/*'))))
MODULES := . $(patsubst ./%/,%,$(NESTED))
TOOL := go tool -modfile=$(CURDIR)/tools/go.mod
FUZZTIME ?= 10s
TESTFLAGS ?=

# $(call each,COMMAND) runs COMMAND in every module, and fails if one failed.
each = @status=0; for module in $(MODULES); do echo "== $$module"; (cd $$module && $(1)) || status=1; done; exit $$status

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: fmt
fmt: ## Format all code with gofumpt
	$(call each,$(TOOL) golangci-lint fmt --config $(CURDIR)/.golangci.yml)

.PHONY: lint
lint: ## Check formatting and run the linters
	$(call each,$(TOOL) golangci-lint run --config $(CURDIR)/.golangci.yml)

.PHONY: test
test: ## Run the tests on the embedded engine
	$(call each,go test $(TESTFLAGS) ./...)

.PHONY: test-local
# One package at a time: while one changes a table's indexes, DynamoDB Local
# answers UpdateTable of others with an internal failure.
test-local: ## Run the tests on DynamoDB Local, started for them
	@scripts/with-dynamodb-local $(MAKE) --no-print-directory test TESTFLAGS="-p 1 $(TESTFLAGS)"

.PHONY: test-wire-off
test-wire-off: ## Run the root package's tests without the wire codec
	DYNORM_TEST_WIRE=off go test $(TESTFLAGS) .

.PHONY: race
race: ## Run the tests with the race detector
	@$(MAKE) --no-print-directory test TESTFLAGS="-race $(TESTFLAGS)"

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (10s)
	@scripts/fuzz $(FUZZTIME)

.PHONY: golden
golden: ## Rewrite the golden files with what the tests produce
	@grep -rl --include='*_test.go' '"github.com/dynorm/dynorm/internal/golden"' . | xargs -n 1 dirname | sort -u | \
		while read -r folder; do go -C $$folder test -count=1 . -update || exit 1; done

.PHONY: bench
bench: ## Run every benchmark
	$(call each,go test -run '^$$' -bench . ./...)

.PHONY: bench-compare
bench-compare: ## Measure against other libraries; writes bench/RESULTS.md
	cd bench && go run . -out RESULTS.md

.PHONY: ci
ci: ## Run all that CI runs
	@.ci/run
