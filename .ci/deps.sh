#!/bin/sh
# Makes sure that a C compiler, pkg-config and libopus are there: installs what
# is missing where it may, else says which package is wanted and stops.
set -eu

missing=""
command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || missing="$missing compiler"
command -v pkg-config >/dev/null 2>&1 || missing="$missing pkg-config"
{ command -v pkg-config >/dev/null 2>&1 && pkg-config --exists opus; } || missing="$missing opus"
[ -n "$missing" ] || exit 0

packages_for() { # $1: compiler package, $2: pkg-config package, $3: opus package
	for part in $missing; do
		case $part in
		compiler) printf '%s ' "$1" ;;
		pkg-config) printf '%s ' "$2" ;;
		opus) printf '%s ' "$3" ;;
		esac
	done
}

as_root=yes
if command -v apt-get >/dev/null 2>&1; then
	packages=$(packages_for gcc pkg-config libopus-dev)
	refresh="apt-get update -q"
	install="env DEBIAN_FRONTEND=noninteractive apt-get install -y -q $packages"
elif command -v dnf >/dev/null 2>&1; then
	packages=$(packages_for gcc pkgconf-pkg-config opus-devel)
	refresh=true
	install="dnf install -y $packages"
elif command -v pacman >/dev/null 2>&1; then
	packages=$(packages_for gcc pkgconf opus)
	refresh=true
	install="pacman -S --needed --noconfirm $packages"
elif command -v apk >/dev/null 2>&1; then
	packages=$(packages_for build-base pkgconf opus-dev)
	refresh=true
	install="apk add $packages"
elif command -v zypper >/dev/null 2>&1; then
	packages=$(packages_for gcc pkg-config libopus-devel)
	refresh=true
	install="zypper --non-interactive install $packages"
elif command -v brew >/dev/null 2>&1; then
	as_root=no
	packages=$(packages_for gcc pkg-config opus)
	refresh=true
	install="brew install $packages"
else
	echo "Sotto needs a C compiler, pkg-config and libopus with its headers; missing:$missing. Install them with your system's package manager, then run make again." >&2
	exit 1
fi

prefix=""
if [ "$as_root" = yes ] && [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
		prefix="sudo "
	else
		echo "Sotto needs these packages, and this account may not install them: $packages" >&2
		echo "Ask an administrator to run: $install" >&2
		exit 1
	fi
fi
echo "Sotto needs these packages and installs them now: $packages($prefix$install)"
$prefix$refresh || true
$prefix$install || { echo "The packages could not be installed. Install them by hand ($packages), then run make again." >&2; exit 1; }
pkg-config --exists opus || { echo "libopus was installed, but pkg-config does not find it. Set PKG_CONFIG_PATH to the folder of opus.pc, then run make again." >&2; exit 1; }
