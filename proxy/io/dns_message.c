/*
 * dns_message.c -- what name servers answer, as bytes.
 */
#include "config.h"

#include "io/dns_message.h"

#include <netinet/in.h>
#include <string.h>

#include "io/dns_reader.h"

enum {
	HEADER = 12,
	TYPE_CNAME = 5, TYPE_SOA = 6, CLASS_IN = 1,
	RCODE_NO_NAME = 3,
	LOOKED_AT_MAX = 256,	/* records of one section */
	ALIASES_MAX = 8,	/* in a row, in one answer */
	TTL_MOST_S = 86400,
	SOA_LEAST = 22		/* bytes: two names, five numbers */
};

/* Without an SOA record an answer that there is nothing should not be kept
 * (RFC 2308 section 5); yet small servers never send one, and each request
 * would ask them anew. */
enum { TTL_NO_SOA_S = 10 };

/* What stands before the data of a record. */
struct head {
	char		owner[DNS_NAME_SIZE];
	unsigned	type, class;
	uint32_t	ttl_s;
	size_t		end;		/* of the data */
};

struct reading {
	const struct dns_question *q;
	struct dns_reply *out;
	struct dns_reader answers, authorities;
	unsigned	 nanswers, nauthorities;
};

/* RFC 2181 section 8: with the highest bit, it is none at all. */
static uint32_t
take_ttl(struct dns_reader *r)
{
	uint32_t ttl_s = dns_take_u32(r);

	if (ttl_s > INT32_MAX)
		return 0;
	return ttl_s < TTL_MOST_S ? ttl_s : TTL_MOST_S;
}

static void
take_head(struct dns_reader *r, struct head *h)
{
	size_t n;

	dns_take_name(r, h->owner);
	h->type = dns_take_u16(r);
	h->class = dns_take_u16(r);
	h->ttl_s = take_ttl(r);
	n = dns_take_u16(r);
	h->end = dns_has(r, n) ? r->at + n : r->len;
}

/* Do all data of this record and nothing else make it up? */
static bool
ended(struct dns_reader *r, const struct head *h)
{
	bool ok = !r->bad && r->at == h->end;

	r->bad = r->bad || r->at > h->end;
	return ok;
}

static bool
read_addr(union dns_record *rec, struct dns_reader *r, const struct head *h)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	size_t n = h->end - r->at;

	if (h->type == DNS_A && n == sizeof in.sin_addr) {
		memcpy(&in.sin_addr, r->m + r->at, n);
		return addr_from_sockaddr(&rec->addr, (struct sockaddr *)&in);
	}
	if (h->type == DNS_AAAA && n == sizeof in6.sin6_addr) {
		memcpy(&in6.sin6_addr, r->m + r->at, n);
		return addr_from_sockaddr(&rec->addr,
		    (struct sockaddr *)&in6);
	}
	return false;
}

/* RFC 2782, Target: "." says that there is no such service; it is kept. */
static bool
read_srv(union dns_record *rec, struct dns_reader *r, const struct head *h,
    char text[DNS_NAME_SIZE])
{
	char host[DNS_NAME_SIZE];
	bool root;

	rec->srv.priority = (uint16_t)dns_take_u16(r);
	rec->srv.weight = (uint16_t)dns_take_u16(r);
	rec->srv.port = (uint16_t)dns_take_u16(r);
	root = dns_has(r, 1) && r->m[r->at] == 0;
	dns_take_name(r, host);
	rec->srv.host = text;
	text[0] = '\0';
	if (!ended(r, h))
		return false;
	return root || (rec->srv.port != 0 &&
	    target_host_copy(text, str_of(host)));
}

/* RFC 3263 section 4.1 and, for how it must look, section 8. */
static bool
is_sip_service(struct str service, enum transport *out)
{
	static const char *const name[TRANSPORTS] = {
		[TRANSPORT_UDP] = "SIP+D2U", [TRANSPORT_TCP] = "SIP+D2T",
		[TRANSPORT_TLS] = "SIPS+D2T"
	};

	for (int t = 0; t < TRANSPORTS; t++) {
		if (!str_caseis(service, name[t]))
			continue;
		*out = (enum transport)t;
		return true;
	}
	return false;
}

