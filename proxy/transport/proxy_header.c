/*
 * proxy_header.c -- the PROXY protocol, versions 1 and 2.
 *
 * Version 1:   "PROXY TCP4 " source SP target SP port SP port CRLF
 *              (or TCP6), or "PROXY UNKNOWN" anything CRLF
 *
 * Version 2:   12 signature | 1 version, command | 1 family, protocol
 *              | 2 length of the rest | source | target | 2 port | 2 port
 *              | TLVs: 1 type | 2 length | value
 */
#include "config.h"

#include "transport/proxy_header.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/count.h"
#include "base/text.h"

enum {
	V1_MAX = 107,			/* with its CRLF */
	V2_SIGNATURE = 12,
	V2_FIXED = 16,			/* what the length does not count */
	CRC_BYTES = 4
};

enum { CMD_LOCAL = 0x20, CMD_PROXY = 0x21 };
enum { FAMILY_NONE, FAMILY_INET, FAMILY_INET6, FAMILY_UNIX };
enum { PROTO_STREAM = 1, PROTO_DGRAM = 2 };
enum { TLV_HEAD = 3, TLV_CRC32C = 0x03 };

/* After the first verdict that is not PROXY_WHOLE nothing more is taken, so
 * that the steps below need not ask each other. */
struct reader {
	struct str		 rest;
	enum proxy_verdict	 verdict;
};

static void
refuse_if(struct reader *r, bool wrong)
{
	if (wrong && r->verdict == PROXY_WHOLE)
		r->verdict = PROXY_BAD;
}

/* len bytes, which are lent; NULL: they are not there. */
static const char *
take(struct reader *r, size_t len)
{
	const char *p = r->rest.p;

	if (r->verdict == PROXY_WHOLE && r->rest.len < len)
		r->verdict = PROXY_MORE;
	if (r->verdict != PROXY_WHOLE)
		return NULL;
	r->rest.p += len;
	r->rest.len -= len;
	return p;
}

static void
take_exactly(struct reader *r, const char *want, size_t len)
{
	size_t there = r->rest.len < len ? r->rest.len : len;

	refuse_if(r, memcmp(r->rest.p, want, there) != 0);
	take(r, len);
}

static bool
next_is(const struct reader *r, char c)
{
	return r->rest.len > 0 && r->rest.p[0] == c;
}

static void
set_addr(struct addr *a, int family, const void *ip, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (family == AF_INET) {
		memcpy(&in.sin_addr, ip, sizeof in.sin_addr);
		addr_from_sockaddr(a, (const struct sockaddr *)&in);
	} else {
		memcpy(&in6.sin6_addr, ip, sizeof in6.sin6_addr);
		addr_from_sockaddr(a, (const struct sockaddr *)&in6);
	}
	a->port = port;
}

/* ---- version 1 */

static bool
parse_ip(void *ip, int family, struct str head, const char *tail)
{
	char text[INET6_ADDRSTRLEN];
	size_t more = strlen(tail);

	if (head.len + more >= sizeof text ||
	    memchr(head.p, '\0', head.len) != NULL)
		return false;
	memcpy(text, head.p, head.len);
	memcpy(text + head.len, tail, more + 1);
	return inet_pton(family, text, ip) == 1;
}

/* Is there an address that begins so?  Then it is one with one of these
 * endings, too. */
static bool
begins_ip(int family, struct str head)
{
	static const char *const endings[] = { "", "0", ":", "::", ".0",
		"0.0", ".0.0", "0.0.0", ".0.0.0", "0.0.0.0" };
	struct in6_addr ip;

	for (size_t i = 0; i < COUNT(endings); i++) {
		if (parse_ip(&ip, family, head, endings[i]))
			return true;
	}
	return false;
}

/* What stands before end, which is taken, too; or all that is there. */
static bool
take_until(struct reader *r, char end, struct str *field)
{
	const char *e = memchr(r->rest.p, end, r->rest.len);

	*field = r->rest;
	if (e == NULL)
		return false;
	field->len = (size_t)(e - r->rest.p);
	return take(r, field->len + 1) != NULL;
}

