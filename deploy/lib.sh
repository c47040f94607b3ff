# What the set-up scripts share: messages, retries, and Python folders that are there whole or not at all.
# Sourced, not run. Expects bash with `set -euo pipefail`.

SRLM_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SRLM_CACHE=${SRLM_CACHE:-$HOME/.cache/srlm}

say() { echo "setup: $*"; }

fail() {
  echo "setup: $*" >&2
  exit 1
}

# retry COMMAND...: up to four tries, since networks and registries have bad moments.
retry() {
  local try
  for try in 1 2 3; do
    "$@" && return
    say "failed (try $try of 4), again in $((try * 5)) s: $1 ${2:-}"
    sleep $((try * 5))
  done
  "$@"
}

# stamp FILE...: a word that changes whenever one of the files does.
stamp() { cat "$@" | sha256sum | cut -c1-16; }

# is_current FOLDER STAMP: whether the folder was finished by this version of the set-up.
is_current() { [ "$(cat "$1/.srlm-stamp" 2>/dev/null)" = "$2" ]; }

# put_in_place UNFINISHED FOLDER STAMP: marks a folder as finished and gives it its name.
put_in_place() {
  echo "$3" >"$1/.srlm-stamp"
  local old="$2.old.$$"
  if [ -e "$2" ] || [ -L "$2" ]; then
    mv -T "$2" "$old"
  fi
  mv -T "$1" "$2"
  rm -rf "$old"
}

# make_venv FOLDER REQUIREMENTS: a Python environment with exactly these packages.
make_venv() {
  local folder=$1 requirements=$2 wanted unfinished=$1.unfinished
  wanted=$(stamp "$requirements")
  is_current "$folder" "$wanted" && return
  say "Python environment $(basename "$folder")"
  rm -rf "$unfinished"
  "${SRLM_PYTHON:-python3}" -m venv "$unfinished"
  retry "$unfinished/bin/python" -m pip install --quiet --no-deps -r "$requirements"
  put_in_place "$unfinished" "$folder" "$wanted"
}
