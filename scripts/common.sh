# Shared by the scripts beside it: where things are, how a step is announced and timed. Sourced, not run.
# shellcheck shell=bash

set -euo pipefail

# Debian's own tools, whatever else (pyenv, conda, a second cmake) is on the caller's path.
export PATH="/usr/bin:/bin:/usr/sbin:/sbin:$PATH"
export LC_ALL=C.UTF-8

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
build="$root/build"

say() { printf '==> %s\n' "$*"; }
die() {
  printf '==> error: %s\n' "$*" >&2
  exit 1
}

# step TITLE COMMAND...: runs it, then says how long it took; ends the script when it fails.
step() {
  local title="$1" start="$EPOCHREALTIME" status=0
  shift
  say "$title"
  "$@" || status=$?
  local took
  took="$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }')"
  if ((status != 0)); then
    die "$title failed after $took (exit status $status)"
  fi
  say "$title: done in $took"
}

# One compiler a core, but no more than memory holds: a file under a sanitizer takes up to 1.5 GiB.
parallel_jobs() {
  local cores memory
  cores="$(nproc)"
  memory="$(awk '/^MemAvailable:/ { print int($2 / (1536 * 1024)) }' /proc/meminfo)"
  echo $((memory < 1 ? 1 : memory < cores ? memory : cores))
}

# configure: makes build/ for the library, the tools, the bindings, and for the tests and their sanitizer variants where
# their packages are there. One configuration serves all scripts, so that none of them undoes the work of another; what
# is not asked for is not built.
configure() {
  local fresh=() tests=OFF cache="$build/CMakeCache.txt"
  if [[ -f "$cache" ]] && ! { grep -qx "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache" &&
    grep -qx 'CMAKE_GENERATOR:INTERNAL=Ninja' "$cache"; }; then
    say "build/ was configured elsewhere or for another generator: configuring afresh"
    fresh=(--fresh)
  fi
  if "$root/scripts/setup" --check >/dev/null 2>&1; then
    tests=ON
  fi
  cmake "${fresh[@]}" -S "$root" -B "$build" -G Ninja \
    -DCMAKE_C_COMPILER=/usr/bin/gcc -DCMAKE_CXX_COMPILER=/usr/bin/g++ \
    -DPS_TESTS="$tests" -DPS_SANITIZERS="$tests" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON
}

# compile TARGET...
compile() {
  NINJA_STATUS='[%f/%t, %e s] ' cmake --build "$build" --parallel "$(parallel_jobs)" --target "$@"
}
