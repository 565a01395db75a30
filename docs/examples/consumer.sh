#!/usr/bin/env bash
# Follows a tenant's events with curl and prints the position and type of each event once. Stores
# the last position and the hash of its event in a file, and continues after it when a connection
# ends. Ends if the position is of another log, such as that of a store before it was restored.
#
#     API=http://127.0.0.1:7878/api/powerfill TENANT=GENERATED TOKEN=pf_… \
#         ./consumer.sh position.txt [QUERY]
#
# QUERY filters the stream, for example type=RunCompleted,RunFailed.
set -eu
kept=$1
query=${2:-}

while true; do
    last=0
    hash=
    [ -s "$kept" ] && read -r last hash <"$kept"
    event=
    id=
    # An empty line ends an event. An event that was cut off is sent again.
    while IFS= read -r line || [ -n "$line" ]; do
        case "$line" in
            *urn:powerfill:problem:position-ahead* | *urn:powerfill:problem:another-log*)
                echo "$line" >&2
                exit 1
                ;;
            "id: "*) id=${line#id: } ;;
            "event: "*) event=${line#event: } ;;
            "data: "*)
                hash=${line#*\"hash\":\"}
                hash=${hash%%\"*}
                ;;
            "")
                if [ -n "$id" ]; then
                    # Handle the event here, before its position is stored.
                    [ -z "$event" ] || echo "$id $event"
                    [ -n "$event" ] || hash=
                    echo "$id $hash" >"$kept.new"
                    mv "$kept.new" "$kept"
                fi
                event=
                id=
                ;;
        esac
    done < <(curl -sN "$API/events/stream?$query${hash:+&after_hash=$hash}" \
        -H "Last-Event-ID: $last" -H "X-Tenant-Id: $TENANT" \
        ${TOKEN:+-H "Authorization: Bearer $TOKEN"})
    sleep 1
done
