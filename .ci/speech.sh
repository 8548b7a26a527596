#!/bin/sh
# Fetches human speech for the sound tables into $1, a WAV file of 16 kHz: Debian's
# asterisk-core-sounds-en-g722 (CC-BY-SA 3.0), which is not kept in this tree.
set -eu
out=$1
[ -s "$out" ] && exit 0
for tool in apt-get dpkg-deb ffmpeg; do
	command -v "$tool" >/dev/null 2>&1 || { echo "The speech for this table comes as a Debian package in G.722: it needs apt-get, dpkg-deb and ffmpeg; $tool is not here." >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get download -q asterisk-core-sounds-en-g722 >/dev/null 2>&1 && dpkg-deb -x asterisk-core-sounds-en-g722_*.deb .) ||
	{ echo "The speech could not be downloaded: apt-get download asterisk-core-sounds-en-g722 failed; run apt-get update, then try again." >&2; exit 1; }
mkdir -p "$(dirname "$out")"
ffmpeg -v error -y -f g722 -i "$work/usr/share/asterisk/sounds/en_US_f_Allison/demo-instruct.g722" -ar 16000 -ac 1 -c:a pcm_s16le "$out"
