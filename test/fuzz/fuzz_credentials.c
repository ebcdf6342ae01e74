/* Digest credentials as strangers write them: whatever the bytes are, what
 * is taken keeps the promises of credentials.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "auth/credentials.h"
#include "base/count.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
promise(bool kept)
{
	if (!kept)
		abort();
}

/* Lent from text[], and clean; absent is empty. */
static void
check_text(const struct credentials *c, struct str s)
{
	if (s.p == NULL) {
		promise(s.len == 0);
		return;
	}
	promise(s.p >= c->text && s.len <= sizeof c->text &&
	    s.p + s.len <= c->text + sizeof c->text);
	for (size_t i = 0; i < s.len; i++)
		promise((unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f);
}

static void
check_taken(const struct credentials *c)
{
	const struct str text[] = {
		c->username, c->realm, c->nonce, c->uri, c->response,
		c->cnonce, c->opaque, c->nc_text
	};

	for (size_t i = 0; i < COUNT(text); i++)
		check_text(c, text[i]);
	promise(str_is(c->realm, "r") && c->username.p != NULL &&
	    c->nonce.p != NULL && c->uri.p != NULL && c->fault == NULL);
	promise(c->alg < DIGEST_ALGS &&
	    c->response.len == 2 * digest_alg_bytes(c->alg));
	promise((c->qop == QOP_NONE) == (c->nc == 0) &&
	    (c->qop == QOP_NONE) == (c->nc_text.p == NULL));
	promise(c->cnonce.p != NULL || (c->qop == QOP_NONE && !c->sess));
	promise(!(c->userhash && c->utf8_name));
	promise(!c->userhash || c->username.len == c->response.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct credentials c;
	struct str text = { (const char *)data, size };
	enum credentials_verdict v;

	memset(&c, 0xa5, sizeof c);
	v = credentials_parse(&c, text, str_of("r"));
	if (v == CREDENTIALS_OK)
		check_taken(&c);
	promise((v == CREDENTIALS_BAD) == (c.fault != NULL));
	promise(credentials_are_for(text, str_of("r")) ==
	    (v == CREDENTIALS_OK || v == CREDENTIALS_BAD));
	return 0;
}
