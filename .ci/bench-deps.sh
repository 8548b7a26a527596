#!/bin/sh
# What the sound bench compares with and listens through, installed where that can
# be done without asking; the bench itself says what it does without.
set -eu
missing=""
for pair in pulseaudio:pulseaudio pactl:pulseaudio-utils chromium:chromium baresip:baresip-core ffmpeg:ffmpeg iptables:iptables ip:iproute2; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
ls /usr/share/asterisk/sounds/*/vm-review.g722 >/dev/null 2>&1 || missing="$missing asterisk-core-sounds-en-g722"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing for the bench:$missing"
	apt-get update -q
	# One by one: what cannot be had here must not keep the rest away.
	for package in $missing; do DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$package" || echo "not to be had here: $package"; done
else
	echo "the bench goes on without:$missing"
fi
