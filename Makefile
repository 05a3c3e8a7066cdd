# Every target does its own set-up: the virtual environment in the checkout, the pinned
# packages and the compiled op. Needs Linux, Python 3.11, g++ and make.
#
#   make demo        show faces, then train on made-up heads for DEMO_MINUTES (10);
#                    PHOTOS=folder trains on pictures, DEMO_FROM_SCRATCH=1 from nothing
#   make test        lint, format, types and the test suite
#   make e2e         tests of whole programs: the wheel, the demo, the notebook, the site
#   make stress      what takes long and is no part of CI: a run killed twenty times,
#                    200,000 pictures prepared
#   make test-tf215  the core tests on TensorFlow 2.15.1, in .venv-tf215
#   make docs        the documentation as a site in build/site, in .venv-docs
#   make op CUDA=on  the op with its CUDA kernels (by default where there is a GPU)
#   make viewer      the page of unsup3d-view, from its sources in viewer/; needs npm
#   make gpu-check   the CUDA kernels on a GPU against the CPU, with nvcc alone;
#                    EMULATE=1 where there is none; see docs/gpu.md
#   make gpu-check-tf  the op and a training on a GPU, through TensorFlow
#   make venv, op, lint, format, clean, distclean

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

# In the order of the files, those that take longest first: see tests/conftest.py.
PYTEST := -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile \
    --no-loadscope-reorder
CORE_TESTS := tests/geometry tests/rendering tests/models tests/training

# The op's file carries the version of the TensorFlow it was built for.
tensorflow_of = $(shell sed -n 's/^tensorflow==//p' $(1))
op_of = tf_unsup3d/rendering/lib/rasterizer_tf$(call tensorflow_of,$(1)).so
OP := $(call op_of,requirements.txt)
OP_TF215 := $(call op_of,requirements-tf215.txt)
CXX_FILES := $(shell find custom_ops/rasterizer/cc -name '*.h' -o -name '*.cc')
OP_SOURCES := custom_ops/rasterizer/build.py $(CXX_FILES)
# What npm leaves last.
GLTF_VALIDATOR := tests/e2e/gltf_validator/node_modules/.package-lock.json
# Whether the op has CUDA kernels: on, off, or auto for on where there is a GPU.
CUDA ?= auto

.PHONY: help venv op demo test e2e stress lint test-tf215 docs gpu-check gpu-check-tf \
    viewer format clean distclean FORCE

help:
	@sed -n '/^#   make/s/^#  //p' Makefile

venv: .venv/.project

op: $(OP)

demo: venv op
	@.venv/bin/python -m tf_unsup3d.programs.demo --minutes="$${DEMO_MINUTES:-10}" \
	    --photos="$${PHOTOS:-}" --from_scratch="$${DEMO_FROM_SCRATCH:-false}"

test: venv op lint
	.venv/bin/python $(PYTEST) --ignore=tests/e2e --ignore=tests/stress

e2e: venv op docs $(GLTF_VALIDATOR)
	.venv/bin/python $(PYTEST) tests/e2e

stress: venv op
	.venv/bin/python -m pytest -s tests/stress

lint: .venv/.packages
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/clang-format --dry-run -Werror $(CXX_FILES)
	.venv/bin/python -m mypy

# What does without TensorFlow, or writes files alone, `make test` has checked.
test-tf215: .venv-tf215/.packages $(OP_TF215)
	.venv-tf215/bin/python $(PYTEST) $(CORE_TESTS) \
	    --ignore=tests/rendering/gpu_emulation \
	    --ignore=tests/rendering/test_gpu_check.py \
	    --ignore=tests/training/test_kills.py \
	    --deselect=tests/rendering/test_op_build.py::test_programs_without_tensorflow

# Fails at a broken link. What the theme's makers have to say is not for who builds it.
docs: .venv-docs/.packages
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet
	@echo "the site is in build/site; python3 -m http.server -d build/site serves it"

# Needs neither Python nor what this file is otherwise about.
gpu-check:
	@$(MAKE) --no-print-directory -f custom_ops/rasterizer/gpu_check.mk

