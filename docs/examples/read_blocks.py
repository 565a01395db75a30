"""Prints the events of a store in an SQLite file without PowerFill, one per line: position, stream, version,
type, schema version, and payload. Needs the command zstd.

    python3 read_blocks.py powerfill.db
"""

import sqlite3
import subprocess
import sys

BLOCKS = "SELECT first_position, stream, first_version, codec, body FROM event_blocks ORDER BY first_position"
store = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
for position, stream, version, codec, body in store.execute(BLOCKS):
    assert codec == "zstd", f"the block at position {position} has the codec {codec}"
    text = subprocess.run(["zstd", "-dc"], input=body, stdout=subprocess.PIPE, check=True).stdout
    for number, line in enumerate(text.decode().split("\n")[:-1]):
        event_type, schema_version, payload = line.split(" ", 2)
        print(position + number, stream, version + number, event_type, schema_version, payload)
