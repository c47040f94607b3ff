#!/bin/bash
# deploy/setup_cuda.sh: what `make cuda` needs beside deploy/setup.sh: NVIDIA's libraries and compiler, out of wheels
# (2 GB to load, 4 GB on disk), with torch's own library beside them. It needs no GPU. Environment: SRLM_CACHE.
set -euo pipefail
cd "$(dirname "$0")"
source ./lib.sh

main() {
  local folder=$SRLM_CACHE/cuda-13.0 wanted unfinished
  exec 9>"$SRLM_CACHE/.setup.lock"
  flock --wait 3600 9 || fail "another set-up has held $SRLM_CACHE/.setup.lock for an hour"
  wanted=$(stamp requirements/cuda.txt setup_cuda.sh)
  is_current "$folder" "$wanted" && return
  say "CUDA 13.0 and NCCL (2 GB)"
  unfinished=$folder.unfinished
  rm -rf "$unfinished"
  retry "$SRLM_CACHE/python/bin/python" -m pip install --quiet --no-deps --no-compile --no-cache-dir --upgrade \
    --target "$unfinished" -r requirements/cuda.txt
  # nvcc looks for lib64, and the linker for names without a version. libtorch_cuda looks for ../../nvidia from the
  # folder that it is in, so that folder is one of this tree, and the files in it are links.
  ln -s lib "$unfinished/nvidia/cu13/lib64"
  ln -s libcudart.so.13 "$unfinished/nvidia/cu13/lib/libcudart.so"
  mkdir -p "$unfinished/torch/lib"
  ln -s ../../torch-2.11.0-cpu/torch/include "$unfinished/torch/include"
  (cd "$unfinished/torch/lib" && ln -s ../../../torch-2.11.0-cpu/torch/lib/*.so* .)
  put_in_place "$unfinished" "$folder" "$wanted"
}

main "$@"
