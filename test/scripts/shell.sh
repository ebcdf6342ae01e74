#!/bin/sh
# Every script of ours passes shellcheck.
cd "${srcdir:-.}" || exit 99
if ! command -v shellcheck >/dev/null; then
	echo "1..0 # SKIP shellcheck is not installed"
	exit 0
fi

scripts=$(grep -lE '^#! ?/(usr/)?bin/(ba|da)?sh|^#!/usr/bin/env bash' \
    .ci/* scripts/* test/scripts/* 2>/dev/null)
n=0
for script in $scripts; do
	n=$((n + 1))
	if report=$(shellcheck "$script"); then
		echo "ok $n - $script"
	else
		echo "not ok $n - $script"
		echo "$report" | sed 's/^/# /'
	fi
done
echo "1..$n"
