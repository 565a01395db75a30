#!/usr/bin/env bash
# Follows a tenant's events with curl and prints each once: position and type. Keeps the last position in a file, comes
# back after every break, and goes on behind it.
#
#     API=http://127.0.0.1:7878/api/powerfill TENANT=GENERATED TOKEN=pf_… ./consumer.sh position.txt [QUERY]
#
# QUERY is that of the stream, such as type=RunCompleted,RunFailed.
set -eu
kept=$1
query=${2:-}

while true; do
    last=0
    [ -s "$kept" ] && last=$(cat "$kept")
    event=
    id=
    # An event is whole with the empty line at its end; one that is cut off comes again.
    while IFS= read -r line; do
        case "$line" in
            "id: "*) id=${line#id: } ;;
            "event: "*) event=${line#event: } ;;
            "")
                if [ -n "$id" ]; then
                    # What is to be done with the event, before it counts as done.
                    [ -z "$event" ] || echo "$id $event"
                    printf '%s' "$id" >"$kept.new"
                    mv "$kept.new" "$kept"
                fi
                event=
                id=
                ;;
        esac
    done < <(curl -sN "$API/events/stream?$query" -H "Last-Event-ID: $last" -H "X-Tenant-Id: $TENANT" \
        ${TOKEN:+-H "Authorization: Bearer $TOKEN"})
    sleep 1
done
