#!/bin/sh
# Healthy is: the program says the version it should, and really bundles a small file into what Node would run.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
found=$("$here/bin/esbuild" --version)
if [ "$found" != "$1" ]; then
  echo "esbuild says it is $found, expected $1" >&2
  exit 1
fi
bundled=$(printf 'import { answer } from "./answer.js"\nconsole.log(answer + 1)\n' |
  "$here/bin/esbuild" --bundle --minify --sourcefile=entry.js --external:./answer.js --format=esm)
case $bundled in
  *'"./answer.js"'*console.log*) echo "esbuild $found bundles" ;;
  *)
    echo "esbuild $found did not bundle: $bundled" >&2
    exit 1
    ;;
esac
