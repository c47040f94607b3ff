# The commands of a checkout. `make demo` and `make test` do all that they need first.
#   make demo      the whole loop on a real 135M model, as a new run (runs/demo-1, runs/demo-2, ...)
#   make test      every test, and a short form of the main job
#   make verify    the figures of docs/verification.md, measured again with transformers and TRL beside
#   make learn     whether rounds make a model better: the small world with a truth (docs/results.md); resumable
#   make bench     speed and memory, in turns with other systems
#   make cuda      the CUDA and NCCL plug-in (build/bin/libsrlm_cuda.so): with it the programs take `device: cuda`
#   make tidy      clang-tidy on every file that needs no torch: two cores for hours
#   make results   the real 135M model on real data (SRLM_SHARED): two rounds, measured, for docs/results.md
# JOBS=n compiles with n jobs (2); TEST_JOBS=n runs n tests at once (4: they wait for disks and clocks half of the time);
# PRESET=debug|asan|tsan builds another preset.
JOBS ?= 2
TEST_JOBS ?= 4
PRESET ?= release
BUILD = $(if $(filter release,$(PRESET)),build,build/$(PRESET))
SOURCES = git ls-files '*.cc' '*.h'

.PHONY: setup build cuda test demo learn verify bench results tidy format clean
.DEFAULT_GOAL := build

setup:
	@deploy/setup.sh

build: setup
	@test -e $(BUILD)/build.ninja || cmake --preset $(PRESET)
	@cmake --build $(BUILD) --parallel $(JOBS)

cuda: setup
	@deploy/setup_cuda.sh
	@cmake --preset $(PRESET) -DSRLM_CUDA=ON
	@cmake --build $(BUILD) --parallel $(JOBS) --target srlm_cuda

test: build
	@JOBS=$(JOBS) tests/sanitizers/build.sh asan torchless_tests fuzz_targets
	@TEST_TMPDIR=$${TEST_TMPDIR:-$$(tests/tools/memory_folder.sh)} ctest --test-dir $(BUILD) --parallel $(TEST_JOBS) --output-on-failure --no-tests=error

demo: build
	@deploy/demo.sh

learn: build
	@tests/learning/run.sh

verify: build
	@tests/verify/run.sh

bench: build
	@tests/bench/run.sh

results: build
	@tests/results/run.sh

tidy: build
	@tests/tools/clang_tidy.sh

format:
	@$(SOURCES) | xargs -r clang-format-19 -i

clean:
	@rm -rf build
