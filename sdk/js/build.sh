#!/usr/bin/env bash
# Builds a plugin written in TypeScript or JavaScript: build.sh OUT.wasm DIR [WORLD]. The plugin is DIR/plugin.ts or DIR/plugin.js; WORLD is
# sink-plugin, dispatcher-plugin or transform-plugin. TypeScript is checked first. Wants Node 20 or newer and npm; the packaging tools are
# fetched once and kept in ~/.cache/tidegate. TIDEGATE_JS_ENGINE is starlingmonkey (the default) or quickjs, whose version
# 0.4.5 gives a borrowed batch back only after a call has returned: the host ends such an instance, so it serves for experiments.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "${1:?usage: build.sh OUT.wasm DIR [WORLD]}") dir=$(realpath "${2:?usage: build.sh OUT.wasm DIR [WORLD]}")
world=${3:-sink-plugin} engine=${TIDEGATE_JS_ENGINE:-starlingmonkey}
. "$here/../tools/common.sh"
npm_tools js componentize-qjs@0.4.5 esbuild@0.28.2 typescript@7.0.2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
entry=$dir/plugin.ts
if [ -f "$entry" ]; then
  printf '{"extends":"%s/tsconfig.json","compilerOptions":{"paths":{"tidegate":["%s/src/index.ts"],"tidegate/*":["%s/src/*"]}},"files":["%s","%s/src/host.d.ts"]}' \
    "$here" "$here" "$here" "$entry" "$here" >"$work/tsconfig.json"
  node "$_tools/node_modules/typescript/bin/tsc" -p "$work"
else
  entry=$dir/plugin.js
fi
"$_tools/node_modules/.bin/esbuild" "$entry" --bundle --format=esm --target=es2022 --log-level=warning "--alias:tidegate=$here/src" \
  '--external:tidegate:*' --outfile="$work/plugin.js"
case $engine in
  quickjs)
    "$_tools/node_modules/.bin/componentize-qjs" --wit "$TIDEGATE_WIT" --world "$world" --js "$work/plugin.js" -o "$out" --sync --stub-wasi >"$work/log" 2>&1 ||
      { cat "$work/log" >&2; exit 1; }
    ;;
  starlingmonkey)
    npm_tools starlingmonkey @bytecodealliance/componentize-js@0.23.0
    node "$here/starlingmonkey.mjs" "$_tools" "$work/plugin.js" "$TIDEGATE_WIT" "$world" "$out"
    ;;
  *) echo "tidegate: TIDEGATE_JS_ENGINE is $engine: quickjs and starlingmonkey are known" >&2; exit 2 ;;
esac
