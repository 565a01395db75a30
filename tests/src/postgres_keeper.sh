# Takes a test server away once no test has needed it for some seconds. Each process of the tests holds a shared lock on
# the file of users for as long as it lives.
users=$1 folder=$2 pg_ctl=$3 user=$4
exec 9>>"$users"
quiet=0
while [ "$quiet" -lt 6 ]; do
    sleep 1
    if flock --exclusive --nonblock 9; then
        quiet=$((quiet + 1))
        # Whoever comes next does not wait for the next look; the last look keeps the lock until all is gone.
        [ "$quiet" -lt 6 ] && flock --unlock 9
    else
        quiet=0
    fi
done
stop="$pg_ctl stop --wait --silent --mode immediate --pgdata $folder/data"
if [ -n "$user" ]; then runuser -u "$user" -- $stop; else $stop; fi
rm -rf "$folder"