static void
take_ip(struct reader *r, int family, struct addr *a)
{
	struct in6_addr ip;
	struct str field;

	if (r->verdict != PROXY_WHOLE)
		return;
	if (!take_until(r, ' ', &field))
		r->verdict = begins_ip(family, field) ? PROXY_MORE : PROXY_BAD;
	else if (parse_ip(&ip, family, field, ""))
		set_addr(a, family, &ip, 0);
	else
		r->verdict = PROXY_BAD;
}

static void
take_port(struct reader *r, char end, struct addr *a)
{
	uint64_t n = 0;
	struct str field;
	bool whole;

	if (r->verdict != PROXY_WHOLE)
		return;
	whole = take_until(r, end, &field);
	refuse_if(r, field.len > 1 && field.p[0] == '0');
	refuse_if(r, (whole || field.len > 0) &&
	    !parse_uint(field, UINT16_MAX, &n));
	if (!whole && r->verdict == PROXY_WHOLE)
		r->verdict = PROXY_MORE;
	a->port = (uint16_t)n;
}

/* "must ignore anything presented before the CRLF"; but a line must be one. */
static void
take_unknown(struct reader *r)
{
	struct str ignored;
	bool whole;

	take_exactly(r, "UNKNOWN", 7);
	refuse_if(r, r->rest.len > 0 && !next_is(r, ' ') && !next_is(r, '\r'));
	if (r->verdict != PROXY_WHOLE)
		return;
	whole = take_until(r, '\r', &ignored);
	refuse_if(r, memchr(ignored.p, '\n', ignored.len) != NULL);
	if (!whole && r->verdict == PROXY_WHOLE)
		r->verdict = PROXY_MORE;
}

static void
take_told(struct reader *r, struct proxy_header *h)
{
	int family;

	take_exactly(r, "TCP", 3);
	family = next_is(r, '6') ? AF_INET6 : AF_INET;
	take_exactly(r, family == AF_INET6 ? "6 " : "4 ", 2);
	take_ip(r, family, &h->source);
	take_ip(r, family, &h->target);
	take_port(r, ' ', &h->source);
	take_port(r, '\r', &h->target);
}

static void
take_v1(struct reader *r, struct proxy_header *h)
{
	size_t len = r->rest.len;

	if (len > V1_MAX)
		r->rest.len = len = V1_MAX;
	take_exactly(r, "PROXY ", 6);
	h->local = next_is(r, 'U');
	if (h->local)
		take_unknown(r);
	else
		take_told(r, h);
	take_exactly(r, "\n", 1);
	h->len = len - r->rest.len;
	if (r->verdict == PROXY_MORE && len == V1_MAX)
		r->verdict = PROXY_BAD;
}

/* ---- version 2 */

static uint8_t
take_byte(struct reader *r)
{
	const char *p = take(r, 1);

	return p == NULL ? 0 : (uint8_t)*p;
}

/* Its first byte may already show that it is above max. */
static size_t
take_length(struct reader *r, size_t max)
{
	size_t n = (size_t)take_byte(r) << 8;

	refuse_if(r, n > max);
	n |= take_byte(r);
	refuse_if(r, n > max);
	return n;
}

