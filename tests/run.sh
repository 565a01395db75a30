#!/usr/bin/env bash
# Formatting, lints, every test. Needs Rust and a C compiler; takes cargo-nextest where it is installed. Installs
# PostgreSQL from Debian's packages where there is none (as root, or with sudo); the tests start their own server.
# Puts nats-server from Debian's packages and schemathesis from PyPI into the target folder.
# Ends with the runner's own summary. Extra arguments go to the test runner.
set -eu
cd "$(dirname "$0")/.."

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
install() {
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then
    # No server of the package's own is made or started.
    $as_root mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    install postgresql
fi

# The guides' sessions.
command -v curl >/dev/null || install curl

# Unpacked, not installed: the package would start a server of its own.
if ! command -v nats-server >/dev/null && ! [ -x target/nats/usr/sbin/nats-server ]; then
    mkdir -p target/nats
    $as_root apt-get update -qq
    (cd target/nats && apt-get download -qq -o APT::Sandbox::User=root nats-server && dpkg -x nats-server_*.deb .)
fi

# Makes requests from the OpenAPI document.
if ! target/schemathesis/bin/schemathesis --version >/dev/null 2>&1; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || install python3-venv
    python3 -m venv target/schemathesis
    target/schemathesis/bin/pip install --quiet --disable-pip-version-check schemathesis==4.32.5
fi

if [ -z "${POWERFILL_TEST_MSSQL:-}" ]; then
    echo "NOT RUN: the suite against a live SQL Server. POWERFILL_TEST_MSSQL names no server; its tests are counted as skipped." >&2
fi

cargo fmt --all --check
cargo clippy --workspace --all-targets --quiet -- --deny warnings
if cargo nextest --version >/dev/null 2>&1; then
    exec cargo nextest run --workspace --no-fail-fast --cargo-quiet --status-level fail "$@"
fi
exec cargo test --workspace --no-fail-fast --quiet "$@"
