/*
 * fuzz_mend.c -- libFuzzer target: whatever a message looks like, what is
 * changed for the parser lies in its first line, CSeq, Via, a display name or
 * a fold, and what begins a line still does.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transport/mend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int condition)
{
	if (!condition)
		abort();
}

/* In a party: what is not ASCII of a name, and what is folded. */
static int
is_party_change(char was, char is)
{
	return (is == '_' && (unsigned char)was >= 0x80) ||
	    (is == ' ' && (was == '\r' || was == '\n'));
}

/* Method and CSeq: only the bytes that the parser does not know, and the first
 * letter of each of the two methods; and parties. */
static void
check_method(const char *was, const char *is, size_t len)
{
	size_t letters = 0;

	for (size_t i = 0; i < len; i++) {
		if (is_party_change(was[i], is[i]))
			continue;
		must(is[i] == was[i] || is[i] == '_');
		letters += is[i] != was[i] && was[i] != '+' && was[i] != '`';
		must(is[i] == was[i] || was[i] == '+' || was[i] == '`' ||
		    (was[i] >= 'A' && was[i] <= 'Z'));
	}
	must(letters <= 2);
}

/* URI: nothing behind the first line end. */
static void
check_uri(const char *was, const char *is, size_t len)
{
	const char *end = memchr(was, '\n', len);

	if (end != NULL)
		must(memcmp(end, is + (end - was),
		    len - (size_t)(end - was)) == 0 || end[1] == ' ' ||
		    end[1] == '\t');
}

static void
check_via(const char *was, const char *is, size_t len)
{
	size_t hosts = 0;

	for (size_t i = 0; i < len; i++) {
		hosts += is[i] == 'x' && was[i] != 'x';
		must(is[i] == was[i] || is[i] == ' ' || is[i] == 'x');
	}
	must(hosts <= 1);
}

/* Nothing else, and not the end of the last line. */
static void
check_parties(const char *was, const char *is, size_t len)
{
	for (size_t i = 0; i < len; i++)
		must(is[i] == was[i] || (is_party_change(was[i], is[i]) &&
		    (is[i] == '_' || i + 1 < len)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const check[])(const char *, const char *, size_t) = {
		[MEND_METHOD] = check_method, [MEND_URI] = check_uri,
		[MEND_VIA] = check_via, [MEND_PARTIES] = check_parties,
	};
	const char *was = (const char *)data;
	char *copy = malloc(size + 1);

	if (copy == NULL)
		return 0;
	must(mend_wanted(NULL, was, size) <= MEND_URI);
	for (int what = MEND_METHOD; what <= MEND_PARTIES; what++) {
		memcpy(copy, was, size);
		mend_bytes((enum mend)what, copy, size);
		check[what](was, copy, size);
	}
	free(copy);
	return 0;
}
