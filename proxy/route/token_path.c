/*
 * token_path.c -- the tokens of flows, in our Path and Contact.
 */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "base/secret.h"
#include "route/token_inner.h"

enum {
	PATH_BYTES = 2 + SIDE_MAX + 4 + 2 + TOKEN_URI_MAX + 1 +
	    TOKEN_USER_MAX + MAC_SHORT,
	/* of a flow over IPv4, with no address inside, URI and user */
	PATH_LEAST = 2 + 7 + 8 + 4 + 4 + 2 + 1 + MAC_SHORT
};

static_assert(BASE64URL_LEN(PATH_BYTES) <= PATH_TOKEN_TEXT_MAX, "path token");

size_t
path_token_seal(const struct token_signer *s, const struct path_token *t,
    char *out)
{
	uint8_t buf[PATH_BYTES], mac[TOKEN_MAC_BYTES];
	struct sealing w = { buf, 0 };
	size_t len = strnlen(t->contact, sizeof t->contact);
	struct str part;

	if (len > TOKEN_URI_MAX || !token_user_fits(t->user))
		return 0;
	sealing_u8(&w, VERSION_PATH);
	sealing_u8(&w, 0);
	sealing_side(&w, &t->flow);
	sealing_u32(&w, t->registrar);
	sealing_u16(&w, (uint16_t)len);
	sealing_bytes(&w, t->contact, len);
	sealing_user(&w, t->user);
	part = token_bytes(w.p, w.n);
	s->mac(s->arg, 0, true, &part, 1, mac);
	return sealing_end(&w, mac, out);
}

static bool
read_path(struct reading r, struct path_token *t)
{
	memset(t, 0, sizeof *t);
	if (reading_u8(&r) != VERSION_PATH)
		return false;
	reading_u8(&r);			/* a hint only */
	reading_side(&r, &t->flow);
	t->registrar = reading_u32(&r);
	reading_text(&r, reading_u16(&r), t->contact, TOKEN_URI_MAX);
	reading_text(&r, reading_u8(&r), t->user, TOKEN_USER_MAX);
	return reading_is_whole(&r);
}

enum token_verdict
path_token_open(const struct token_signer *s, struct str text,
    struct path_token *t)
{
	uint8_t buf[PATH_BYTES], mac[TOKEN_MAC_BYTES];
	struct reading body = reading_of(text, buf, sizeof buf);
	struct str part = token_bytes(body.p, body.left);

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
