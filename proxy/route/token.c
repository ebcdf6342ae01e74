/*
 * token.c -- the signed tokens in our Record-Route, Path and Contact.
 */
#include "config.h"

#include "route/token.h"

#include <assert.h>
#include <string.h>

#include "base/secret.h"

enum {
	VERSION_DIALOG = 3,
	VERSION_PATH = 4,
	MAC_SHORT = 16,		/* bytes of the HMAC that are carried */
	ADDRESS_MAX = 20,	/* IPv6 */
	SIDE_MAX = 7 + ADDRESS_MAX + 2 + ADDRESS_MAX,	/* FLOW */
	DIALOG_BYTES = 6 + 2 * SIDE_MAX + 1 + 2 * TOKEN_CALL_BYTES +
	    2 * (1 + TOKEN_USER_MAX) + MAC_SHORT,
	PATH_BYTES = 2 + SIDE_MAX + 4 + 2 + TOKEN_URI_MAX + 1 +
	    TOKEN_USER_MAX + MAC_SHORT,
	/* of a flow over IPv4, with no address inside, URI and user */
	PATH_LEAST = 2 + 7 + 8 + 4 + 4 + 2 + 1 + MAC_SHORT
};

static_assert(BASE64URL_LEN(DIALOG_BYTES) <= TOKEN_TEXT_MAX, "dialog token");
static_assert(BASE64URL_LEN(PATH_BYTES) <= PATH_TOKEN_TEXT_MAX, "path token");

/* Bytes being written; the buffer holds the longest token. */
struct sealing {
	uint8_t	*p;
	size_t	 n;
};

/* Bytes being read; bad once and for all when one was missing. */
struct reader {
	const uint8_t	*p;
	size_t		 left;
	bool		 bad;
};

uint32_t
peer_id(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

static void
write_u8(struct sealing *w, uint8_t v)
{
	w->p[w->n++] = v;
}

static void
write_u16(struct sealing *w, uint16_t v)
{
	put_u16(w->p + w->n, v);
	w->n += 2;
}

static void
write_u32(struct sealing *w, uint32_t v)
{
	put_u32(w->p + w->n, v);
	w->n += 4;
}

static void
write_bytes(struct sealing *w, const void *p, size_t n)
{
	memcpy(w->p + w->n, p, n);
	w->n += n;
}

static void
write_address(struct sealing *w, enum transport t, const struct addr *a)
{
	size_t n = addr_is_v4(a) ? 4 : 16;

	write_u8(w, (uint8_t)t);
	write_u8(w, (uint8_t)n);
	write_bytes(w, a->ip + 16 - n, n);
	write_u16(w, a->port);
}

static void
write_holder(struct sealing *w, const struct side *s)
{
	write_u16(w, s->instance);
	if (s->inside.port == 0)
		write_u16(w, 0);
	else
		write_address(w, s->inside_transport, &s->inside);
}

static void
write_side(struct sealing *w, const struct side *s)
{
	write_u8(w, (uint8_t)s->kind);
	if (s->kind == SIDE_NONE)
		return;
	if (s->kind == SIDE_PEER) {
		write_u32(w, s->peer);
		return;
	}
	if (s->kind == SIDE_FLOW) {
		write_u16(w, s->listener);
		write_u32(w, s->connection);
	}
	write_address(w, s->transport, &s->addr);
	if (s->kind == SIDE_FLOW)
		write_holder(w, s);
}

/* n bytes, or NULL when there are not so many. */
static const uint8_t *
read_bytes(struct reader *r, size_t n)
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

static uint8_t
read_u8(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 1);

	return p == NULL ? 0 : *p;
}

static uint16_t
read_u16(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 2);

	return p == NULL ? 0 : get_u16(p);
}

static uint32_t
read_u32(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 4);

	return p == NULL ? 0 : get_u32(p);
}

