#!/usr/bin/env bash
# Checks the console: builds it again and compares the bytes with adapters/console/dist, then types,
# lints, formatting, tests of its logic, and tests in a browser over `powerfill serve`.
# `test.sh sources` does all but the browser, and `test.sh browser` the rest.
#
# Needs Node 20.19 or later with npm, and Chromium; installs them from Debian's packages (as root or
# with sudo) if they are missing. Packages come from the lock file. Screenshots of each page go to
# target/console.
set -eu
cd "$(dirname "$0")"

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
missing=
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
command -v chromium >/dev/null || missing="$missing chromium"
if [ -n "$missing" ]; then
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
fi
if ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; then
    echo "NOT RUN: the tests of the console. They need Node 20.19 or later; this is $(node --version)." >&2
    exit 0
fi

if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
    npm ci --no-audit --no-fund --loglevel error
    cp package-lock.json node_modules/.installed-lock.json
fi

sources() {
    # The bytes that are committed, and those of a fresh build: the program serves what was reviewed.
    # The build goes to another folder, because cargo may be reading `dist`.
    fresh=$(mktemp -d)
    trap 'rm -rf "$fresh"' EXIT
    cp -R src/generated "$fresh"
    OUT="$fresh/dist" npm run --silent build
    if ! diff -rq dist "$fresh/dist" ||
        ! diff -rq --exclude schema.d.ts "$fresh/generated" src/generated; then
        echo "adapters/console differs from a fresh build. Run \`npm run build\` in" \
            "adapters/console, review what changed, and commit it." >&2
        exit 1
    fi

    # What the browser loads before it shows the first page: at most 300 KiB, compressed.
    initial=0
    for file in $(grep -o 'assets/[^"]*\.js' dist/index.html | sort -u); do
        initial=$((initial + $(gzip -9 -c "dist/$file" | wc -c)))
    done
    echo "console: $initial bytes of JavaScript before the first page, compressed"
    if [ "$initial" -gt 307200 ]; then
        echo "The first page of the console needs more than 300 KiB of JavaScript." >&2
        exit 1
    fi

    npm run --silent lint
    npm run --silent test
}

browser() {
    # The features are those of the workspace's tests, so that nothing is built twice.
    cargo test --quiet --workspace --no-run --test powerfill
    POWERFILL=${CARGO_TARGET_DIR:-$(cd ../.. && pwd)/target}/debug/powerfill
    CHROMIUM=$(command -v chromium)
    export POWERFILL CHROMIUM
    npm run --silent browser
}

case "${1:-all}" in
sources) sources ;;
browser) browser ;;
all)
    sources
    browser
    ;;
*)
    echo "usage: test.sh [sources|browser]" >&2
    exit 2
    ;;
esac
