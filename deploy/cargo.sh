#!/bin/bash
# deploy/cargo.sh ARGS...: runs the first cargo on PATH that works and is new enough (1.85) for our crates.
# A rustup shim without a toolchain comes before Debian's cargo on some machines and must be passed over;
# then its rustc must be passed over too.
set -euo pipefail
readonly minimum_minor=85

# A user's own CARGO_HOME is kept. Without one crates go to our cache, and the user's settings (mirrors) still count.
settings=()
candidates=$(type -aP cargo; ls "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" 2>/dev/null || true)
if [ -z "${CARGO_HOME:-}" ]; then
  for file in "$HOME/.cargo/config.toml" "$HOME/.cargo/config"; do
    if [ -f "$file" ]; then
      settings=(--config "$file")
      break
    fi
  done
  export CARGO_HOME=${SRLM_CACHE:-$HOME/.cache/srlm}/cargo
fi

while read -r cargo; do
  version=$("$cargo" --version 2>/dev/null) || continue
  [[ $version =~ ^cargo\ 1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= minimum_minor)) || continue
  rustc=$(dirname "$cargo")/rustc
  if [ -z "${RUSTC:-}" ] && [ -x "$rustc" ]; then
    export RUSTC=$rustc
  fi
  exec "$cargo" ${settings[@]+"${settings[@]}"} "$@"
done <<<"$candidates"

echo "no cargo 1.$minimum_minor or newer that works: run 'make setup', or install Rust (https://rustup.rs)" >&2
exit 1
