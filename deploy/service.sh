#!/bin/sh
# Runs charbot in a container that restarts it on failure. Exit codes 2 and 78 are for what does not mend itself, such as a
# missing intent: they end as 0, or each restart would be another login, and Discord resets a token after a thousand a day.
trap 'kill -TERM "$child"' TERM INT
charbot "$@" &
child=$!
wait "$child"
code=$?
# A signal ends the first `wait` before charbot ends.
while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    code=$?
done
case $code in
2 | 78) exit 0 ;;
*) exit "$code" ;;
esac
