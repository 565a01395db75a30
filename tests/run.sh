#!/usr/bin/env bash
# Formatting, lints, every test. Needs Rust and a C compiler; takes cargo-nextest where it is installed. Ends with the
# runner's own summary. Extra arguments go to the test runner.
set -eu
cd "$(dirname "$0")/.."

cargo fmt --all --check
cargo clippy --workspace --all-targets --quiet -- --deny warnings
if cargo nextest --version >/dev/null 2>&1; then
    exec cargo nextest run --workspace --no-fail-fast --cargo-quiet --status-level fail "$@"
fi
exec cargo test --workspace --no-fail-fast --quiet "$@"
