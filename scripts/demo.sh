#!/bin/sh
# Index data/demo and ask it questions of every kind. BIN is the folder of the anyseek command, LIBRARY where the library goes.
set -eu
cd "$(dirname "$0")/.."
PATH="$BIN:$PATH"
export ANYSEEK_LIBRARY="$LIBRARY"
mkdir -p "$(dirname "$LIBRARY")"

ask() {
    printf '\n\033[2m$ anyseek'
    for word in "$@"; do
        case $word in
            *\ *) printf ' "%s"' "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '\033[0m\n'
    anyseek "$@"
}

ask index data/demo
ask search "a rooster" --kind image --limit 3
