# Builds the check of the CUDA kernels and runs it; docs/gpu.md says what it checks.
#
#   make -f custom_ops/rasterizer/gpu_check.mk [EMULATE=1] [SMALL=1] [NVDIFFRAST=PATH]
#
# It needs nvcc, g++, make and a GPU with its driver; no TensorFlow, Python or network.
#
#   EMULATE=1        runs the kernels in emulation on the host; needs no nvcc or GPU
#   SMALL=1          compares only a few small pictures
#   NVDIFFRAST=PATH  checkout of nvdiffrast, which is timed beside, with PyTorch
#   FOLDER=PATH      for what is built, and for gpu_check.json, the result
#   NVCC, SANITIZER  the commands, if they are not found
#   ARCHITECTURE     for nvcc: that of the GPU by default, or for instance sm_90
#   CHECK_FLAGS      further arguments of the program

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

HERE := $(dir $(lastword $(MAKEFILE_LIST)))
SOURCES := $(HERE)cc
FOLDER ?= build/gpu_check$(if $(EMULATE),_emulated)
OBJECTS := $(FOLDER)/objects
PROGRAM := $(FOLDER)/gpu_check
RESULT := $(FOLDER)/gpu_check.json
WORKLOADS := $(FOLDER)/workloads
KERNELS := $(patsubst $(SOURCES)/gpu/%.cu.cc,$(OBJECTS)/%.o,$(wildcard $(SOURCES)/gpu/*.cu.cc))

CUDA_BIN := /usr/local/cuda/bin
NVCC ?= $(or $(shell command -v nvcc),$(wildcard $(CUDA_BIN)/nvcc))
SANITIZER ?= $(or $(shell command -v compute-sanitizer),$(wildcard $(CUDA_BIN)/compute-sanitizer))
ARCHITECTURE ?= native
CXX ?= g++

# As in build.py: no fused products, and AVX where TensorFlow needs it.
HOST_FLAGS := -ffp-contract=off $(if $(filter x86_64,$(shell uname -m)),-mavx)
comma := ,
space := $() $()
ifdef EMULATE
COMPILE := $(CXX) -x c++ -std=c++17 -O1 $(HOST_FLAGS) -I$(SOURCES)
COMPILE_KERNELS := $(COMPILE)
COMPILE_CHECK := $(COMPILE) -DUNSUP3D_EMULATE_CUDA
LINK := $(CXX)
else
COMPILE := $(NVCC) -std=c++17 -O3 -w -I$(SOURCES)
COMPILE_KERNELS := $(COMPILE) -x cu -arch=$(ARCHITECTURE) \
    --extended-lambda --expt-relaxed-constexpr -fmad=false
COMPILE_CHECK := $(COMPILE) -x c++ \
    -Xcompiler=$(subst $(space),$(comma),$(strip $(HOST_FLAGS)))
LINK := $(NVCC)
endif

.PHONY: run build prerequisites

run: build
	@mkdir -p $(WORKLOADS)
	@$(PROGRAM) --output=$(RESULT) $(if $(SMALL),--small) \
	    $(if $(SANITIZER),--sanitizer=$(SANITIZER)) \
	    $(if $(NVDIFFRAST),--workloads=$(WORKLOADS)) $(CHECK_FLAGS)
ifdef NVDIFFRAST
	@python3 $(HERE)../../benchmarks/nvdiffrast_speed.py --checkout=$(NVDIFFRAST) \
	    --workloads=$(WORKLOADS) --result=$(RESULT)
else
	@echo "nvdiffrast: not timed: NVDIFFRAST=PATH names a checkout"
endif
	@echo "the result is in $(RESULT)"

build: prerequisites
	@$(MAKE) -f $(firstword $(MAKEFILE_LIST)) -j $$(nproc) --no-print-directory $(PROGRAM)

prerequisites:
	@command -v "$(firstword $(LINK))" >/dev/null || \
	    { echo "error: nvcc is missing: install the CUDA toolkit, name it by NVCC, or" \
	    "use EMULATE=1" >&2; exit 1; }

$(PROGRAM): $(KERNELS) $(OBJECTS)/gpu_check.o
	$(LINK) $^ -o $@

# Each file includes most of the headers.
HEADERS := $(shell find $(SOURCES) -name '*.h')

$(OBJECTS)/%.o: $(SOURCES)/gpu/%.cu.cc $(HEADERS)
	@mkdir -p $(@D)
	$(COMPILE_KERNELS) -c $< -o $@

$(OBJECTS)/gpu_check.o: $(SOURCES)/tests/gpu_check/gpu_check.cc $(HEADERS)
	@mkdir -p $(@D)
	$(COMPILE_CHECK) -c $< -o $@
