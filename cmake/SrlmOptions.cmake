# What a user or a cluster may set, and the flags that all targets share. Beside the variables below, CMake's
# own choose other installations: CMAKE_PREFIX_PATH (gRPC, protobuf, glog, yaml-cpp, ...), MPI_CXX_COMPILER or
# MPI_HOME (another MPI), CMAKE_CXX_COMPILER, and CMAKE_CXX_COMPILER_LAUNCHER (instead of ccache).

if(DEFINED ENV{SRLM_CACHE})
  set(_srlm_cache $ENV{SRLM_CACHE})
else()
  set(_srlm_cache $ENV{HOME}/.cache/srlm)
endif()
set(SRLM_CACHE ${_srlm_cache} CACHE PATH "folder of everything that set-up downloads")
set(SRLM_TORCH ${SRLM_CACHE}/torch-2.11.0-cpu/torch CACHE PATH
    "folder of a libtorch: it holds include/ and lib/ (a cluster's own torch goes here)")
option(SRLM_CUDA "build the CUDA and NCCL plug-in (common/cuda); `make cuda` sets it" OFF)
set(SRLM_CUDA_ROOT ${SRLM_CACHE}/cuda-13.0 CACHE PATH
    "folder with NVIDIA's libraries and compiler (nvidia/) and the libtorch with its CUDA half (torch/), as deploy/setup_cuda.sh makes it")
set(SRLM_CARGO ${CMAKE_SOURCE_DIR}/deploy/cargo.sh CACHE FILEPATH "a cargo 1.85 or newer; the default looks for one on PATH")
set(SRLM_CARGO_TARGET ${SRLM_CACHE}/cargo-target CACHE PATH "where cargo builds the text crate")
set(SRLM_SANITIZER "" CACHE STRING "empty, address or thread")

add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wno-unused-parameter>")
# Sanitizers end the program at the first finding; -O1 and line tables are what clang's documentation advises.
if(SRLM_SANITIZER STREQUAL "address")
  set(_srlm_sanitize -fsanitize=address,undefined)
elseif(SRLM_SANITIZER STREQUAL "thread")
  set(_srlm_sanitize -fsanitize=thread)
elseif(SRLM_SANITIZER)
  message(FATAL_ERROR "SRLM_SANITIZER is ${SRLM_SANITIZER}: wanted nothing, address or thread")
endif()
if(SRLM_SANITIZER)
  add_compile_options(${_srlm_sanitize} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_compile_options(-Wno-deprecated-declarations -Wno-pass-failed)  # of GCC 12's library; of what GCC would vectorise
  add_compile_definitions(_GLIBCXX_ASSERTIONS)  # operator[] and the like check their bounds
  add_link_options(${_srlm_sanitize})
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")
  # What the tests find in their environment. Places are named by binutils' addr2line, which every compiler brings.
  set(_srlm_suppressions ${CMAKE_SOURCE_DIR}/tests/sanitizers)
  set(_srlm_symbolizer external_symbolizer_path=/usr/bin/addr2line)
  set(SRLM_SANITIZER_ENVIRONMENT
    ASAN_OPTIONS=${_srlm_symbolizer}:strict_string_checks=1
    UBSAN_OPTIONS=print_stacktrace=1
    LSAN_OPTIONS=suppressions=${_srlm_suppressions}/lsan.supp:print_suppressions=0
    TSAN_OPTIONS=${_srlm_symbolizer}:ignore_noninstrumented_modules=1:suppressions=${_srlm_suppressions}/tsan.supp)
endif()
# Release keeps no debug information and no NDEBUG surprises: broken invariants use SRLM_CHECK, always on.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

# ccache with the precompiled header: it must see the header's content (-fpch-preprocess) and not its times. Another
# clone's folder is no reason to compile again, also where line tables would name it.
# Paths are hashed relative to the tree, so that a second clone finds the first one's results.
find_program(SRLM_CCACHE ccache)
if(SRLM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${SRLM_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
  else()
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  endif()
endif()
find_program(SRLM_MOLD mold)
if(SRLM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
