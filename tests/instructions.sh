#!/usr/bin/env bash
# Counts the instructions of one engine run on the demo book, and fails where the count differs from
# tests/instructions.txt by more than 3 %. `UPDATE=1 tests/instructions.sh` writes the new count.
# Instructions, unlike seconds, do not depend on the load of the machine. Needs valgrind.
set -eu
cd "$(dirname "$0")/.."

"${CARGO:-cargo}" build --quiet --profile counting -p powerfill-instructions
program="${CARGO_TARGET_DIR:-target}/counting/powerfill-instructions"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$program" generate "$folder/book" >/dev/null

valgrind --tool=callgrind --toggle-collect='*run_engine*' \
    --callgrind-out-file="$folder/callgrind.out" "$program" run "$folder/book" \
    2>"$folder/valgrind.log" || { cat "$folder/valgrind.log"; exit 1; }
count=$(sed -n 's/^summary: \([0-9]*\).*/\1/p; s/^totals: \([0-9]*\).*/\1/p' "$folder/callgrind.out" | head -1)

if [ -n "${UPDATE:-}" ]; then
    echo "$count" >tests/instructions.txt
    echo "tests/instructions.txt: $count"
    exit 0
fi
committed=$(cat tests/instructions.txt)
difference=$((count - committed))
echo "instructions: $count, committed: $committed, difference: $difference"
if [ $((${difference#-} * 100)) -gt $((committed * 3)) ]; then
    echo "The count differs by more than 3 %. Find the cause; if the new count is intended, commit it" \
        "with UPDATE=1 tests/instructions.sh"
    exit 1
fi
