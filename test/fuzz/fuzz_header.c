/*
 * fuzz_header.c -- libFuzzer target: any bytes as the value of a header and as
 * a URI must get a verdict, the same as in other surroundings.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guard/header.h"
#include "guard/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int condition)
{
	if (!condition)
		abort();
}

/* What is a good From is a good Contact, and a good URI one in brackets. */
static void
check_surroundings(struct str s)
{
	enum uri_verdict v = uri_judge(s, URI_REQUEST);
	enum header_verdict party = header_party(s);

	must(party != HEADER_GOOD || header_contacts(s) == HEADER_GOOD);
	must(v != URI_GOOD || uri_judge(s, URI_ENCLOSED) == URI_GOOD);
	must(uri_judge(s, URI_BARE) != URI_GOOD || v == URI_GOOD);
	if (v != URI_BAD && v != URI_BAD_TEL)
		for (size_t i = 0; i < s.len; i++)
			must(strchr("<>\\\x7f", s.p[i]) == NULL &&
			    (unsigned char)s.p[i] > ' ');
}

static void
check_others(struct str s)
{
	struct str method = { .p = NULL };

	if (header_cseq(s, &method))
		must(method.len > 0 && method.p > s.p &&
		    method.p + method.len <= s.p + s.len);
	if (header_call_id(s))
		must(s.len > 0 && memchr(s.p, ' ', s.len) == NULL);
	if (header_max_forwards(s))
		must(s.len > 0);
	if (header_param(s))
		must(!uri_is_host(s) || memchr(s.p, '=', s.len) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = { (const char *)data, size };

	check_surroundings(s);
	check_others(s);
	return 0;
}
