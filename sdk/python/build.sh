#!/usr/bin/env bash
# Builds a plugin written in Python: build.sh OUT.wasm DIR [WORLD]. The plugin is DIR/app.py; WORLD is sink-plugin, dispatcher-plugin or
# transform-plugin. Wants Python 3.10 or newer with venv. The packaging tool is fetched once and kept in ~/.cache/tidegate.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "${1:?usage: build.sh OUT.wasm DIR [WORLD]}") dir=$(realpath "${2:?usage: build.sh OUT.wasm DIR [WORLD]}")
world=${3:-sink-plugin}
. "$here/../tools/common.sh"
python_tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What else lies in the folder is no part of the plugin.
tar -C "$dir" --exclude=./vendor --exclude=./build --exclude=./tests --exclude=__pycache__ -cf - . | tar -C "$work" -xf -
cd "$work"
"$_tools/bin/componentize-py" -q -d "$TIDEGATE_WIT" -w "$world" componentize --stub-wasi -p "$work" -p "$here" app -o "$out"
python3 "$here/mend.py" "$out"
