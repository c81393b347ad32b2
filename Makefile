# make run and make test set themselves up; they need only Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# pip refuses a file whose hash is not in the list, and a package that is not in it.
PINNED := $(PIP) --require-hashes --requirement
# This package itself, built by the pinned hatchling in .venv.
OURS := $(PIP) --no-deps --no-build-isolation

.DEFAULT_GOAL := help
.PHONY: help run test fresh lint check format lab-setup lab-kernels crashes screenshots scenarios bench fuzz pyz pins in-tree function-files tables clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/.installed: pyproject.toml requirements/dev.txt requirements/fast.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "pfdoctor needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "this Python cannot make virtual environments; on Debian: apt install python3-venv" >&2; exit 1; }
	@echo "setting up in $(VENV), about 20 s the first time" >&2
	@{ $(PINNED) requirements/dev.txt && $(OURS) --editable .; } 2>$(VENV)/pip.log || { cat $(VENV)/pip.log >&2; exit 1; }
	@$(PINNED) requirements/fast.txt --only-binary :all: 2>$(VENV)/pip.log || { ! grep HASHES $(VENV)/pip.log >&2 || exit 1; echo "without the extra 'fast': no hyperscan for this machine" >&2; }
	@touch $@

run: $(VENV)/.installed ## start the wizard on this machine (without a terminal: a plain diagnosis)
	@$(BIN)/python -m pagefault_doctor $(ARGS)

test: $(VENV)/.installed ## run every test that this machine can run
	$(BIN)/python -m pytest $(ARGS)

fresh: ## run the tests that need no lab in a bare Debian made for it (as root)
	.ci/fresh

lint: $(VENV)/.installed ## check lint, types, layers and shell scripts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v shellcheck >/dev/null; then \
		shellcheck .ci/* && find pagefault_doctor -name '*.sh' -exec shellcheck --shell=sh {} +; \
	else echo "the shell scripts were not checked: apt install shellcheck" >&2; fi

check: lint ## run what a commit must pass: lint and tests
	$(BIN)/python -m pytest

format: $(VENV)/.installed ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lab-setup: ## install the Debian packages that the real tools and the lab need (as root)
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $(LAB_PACKAGES) \
		$$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: linux-image-\(.*\)/linux-headers-\1 linux-image-\1-dbg/p')

# The headers and debug packages are named by the kernel's release: while an update is being published,
# linux-image-cloud-amd64-dbg can be that of a kernel which is not there yet.
LAB_PACKAGES := fish tcsh zsh qemu-system-x86 kexec-tools busybox-static cpio kmod linux-image-cloud-amd64 \
	crash makedumpfile stress-ng \
	memtester linux-perf sparse coccinelle gdb valgrind gcc make tmux screen openssh-client openssh-server \
	strace zstd patch systemd systemd-journal-remote debuginfod dnf dnf-plugins-core rpm rpm2cpio createrepo-c \
	libarchive-tools binutils dash shellcheck gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-system-arm gdb-multiarch \
	qemu-system-misc qemu-system-ppc qemu-system-mips linux-source

# For all users of this machine. What forky has changes, so that tests see the newest kernel there is.
lab-kernels: $(VENV)/.installed ## fetch the other kernels and architectures that tests boot (as root, 2 GB)
	for kernel in 6.1-amd64 5.10 6.12 forky "6.1 --arch arm64 --debug" "6.12 --arch riscv64" "6.12 --arch s390x"; do \
		fetch="env XDG_CACHE_HOME=/var/cache $(BIN)/pfdoctor lab kernels fetch $$kernel --yes"; \
		$$fetch || $$fetch || exit 1; done # what was cut short goes on

crashes: $(VENV)/.installed ## crash the seeds of tests/crashes on every kernel again, into build/crashes (4 hours)
	$(BIN)/python tests/crashes/make.py --all build/crashes

screenshots: $(VENV)/.installed ## renew the pictures in screenshots/
	$(BIN)/python screenshots/make.py

scenarios: $(VENV)/.installed ## record every training scenario again, from real crashes
	@for folder in playbooks/scenarios/*/; do \
		if grep -q '^  program: ' $$folder/scenario.yaml; then recorder=record_program; else recorder=record; fi; \
		$(BIN)/python playbooks/scenarios/$$recorder.py $$folder || exit 1; done

bench: $(VENV)/.installed ## measure the speed ratios in docs/benchmarks.md
	$(BIN)/python bench/ratios.py

fuzz: $(VENV)/.installed ## feed hostile input to every reader for a minute; ARGS="SECONDS [SEED]"
	@$(BIN)/python bench/fuzz.py $(ARGS)

pyz: $(VENV)/.installed ## build dist/pfdoctor.pyz, one file to copy onto a machine with Python 3.11
	@rm -rf build/pyz && mkdir -p build/pyz dist
	@$(PINNED) requirements/run.txt --target build/pyz/site
	@$(OURS) --target build/pyz/own . && cp -r build/pyz/own/pagefault_doctor build/pyz/own/*.dist-info build/pyz/site
	@sed -n '/^msgspec==/,/[^\\]$$/p' requirements/run.txt >build/pyz/msgspec.txt
	@for version in 3.11 3.12 3.13 3.14; do \
		$(PINNED) build/pyz/msgspec.txt --no-deps --only-binary :all: --python-version $$version --target build/pyz/$$version && cp build/pyz/$$version/msgspec/*.so build/pyz/site/msgspec/ || echo "without Python $$version: no msgspec for it" >&2; \
	done
	@cp pagefault_doctor/zipapp_main.py build/pyz/site/__main__.py
	@$(BIN)/python -m zipapp --compress --python '/usr/bin/env python3' --output dist/pfdoctor.pyz build/pyz/site
	@ls -sh dist/pfdoctor.pyz

pins: ## renew requirements/, the versions and hashes of all dependencies
	@PYTHON=$(PYTHON) .ci/pins

tables: $(VENV)/.installed ## compile playbooks/next-steps.yaml and playbooks/known, after a change
	@$(VENV)/bin/python -c 'from pagefault_doctor.playbook import known_book, next_steps; next_steps.compile_table(); known_book.compile_tables()'

in-tree: $(VENV)/.installed ## renew the kernel's own modules and who takes reports (600 MB from Debian)
	@.ci/in-tree

function-files: $(VENV)/.installed ## renew the files of the kernel's functions (with its debug symbols installed)
	gdb -batch -ex 'info functions' $$(ls -v /usr/lib/debug/boot/vmlinux-* | tail -n 1) | \
		$(BIN)/python bench/function_files.py >pagefault_doctor/symbols/function_files.new
	mv pagefault_doctor/symbols/function_files.new pagefault_doctor/symbols/function_files.zlib

clean: ## remove what was built
	rm -rf $(VENV) dist build
