# What the build scripts of the SDKs share. To be sourced; sets TIDEGATE_WIT, the directory of the contract's text.
_sdk=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
_cache=${TIDEGATE_CACHE:-$HOME/.cache/tidegate}/sdk

# SDKs are written for 1.0.0: what is built against it runs on every later 1.x.
if [ -z "${TIDEGATE_WIT:-}" ]; then
  TIDEGATE_WIT=$_sdk/../wit/1.0.0
  [ -d "$TIDEGATE_WIT" ] || TIDEGATE_WIT=$_sdk/../wit
fi
export TIDEGATE_WIT

need() { # COMMAND WHAT: ends when the command is missing
  command -v "$1" >/dev/null 2>&1 || { echo "tidegate: $1 is missing: install $2" >&2; exit 3; }
}

npm_tools() { # NAME PACKAGE...: fetches packages once; says where in _tools
  need node "Node 20 or newer, https://nodejs.org"
  need npm "npm, which comes with Node"
  _tools=$_cache/$1-$(printf '%s ' "${@:2}" | cksum | cut -d' ' -f1)
  [ -f "$_tools/complete" ] && return
  echo "tidegate: fetching ${*:2} once; kept in $_tools" >&2
  mkdir -p "$_tools"
  (cd "$_tools" && npm install --no-audit --no-fund --silent --prefix . "${@:2}") >&2
  touch "$_tools/complete"
}

js_tools() { # jco, which makes components of core modules
  npm_tools jco @bytecodealliance/jco@1.20.0
  export TIDEGATE_JS_TOOLS=$_tools
}

python_tools() { # componentize-py, in an environment of its own
  need python3 "Python 3.10 or newer with venv"
  _tools=$_cache/componentize-py-0.25.1
  [ -f "$_tools/complete" ] && return
  echo "tidegate: fetching componentize-py 0.25.1 once; kept in $_tools" >&2
  python3 -m venv "$_tools" && "$_tools/bin/pip" install -q --disable-pip-version-check componentize-py==0.25.1 >&2
  touch "$_tools/complete"
}
