#!/bin/sh
# Fetches the WebAssembly module of the voice processing with npm, and keeps it only
# if it is the one that Sotto was tried with. Without npm or a network nothing is
# fetched, and the build does without: that is no error.
set -eu
cd "$(dirname "$0")/.."

folder=audio/dsp/modules
package=@sapphi-red/web-noise-suppressor@0.4.1
inside=package/dist/rnnoise_simd.wasm
wanted=378fd17c294db15ee4e818ba5ef072242a21c8ad7445b483f7f46d7dc4f2c253

sum() {
	if command -v sha256sum >/dev/null 2>&1; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

target=$folder/rnnoise.wasm
if [ -f "$target" ]; then
	[ "$(sum "$target")" = "$wanted" ] && exit 0
	rm -f "$target"
fi
without="this build has no noise suppression"
command -v npm >/dev/null 2>&1 || { echo "npm is not here, so $without." >&2; exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! (cd "$work" && npm pack --silent --fetch-retries 1 --fetch-timeout 20000 "$package" >/dev/null 2>&1); then
	echo "npm could not fetch $package, so $without." >&2
	exit 0
fi
tar -xzf "$work"/*.tgz -C "$work" "$inside"
if [ "$(sum "$work/$inside")" != "$wanted" ]; then
	echo "What npm fetched as $package is not what Sotto was tried with, so it is not used and $without." >&2
	exit 0
fi
mkdir -p "$folder"
cp "$work/$inside" "$target.part"
mv "$target.part" "$target"
