/*
 * fuzz_number.c -- libFuzzer target: a number is read within its bounds, and
 * the same however it is escaped.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guard/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CALLED_MAX = 512 };

static void
must(int condition)
{
	if (!condition)
		abort();
}

static void
check(const struct number *n)
{
	must(n->len <= NUMBER_READ_MAX);
	must(n->len > 0 || !n->plain);
	must(number_begins(n, (struct str){ n->text, n->len }));
	for (size_t i = 0; i < n->len; i++)
		must(n->text[i] > ' ' && n->text[i] < 0x7f);
}

static void
compare_escaped(struct str called, const struct number *n)
{
	char escaped[3 * CALLED_MAX + 1];
	struct number again;

	if (called.len > CALLED_MAX ||
	    memchr(called.p, '%', called.len) != NULL ||
	    memchr(called.p, ';', called.len) != NULL)
		return;
	for (size_t i = 0; i < called.len; i++) {
		escaped[3 * i] = '%';
		hex_encode(escaped + 3 * i + 1,
		    (const uint8_t *)called.p + i, 1);
	}
	number_read(&again, (struct str){ escaped, 3 * called.len });
	must(again.len == n->len && again.plain == n->plain);
	must(memcmp(again.text, n->text, n->len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str called = { (const char *)data, size }, params = called;
	const char *tail = size == 0 ? NULL : memchr(data, ';', size);
	struct number reading[NUMBER_READINGS], one;
	size_t n;

	if (tail != NULL) {
		params.len -= (size_t)(tail - params.p);
		params.p = tail;
	}
	n = number_readings(reading, called, params);
	must(n <= NUMBER_READINGS);
	for (size_t i = 0; i < n; i++)
		check(&reading[i]);
	number_read(&one, called);
	must(n == 0 || (one.len == reading[0].len &&
	    one.plain == reading[0].plain));
	compare_escaped(called, &one);
	return 0;
}
