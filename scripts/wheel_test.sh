#!/bin/sh
# Build the wheel, install it into an environment of its own, and run the smoke tests there, away from the checkout.
# Usage: wheel_test.sh BIN PYTHON (BIN: folder of the environment that has `build`; PYTHON: what the new environment is made from)
set -eu
bin=$(cd "$1" && pwd)
python=$2
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$bin/python" -m build --wheel --outdir "$work/dist" "$root" >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
"$python" -m venv "$work/venv"
wheel=$(echo "$work"/dist/*.whl)
"$work/venv/bin/python" -m pip --disable-pip-version-check --quiet install --constraint "$root/constraints.txt" \
    "$wheel[cpu]" pytest pytest-socket pytest-timeout
cp -r "$root/tests" "$root/data" "$root/pyproject.toml" "$work/"
cd "$work"
ANYSEEK_SMOKE_ROOT="$work/venv" "$work/venv/bin/pytest" -m smoke -p no:cacheprovider tests/e2e
