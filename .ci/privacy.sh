#!/bin/sh
# Plays calls between network namespaces with bin/sotto and writes what was captured into
# docs/privacy.md. Needs Linux and root; without root it tries a user namespace of its own,
# and where neither is to be had the tests say what was not tested.
set -eu

if [ "$(uname -s)" = Linux ] && ! command -v ip >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	apt-get update -q || true
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q iproute2 || true
fi

test="${GO:-go} test -tags nolibopusfile -count 1 -timeout 15m -v -run ^TestPrivacy ./net/nettest/hosts/"
export SOTTO_TEST_PRIVACY="$PWD/bin/sotto" SOTTO_PRIVACY_PAGE="$PWD/docs/privacy.md"
if [ "$(id -u)" != 0 ] && command -v unshare >/dev/null 2>&1 && unshare -Urmn true 2>/dev/null; then
	exec unshare -Urmn sh -c "mount -t tmpfs none /run && exec $test"
fi
exec $test
