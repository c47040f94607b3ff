#!/bin/bash
# clang-tidy-19 with the tree's .clang-tidy on every file of ours that the asan preset compiles without torch.
set -uo pipefail
cd "$SRLM_SOURCE" || exit 1
tests/sanitizers/build.sh asan srlm_proto || exit 1 # generated headers, and the list of commands
log=$SRLM_OUT/clang_tidy.log
run-clang-tidy-19 -quiet -j "${JOBS:-2}" -p build/asan '/(common|coordinator|worker|tests)/.*\.cc$' >"$log" 2>&1
status=$?
findings=$(grep -cE '(warning|error): .*\[[a-z]' "$log")
grep -E '(warning|error): ' "$log" | sort -u
pass=false
[ $status = 0 ] && [ "$findings" = 0 ] && pass=true
printf '{"figure": "findings of clang-tidy-19", "value": %s, "limit": "0", "pass": %s}\n' "$findings" $pass
$pass
