#!/bin/sh
# systemd understands every line of the service file.
if ! command -v systemd-analyze >/dev/null; then
	echo "1..0 # SKIP systemd-analyze is not installed"
	exit 0
fi
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT

# The daemon need not be installed to have its unit read.
sed -e 's|@sbindir@/sipbouncer|/bin/true|' -e 's|@sysconfdir@|/etc|' \
    "${srcdir:-.}/etc/sipbouncer.service.in" >"$folder/sipbouncer.service"
mkdir "$folder/sipbouncer.service.d"
cp "${srcdir:-.}/etc/sipbouncer-nftables.conf" "$folder/sipbouncer.service.d/"
complaints=$(systemd-analyze verify --man=no \
    "$folder/sipbouncer.service" 2>&1 | grep -E 'sipbouncer\.service|sipbouncer-nftables')

echo 1..2
if [ -z "$complaints" ]; then
	echo "ok 1 - sipbouncer.service is understood"
else
	echo "not ok 1 - sipbouncer.service is understood"
	echo "$complaints" | sed 's/^/# /'
fi
if grep -q '@[a-z]*@' "$folder/sipbouncer.service"; then
	echo "not ok 2 - every @name@ is one that the Makefile fills in"
else
	echo "ok 2 - every @name@ is one that the Makefile fills in"
fi
