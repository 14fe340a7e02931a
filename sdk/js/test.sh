#!/usr/bin/env bash
# The unit tests of this SDK, in Node.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tools/common.sh"
npm_tools js componentize-qjs@0.4.5 esbuild@0.28.2 typescript@7.0.2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$_tools/node_modules/.bin/esbuild" "$here"/tests/*.test.ts --bundle --format=esm --platform=node --target=node20 --log-level=warning \
  "--alias:tidegate:plugin/log@1.0.0=$here/tests/no-host.ts" --outdir="$work" --out-extension:.js=.mjs
TIDEGATE_GOLDEN=$here/../golden node --test "$work"
