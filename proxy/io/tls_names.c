/*
 * tls_names.c -- who a certificate is about.
 *
 * Only subjectAltName counts, never the common name.  A name that is no host
 * name or address (a NUL within, a URI with a user) is none.
 *
 * Sources: RFC 5922 sections 7.1, 7.2; RFC 6125 6.4.3 (wildcards).
 */
#include "config.h"

#include "io/tls_inner.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/x509v3.h>

#include "base/addr.h"

/* Room for names, which are counted first and written then. */
struct writing {
	struct tls_names	*to;	/* NULL: count */
	char			*text;
	size_t			 n, bytes;
};

static bool
is_host(struct str s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	if (s.len == 0 || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == '\0' || strchr(allowed, s.p[i]) == NULL)
			return false;
	return true;
}

static bool
is_wildcard(struct str s)
{
	return s.len > 2 && s.p[0] == '*' && s.p[1] == '.' &&
	    is_host((struct str){ s.p + 2, s.len - 2 });
}

static void
put(struct writing *w, struct str s)
{
	if (w->to != NULL) {
		char *to = w->text + w->bytes;

		for (size_t i = 0; i < s.len; i++)
			to[i] = ascii_lower(s.p[i]);
		to[s.len] = '\0';
		w->to->name[w->n] = to;
	}
	w->n++;
	w->bytes += s.len + 1;
}

static void
put_addr(struct writing *w, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	put(w, str_of(addr_host_text(a, text)));
}

/* A scheme other than sip, or a user, makes it no domain: RFC 5922 7.1. */
static void
put_uri(struct writing *w, struct str s)
{
	size_t end;
	struct addr a;

	if (s.len < 4 || strncasecmp(s.p, "sip:", 4) != 0 ||
	    memchr(s.p, '@', s.len) != NULL)
		return;
	s.p += 4;
	s.len -= 4;
	for (end = 0; end < s.len && s.p[end] != ';' && s.p[end] != '?' &&
	    s.p[end] != ':'; end++)
		if (s.p[end] == '[')
			while (end + 1 < s.len && s.p[end] != ']')
				end++;
	s.len = end;
	if (addr_parse_host(&a, s))
		put_addr(w, &a);
	else if (is_host(s))
		put(w, s);
}

static void
put_dns(struct writing *w, struct str s, bool wildcards)
{
	struct addr a;

	if ((is_host(s) && !addr_parse_host(&a, s)) ||
	    (wildcards && is_wildcard(s)))
		put(w, s);
}

static void
put_ip(struct writing *w, struct str s)
{
	struct addr a = { .ip = { [10] = 0xff, 0xff } };

	if (s.len != 4 && s.len != 16)
		return;
	memcpy(a.ip + 16 - s.len, s.p, s.len);
	put_addr(w, &a);
}

static void
put_kind(struct writing *w, GENERAL_NAMES *all, int kind, bool wildcards)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
		const ASN1_STRING *a;
		struct str s;

		if (g->type != kind)
			continue;
		a = GENERAL_NAME_get0_value(g, NULL);
		s.p = (const char *)ASN1_STRING_get0_data(a);
		s.len = (size_t)ASN1_STRING_length(a);
		if (kind == GEN_URI)
			put_uri(w, s);
		else if (kind == GEN_DNS)
			put_dns(w, s, wildcards);
		else
			put_ip(w, s);
	}
}

static void
put_all(struct writing *w, GENERAL_NAMES *all, enum tls_names_of which)
{
	put_kind(w, all, GEN_URI, false);
	if (w->n == 0 || which == TLS_NAMES_SNI)
		put_kind(w, all, GEN_DNS, which != TLS_NAMES_SIP);
	put_kind(w, all, GEN_IPADD, false);
}

bool
tls_names_read(struct tls_names *n, X509 *x, enum tls_names_of which)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL,
	    NULL);
	struct writing w = { 0 };
	char *room;

	*n = (struct tls_names){ 0 };
	if (all == NULL)
		return true;
	put_all(&w, all, which);
	room = malloc(w.n * sizeof *n->name + w.bytes + 1);
	if (room != NULL) {
		n->name = (const char **)room;
		n->n = w.n;
		w = (struct writing){ .to = n,
			.text = room + w.n * sizeof *n->name };
		put_all(&w, all, which);
	}
	GENERAL_NAMES_free(all);
	return room != NULL;
}

void
tls_names_fini(struct tls_names *n)
{
	free(n->name);
	*n = (struct tls_names){ 0 };
}

/* Addresses have many spellings; the list has one. */
static const char *
spelled(const char *name, char text[ADDR_TEXT_MAX])
{
	struct addr a;

	return addr_parse_host(&a, str_of(name)) ? addr_host_text(&a, text) :
	    name;
}

bool
tls_names_have(const struct tls_names *n, const char *name)
{
	char text[ADDR_TEXT_MAX];

	name = spelled(name, text);
	for (size_t i = 0; i < n->n; i++)
		if (strcasecmp(n->name[i], name) == 0)
			return true;
	return false;
}

bool
tls_names_match(const struct tls_names *n, const char *name)
{
	const char *rest = strchr(name, '.');
	struct addr a;

	if (tls_names_have(n, name))
		return true;
	if (rest == NULL || rest == name || addr_parse_host(&a, str_of(name)))
		return false;
	for (size_t i = 0; i < n->n; i++)
		if (n->name[i][0] == '*' &&
		    strcasecmp(n->name[i] + 1, rest) == 0)
			return true;
	return false;
}
