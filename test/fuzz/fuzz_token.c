/* Tokens as strangers write them, with a signature that always fits so that
 * the parser is reached: what opens is sealed again to the same text. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "route/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
promise(bool kept)
{
	if (!kept)
		abort();
}

/* Sixteen 'A' in a row and a few more end every signed text. */
static void
zero_mac(void *arg, unsigned which, bool path, const struct str *part,
    unsigned n, uint8_t out[TOKEN_MAC_BYTES])
{
	(void)arg;
	(void)which;
	(void)path;
	for (unsigned i = 0; i < n; i++)
		promise(part[i].len == 0 || part[i].p != NULL);
	memset(out, 0, 32);
}

static const struct token_signer signer = { zero_mac, NULL, 2 };

/* The second byte, a hint for whoever opens it, is written as 0. */
static bool
has_hint(struct str text)
{
	uint8_t head[3];

	promise(text.len >= 4 &&
	    base64url_decode(head, 3, (struct str){ text.p, 4 }) == 3);
	return head[1] != 0;
}

static void
try_dialog(struct str text)
{
	static const char id[] = "call-id", tag[] = "tag";
	const struct token_bearer by = { str_of(id), str_of(tag), str_of(""),
		UINT32_MAX, UINT32_MAX };
	char again[TOKEN_TEXT_MAX + 1];
	struct dialog_token t;
	bool from_is_caller;
	size_t n;

	if (dialog_token_open(&signer, text, &by, &t, &from_is_caller) !=
	    TOKEN_OK)
		return;
	promise(from_is_caller && strlen(t.user) <= TOKEN_USER_MAX);
	n = dialog_token_seal(&signer, &t, str_of(id), str_of(tag), again);
	promise(n == strlen(again));
	promise(has_hint(text) || str_is(text, again));
}

static void
try_path(struct str text)
{
	char again[PATH_TOKEN_TEXT_MAX + 1];
	struct path_token t;
	size_t n;

	if (path_token_open(&signer, text, &t) != TOKEN_OK)
		return;
	promise(strlen(t.contact) <= TOKEN_URI_MAX);
	n = path_token_seal(&signer, &t, again);
	promise(n == strlen(again));
	promise(has_hint(text) || str_is(text, again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };

	try_dialog(text);
	try_path(text);
	return 0;
}
