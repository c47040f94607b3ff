# Every outside package, found once. Their Debian 12 names are in deploy/debian-packages.txt.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(glog CONFIG REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(MPI REQUIRED COMPONENTS CXX)
find_package(GTest REQUIRED)

# libtorch's CPU half only: libtorch.so would pull in CUDA, and find_package(Torch) wants its toolkit.
if(NOT EXISTS ${SRLM_TORCH}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "no libtorch at ${SRLM_TORCH}: run 'make setup', or set -DSRLM_TORCH=<folder with include/ and lib/>")
endif()
add_library(srlm_torch INTERFACE)
target_include_directories(srlm_torch SYSTEM INTERFACE ${SRLM_TORCH}/include ${SRLM_TORCH}/include/torch/csrc/api/include)
target_link_libraries(srlm_torch INTERFACE ${SRLM_TORCH}/lib/libtorch_cpu.so ${SRLM_TORCH}/lib/libc10.so)
# torch's include folder carries a newer fmt, which shadows the system's: where both are seen, its functions come inline.
target_compile_definitions(srlm_torch INTERFACE FMT_HEADER_ONLY=1)
# Some of its users are in libraries that are opened at run time; one way for all, as they share a precompiled header.
target_compile_options(srlm_torch INTERFACE -fPIC)
