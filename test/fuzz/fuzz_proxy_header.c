/*
 * fuzz_proxy_header.c -- libFuzzer target: any bytes get one verdict, whether
 * they come at once or one by one.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "transport/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool kept)
{
	if (!kept)
		abort();
}

static void
check_told(const struct proxy_header *h, size_t size)
{
	must(h->len > 0 && h->len <= size && h->len <= PROXY_HEADER_MAX);
	if (h->local)
		must(h->source.port == 0 && addr_is_any(&h->source));
}

/* More bytes are asked for until the verdict is there, and it stays. */
static void
check_parts(const char *p, size_t size, const struct proxy_header *whole,
    enum proxy_verdict verdict)
{
	enum proxy_verdict v, before = PROXY_MORE;
	struct proxy_header h;

	for (size_t n = 0; n <= size && n <= PROXY_HEADER_MAX + 1; n++) {
		v = proxy_header_parse(&h, p, n, false);
		must(before == PROXY_MORE || v == before);
		must(v != PROXY_WHOLE || (n >= h.len && h.len == whole->len &&
		    addr_same(&h.source, &whole->source) &&
		    addr_same(&h.target, &whole->target)));
		before = v;
	}
	must(before == verdict);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct proxy_header h;
	enum proxy_verdict v;

	v = proxy_header_parse(&h, p, size, true);
	must(v != PROXY_MORE);
	if (v == PROXY_WHOLE)
		check_told(&h, size);
	v = proxy_header_parse(&h, p, size, false);
	must(v != PROXY_MORE || size < PROXY_HEADER_MAX);
	if (v == PROXY_WHOLE)
		check_told(&h, size);
	check_parts(p, size, &h, v);
	return 0;
}
