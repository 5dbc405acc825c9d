# Two commands matter: `make run` shows the product alive, `make test` proves it.

CARGO ?= cargo
WEB := nodes/console/web
PAGES := tests/web
PACKAGES := g++ cmake faketime sip-tester baresip-core iproute2 iptables iputils-arping postgresql util-linux procps chromium coturn buildah ca-certificates binutils unzip python3-venv python3-aiosmtpd
# What `make bench` measures (all when empty), and how long `make fuzz` runs each target.
STEPS ?=
SECONDS ?= 600
# Which seeds `make sim` runs: so many, from this one on.
SEEDS ?= 1000
FROM ?= 1
# What `make chaos` does to which cluster (scripts/chaos says what is usual).
ROWS ?=
LAYOUTS ?=
FAULTS ?=
CALLS ?=
RATE ?=
DOWN ?=
PAUSE ?=
NET ?=
CUT ?=
FLAP ?=
QUIET ?=
PROFILE ?=
NEWER ?=
TESTS := --locked --workspace --lib --bins --tests --profile ci

.PHONY: run build native web test lint deny unit packages nextest chart-tools image fuzz-build fuzz bench chaos sim fmt clean

## Build and start a cluster of three nodes with a demo company, live callers and agents.
run: build
	exec target/debug/mangrove demo

build: web
	$(CARGO) build --locked --package mangrove

## What building needs besides Rust and Node, for Opus is C: installed on Debian where it is missing.
build unit image chaos bench sim: native
native:
	@{ command -v cmake && command -v cc; } > /dev/null || scripts/packages cmake gcc

## Pages, embedded into the binary. Built again only when their sources change.
web: $(WEB)/dist/index.html

$(WEB)/node_modules/.package-lock.json: $(WEB)/package.json $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-audit --no-fund
	touch $@

$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(shell find $(WEB)/src $(WEB)/index.html $(WEB)/vite.config.ts 2>/dev/null)
	cd $(WEB) && npm run build
	touch $@

## Everything: installs what tests need, then checks and runs all of it. Needs root: Debian packages where they are
## missing, and network namespaces for the tests of address translation and of machines.
test: packages web lint deny unit fuzz-build

packages:
	scripts/packages $(PACKAGES)

nextest:
	scripts/nextest

## What tests of the chart run, fetched once: helm and Kubernetes' schemas.
chart-tools: packages
	scripts/helm version --short
	scripts/kubernetes-validate --version

## The container image from the release binary: target/image/mangrove.tar. Needs root.
image: web
	$(CARGO) build --locked --release --package mangrove
	scripts/image target/release/mangrove

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	cd $(WEB) && npm run check && npm test

deny:
	scripts/deny

$(PAGES)/node_modules/.package-lock.json: $(PAGES)/package.json $(PAGES)/package-lock.json
	cd $(PAGES) && npm ci --no-audit --no-fund
	touch $@

## Builds the binary too, beside the tests: the crate of the binary has tests that run it. Examples are left to `lint`.
unit: nextest web chart-tools $(PAGES)/node_modules/.package-lock.json
	$(CARGO) nextest run $(TESTS)
	scripts/with-postgres $(CARGO) nextest run $(TESTS) -E 'package(mangrove-history)'

fuzz-build:
	cd fuzz && $(CARGO) check --locked

## Each fuzz target for SECONDS, under the stable toolchain.
fuzz:
	scripts/packages g++
	scripts/fuzz $(SECONDS)

## The figures of docs/benchmarks.md: `make bench STEPS="calls relay"`. Needs root and the peers' scripts.
bench:
	scripts/bench/run $(STEPS)

## The cluster in one thread, a run a seed: `make sim SEEDS=10000 FROM=1`. A failure says how to see it again.
sim:
	$(CARGO) run --locked --package mangrove-sim --profile sim -- --seeds $(SEEDS) --from $(FROM)

## The table of docs/reliability.md: `make chaos ROWS="4 2" LAYOUTS=apart FAULTS=20 CALLS=200`.
chaos: web
	ROWS="$(ROWS)" LAYOUTS="$(LAYOUTS)" FAULTS="$(FAULTS)" CALLS="$(CALLS)" RATE="$(RATE)" DOWN="$(DOWN)" PAUSE="$(PAUSE)" \
		NET="$(NET)" CUT="$(CUT)" FLAP="$(FLAP)" QUIET="$(QUIET)" PROFILE="$(PROFILE)" NEWER="$(NEWER)" scripts/chaos

fmt:
	$(CARGO) fmt --all

clean:
	$(CARGO) clean
	rm -rf $(WEB)/dist $(WEB)/node_modules
