#!/bin/sh
# build.sh CARGO TARGET_FOLDER OUTPUT: builds the crate beside this script and leaves the library at OUTPUT.
# The library is kept under TARGET_FOLDER by the hash of its sources and compiler, so that another clone with the
# same sources compiles nothing, and one with other sources does not get a stranger's library.
set -eu
cargo=$1
target=$2
output=$3
cd "$(dirname "$(realpath "$0")")"
version=$("$cargo" --version) # by itself, so that its failure ends this script
key=$({ echo "$version"; cat build.sh Cargo.toml Cargo.lock src/*.rs; } | sha256sum | cut -c1-16)
kept=$target/srlm_text/$key/libsrlm_text.a
if [ ! -f "$kept" ]; then
  mkdir -p "$target/srlm_text/$key"
  exec 9>"$target/srlm_text/lock"
  flock 9 # cargo's output has one name for all clones: build and copy without another between them
  if [ ! -f "$kept" ]; then
    "$cargo" build --release --locked --quiet --target-dir "$target"
    cp "$target/release/libsrlm_text.a" "$kept.tmp"
    mv "$kept.tmp" "$kept"
    find "$target/srlm_text" -name libsrlm_text.a -mtime +30 -delete # those that nobody has used for a month
  fi
fi
touch "$kept"
cp "$kept" "$output.tmp"
mv "$output.tmp" "$output"
