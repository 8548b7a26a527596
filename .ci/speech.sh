#!/bin/sh
# Fetches human speech for the sound tables into $1, a WAV file of 16 kHz: somebody who
# reads the same instructions in the language $2 (en if none; es, fr, it, ru), from Debian's
# asterisk-core-sounds (CC-BY-SA 3.0), which are not kept in this tree.
set -eu
out=$1 language=${2:-en}
[ -s "$out" ] && exit 0
package=asterisk-core-sounds-$language-g722
command -v ffmpeg >/dev/null 2>&1 || { echo "The speech for this table comes in G.722: it needs ffmpeg, which is not here." >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
speech() { find "$1" -path "*/${language}_*/demo-instruct.g722" 2>/dev/null | head -n 1; }
found=$(speech /usr/share/asterisk/sounds)
if [ -z "$found" ]; then
	for tool in apt-get dpkg-deb; do
		command -v "$tool" >/dev/null 2>&1 || { echo "The speech for this table comes as the Debian package $package: it needs apt-get and dpkg-deb; $tool is not here." >&2; exit 1; }
	done
	(cd "$work" && apt-get download -q "$package" >/dev/null 2>&1 && dpkg-deb -x "$package"_*.deb .) ||
		{ echo "The speech could not be downloaded: apt-get download $package failed; run apt-get update, then try again." >&2; exit 1; }
	found=$(speech "$work")
	[ -n "$found" ] || { echo "The speech is not in $package any more: it holds no demo-instruct.g722." >&2; exit 1; }
fi
mkdir -p "$(dirname "$out")"
ffmpeg -v error -y -f g722 -i "$found" -ar 16000 -ac 1 -c:a pcm_s16le "$out"
