#!/bin/sh
# Builds bin/libdmltorch.so from shim.cpp and distributed.cpp against the machine's libtorch, or the one in $LIBTORCH (a folder with include/ and lib/:
# an unpacked libtorch zip, or the torch folder of a PyTorch wheel). Does nothing when the result is up to date.
set -eu
cd "$(dirname "$0")"

cxx="${CXX:-g++}"
if ! command -v "$cxx" >/dev/null; then
  echo "No C++ compiler '$cxx' was found: apt-get install g++, or set CXX." >&2
  exit 3
fi

if [ -n "${LIBTORCH:-}" ]; then
  include="$LIBTORCH/include"
  lib="$LIBTORCH/lib"
  [ -f "$include/torch/csrc/api/include/torch/version.h" ] || { echo "LIBTORCH=$LIBTORCH holds no include/torch headers." >&2; exit 3; }
  [ -f "$lib/libtorch_cpu.so" ] || { echo "LIBTORCH=$LIBTORCH holds no lib/libtorch_cpu.so." >&2; exit 3; }
  flags="-I$include -I$include/torch/csrc/api/include -L$lib -Wl,-rpath,$lib"
  core="$lib/libc10.so"
else
  include="/usr/include"
  [ -f "$include/torch/csrc/api/include/torch/version.h" ] || {
    echo "No libtorch headers under /usr/include: apt-get install libtorch-dev libopenblas0-openmp, or set LIBTORCH." >&2
    exit 3
  }
  flags="-I$include/torch/csrc/api/include"
  core=""
fi

# Wheels before 2.6 were built with the old string layout; everything else has the new one.
if [ -n "$core" ] && ! grep -q '7__cxx1112basic_string' "$core"; then flags="$flags -D_GLIBCXX_USE_CXX11_ABI=0"; fi

standard="-std=c++20"
# Gloo's headers, which libtorch's own refer to and do not bring: without them one process trains at a time.
gloo="$(ls /usr/include/gloo/context.h "$include/gloo/context.h" 2>/dev/null || true)"
# Later versions keep the numbers in headeronly/.
version="$(cat "$include/torch/csrc/api/include/torch/version.h" "$include/torch/headeronly/version.h" 2>/dev/null || true)"
key="$(printf '%s\n' "$(cat shim.h shim.cpp distributed.cpp build.sh)" "$("$cxx" --version)" "$version" "$flags" "$standard" "$gloo" | sha256sum | cut -d' ' -f1)"
if [ -f bin/libdmltorch.so ] && [ "$(cat bin/key 2>/dev/null || true)" = "$key" ]; then exit 0; fi

mkdir -p bin
exec 9>bin/lock
if command -v flock >/dev/null; then flock 9; fi   # two projects may build at once
if [ -f bin/libdmltorch.so ] && [ "$(cat bin/key 2>/dev/null || true)" = "$key" ]; then exit 0; fi
# shellcheck disable=SC2086
"$cxx" $standard -O2 -fPIC -shared -fvisibility=hidden -w $flags shim.cpp distributed.cpp -o bin/libdmltorch.so.new -ltorch_cpu -lc10 -Wl,-z,defs
mv bin/libdmltorch.so.new bin/libdmltorch.so
printf '%s' "$key" > bin/key
