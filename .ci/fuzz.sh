#!/bin/sh
# Runs every fuzz test for a while (FUZZTIME, default 30s each).
set -eu
for package in $(go list -tags nolibopusfile ./...); do
	for target in $(go test -tags nolibopusfile -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "fuzzing $package $target"
		go test -tags nolibopusfile -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-30s}" "$package"
	done
done