gpu-check-tf: GPU_PYTHON := $(or $(PYTHON),.venv/bin/python)
gpu-check-tf: $(if $(PYTHON),,.venv/.packages)
	$(check_tensorflow_sees_gpu)
	$(GPU_PYTHON) custom_ops/rasterizer/build.py --cuda=on
	$(GPU_PYTHON) -m pytest -q -n 0 tests/rendering/test_render_mesh_gpu.py
	$(GPU_PYTHON) -m benchmarks.gpu_training --output=build/gpu_training.json

viewer:
	@command -v npm >/dev/null || \
	    { echo "error: npm is missing (Debian: apt install npm)" >&2; exit 1; }
	cd viewer && npm ci --no-audit --no-fund && npm run build

format: .venv/.packages
	.venv/bin/python -m ruff check --fix .
	.venv/bin/python -m ruff format .
	.venv/bin/clang-format -i $(CXX_FILES)

clean:
	rm -rf build dist *.egg-info .venv/.project tf_unsup3d/rendering/lib/*.so
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -path './.venv*' -prune -o -name __pycache__ -print0 | xargs -0 rm -rf

distclean: clean
	rm -rf .venv .venv-tf215 .venv-docs viewer/node_modules
	rm -rf tests/e2e/gltf_validator/node_modules

# Runs a command whose output is only worth reading when it fails.
define quietly
@output=$$($(1) 2>&1) || { printf '%s\n' "$$output" >&2; exit 1; }
endef

# Says in one line what is missing.
define check_prerequisites
@set -- $${CXX:-g++}; command -v "$$1" >/dev/null || \
    { echo "error: $$1 is missing: install g++ (Debian: apt install g++)" >&2; exit 1; }
endef

define check_tensorflow_sees_gpu
@[ -n "$$($(GPU_PYTHON) -c 'import tensorflow as tf; print(*tf.config.list_physical_devices("GPU"))' 2>/dev/null)" ] || \
    { echo "error: $(GPU_PYTHON) has no TensorFlow that sees a GPU: see docs/gpu.md" >&2; exit 1; }
endef

define make_environment
@python=; for candidate in python3.11 python3; do \
    if $$candidate -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
        2>/dev/null; then python=$$candidate; break; fi; \
done; \
[ -n "$$python" ] || \
    { echo "error: Python 3.11 is missing (Debian 12: apt install python3.11)" >&2; exit 1; }; \
$$python -c 'import ensurepip' 2>/dev/null || \
    { echo "error: Python's venv module is missing (Debian: apt install python3.11-venv)" >&2; exit 1; }; \
echo "installing $< into $(@D): $(DOWNLOAD)"; \
$$python -m venv $(@D)
$(call quietly,$(@D)/bin/python -m pip install --disable-pip-version-check --requirement $<)
@touch $@
endef

DOWNLOAD = about 3 GB, some minutes the first time

.venv/.packages: requirements.txt
	$(check_prerequisites)
	$(make_environment)

.venv-tf215/.packages: requirements-tf215.txt
	$(check_prerequisites)
	$(make_environment)

.venv-docs/.packages: DOWNLOAD = about 170 MB
.venv-docs/.packages: requirements-docs.txt
	$(make_environment)

# Without npm, the tests that need the validator are skipped.
$(GLTF_VALIDATOR): tests/e2e/gltf_validator/package-lock.json
	@! command -v npm >/dev/null || \
	    { cd $(<D) && npm ci --loglevel=error --no-audit --no-fund && touch $(abspath $@); }

# The project itself, in place, for the console scripts.
.venv/.project: pyproject.toml setup.py .venv/.packages $(OP)
	$(call quietly,.venv/bin/python -m pip install --disable-pip-version-check \
	    --no-build-isolation --no-deps --editable .)
	@touch $@

# TensorFlow's chatter on being imported is only worth reading when it fails.
define compile_op
$(check_prerequisites)
@echo "compiling $@"; \
messages=$$($(1)/bin/python custom_ops/rasterizer/build.py --cuda=$(CUDA) 2>&1) || \
    { printf '%s\n' "$$messages" >&2; exit 1; }; \
printf '%s\n' "$$messages" | sed -n '/^note: /p'
endef

# build.py knows what a library was built with, make does not.
ifneq ($(CUDA),auto)
$(OP) $(OP_TF215): FORCE
endif

FORCE:

$(OP): $(OP_SOURCES) | .venv/.packages
	$(call compile_op,.venv)

$(OP_TF215): $(OP_SOURCES) | .venv-tf215/.packages
	$(call compile_op,.venv-tf215)
