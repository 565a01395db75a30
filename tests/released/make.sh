#!/usr/bin/env bash
# Makes the evidence of a released version: a small store, and what that version's program said about it.
#
#   tests/released/make.sh BINARY VERSION POSTGRES_URL
#
# BINARY is the released program, POSTGRES_URL an empty database. Writes tests/released/VERSION. Evidence of a released
# version is never made again: later programs must read what this one wrote.
set -eu
binary=$(realpath "$1") version=$2 database=$3
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$PWD/../conformance" "$work/cases"
out=$PWD/$version
mkdir -p "$out/answers"
cd "$work"

export POWERFILL_STORE=sqlite:store.db POWERFILL_REQUESTED_BY=desk
powerfill() { "$binary" "$@"; }
# A refused run or an empty explanation is an answer too: its exit status is 1.
answer() { file=$1; shift; powerfill "$@" --format json >"$out/answers/$file.json" || [ $? = 1 ]; }
run() { powerfill run "dir:cases/$1/snapshot" --options "cases/$1/options.json" "${@:2}" >/dev/null 2>&1 || [ $? = 1 ]; }

run 05-fill-remaining-substitution
run 12-kickout-reasons
run 41-mixed-400-price
run 41-mixed-400-price --switch-threshold 0.125
run 39-preflight-errors
queued=$(powerfill run dir:cases/03-best-fit/snapshot --no-wait)
powerfill cancel "$queued" >/dev/null
powerfill config import dir:cases/41-mixed-400-price/snapshot >/dev/null 2>&1
powerfill config import dir:cases/05-fill-remaining-substitution/snapshot >/dev/null 2>&1

answer runs runs
answer verify verify
answer config config list
answer history config history
runs=$(powerfill runs --format csv | sed 1d | cut -d, -f1 | tac)
number=0
for run in $runs; do
    number=$((number + 1))
    answer "$number.show" show "$run"
    answer "$number.replay" replay "$run"
    answer "$number.verify" verify "$run"
    powerfill tables "$run" pfill_powerfill_guide --format csv >"$work/guide.csv" || [ $? = 1 ]
    for loan in $(powerfill tables "$run" pfill_kickout_guide_01 --format csv | cut -d, -f2 | sed 1d | head -n 2) \
        $(sed 1d "$work/guide.csv" | cut -d, -f2 | head -n 2); do
        answer "$number.loan.$loan" explain "$run" --loan "$loan"
    done
    for trade in $(powerfill tables "$run" pfill_trade_base --format csv | cut -d, -f2 | sed 1d | head -n 2); do
        answer "$number.trade.$trade" explain "$run" --trade "$trade"
    done
done
set -- $runs
answer diff diff "$3" --against "$4"
powerfill seal export --out "$out/seal.json" >/dev/null
powerfill copy-store "$POWERFILL_STORE" "$database" >/dev/null
pg_dump --no-owner --no-privileges --rows-per-insert=200 "$database" | grep -v "^\\\\" | gzip -9n >"$out/postgres.sql.gz"
gzip -9nc store.db >"$out/store.db.gz"
echo "$out: $(du -sh "$out" | cut -f1), $(ls "$out/answers" | wc -l) answers"