static bool
read_naptr(union dns_record *rec, struct dns_reader *r, const struct head *h,
    char text[DNS_NAME_SIZE])
{
	struct str flags, service, regexp;
	char name[DNS_NAME_SIZE];

	rec->naptr.order = (uint16_t)dns_take_u16(r);
	rec->naptr.preference = (uint16_t)dns_take_u16(r);
	flags = dns_take_string(r);
	service = dns_take_string(r);
	regexp = dns_take_string(r);
	dns_take_name(r, name);
	rec->naptr.name = text;
	return ended(r, h) && str_caseis(flags, "s") && regexp.len == 0 &&
	    is_sip_service(service, &rec->naptr.transport) &&
	    target_host_copy(text, str_of(name));
}

static bool
read_record(union dns_record *rec, struct dns_reader *r, const struct head *h,
    char text[DNS_NAME_SIZE])
{
	switch (h->type) {
	case DNS_SRV:
		return read_srv(rec, r, h, text);
	case DNS_NAPTR:
		return read_naptr(rec, r, h, text);
	default:
		return read_addr(rec, r, h);
	}
}

/* What comes first is worth more. */
static uint32_t
worth(enum dns_type type, const union dns_record *rec)
{
	switch (type) {
	case DNS_SRV:
		return rec->srv.priority;
	case DNS_NAPTR:
		return (uint32_t)rec->naptr.order << 16 |
		    rec->naptr.preference;
	default:
		return 0;
	}
}

/* Where there are too many, the last ones to be tried are left out. */
static size_t
place_for(const struct dns_answer *a, const union dns_record *rec)
{
	size_t last = 0;

	if (a->n < DNS_RECORDS_MAX)
		return a->n;
	for (size_t i = 1; i < a->n; i++)
		if (worth(a->type, &a->v[i]) > worth(a->type, &a->v[last]))
			last = i;
	return worth(a->type, rec) < worth(a->type, &a->v[last]) ? last :
	    DNS_RECORDS_MAX;
}

static void
keep(struct dns_reply *out, union dns_record *rec, const char *text)
{
	struct dns_answer *a = &out->answer;
	size_t i = place_for(a, rec);

	if (i == DNS_RECORDS_MAX)
		return;
	if (a->type == DNS_SRV)
		rec->srv.host = strcpy(out->text[i], text);
	else if (a->type == DNS_NAPTR)
		rec->naptr.name = strcpy(out->text[i], text);
	a->v[i] = *rec;
	if (i == a->n)
		a->n++;
}

static void
lower_ttl(struct dns_reply *out, uint32_t ttl_s)
{
	if (ttl_s < out->answer.ttl_s)
		out->answer.ttl_s = ttl_s;
}

/* Keeps the records of this owner.  false: there are none of that type. */
static bool
collect(struct reading *rd, const char *owner)
{
	struct dns_reader r = rd->answers;
	bool found = false;
	struct head h;

	for (unsigned i = 0; i < rd->nanswers; i++) {
		union dns_record rec;
		char text[DNS_NAME_SIZE];

		take_head(&r, &h);
		if (r.bad)
			break;
		if (h.class == CLASS_IN && h.type == rd->q->type &&
		    str_caseis(str_of(owner), h.owner)) {
			found = true;
			lower_ttl(rd->out, h.ttl_s);
			if (read_record(&rec, &r, &h, text))
				keep(rd->out, &rec, text);
		}
		r.at = h.end;
	}
	rd->answers.bad = r.bad;
	return found;
}

