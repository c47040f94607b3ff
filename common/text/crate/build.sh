#!/bin/sh
# build.sh CARGO TARGET_FOLDER CARGO_HOME OUTPUT: builds the crate beside this script and leaves the library at OUTPUT.
# The library is kept under TARGET_FOLDER by the hash of its sources and compiler, so that another clone with the
# same sources compiles nothing, and one with other sources does not get a stranger's library.
set -eu
cargo=$1
target=$2
output=$4
crate=$(dirname "$(realpath "$0")")
# A user's own CARGO_HOME (with its mirrors) is kept; without one, downloads stay in our cache.
settings=
if [ -z "${CARGO_HOME:-}" ]; then
  for file in "$HOME/.cargo/config.toml" "$HOME/.cargo/config"; do
    if [ -f "$file" ] && [ -z "$settings" ]; then settings=$file; fi
  done
  export CARGO_HOME="$3"
fi

cd "$crate"
key=$({ "$cargo" --version; cat Cargo.toml Cargo.lock src/*.rs; } | sha256sum | cut -c1-16)
kept=$target/srlm_text/$key/libsrlm_text.a
mkdir -p "$target/srlm_text/$key" "$CARGO_HOME"
if [ ! -f "$kept" ]; then
  exec 9>"$target/srlm_text/lock"
  flock 9 # cargo's output has one name for all clones: build and copy without another between them
  if [ ! -f "$kept" ]; then
    "$cargo" build ${settings:+--config "$settings"} --release --locked --quiet --target-dir "$target"
    cp "$target/release/libsrlm_text.a" "$kept.tmp"
    mv "$kept.tmp" "$kept"
  fi
fi
cp "$kept" "$output.tmp"
mv "$output.tmp" "$output"
