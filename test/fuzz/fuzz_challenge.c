/* Challenges as the targets of a peer write them: whatever the bytes are, what
 * is taken keeps the promises of answer.h, and what is answered is one line
 * whose quotes are shut. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "auth/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
promise(bool kept)
{
	if (!kept)
		abort();
}

/* Lent from text[], and clean. */
static void
check_text(const struct challenge *c, struct str s)
{
	promise(s.p >= c->text && s.len <= ANSWER_TEXT_MAX &&
	    s.p + s.len <= c->text + sizeof c->text);
	for (size_t i = 0; i < s.len; i++)
		promise((unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f);
}

static void
check_answer(const char *text, size_t len)
{
	bool open = false;

	for (size_t i = 0; i < len; i++) {
		promise((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
		if (open && text[i] == '\\')
			promise(++i < len);
		else if (text[i] == '"')
			open = !open;
	}
	promise(!open);
}

static void
use(const struct challenge *c, const struct answer_as *as)
{
	static struct answer_nonce n;
	static char text[8192];
	struct writer w = writer_on(text, sizeof text);
	struct answer_request r = { .method = str_of("INVITE"),
		.uri = str_of("sip:a@b"), .cnonce = str_of("c") };

	answer_learn(&n, c);
	answer_write(&w, &n, as, &r);
	promise(!w.full && w.len > 0);
	check_answer(text, w.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct challenge c;
	struct answer_as as = { .user = "bob", .realm = "r",
		.ha1.has = { true, true, true }, .legacy = true };
	enum challenge_verdict v;

	memset(&c, 0xa5, sizeof c);
	v = challenge_parse(&c, (struct str){ (const char *)data, size },
	    &as);
	promise((v == CHALLENGE_UNFIT) == (c.fault != NULL));
	if (v != CHALLENGE_OK)
		return 0;
	promise(c.nonce.len > 0 && c.alg < DIGEST_ALGS);
	check_text(&c, c.nonce);
	if (c.opaque.p != NULL)
		check_text(&c, c.opaque);
	use(&c, &as);
	return 0;
}
