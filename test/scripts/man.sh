#!/bin/sh
# mandoc finds nothing to say about our manual pages.
cd "${srcdir:-.}" || exit 99
if ! command -v mandoc >/dev/null; then
	echo "1..0 # SKIP mandoc is not installed"
	exit 0
fi

n=0
for page in man/*.[1-8]; do
	n=$((n + 1))
	if report=$(mandoc -T lint -W warning "$page"); then
		echo "ok $n - $page"
	else
		echo "not ok $n - $page"
		echo "$report" | sed 's/^/# /'
	fi
done
echo "1..$n"
