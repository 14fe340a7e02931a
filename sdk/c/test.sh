#!/usr/bin/env bash
# The unit tests of this SDK, natively and under the sanitizers. Wants a C compiler and Python.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tools/common.sh"
need cc "a C compiler (Debian: gcc)"
need python3 "Python 3.10 or newer"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -std=c11 -O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all -I"$here/include" -I"$here/src" \
  -o "$work/golden" "$here/tests/golden.c" "$here"/src/{memory,failure,buf,config,json,rows,writer}.c -lm
ASAN_OPTIONS=detect_leaks=0 python3 "$here/tests/check.py" "$work/golden"