/* CRC-32C (RFC 3720 B.4) as it goes on over len more bytes. */
static uint32_t
crc32c(uint32_t crc, const char *p, size_t len)
{
	static const uint32_t of_nibble[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	for (size_t i = 0; i < len; i++) {
		crc ^= (uint8_t)p[i];
		crc = crc >> 4 ^ of_nibble[crc & 15];
		crc = crc >> 4 ^ of_nibble[crc & 15];
	}
	return crc;
}

/* Of the whole header, with zeros where the sum itself stands. */
static bool
sum_is_right(const char *header, size_t len, const char *sum)
{
	static const char zeros[CRC_BYTES];
	const char *after = sum + CRC_BYTES;
	uint32_t crc = UINT32_MAX;

	crc = crc32c(crc, header, (size_t)(sum - header));
	crc = crc32c(crc, zeros, sizeof zeros);
	crc = crc32c(crc, after, len - (size_t)(after - header));
	return ~crc == get_u32((const uint8_t *)sum);
}

/* One TLV of at most left bytes; returns how many it has. */
static size_t
take_tlv(struct reader *r, size_t left, const char **sum)
{
	size_t n, max;
	const char *value;
	bool is_sum;

	refuse_if(r, left < TLV_HEAD);
	if (r->verdict != PROXY_WHOLE)
		return left;
	max = left - TLV_HEAD;
	is_sum = take_byte(r) == TLV_CRC32C;
	refuse_if(r, is_sum && (*sum != NULL || max < CRC_BYTES));
	n = take_length(r, is_sum ? CRC_BYTES : max);
	refuse_if(r, is_sum && n != CRC_BYTES);
	value = take(r, n);
	if (is_sum)
		*sum = value;
	return n + TLV_HEAD;
}

static void
take_tlvs(struct reader *r, size_t left, const char *header, size_t len)
{
	const char *sum = NULL;

	while (left > 0 && r->verdict == PROXY_WHOLE)
		left -= take_tlv(r, left, &sum);
	refuse_if(r, sum != NULL && r->verdict == PROXY_WHOLE &&
	    !sum_is_right(header, len, sum));
}

static size_t
ip_bytes(unsigned family)
{
	return family == FAMILY_INET ? 4 : family == FAMILY_INET6 ? 16 : 0;
}

static void
take_addresses(struct reader *r, unsigned family, struct proxy_header *h)
{
	size_t n = ip_bytes(family);
	int af = family == FAMILY_INET ? AF_INET : AF_INET6;
	const char *p = take(r, 2 * n + 4);
	const uint8_t *ports;

	if (p == NULL)
		return;
	ports = (const uint8_t *)p + 2 * n;
	set_addr(&h->source, af, p, get_u16(ports));
	set_addr(&h->target, af, p + n, get_u16(ports + 2));
}

/* The fourteenth byte; where it is of no use to us it is still one that the
 * protocol has. */
static bool
is_kind(uint8_t kind, bool datagram)
{
	unsigned family = kind >> 4, proto = kind & 15;

	if (family == FAMILY_NONE)
		return proto == 0;
	return family <= FAMILY_UNIX &&
	    proto == (datagram ? PROTO_DGRAM : PROTO_STREAM);
}

/* What belongs to no address that we know is skipped unread. */
static void
take_v2(struct reader *r, struct proxy_header *h, bool datagram)
{
	const char *header = r->rest.p;
	uint8_t command, kind;
	size_t n, told;

	take_exactly(r, "\r\n\r\n\0\r\nQUIT\n", V2_SIGNATURE);
	command = take_byte(r);
	refuse_if(r, command != CMD_LOCAL && command != CMD_PROXY);
	kind = take_byte(r);
	refuse_if(r, command == CMD_PROXY && !is_kind(kind, datagram));
	n = take_length(r, PROXY_HEADER_MAX - V2_FIXED);
	h->len = V2_FIXED + n;
	told = command == CMD_PROXY ? ip_bytes(kind >> 4) : 0;
	h->local = told == 0;
	if (h->local) {
		take(r, n);
		return;
	}
	told = 2 * told + 4;
	refuse_if(r, n < told);
	take_addresses(r, kind >> 4, h);
	if (r->verdict == PROXY_WHOLE)
		take_tlvs(r, n - told, header, h->len);
}

enum proxy_verdict
proxy_header_parse(struct proxy_header *h, const char *p, size_t len,
    bool datagram)
{
	struct reader r = { .rest = { p, len } };

	memset(h, 0, sizeof *h);
	if (len == 0)
		r.verdict = PROXY_MORE;
	else if (p[0] == 'P' && !datagram)
		take_v1(&r, h);
	else
		take_v2(&r, h, datagram);
	/* Nothing comes after a datagram. */
	if (datagram && r.verdict == PROXY_MORE)
		r.verdict = PROXY_BAD;
	return r.verdict;
}
