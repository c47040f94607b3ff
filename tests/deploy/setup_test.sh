#!/bin/bash
# Set-up without root names the missing packages in one line and stops; with all in place it downloads nothing.
# Reads the cache that set-up made, and changes nothing in it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# Programs of this system's that answer what the case needs: a user without root, and packages that are not there.
fake() {
  printf '#!/bin/bash\n%s\n' "$2" >"$folder/$1"
  chmod +x "$folder/$1"
}
fake id 'echo 1000'
fake apt-get "touch '$folder/apt-was-called'"

fake dpkg-query "sed '/^#/d; /^mold\$/d; /^ccache\$/d; s/^/installed /' '$root/deploy/debian-packages.txt'
echo installed cargo-web; echo installed rustc-web"
code=0
SRLM_CACHE=$folder/cache PATH=$folder:$PATH "$root/deploy/setup.sh" >"$folder/out" 2>"$folder/err" || code=$?
[ $code = 1 ] || fail "exit code $code where packages are missing and there is no root"
[ "$(grep -c '^apt-get install ' "$folder/err")" = 1 ] || fail "not exactly one install line: $(cat "$folder/err")"
grep -q '^apt-get install .* ccache mold$' "$folder/err" || fail "not the missing packages: $(cat "$folder/err")"
[ ! -e "$folder/apt-was-called" ] || fail "apt-get was called without root"
[ ! -e "$folder/cache" ] || fail "something was set up although packages are missing"

fake dpkg-query "sed '/^#/d; s/^/installed /' '$root/deploy/debian-packages.txt'
echo installed cargo-web; echo installed rustc-web"
nowhere=http://127.0.0.1:9/ # discards; any download fails
PATH=$folder:$PATH PIP_INDEX_URL=$nowhere PIP_RETRIES=0 CARGO_NET_OFFLINE=true \
  "$root/deploy/setup.sh" >"$folder/out" 2>&1 || fail "a second set-up fails: $(cat "$folder/out")"
[ ! -s "$folder/out" ] || fail "a second set-up does something: $(cat "$folder/out")"
