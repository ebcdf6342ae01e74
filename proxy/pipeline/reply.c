/*
 * reply.c -- answers of our own.
 */
#include "config.h"

#include <string.h>

#include "pipeline/acked.h"
#include "pipeline/media.h"
#include "pipeline/message.h"
#include "pipeline/methods.h"
#include "pipeline/offer.h"
#include "pipeline/reply.h"
#include "pipeline/watch.h"

enum { RETRY_AFTER_S = 5 };

/* An answer while it is put together. */
struct answer {
	int		 status;
	const char	*phrase;
};

void
reply_tag(struct keys *k, size_t master, struct str call_id,
    struct str from_tag, char out[REPLY_TAG_TEXT + 1])
{
	uint8_t mac[MARK_BYTES];
	struct mac_part part[3] = {
		{ call_id.p, call_id.len }, { "", 1 },
		{ from_tag.p, from_tag.len },
	};

	keys_mark(k, master, KEY_TO_TAG, 0, part, 3, mac);
	memcpy(out, "sb", 2);
	hex_encode(out + 2, mac, (REPLY_TAG_TEXT - 2) / 2);
}

static void
to_tag(struct request *req, size_t master, char out[REPLY_TAG_TEXT + 1])
{
	const sip_t *sip = req->sip;

	reply_tag(req->p->env.keys, master, str_of(sip->sip_call_id->i_id),
	    str_of(sip->sip_from->a_tag), out);
}

bool
reply_is_acked(struct request *req)
{
	const char *tag = req->sip->sip_to->a_tag;
	char want[REPLY_TAG_TEXT + 1];

	if (tag == NULL || strlen(tag) != REPLY_TAG_TEXT)
		return false;
	for (size_t i = 0; i < keys_count(req->p->env.keys); i++) {
		to_tag(req, i, want);
		if (strcmp(want, tag) == 0)
			return true;
	}
	return false;
}

static bool
is_challenge(enum reason r)
{
	return reason_status(r) == 407;
}

/* stale=true: the answer was right, and only the nonce is no good. */
static bool
is_stale(enum reason r)
{
	return r == REASON_STALE || r == REASON_USED_UP ||
	    r == REASON_OTHER_SOURCE || r == REASON_FENCED ||
	    r == REASON_REPLAY;
}

/* RFC 3261 8.2.2.3: every option that we do not know. */
static void
put_unsupported(const struct request *req, struct writer *w)
{
	const sip_proxy_require_t *pr = req->sip->sip_proxy_require;

	for (; pr != NULL; pr = (const sip_proxy_require_t *)pr->k_next)
		for (size_t i = 0; pr->k_items != NULL &&
		    pr->k_items[i] != NULL; i++) {
			put_text(w, "Unsupported: ");
			put_text(w, pr->k_items[i]);
			put_text(w, "\r\n");
		}
}

static void
put_contact(const struct request *req, struct writer *w)
{
	put_text(w, "Contact: <");
	put_text(w, req->told.contact);
	put_text(w, ">\r\n");
}

void
reply_put_to(struct writer *w, struct str value, const char *tag)
{
	put_text(w, "To: ");
	put_str(w, value);
	if (tag != NULL) {
		put_text(w, ";tag=");
		put_text(w, tag);
	}
	put_text(w, "\r\n");
}

/* RFC 3261 8.2.6.2: with a tag of ours, if there is none. */
static void
put_to(struct request *req, struct writer *w, int status)
{
	const sip_t *sip = req->sip;
	const sip_to_t *to = sip->sip_to;
	char tag[REPLY_TAG_TEXT + 1];
	bool tagged = to->a_tag == NULL && status > 100 &&
	    sip->sip_call_id != NULL && sip->sip_from != NULL;

	if (tagged)
		to_tag(req, 0, tag);
	reply_put_to(w, message_raw_value(to->a_common), tagged ? tag : NULL);
}

void
reply_put_status(struct writer *w, int status, const char *phrase)
{
	put_text(w, "SIP/2.0 ");
	put_uint(w, (uint64_t)status);
	put_text(w, " ");
	put_text(w, phrase);
	put_text(w, "\r\n");
}

/* Status line and the headers of RFC 3261 8.2.6.2, as far as the request has
 * them. */
