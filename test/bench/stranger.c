/*
 * stranger.c -- what those send who are nobody's customers.
 */
#include "config.h"

#include "stranger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/secret.h"
#include "digest.h"

enum { NAME_MAX_LEN = 32, URI_MAX = 256, HUGE_LINES = 150, HUGE_LINE = 400 };

struct stranger {
	struct stranger_conf conf;
	struct digest	*digest;
	uint64_t	 run;		/* so that no two are the same */
	char		 filler[HUGE_LINE + 1];
};

static const char *const malformed[] = {
	"OPTIONS sip:u@%s SIP/2.0\nVia: SIP/2.0/UDP %s\n\n",
	"OPTIONS sip:u@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s\r\n"
	    "Content-Length: 0\r\nContent-Length: 9\r\n\r\n",
	"OPTIONS sip:u@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK1\r\n"
	    "From: <sip:u@x>;tag=1\r\nTo: :::\r\nCall-ID: x\r\n"
	    "CSeq: 1 OPTIONS\r\n\r\n",
	"OPTIONS sip:u@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s\r\n",
	"GET http://%s/ HTTP/1.0\r\nHost: %s\r\n\r\n",
	"OPTIONS %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK1\r\n"
	    "CSeq: 1 INVITE\r\n\r\n",
};

static bool
is_kind(const struct stranger *st, const char *kind)
{
	return strcmp(st->conf.kind, kind) == 0;
}

/* What is asked with. */
static const char *
method_of(const struct stranger *st)
{
	return is_kind(st, "GUESS") || is_kind(st, "HUGE") ? "OPTIONS" :
	    st->conf.kind;
}

/* ---- requests */

static void
add_head(struct text *out, const struct stranger *st, uint64_t n,
    unsigned cseq, const struct addr *from)
{
	char self[ADDR_TEXT_MAX];
	const char *realm = st->conf.realm, *method = method_of(st);
	unsigned user = (unsigned)(n % st->conf.users);

	addr_text(from, self);
	text_add(out, "%s sip:u%u@%s SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bK%" PRIx64 "-%" PRIu64
	    "-%u\r\n", method, user, realm, self, st->run, n, cseq);
	text_add(out, "Max-Forwards: 70\r\n"
	    "From: <sip:u%u@%s>;tag=f%" PRIu64 "\r\nTo: <sip:u%u@%s>\r\n",
	    user, realm, n, user, realm);
	text_add(out, "Call-ID: %" PRIx64 "-%" PRIu64 "\r\n"
	    "CSeq: %u %s\r\nContact: <sip:u%u@%s>\r\n", st->run, n, cseq,
	    method, user, self);
	if (st->conf.header != NULL)
		text_add(out, "%s\r\n", st->conf.header);
}

static void
add_filler(struct text *out, const struct stranger *st)
{
	for (int i = 0; i < HUGE_LINES; i++)
		text_add(out, "X-%d: %s\r\n", i, st->filler);
}

static void
add_response(struct text *out, const struct stranger *st, uint64_t n,
    const struct addr *from)
{
	char self[ADDR_TEXT_MAX];

	addr_text(from, self);
	text_add(out, "SIP/2.0 200 OK\r\n"
	    "Via: SIP/2.0/UDP %s;branch=z9hG4bK%" PRIx64 "\r\n"
	    "From: <sip:u@%s>;tag=1\r\nTo: <sip:u@%s>;tag=2\r\n", self, n,
	    st->conf.realm, st->conf.realm);
	text_add(out, "Call-ID: %" PRIu64 "\r\nCSeq: 1 INVITE\r\n"
	    "Content-Length: 0\r\n\r\n", n);
}

void
stranger_ask(struct stranger *st, struct text *out, uint64_t n,
    const struct addr *from)
{
	char self[ADDR_TEXT_MAX];

	if (is_kind(st, "RESPONSE")) {
		add_response(out, st, n, from);
		return;
	}
	if (is_kind(st, "MALFORMED")) {
		text_add(out, malformed[n % (COUNT(malformed))], st->conf.realm,
		    addr_text(from, self));
		return;
	}
	add_head(out, st, n, 1, from);
	if (is_kind(st, "HUGE"))
		add_filler(out, st);
	text_add(out, "Content-Length: 0\r\n\r\n");
}

/* ---- answers */

/* "run-n" */
static bool
number_of(const struct message *answer, uint64_t *n)
{
	struct str id = answer->value[HEADER_CALL_ID];
	const char *dash = id.len == 0 ? NULL : memchr(id.p, '-', id.len);

	return dash != NULL && parse_uint((struct str){ dash + 1,
	    id.len - (size_t)(dash + 1 - id.p) }, UINT64_MAX, n);
}

bool
stranger_goes_on(struct stranger *st, struct text *out,
    const struct message *answer, const struct addr *from)
{
	char uri[URI_MAX], user[NAME_MAX_LEN];
	struct answer wrong = {
		.challenge = answer->value[HEADER_CHALLENGE],
		.user = user, .password = "guess", .method = "OPTIONS",
		.uri = uri, .cnonce = "0"
	};
	uint64_t n;

	if (!is_kind(st, "GUESS") || answer->status != 407 ||
	    answer->cseq != 1 || !number_of(answer, &n))
		return false;
	snprintf(user, sizeof user, "u%u", (unsigned)(n % st->conf.users));
	snprintf(uri, sizeof uri, "sip:%s@%s", user, st->conf.realm);
	add_head(out, st, n, 2, from);
	if (!digest_answer(st->digest, &wrong, out))
		return false;
	text_add(out, "Content-Length: 0\r\n\r\n");
	return true;
}

struct stranger *
stranger_new(const struct stranger_conf *conf)
{
	struct stranger *st = calloc(1, sizeof *st);

	if (st == NULL)
		return NULL;
	st->conf = *conf;
	st->digest = digest_new();
	random_bytes(&st->run, sizeof st->run);
	memset(st->filler, 'x', HUGE_LINE);
	if (st->digest != NULL)
		return st;
	stranger_free(st);
	return NULL;
}

void
stranger_free(struct stranger *st)
{
	if (st == NULL)
		return;
	digest_free(st->digest);
	free(st);
}
