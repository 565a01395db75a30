"""Follows a tenant's events over HTTP and counts them by type, with the standard library only.

    API=http://127.0.0.1:7878/api/powerfill TENANT=GENERATED TOKEN=pf_… \\
        python3 consumer.py tally.db

Position and tally are written in one transaction of one database. Each event is therefore counted
once, even if the connection, the service, or this program fails.
"""

import json
import os
import sqlite3
import sys
import time
import urllib.error
import urllib.request


def events(api, tenant, token, last, last_hash):
    """Yields (position, CloudEvent) after a position until the connection ends.

    The event is None if the stream only reports how far a filter has reached. With the hash of the
    event at the position, the service refuses a position of another log, such as that of a store
    before it was restored from a backup.
    """
    headers = {"X-Tenant-Id": tenant, "Last-Event-ID": str(last), "Accept": "text/event-stream"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    query = f"?after_hash={last_hash}" if last_hash else ""
    request = urllib.request.Request(f"{api}/events/stream{query}", headers=headers)
    # The service sends a heartbeat every ten seconds.
    with urllib.request.urlopen(request, timeout=30) as stream:
        fields = {}
        for line in stream:
            line = line.decode("utf-8").rstrip("\r\n")
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            else:
                if "id" in fields:
                    data = fields.get("data")
                    yield int(fields["id"]), json.loads(data) if data else None
                fields = {}


def reason(error):
    """What a refusal says: a problem of the service, or else the text of a proxy."""
    text = error.read().decode("utf-8", "replace")
    try:
        problem = json.loads(text)
        return f"{problem['title']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"HTTP status {error.code}: {text[:200]}"


def main(file):
    kept = sqlite3.connect(file)
    kept.execute("CREATE TABLE IF NOT EXISTS tally (type TEXT PRIMARY KEY, count INTEGER NOT NULL)")
    kept.execute(
        "CREATE TABLE IF NOT EXISTS position"
        " (one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL, hash TEXT)"
    )
    kept.execute("INSERT INTO position VALUES (1, 0, NULL) ON CONFLICT DO NOTHING")
    kept.commit()
    api, tenant = os.environ["API"], os.environ["TENANT"]
    while True:
        last, last_hash = kept.execute("SELECT last, hash FROM position").fetchone()
        try:
            token = os.environ.get("TOKEN")
            for position, event in events(api, tenant, token, last, last_hash):
                with kept:
                    if event:
                        kept.execute(
                            "INSERT INTO tally VALUES (?, 1)"
                            " ON CONFLICT (type) DO UPDATE SET count = count + 1",
                            (event["type"],),
                        )
                    last_hash = event["hash"] if event else None
                    kept.execute("UPDATE position SET last = ?, hash = ?", (position, last_hash))
        except urllib.error.HTTPError as error:
            # A proxy answers 502 or 504 while the service starts again, in words of its own.
            if error.code not in (429, 502, 503, 504):
                sys.exit(reason(error))
        except OSError as error:
            print(f"{error}; trying again", file=sys.stderr)
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1])