/* The name that this one is an alias of. */
static bool
find_alias(struct reading *rd, char name[DNS_NAME_SIZE])
{
	struct dns_reader r = rd->answers;
	struct head h;

	for (unsigned i = 0; i < rd->nanswers && !r.bad; i++) {
		take_head(&r, &h);
		if (!r.bad && h.class == CLASS_IN && h.type == TYPE_CNAME &&
		    str_caseis(str_of(name), h.owner)) {
			lower_ttl(rd->out, h.ttl_s);
			dns_take_name(&r, h.owner);
			return !r.bad && r.at == h.end &&
			    target_host_copy(name, str_of(h.owner));
		}
		r.at = h.end;
	}
	return false;
}

/* RFC 2308 section 5: how long "there is none" may be believed. */
static bool
find_soa(struct reading *rd)
{
	struct dns_reader r = rd->authorities;
	struct head h;

	for (unsigned i = 0; i < rd->nauthorities; i++) {
		take_head(&r, &h);
		if (r.bad)
			return false;
		if (h.class == CLASS_IN && h.type == TYPE_SOA &&
		    h.end - r.at >= SOA_LEAST) {
			lower_ttl(rd->out, h.ttl_s);
			r.at = h.end - 4;		/* minimum */
			lower_ttl(rd->out, take_ttl(&r));
			return true;
		}
		r.at = h.end;
	}
	return false;
}

static void
skip_answers(struct reading *rd)
{
	struct dns_reader r = rd->answers;
	struct head h;

	for (unsigned i = 0; i < rd->nanswers && !r.bad; i++) {
		take_head(&r, &h);
		r.at = h.end;
	}
	rd->authorities = r;
}

static unsigned
at_most(unsigned n)
{
	return n < LOOKED_AT_MAX ? n : LOOKED_AT_MAX;
}

/* Is the question that was asked repeated? */
static bool
is_ours(const struct reading *rd, struct dns_reader *r)
{
	char name[DNS_NAME_SIZE];

	dns_take_name(r, name);
	return get_u16(r->m + 4) == 1 &&
	    str_caseis(str_of(rd->q->name), name) &&
	    dns_take_u16(r) == (unsigned)rd->q->type &&
	    dns_take_u16(r) == CLASS_IN && !r->bad;
}

static enum dns_verdict
read_answers(struct reading *rd, unsigned flags)
{
	char *name = rd->out->alias;
	unsigned rcode = flags & 0xf, aliases = 0;
	bool found;

	strcpy(name, rd->q->name);
	while (!(found = collect(rd, name)) && aliases < ALIASES_MAX &&
	    find_alias(rd, name))
		aliases++;
	if (rd->answers.bad)
		return DNS_USELESS;
	if (found)
		return DNS_ANSWERED;
	skip_answers(rd);
	if (find_soa(rd))
		return DNS_ANSWERED;
	if (rcode == 0 && aliases > 0)
		return DNS_ALIASED;
	/* Neither is it the server's own zone nor did it ask around: it has
	 * only told where else to ask. */
	if (rcode == 0 && (flags & 0x0480) == 0)
		return DNS_USELESS;
	lower_ttl(rd->out, TTL_NO_SOA_S);
	return DNS_ANSWERED;
}

enum dns_verdict
dns_reply_read(struct dns_reply *out, const uint8_t *m, size_t len,
    const struct dns_question *q)
{
	struct dns_reader r = { m, len, HEADER, false };
	struct reading rd = { .q = q, .out = out };
	unsigned flags, rcode;

	out->answer = (struct dns_answer){ .type = q->type,
		.ttl_s = TTL_MOST_S };
	if (len < HEADER)
		return DNS_USELESS;
	flags = get_u16(m + 2);
	rcode = flags & 0xf;
	/* A response to a standard query, and a whole one (RFC 1035 section
	 * 4.1.1). */
	if ((flags & 0xfa00) != 0x8000 || !is_ours(&rd, &r) ||
	    (rcode != 0 && rcode != RCODE_NO_NAME))
		return DNS_USELESS;
	rd.answers = r;
	rd.nanswers = at_most(get_u16(m + 6));
	rd.nauthorities = at_most(get_u16(m + 8));
	return read_answers(&rd, flags);
}
