/*
 * token_bytes.c -- the bytes of a token: what its kinds share.
 */
#include "config.h"

#include <string.h>

#include "base/secret.h"
#include "route/token_inner.h"

uint32_t
peer_id(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

void
sealing_u8(struct sealing *w, uint8_t v)
{
	w->p[w->n++] = v;
}

void
sealing_u16(struct sealing *w, uint16_t v)
{
	put_u16(w->p + w->n, v);
	w->n += 2;
}

void
sealing_u32(struct sealing *w, uint32_t v)
{
	put_u32(w->p + w->n, v);
	w->n += 4;
}

void
sealing_bytes(struct sealing *w, const void *p, size_t n)
{
	memcpy(w->p + w->n, p, n);
	w->n += n;
}

static void
write_address(struct sealing *w, enum transport t, const struct addr *a)
{
	size_t n = addr_is_v4(a) ? 4 : 16;

	sealing_u8(w, (uint8_t)t);
	sealing_u8(w, (uint8_t)n);
	sealing_bytes(w, a->ip + 16 - n, n);
	sealing_u16(w, a->port);
}

static void
write_holder(struct sealing *w, const struct side *s)
{
	sealing_u16(w, s->instance);
	if (s->inside.port == 0)
		sealing_u16(w, 0);
	else
		write_address(w, s->inside_transport, &s->inside);
}

void
sealing_side(struct sealing *w, const struct side *s)
{
	sealing_u8(w, (uint8_t)s->kind);
	if (s->kind == SIDE_NONE)
		return;
	if (s->kind == SIDE_PEER) {
		sealing_u32(w, s->peer);
		return;
	}
	if (s->kind == SIDE_FLOW) {
		sealing_u16(w, s->listener);
		sealing_u32(w, s->connection);
	}
	write_address(w, s->transport, &s->addr);
	if (s->kind == SIDE_FLOW)
		write_holder(w, s);
}

bool
token_user_fits(const char user[TOKEN_USER_MAX + 1])
{
	return memchr(user, '\0', TOKEN_USER_MAX + 1) != NULL;
}

void
sealing_user(struct sealing *w, const char *user)
{
	size_t len = strlen(user);

	sealing_u8(w, (uint8_t)len);
	sealing_bytes(w, user, len);
}

size_t
sealing_end(struct sealing *w, const uint8_t mac[TOKEN_MAC_BYTES], char *out)
{
	sealing_bytes(w, mac, MAC_SHORT);
	return base64url_encode(out, w->p, w->n);
}

struct reading
reading_of(struct str text, uint8_t *buf, size_t size)
{
	int n = base64url_decode(buf, size, text);

	if (n < MAC_SHORT)
		return (struct reading){ .bad = true };
	return (struct reading){ .p = buf, .left = (size_t)n - MAC_SHORT };
}

bool
reading_is_whole(const struct reading *r)
{
	return !r->bad && r->left == 0;
}

const uint8_t *
reading_bytes(struct reading *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || n > r->left) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

uint8_t
reading_u8(struct reading *r)
{
	const uint8_t *p = reading_bytes(r, 1);

	return p == NULL ? 0 : *p;
}

uint16_t
reading_u16(struct reading *r)
{
	const uint8_t *p = reading_bytes(r, 2);

	return p == NULL ? 0 : get_u16(p);
}

uint32_t
reading_u32(struct reading *r)
{
	const uint8_t *p = reading_bytes(r, 4);

	return p == NULL ? 0 : get_u32(p);
}

void
reading_text(struct reading *r, size_t n, char *out, size_t max)
{
	const uint8_t *p = reading_bytes(r, n);

	if (p == NULL)
		return;
	if (n > max || memchr(p, '\0', n) != NULL) {
		r->bad = true;
		return;
	}
	memcpy(out, p, n);
	out[n] = '\0';
}

/* *a is zeroed. */
static void
read_address(struct reading *r, enum transport *t, struct addr *a)
{
	uint8_t transport = reading_u8(r), n = reading_u8(r);
	const uint8_t *ip;

	if (transport >= TRANSPORTS || (n != 4 && n != 16)) {
		r->bad = true;
		return;
	}
	*t = (enum transport)transport;
	ip = reading_bytes(r, n);
	if (ip == NULL)
		return;
	memset(a->ip + 10, 0xff, 2);		/* ::ffff:0:0/96 */
	memcpy(a->ip + 16 - n, ip, n);
	/* IPv4 has one spelling, the short one. */
	if (n == 16 && addr_is_v4(a))
		r->bad = true;
	a->port = reading_u16(r);
}

static void
read_holder(struct reading *r, struct side *s)
{
	s->instance = reading_u16(r);
	if (r->left >= 2 && get_u16(r->p) == 0) {
		reading_u16(r);
		return;
	}
	read_address(r, &s->inside_transport, &s->inside);
	if (s->inside.port == 0)
		r->bad = true;
}

void
reading_side(struct reading *r, struct side *s)
{
	uint8_t kind = reading_u8(r);

	if (kind > SIDE_ADDR) {
		r->bad = true;
		return;
	}
	s->kind = (enum side_kind)kind;
	if (s->kind == SIDE_NONE)
		return;
	if (s->kind == SIDE_PEER) {
		s->peer = reading_u32(r);
		return;
	}
	if (s->kind == SIDE_FLOW) {
		s->listener = reading_u16(r);
		s->connection = reading_u32(r);
	}
	read_address(r, &s->transport, &s->addr);
	if (s->kind == SIDE_FLOW)
		read_holder(r, s);
}

struct str
token_bytes(const uint8_t *p, size_t n)
{
	return (struct str){ (const char *)p, n };
}
