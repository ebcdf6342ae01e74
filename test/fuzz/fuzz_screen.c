/*
 * fuzz_screen.c -- libFuzzer target: any bytes, in one piece and in two, must
 * get one verdict, and offsets that lie within them.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guard/screen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct head limits = { .max_bytes = 4096, .max_lines = 64 };

static void
must(int condition)
{
	if (!condition)
		abort();
}

static void
check_offsets(const struct head *h, enum head_verdict v, size_t len)
{
	must(h->start <= len && h->scanned <= len && h->line <= h->scanned);
	if (v != HEAD_WHOLE)
		return;
	must(h->len >= h->start + 4 && h->len <= len);
	must(h->len - h->start <= limits.max_bytes);
	must(h->lines <= limits.max_lines);
	must(h->body >= -1 && h->body <= INT32_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head once = limits, twice = limits;
	enum head_verdict v, w;
	const char *p;
	size_t cut;

	if (size == 0)
		return 0;
	p = (const char *)data + 1;
	size--;
	cut = size * data[0] / 255;
	v = screen_head(&once, p, size);
	check_offsets(&once, v, size);
	w = screen_head(&twice, p, cut);
	check_offsets(&twice, w, cut);
	if (w == HEAD_MORE)
		w = screen_head(&twice, p, size);
	check_offsets(&twice, w, size);
	/* STUN is known by more bytes than it takes to refuse it. */
	must(v == w || (v == HEAD_STUN && w > HEAD_MORE));
	must(v != HEAD_WHOLE || (once.len == twice.len &&
	    once.body == twice.body));
	return 0;
}
