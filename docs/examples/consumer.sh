#!/usr/bin/env bash
# Follows a tenant's events with curl and prints the position and type of each event once. Stores
# the last position in a file and continues after it when a connection ends.
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
    [ -s "$kept" ] && last=$(cat "$kept")
    event=
    id=
    # An empty line ends an event. An event that was cut off is sent again.
    while IFS= read -r line; do
        case "$line" in
            "id: "*) id=${line#id: } ;;
            "event: "*) event=${line#event: } ;;
            "")
                if [ -n "$id" ]; then
                    # Handle the event here, before its position is stored.
                    [ -z "$event" ] || echo "$id $event"
                    printf '%s' "$id" >"$kept.new"
                    mv "$kept.new" "$kept"
                fi
                event=
                id=
                ;;
        esac
    done < <(curl -sN "$API/events/stream?$query" \
        -H "Last-Event-ID: $last" -H "X-Tenant-Id: $TENANT" \
        ${TOKEN:+-H "Authorization: Bearer $TOKEN"})
    sleep 1
done
