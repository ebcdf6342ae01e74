/*
 * target.c -- a SIP URI taken apart as far as reaching it needs.
 */
#include "config.h"

#include "io/target.h"

#include <string.h>

#include "base/grammar.h"

static bool
is_graphic(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return true;
}

/* Takes what stands before the first of `stops` off the front of s. */
static struct str
take_until(struct str *s, const char *stops)
{
	struct str head = { s->p, 0 };

	while (head.len < s->len && strchr(stops, s->p[head.len]) == NULL)
		head.len++;
	s->p += head.len;
	s->len -= head.len;
	return head;
}

static void
skip(struct str *s, size_t n)
{
	s->p += n;
	s->len -= n;
}

static bool
take_scheme(struct target_uri *t, struct str *s)
{
	struct str scheme = take_until(s, ":");

	if (s->len == 0)
		return false;
	skip(s, 1);
	t->sips = str_caseis(scheme, "sips");
	return t->sips || str_caseis(scheme, "sip");
}

/* No unescaped '@' can stand anywhere else in a SIP URI. */
static bool
skip_user(struct str *s)
{
	const char *at = memchr(s->p, '@', s->len);

	if (at == NULL)
		return true;
	skip(s, (size_t)(at - s->p) + 1);
	return memchr(s->p, '@', s->len) == NULL;
}

static bool
is_name_byte(char c)
{
	return grammar_is(c, IS_ALPHA | IS_DIGIT) || c == '-' || c == '_';
}

static bool
is_number(const char *label, size_t len)
{
	return grammar_span((struct str){ label, len }, IS_DIGIT) == len;
}

bool
target_host_copy(char out[TARGET_HOST_MAX + 1], struct str name)
{
	size_t label = 0;

	if (name.len > 0 && name.p[name.len - 1] == '.')
		name.len--;
	if (name.len == 0 || name.len > TARGET_HOST_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (name.p[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!is_name_byte(name.p[i]) || ++label > 63) {
			return false;
		}
	}
	if (label == 0 || is_number(name.p + name.len - label, label))
		return false;
	memcpy(out, name.p, name.len);
	out[name.len] = '\0';
	return true;
}

static bool
set_host(struct target_uri *t, struct str host)
{
	bool bracketed = host.len > 0 && host.p[0] == '[';

	t->numeric = addr_parse_host(&t->addr, host);
	/* A bare IPv6 address is no host of a URI. */
	if (t->numeric)
		return bracketed || memchr(host.p, ':', host.len) == NULL;
	return target_host_copy(t->host, host);
}

static bool
take_host(struct target_uri *t, struct str *s)
{
	struct str host;

	if (s->len > 0 && s->p[0] == '[') {
		host = take_until(s, "]");
		if (s->len == 0)
			return false;
		host.len++;
		skip(s, 1);
	} else {
		host = take_until(s, ":;?");
	}
	return set_host(t, host);
}

static bool
take_port(struct target_uri *t, struct str *s)
{
	uint64_t port;

	if (s->len == 0 || s->p[0] != ':')
		return true;
	skip(s, 1);
	if (!parse_uint(take_until(s, ";?"), UINT16_MAX, &port) || port == 0)
		return false;
	t->port = (uint16_t)port;
	return true;
}

static bool
set_transport(struct target_uri *t, struct str value)
{
	if (t->transport != TARGET_OPEN)
		return false;			/* said twice */
	t->transport = transport_named(value);
	t->transport_given = true;
	return t->transport != TARGET_OPEN;
}

static bool
take_param(struct target_uri *t, struct str param)
{
	struct str name = take_until(&param, "=");

	if (param.len > 0)
		skip(&param, 1);
	if (str_caseis(name, "transport"))
		return set_transport(t, param);
	/* RFC 3263 section 4: TARGET is maddr where there is one. */
	if (str_caseis(name, "maddr"))
		return set_host(t, param);
	return true;
}

static bool
take_params(struct target_uri *t, struct str *s)
{
	while (s->len > 0 && s->p[0] == ';') {
		skip(s, 1);
		if (!take_param(t, take_until(s, ";?")))
			return false;
	}
	return s->len == 0 || s->p[0] == '?';
}

bool
target_parse(struct target_uri *t, struct str uri)
{
	memset(t, 0, sizeof *t);
	t->transport = TARGET_OPEN;
	if (!is_graphic(uri) || !take_scheme(t, &uri) || !skip_user(&uri) ||
	    !take_host(t, &uri) || !take_port(t, &uri) ||
	    !take_params(t, &uri))
		return false;
	if (t->sips) {
		/* RFC 3261 26.2.2: TLS, whatever lies below. */
		if (t->transport == TRANSPORT_UDP)
			return false;
		t->transport = TRANSPORT_TLS;
	}
	return true;
}

enum transport
target_default_transport(const struct target_uri *t, unsigned transports)
{
	if (t->transport != TARGET_OPEN)
		return (enum transport)t->transport;
	return (transports & (TRANSPORT_BIT(TRANSPORT_UDP) |
	    TRANSPORT_BIT(TRANSPORT_TCP))) == TRANSPORT_BIT(TRANSPORT_TCP) ?
	    TRANSPORT_TCP : TRANSPORT_UDP;
}

uint16_t
target_default_port(int transport)
{
	return transport == TRANSPORT_TLS ? SIPS_PORT : SIP_PORT;
}
