#!/usr/bin/env bash
# Makes the pictures of docs/guides/console again from the screenshots of `test.sh browser`, smaller.
# Needs pngquant.
set -eu
cd "$(dirname "$0")"
shots=${SCREENSHOTS:-../../target/console}
guide=../../docs/guides/console
for pair in audited constraints differences effect flow loan run runs time trade what-if \
    candidates:tables; do
    pngquant --force --strip --output "$guide/${pair#*:}.png" "$shots/${pair%:*}-1280.png"
done
