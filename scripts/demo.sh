#!/bin/sh
# Index data/demo and ask it questions of every kind. BIN is the folder of the anyseek command, LIBRARY where the library goes.
set -eu
cd "$(dirname "$0")/.."
PATH="$BIN:$PATH"
export ANYSEEK_LIBRARY="$LIBRARY"
mkdir -p "$(dirname "$LIBRARY")"

if [ -t 1 ]; then
    heading=$(printf '\033[1;34m') faint=$(printf '\033[2m') plain=$(printf '\033[0m')
else
    heading='' faint='' plain=''
fi

show() {
    printf '\n%s%s%s\n' "$heading" "$1" "$plain"
    shift
    printf '%s$ anyseek' "$faint"
    for word in "$@"; do
        case $word in
            *\ *) printf ' "%s"' "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '%s\n' "$plain"
    anyseek "$@" || [ $? -eq 1 ] # 1 says that nothing was found, which may be the right answer
}

show "Index 98 files: pictures, sounds and films (a second run finds nothing to do)" index data/demo
show "Words find pictures (DSC_0118: a rooster and his hens)" search "a rooster" --kind image --limit 3
show "Words find sounds (REC011: church bells)" search "church bells" --kind audio --limit 3
show "Words find the moment in a film (MVI_0412: a dog barks at 9 s, unseen, while the film shows an ibex)" \
    search "a dog barking" --kind video --limit 3
show "A picture finds the sound that goes with it (REC002: the rooster crows)" \
    search --image "data/demo/photos/farm 2022/DSC_0118.jpg" --kind audio --limit 3
show "A sound finds the picture (IMG_2057 and chelsea: cats)" search --audio data/demo/sounds/REC003.mp3 --kind image --limit 3
show "Words and a picture together, over everything" search "in the mountains" --image data/demo/photos/holiday/alps.jpg --limit 5
show "A filter says which files may be answers (one photo was taken near Malibu)" search "a beach" --near "34,-118.8 20km"
show "What is not there is not found (nothing shows a zebra)" search "a zebra"

printf '\n%sYour turn:%s  %s/anyseek index ~/Pictures  and  %s/anyseek search "whatever you like"\n' "$heading" "$plain" "$BIN" "$BIN"
