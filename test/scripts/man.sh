#!/bin/sh
# Our manual pages are well formed, and name every event of the log.
cd "${srcdir:-.}" || exit 99
n=0

for page in man/*.[1-8]; do
	n=$((n + 1))
	if ! command -v mandoc >/dev/null; then
		echo "ok $n - $page # SKIP mandoc is not installed"
	elif report=$(mandoc -T lint -W warning "$page"); then
		echo "ok $n - $page"
	else
		echo "not ok $n - $page"
		echo "$report" | sed 's/^/# /'
	fi
done

events=$(sed -n 's/^E(EV_[A-Z_]*, "\([^"]*\)".*/\1/p' proxy/base/events.h)
for event in $events; do
	n=$((n + 1))
	if grep -qwF "$event" man/sipbouncer.8; then
		echo "ok $n - $event"
	else
		echo "not ok $n - $event is not in man/sipbouncer.8"
	fi
done
echo "1..$n"
