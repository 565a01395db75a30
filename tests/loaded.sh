#!/usr/bin/env bash
# Runs tests/run.sh at the lowest priority beside a busy loop on each core. No verdict may depend on
# how fast a machine is. Takes about three times as long as tests/run.sh. Arguments go to it.
set -eu
cd "$(dirname "$0")/.."

# The loops end with this script. Each is a session of its own, like the programs of another user:
# Linux shares the processors between sessions before it looks at priorities.
trap 'kill $(jobs -p)' EXIT
for _ in $(seq "$(nproc)"); do
    setsid sh -c 'while :; do :; done' &
done
nice -n 19 tests/run.sh "$@"
