#!/usr/bin/env bash
# Builds a plugin written in Go: build.sh OUT.wasm DIR [WORLD]. WORLD is sink-plugin, dispatcher-plugin or transform-plugin.
# Wants Go 1.24 or newer, Node and npm. The packaging tool is fetched once and kept in ~/.cache/tidegate.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "${1:?usage: build.sh OUT.wasm DIR [WORLD]}") dir=${2:?usage: build.sh OUT.wasm DIR [WORLD]} world=${3:-sink-plugin}
. "$here/../tools/common.sh"
need go "Go 1.24 or newer, https://go.dev/dl"
js_tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$dir" && GOOS=wasip1 GOARCH=wasm go build -mod=mod -buildmode=c-shared -trimpath -ldflags='-s -w' -o "$work/core.wasm" .)
node "$here/../tools/component.mjs" "$work/core.wasm" "$TIDEGATE_WIT" "$world" "$out" "$here/wasi/wasi.wat"
