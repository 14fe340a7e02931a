#!/usr/bin/env bash
# Builds a plugin written in C: build.sh OUT.wasm DIR [WORLD]. WORLD is sink-plugin, dispatcher-plugin or transform-plugin.
# Wants clang with a WebAssembly linker, wasi-libc and clang's WebAssembly runtime library (Debian: clang lld wasi-libc
# libclang-rt-14-dev-wasm32), Node and npm. The packaging tool is fetched once and kept in ~/.cache/tidegate.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "${1:?usage: build.sh OUT.wasm DIR [WORLD]}") dir=${2:?usage: build.sh OUT.wasm DIR [WORLD]} world=${3:-sink-plugin}
. "$here/../tools/common.sh"
clang=${CC_WASM:-$(command -v clang || command -v clang-14 || true)}
[ -n "$clang" ] || need clang "clang (Debian: clang lld wasi-libc libclang-rt-14-dev-wasm32)"
[ -f /usr/lib/wasm32-wasi/libc.a ] || { echo "tidegate: wasi-libc is missing: install it (Debian: wasi-libc)" >&2; exit 3; }
js_tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$clang" --target=wasm32-wasi -std=c11 -O2 -flto -Wall -Wextra -Werror -mexec-model=reactor -mbulk-memory -I"$here/include" \
  -I"$here/src" -o "$work/core.wasm" "$dir"/*.c "$here"/src/{memory,failure,buf,rows,json,config,writer,tables,http,sql,producer,object_store,host,nowasi}.c \
  "$here/src/${world%-plugin}.c" -Wl,--strip-all -Wl,--gc-sections
node "$here/../tools/component.mjs" "$work/core.wasm" "$TIDEGATE_WIT" "$world" "$out"
