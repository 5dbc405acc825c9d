# Two commands matter: `make run` shows the product alive, `make test` proves it.

CARGO ?= cargo
WEB := nodes/console/web
PAGES := tests/web
PACKAGES := sip-tester baresip-core iproute2 iptables procps chromium

.PHONY: run build web test lint deny unit packages fuzz-build fmt clean

## Build and start the product with a demo company, live callers and agents.
run: build
	exec target/debug/mangrove demo

build: web
	$(CARGO) build --locked --package mangrove

## Pages, embedded into the binary. Built again only when their sources change.
web: $(WEB)/dist/index.html

$(WEB)/node_modules/.package-lock.json: $(WEB)/package.json $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-audit --no-fund
	touch $@

$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(shell find $(WEB)/src $(WEB)/index.html $(WEB)/vite.config.ts 2>/dev/null)
	cd $(WEB) && npm run build
	touch $@

## Everything: installs what tests need, then checks and runs all of it.
test: packages web lint deny unit fuzz-build

packages:
	scripts/packages $(PACKAGES)

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	cd $(WEB) && npm run check

deny:
	scripts/deny

$(PAGES)/node_modules/.package-lock.json: $(PAGES)/package.json $(PAGES)/package-lock.json
	cd $(PAGES) && npm ci --no-audit --no-fund
	touch $@

## Builds the binary too, beside the tests: the crate of the binary has tests that run it.
unit: web $(PAGES)/node_modules/.package-lock.json
	$(CARGO) nextest run --locked --workspace --profile ci

fuzz-build:
	cd fuzz && $(CARGO) check --locked

fmt:
	$(CARGO) fmt --all

clean:
	$(CARGO) clean
	rm -rf $(WEB)/dist $(WEB)/node_modules
