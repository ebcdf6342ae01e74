/*
 * fuzz_dns_message.c -- libFuzzer target: whatever a name server answers, what
 * is kept of it is bounded and fit to be asked for.
 *
 * The first byte chooses what was asked; the rest is the message.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "io/dns_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool kept)
{
	if (!kept)
		abort();
}

static void
check_name(const char *name)
{
	char copy[DNS_NAME_SIZE];

	must(target_host_copy(copy, str_of(name)));
	must(strcmp(copy, name) == 0);
}

static void
check_record(enum dns_type type, const union dns_record *r)
{
	if (type == DNS_SRV && r->srv.host[0] != '\0') {
		must(r->srv.port != 0);
		check_name(r->srv.host);
	} else if (type == DNS_NAPTR) {
		must((unsigned)r->naptr.transport < TRANSPORTS);
		check_name(r->naptr.name);
	}
}

static void
check_answer(const struct dns_answer *a, enum dns_type type)
{
	must(a->type == type && !a->failed && a->ttl_s <= 86400);
	must(a->n <= DNS_RECORDS_MAX);
	for (size_t i = 0; i < a->n; i++)
		check_record(type, &a->v[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_SRV,
		DNS_NAPTR };
	struct dns_question q = { .name = "a.test" };
	struct dns_reply r;

	if (size < 1)
		return 0;
	q.type = types[data[0] % 4];
	switch (dns_reply_read(&r, data + 1, size - 1, &q)) {
	case DNS_ANSWERED:
		check_answer(&r.answer, q.type);
		break;
	case DNS_ALIASED:
		check_name(r.alias);
		break;
	default:
		break;
	}
	return 0;
}
