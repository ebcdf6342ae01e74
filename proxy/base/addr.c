/*
 * addr.c -- an address of the internet and networks of them, without DNS.
 */
#include "config.h"

#include "base/addr.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/count.h"
#include "base/writer.h"

static const uint8_t v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };

static void
set_v4(struct addr *a, const void *ip4)
{
	memcpy(a->ip, v4_prefix, sizeof v4_prefix);
	memcpy(a->ip + sizeof v4_prefix, ip4, 4);
}

/* A sockaddr may lie anywhere, so its parts are copied out. */
bool
addr_from_sockaddr(struct addr *a, const struct sockaddr *sa)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&in, sa, sizeof in);
		set_v4(a, &in.sin_addr);
		a->port = ntohs(in.sin_port);
		return true;
	case AF_INET6:
		memcpy(&in6, sa, sizeof in6);
		memcpy(a->ip, &in6.sin6_addr, sizeof a->ip);
		a->port = ntohs(in6.sin6_port);
		return true;
	default:
		return false;
	}
}

socklen_t
addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ss)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	memset(ss, 0, sizeof *ss);
	if (addr_is_v4(a)) {
		memcpy(&in.sin_addr, a->ip + sizeof v4_prefix, 4);
		in.sin_port = htons(a->port);
		memcpy(ss, &in, sizeof in);
		return sizeof in;
	}
	memcpy(&in6.sin6_addr, a->ip, sizeof a->ip);
	in6.sin6_port = htons(a->port);
	memcpy(ss, &in6, sizeof in6);
	return sizeof in6;
}

bool
addr_parse_host(struct addr *a, struct str host)
{
	char text[INET6_ADDRSTRLEN];
	struct in_addr in;
	struct in6_addr in6;
	bool bracketed = host.len >= 2 && host.p[0] == '[' &&
	    host.p[host.len - 1] == ']';

	if (bracketed) {
		host.p++;
		host.len -= 2;
	}
	if (host.len == 0 || host.len >= sizeof text ||
	    memchr(host.p, '\0', host.len) != NULL)
		return false;
	memcpy(text, host.p, host.len);
	text[host.len] = '\0';
	a->port = 0;
	if (!bracketed && inet_pton(AF_INET, text, &in) == 1) {
		set_v4(a, &in);
		return true;
	}
	if (inet_pton(AF_INET6, text, &in6) != 1)
		return false;
	memcpy(a->ip, &in6, sizeof a->ip);
	return true;
}

bool
addr_is_v4(const struct addr *a)
{
	return memcmp(a->ip, v4_prefix, sizeof v4_prefix) == 0;
}

bool
addr_same_ip(const struct addr *a, const struct addr *b)
{
	return memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool
addr_same(const struct addr *a, const struct addr *b)
{
	return addr_same_ip(a, b) && a->port == b->port;
}

bool
addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	if (addr_is_v4(a))
		return memcmp(a->ip + sizeof v4_prefix, zero, 4) == 0;
	return memcmp(a->ip, zero, sizeof zero) == 0;
}

bool
addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (addr_is_v4(a))
		return a->ip[sizeof v4_prefix] == 127;
	return memcmp(a->ip, one, sizeof one) == 0;
}

/* Without inet_ntop() for IPv4: it is printed with each message. */
static struct writer
host_text(const struct addr *a, char *out)
{
	struct writer w = writer_on(out, ADDR_TEXT_MAX - 1);
	char ip[INET6_ADDRSTRLEN];

	if (!addr_is_v4(a)) {
		inet_ntop(AF_INET6, a->ip, ip, sizeof ip);
		put_text(&w, "[");
		put_text(&w, ip);
		put_text(&w, "]");
		return w;
	}
	for (size_t i = sizeof v4_prefix; i < sizeof a->ip; i++) {
		put_uint(&w, a->ip[i]);
		if (i + 1 < sizeof a->ip)
			put_text(&w, ".");
	}
	return w;
}

const char *
addr_host_text(const struct addr *a, char *out)
{
	struct writer w = host_text(a, out);

	out[w.len] = '\0';
	return out;
}

const char *
addr_text(const struct addr *a, char *out)
{
	struct writer w = host_text(a, out);

	if (a->port != 0) {
		put_text(&w, ":");
		put_uint(&w, a->port);
	}
	out[w.len] = '\0';
	return out;
}

/* Are the first `bits` bits of both the same? */
static bool
same_prefix(const uint8_t a[16], const uint8_t b[16], unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	unsigned mask = 0xff00u >> rest & 0xff;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] & mask) == (b[whole] & mask);
}

static bool
has_host_bits(const struct net *n)
{
	static const uint8_t zero[16];
	uint8_t host[16];

	for (unsigned i = 0; i < sizeof host; i++) {
		unsigned kept = n->bits > i * 8 ? n->bits - i * 8 : 0;

		host[i] = kept >= 8 ? 0 : n->ip[i] & (0xff >> kept);
	}
	return memcmp(host, zero, sizeof zero) != 0;
}

bool
net_parse(struct net *n, struct str text)
{
	struct str host = text, tail;
	const char *slash;
	struct addr a;
	uint64_t bits;
	unsigned width;

	if (text.len == 0)
		return false;
	slash = memchr(text.p, '/', text.len);
	if (slash != NULL)
		host.len = (size_t)(slash - text.p);
	if (!addr_parse_host(&a, host))
		return false;
	/* Written with a colon, it counts its bits from the front. */
	width = memchr(host.p, ':', host.len) == NULL ? 32 : 128;
	bits = width;
	if (slash != NULL) {
		tail = (struct str){ slash + 1, text.len - host.len - 1 };
		if (!parse_uint(tail, width, &bits))
			return false;
	}
	memcpy(n->ip, a.ip, sizeof n->ip);
	n->bits = (unsigned)bits + 128 - width;
	return !has_host_bits(n);
}

bool
net_has(const struct net *n, const struct addr *a)
{
	/* ::/0 and the like mean IPv6: no IPv4 address stands under a prefix
	 * that is shorter than the one of the mapped form. */
	if (n->bits < 96 && addr_is_v4(a))
		return false;
	return same_prefix(n->ip, a->ip, n->bits);
}

static bool
begins_in(const struct net *n, const struct net *in)
{
	struct addr first = { .port = 0 };

	memcpy(first.ip, n->ip, sizeof first.ip);
	return net_has(in, &first);
}

bool
net_meets(const struct net *a, const struct net *b)
{
	return begins_in(a, b) || begins_in(b, a);
}

bool
nets_have(const struct net *n, size_t count, const struct addr *a)
{
	for (size_t i = 0; i < count; i++)
		if (net_has(&n[i], a))
			return true;
	return false;
}

bool
addr_is_private(const struct addr *a)
{
	static const struct net private[] = {
		NET_V4(10, 0, 8), NET_V4(172, 16, 12), NET_V4(192, 168, 16),
		NET_V4(100, 64, 10), NET_V6(0xfc, 0, 7), NET_V6(0xfe, 0xc0, 10),
		{ { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48 }
	};

	return nets_have(private, COUNT(private), a);
}

bool
net_is_everybody(const struct net *n)
{
	struct addr a = { .port = 0 };

	memcpy(a.ip, n->ip, sizeof a.ip);
	return n->bits == 0 || (n->bits == 96 && addr_is_v4(&a));
}