/* Text without NUL, into max + 1 bytes. */
static void
read_text(struct reader *r, size_t n, char *out, size_t max)
{
	const uint8_t *p = read_bytes(r, n);

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
read_address(struct reader *r, enum transport *t, struct addr *a)
{
	uint8_t transport = read_u8(r), n = read_u8(r);
	const uint8_t *ip;

	if (transport >= TRANSPORTS || (n != 4 && n != 16)) {
		r->bad = true;
		return;
	}
	*t = (enum transport)transport;
	ip = read_bytes(r, n);
	if (ip == NULL)
		return;
	memset(a->ip + 10, 0xff, 2);		/* ::ffff:0:0/96 */
	memcpy(a->ip + 16 - n, ip, n);
	/* IPv4 has one spelling, the short one. */
	if (n == 16 && addr_is_v4(a))
		r->bad = true;
	a->port = read_u16(r);
}

static void
read_holder(struct reader *r, struct side *s)
{
	s->instance = read_u16(r);
	if (r->left >= 2 && get_u16(r->p) == 0) {
		read_u16(r);
		return;
	}
	read_address(r, &s->inside_transport, &s->inside);
	if (s->inside.port == 0)
		r->bad = true;
}

/* s is zeroed. */
static void
read_side(struct reader *r, struct side *s)
{
	uint8_t kind = read_u8(r);

	if (kind > SIDE_ADDR) {
		r->bad = true;
		return;
	}
	s->kind = (enum side_kind)kind;
	if (s->kind == SIDE_NONE)
		return;
	if (s->kind == SIDE_PEER) {
		s->peer = read_u32(r);
		return;
	}
	if (s->kind == SIDE_FLOW) {
		s->listener = read_u16(r);
		s->connection = read_u32(r);
	}
	read_address(r, &s->transport, &s->addr);
	if (s->kind == SIDE_FLOW)
		read_holder(r, s);
}

static struct str
as_str(const uint8_t *p, size_t n)
{
	return (struct str){ (const char *)p, n };
}

/* What a dialog's MAC covers besides the token. */
struct dialog_names {
	struct str	call_id, tag;
	struct str	other;		/* if bound */
	bool		bound;
};

static bool
names_fit(const struct dialog_names *n)
{
	return n->call_id.len <= UINT16_MAX && n->tag.len <= UINT16_MAX &&
	    n->other.len <= UINT16_MAX;
}

static void
dialog_mac(const struct token_signer *s, unsigned which, struct str body,
    const struct dialog_names *names, uint8_t out[TOKEN_MAC_BYTES])
{
	uint8_t call_id_len[2] = { 0 }, tag_len[2] = { 0 };
	uint8_t other_len[2] = { 0 };
	const struct str part[] = {
		body, as_str(call_id_len, 2), names->call_id,
		as_str(tag_len, 2), names->tag,
		as_str(other_len, 2), names->other
	};

	put_u16(call_id_len, (uint16_t)names->call_id.len);
	put_u16(tag_len, (uint16_t)names->tag.len);
	put_u16(other_len, (uint16_t)names->other.len);
	s->mac(s->arg, which, false, part, names->bound ? 7 : 5, out);
}

static size_t
finish(struct sealing *w, const uint8_t mac[TOKEN_MAC_BYTES], char *out)
{
	write_bytes(w, mac, MAC_SHORT);
	return base64url_encode(out, w->p, w->n);
}

static bool
user_fits(const char user[TOKEN_USER_MAX + 1])
{
	return memchr(user, '\0', TOKEN_USER_MAX + 1) != NULL;
}

static void
write_user(struct sealing *w, const char *user)
{
	size_t len = strlen(user);

	write_u8(w, (uint8_t)len);
	write_bytes(w, user, len);
}

static size_t
seal(const struct token_signer *s, const struct dialog_token *t,
    const struct dialog_names *names, char *out)
{
	uint8_t buf[DIALOG_BYTES], mac[TOKEN_MAC_BYTES];
	struct sealing w = { buf, 0 };

	if (!user_fits(t->user) || !user_fits(t->callee_user) ||
	    !names_fit(names))
		return 0;
	write_u8(&w, VERSION_DIALOG);
	write_u8(&w, 0);
	write_u32(&w, t->issued_s);
	write_side(&w, &t->caller);
	write_side(&w, &t->callee);
	write_u8(&w, t->flags);
	if (t->flags & TOKEN_COUNTED)
		write_bytes(&w, t->call, sizeof t->call);
	if (t->flags & TOKEN_BEHIND)
		write_bytes(&w, t->before, sizeof t->before);
	write_user(&w, t->user);
	write_user(&w, t->callee_user);
	dialog_mac(s, 0, as_str(w.p, w.n), names, mac);
	return finish(&w, mac, out);
}

size_t
dialog_token_seal(const struct token_signer *s, const struct dialog_token *t,
    struct str call_id, struct str caller_tag, char *out)
{
	const struct dialog_names names = { .call_id = call_id,
		.tag = caller_tag };

	return seal(s, t, &names, out);
}

/* Decodes and cuts off the MAC: the body, or none at all. */
static struct reader
open_text(struct str text, uint8_t *buf, size_t size)
{
	int n = base64url_decode(buf, size, text);

	if (n < MAC_SHORT)
		return (struct reader){ .bad = true };
	return (struct reader){ .p = buf, .left = (size_t)n - MAC_SHORT };
}

static bool
is_whole(const struct reader *r)
{
	return !r->bad && r->left == 0;
}

static void
read_call(struct reader *r, uint8_t out[TOKEN_CALL_BYTES])
{
	const uint8_t *p = read_bytes(r, TOKEN_CALL_BYTES);

	if (p != NULL)
		memcpy(out, p, TOKEN_CALL_BYTES);
}

static bool
read_dialog(struct reader r, struct dialog_token *t)
{
	memset(t, 0, sizeof *t);
	if (read_u8(&r) != VERSION_DIALOG)
		return false;
	read_u8(&r);			/* a hint only: every master is tried */
	t->issued_s = read_u32(&r);
	read_side(&r, &t->caller);
	read_side(&r, &t->callee);
	t->flags = read_u8(&r);
	if (t->flags & TOKEN_COUNTED)
		read_call(&r, t->call);
	if (t->flags & TOKEN_BEHIND)
		read_call(&r, t->before);
	read_text(&r, read_u8(&r), t->user, TOKEN_USER_MAX);
	read_text(&r, read_u8(&r), t->callee_user, TOKEN_USER_MAX);
	return is_whole(&r);
}

static bool
dialog_is_signed(const struct token_signer *s, const struct reader *body,
    const struct dialog_names *names)
{
	uint8_t mac[TOKEN_MAC_BYTES];

	for (unsigned i = 0; i < s->nkeys; i++) {
		dialog_mac(s, i, as_str(body->p, body->left), names, mac);
		if (secret_eq(mac, MAC_SHORT, body->p + body->left,
		    MAC_SHORT))
			return true;
	}
	return false;
}

enum token_verdict
dialog_token_open(const struct token_signer *s, struct str text,
    const struct token_bearer *by, struct dialog_token *t,
    bool *from_is_caller)
{
	struct dialog_names by_from = { by->call_id, by->from_tag,
		by->to_tag, false };
	struct dialog_names by_to = { by->call_id, by->to_tag,
		by->from_tag, false };
	uint8_t buf[DIALOG_BYTES];
	struct reader body = open_text(text, buf, sizeof buf);

	if (!names_fit(&by_from) || !read_dialog(body, t))
		return TOKEN_FOREIGN;
	by_from.bound = by_to.bound = t->flags & TOKEN_BOUND;
	*from_is_caller = dialog_is_signed(s, &body, &by_from);
	if (!*from_is_caller && !dialog_is_signed(s, &body, &by_to))
		return TOKEN_FOREIGN;
	return by->now_s - (int64_t)t->issued_s > by->max_s ? TOKEN_EXPIRED :
	    TOKEN_OK;
}

bool
dialog_token_bind(const struct token_signer *s, struct str text,
    const struct dialog_tags *tags, char *out)
{
	struct dialog_names names = { tags->call_id, tags->caller,
		tags->callee, false };
	uint8_t buf[DIALOG_BYTES];
	struct reader body = open_text(text, buf, sizeof buf);
	struct dialog_token t;

	if (!names_fit(&names) || !read_dialog(body, &t) ||
	    t.flags & TOKEN_BOUND || !dialog_is_signed(s, &body, &names))
		return false;
	names.bound = true;
	t.flags |= TOKEN_BOUND;
	return seal(s, &t, &names, out) > 0;
}

size_t
path_token_seal(const struct token_signer *s, const struct path_token *t,
    char *out)
{
	uint8_t buf[PATH_BYTES], mac[TOKEN_MAC_BYTES];
	struct sealing w = { buf, 0 };
	size_t len = strnlen(t->contact, sizeof t->contact);
	struct str part;

	if (len > TOKEN_URI_MAX || !user_fits(t->user))
		return 0;
	write_u8(&w, VERSION_PATH);
	write_u8(&w, 0);
	write_side(&w, &t->flow);
	write_u32(&w, t->registrar);
	write_u16(&w, (uint16_t)len);
	write_bytes(&w, t->contact, len);
	write_user(&w, t->user);
	part = as_str(w.p, w.n);
	s->mac(s->arg, 0, true, &part, 1, mac);
	return finish(&w, mac, out);
}

static bool
read_path(struct reader r, struct path_token *t)
{
	memset(t, 0, sizeof *t);
	if (read_u8(&r) != VERSION_PATH)
		return false;
	read_u8(&r);			/* a hint only */
	read_side(&r, &t->flow);
	t->registrar = read_u32(&r);
	read_text(&r, read_u16(&r), t->contact, TOKEN_URI_MAX);
	read_text(&r, read_u8(&r), t->user, TOKEN_USER_MAX);
	return is_whole(&r);
}

enum token_verdict
path_token_open(const struct token_signer *s, struct str text,
    struct path_token *t)
{
	uint8_t buf[PATH_BYTES], mac[TOKEN_MAC_BYTES];
	struct reader body = open_text(text, buf, sizeof buf);
	struct str part = as_str(body.p, body.left);

	if (!read_path(body, t))
		return TOKEN_FOREIGN;
	for (unsigned i = 0; i < s->nkeys; i++) {
		s->mac(s->arg, i, true, &part, 1, mac);
		if (secret_eq(mac, MAC_SHORT, body.p + body.left, MAC_SHORT))
			return TOKEN_OK;
	}
	return TOKEN_FOREIGN;
}

bool
path_token_is_like(struct str text)
{
	uint8_t bytes[PATH_BYTES];
	int n = base64url_decode(bytes, sizeof bytes, text);

	return n >= PATH_LEAST && bytes[0] == VERSION_PATH;
}