static void
put_head(struct request *req, struct writer *w, const struct answer *a)
{
	const sip_t *sip = req->sip;

	reply_put_status(w, a->status, a->phrase);
	message_put_headers(w, (const msg_common_t *)sip->sip_via);
	if (sip->sip_from != NULL)
		message_put_headers(w, sip->sip_from->a_common);
	if (sip->sip_to != NULL)
		put_to(req, w, a->status);
	if (sip->sip_call_id != NULL)
		message_put_headers(w, sip->sip_call_id->i_common);
	if (sip->sip_cseq != NULL)
		message_put_headers(w, sip->sip_cseq->cs_common);
}

static struct offer
offer_of(const struct request *req, enum reason r)
{
	return (struct offer){ .env = &req->p->env,
		.auth = req->policy->auth, .realm = req->realm,
		.source = &req->source, .unix_ms = req->unix_ms,
		.www = req->www, .stale = is_stale(r) };
}

static struct answer
answer_of(struct request *req, enum reason r, struct offer *o)
{
	struct answer a = { reason_status(r), reason_phrase(r) };

	if (r == REASON_REJECTED)
		a = (struct answer){ req->told.status, req->told.phrase };
	if (!is_challenge(r))
		return a;
	*o = offer_of(req, r);
	if (!offer_make(o)) {
		a.status = 503;
		a.phrase = reason_phrase(REASON_STORE_AWAY);
	} else if (req->www) {
		a.status = 401;
		a.phrase = sip_401_Unauthorized;
	}
	return a;
}

static void
put_answer(struct request *req, enum reason r, struct writer *w,
    struct answer *a)
{
	struct offer offer;

	*a = answer_of(req, r, &offer);
	put_head(req, w, a);
	if (is_challenge(r) && a->status != 503)
		offer_put(w, &offer);
	if (r == REASON_BAD_EXTENSION)
		put_unsupported(req, w);
	if (r == REASON_REDIRECTED)
		put_contact(req, w);
	media_put_told(req, w, r);
	if (r == REASON_METHOD_NOT_ALLOWED)
		methods_put(req, w);
	if (a->status == 503) {
		put_text(w, "Retry-After: ");
		/* some later than others, lest all come back at once */
		put_uint(w, RETRY_AFTER_S + req->key % (RETRY_AFTER_S + 1));
		put_text(w, "\r\n");
	}
	put_text(w, "Content-Length: 0\r\n\r\n");
}

bool
reply_is_too_late(const struct request *req, int status)
{
	return status == 408 && req->method != sip_method_invite;
}

/* Who shows nothing that was given to his address may not be there. */
static bool
may_be_forged(const struct request *req)
{
	if (req->peer != NULL && !peer_asks_digest(req->peer))
		return false;
	return req->token_state != TOKEN_GOOD &&
	    (req->nonce.lifetime_s == 0 || !source_has_nonce(req));
}

int
reply_send(struct request *req, enum reason r)
{
	struct pipeline *p = req->p;
	struct writer w = writer_on(p->scratch, SCRATCH_SIZE);
	struct hop back = request_back(req);
	struct answer a;
	int rc;

	if (reason_status(r) == 0 || req->method == sip_method_ack ||
	    req->sip->sip_via == NULL)
		return 0;
	put_answer(req, r, &w, &a);
	if (w.full)
		return 0;
	if (reply_is_too_late(req, a.status))
		return a.status;
	if (req->server != NULL) {
		rc = server_respond(req->server, a.status, w.p, w.len);
	} else {
		acked_note(req);
		back.run = may_be_forged(req);
		rc = transport_send(p->env.transports, &back, w.p, w.len,
		    NULL);
	}
	return rc < 0 ? 0 : a.status;
}

/* RFC 3261 8.2.6.1 */
static void
put_timestamp(const struct request *req, struct writer *w)
{
	const sip_unknown_t *un = message_other(req->sip, "Timestamp", NULL);

	if (un == NULL)
		return;
	put_text(w, "Timestamp: ");
	put_str(w, message_raw_value(un->un_common));
	put_text(w, "\r\n");
}

void
reply_trying(struct request *req)
{
	static const struct answer trying = { SIP_100_TRYING };
	struct writer w = writer_on(req->p->scratch, SCRATCH_SIZE);

	put_head(req, &w, &trying);
	put_timestamp(req, &w);
	put_text(&w, "Content-Length: 0\r\n\r\n");
	if (!w.full)
		server_respond(req->server, 100, w.p, w.len);
}
