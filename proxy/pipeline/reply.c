#include "config.h"

#include <string.h>

#include "pipeline/acked.h"
#include "pipeline/message.h"
#include "pipeline/reply.h"

enum { TAG_TEXT = 18, RETRY_AFTER_S = 5 };

/* An answer while it is put together. */
struct answer {
	int		 status;
	const char	*phrase;
};

static void
to_tag(struct request *req, size_t master, char out[TAG_TEXT + 1])
{
	const sip_t *sip = req->sip;
	const char *from = sip->sip_from->a_tag;
	uint8_t mac[MARK_BYTES];
	struct mac_part part[2] = {
		{ sip->sip_call_id->i_id, strlen(sip->sip_call_id->i_id) + 1 },
		{ from == NULL ? "" : from, from == NULL ? 0 : strlen(from) },
	};

	keys_mark(req->p->env.keys, master, KEY_TO_TAG, 0, part, 2, mac);
	memcpy(out, "sb", 2);
	hex_encode(out + 2, mac, (TAG_TEXT - 2) / 2);
}

bool
reply_is_acked(struct request *req)
{
	const char *tag = req->sip->sip_to->a_tag;
	char want[TAG_TEXT + 1];

	if (tag == NULL || strlen(tag) != TAG_TEXT)
		return false;
	for (size_t i = 0; i < keys_count(req->p->env.keys); i++) {
		to_tag(req, i, want);
		if (strcmp(want, tag) == 0)
			return true;
	}
	return false;
}

/* What a challenge offers, also under the MAC of its nonce. */
static void
nonce_terms_of(const struct request *req, const struct nonce_terms *terms,
    struct nonce *n)
{
	const struct auth_conf *auth = req->policy->auth;

	memset(n, 0, sizeof *n);
	for (size_t i = 0; i < auth->algorithms.n; i++)
		n->algs |= (uint8_t)(1u << auth->algorithms.v[i]);
	for (size_t i = 0; i < auth->qop.n; i++)
		n->qops |= auth->qop.v[i] == 0 ? NONCE_QOP_AUTH :
		    NONCE_QOP_AUTH_INT;
	if (auth->legacy)
		n->mode |= NONCE_LEGACY | NONCE_ONE_TIME;
	if (terms->local)
		n->mode |= NONCE_LOCAL;
	n->instance = req->p->env.instance;
	n->lifetime_s = (uint16_t)(auth->nonce_lifetime_ms / 1000);
	n->store = terms->generation;
}

static const char *
qop_text(const struct auth_conf *auth)
{
	if (auth->qop.n == 2)
		return auth->qop.v[0] == 0 ? "auth,auth-int" :
		    "auth-int,auth";
	return auth->qop.v[0] == 0 ? "auth" : "auth-int";
}

/* Only algorithms for which everybody in the realm has an H(A1). */
static uint8_t
usable_algs(const struct request *req)
{
	struct cred_store *users = req->p->env.users;

	return users == NULL ? UINT8_MAX : users->ops->algs(users,
	    str_of(req->realm));
}

static void
put_challenges(struct request *req, struct writer *w, const struct nonce *n,
    bool stale)
{
	const struct auth_conf *auth = req->policy->auth;
	char nonce[NONCE_TEXT + 1], opaque[OPAQUE_TEXT + 1];

	nonce_mint(req->p->env.keys, n, str_of(req->realm),
	    &req->source, req->unix_ms, nonce);
	nonce_opaque(req->p->env.keys, 0, str_of(nonce), opaque);
	for (size_t i = 0; i < auth->algorithms.n; i++) {
		enum digest_alg alg = (enum digest_alg)auth->algorithms.v[i];

		if (!(n->algs & 1u << alg))
			continue;
		put_text(w, req->www ? "WWW-Authenticate: Digest realm=\"" :
		    "Proxy-Authenticate: Digest realm=\"");
		put_text(w, req->realm);
		put_text(w, "\", nonce=\"");
		put_mem(w, nonce, NONCE_TEXT);
		put_text(w, "\", opaque=\"");
		put_mem(w, opaque, OPAQUE_TEXT);
		put_text(w, "\", algorithm=");
		put_text(w, digest_alg_name(alg));
		put_text(w, ", qop=\"");
		put_text(w, qop_text(auth));
		put_text(w, stale ? "\", userhash=true, stale=true\r\n" :
		    "\", userhash=true\r\n");
	}
}

/* What a challenge would say; false: no nonce can be counted now. */
static bool
challenge(struct request *req, struct nonce *n)
{
	struct nonce_store *store = req->p->env.nonces;
	struct nonce_terms terms;
	uint8_t usable = usable_algs(req);

	if (!store->ops->terms(store, &terms))
		return false;
	nonce_terms_of(req, &terms, n);
	if (n->algs & usable)
		n->algs &= usable;
	return true;
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

/* RFC 3261 8.2.6.2: with a tag of ours, if there is none. */
static void
put_to(struct request *req, struct writer *w, int status)
{
	const sip_to_t *to = req->sip->sip_to;
	struct str value = message_raw_value(to->a_common);
	char tag[TAG_TEXT + 1];

	put_text(w, "To: ");
	put_str(w, value);
	if (to->a_tag == NULL && status > 100 && req->sip->sip_call_id != NULL &&
	    req->sip->sip_from != NULL) {
		to_tag(req, 0, tag);
		put_text(w, ";tag=");
		put_mem(w, tag, TAG_TEXT);
	}
	put_text(w, "\r\n");
}

/* Status line and the headers of RFC 3261 8.2.6.2, as far as the request has
 * them. */
static void
put_head(struct request *req, struct writer *w, const struct answer *a)
{
	const sip_t *sip = req->sip;

	put_text(w, "SIP/2.0 ");
	put_uint(w, (uint64_t)a->status);
	put_text(w, " ");
	put_text(w, a->phrase);
	put_text(w, "\r\n");
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

static struct answer
answer_of(struct request *req, enum reason r, struct nonce *n)
{
	struct answer a = { reason_status(r), reason_phrase(r) };

	if (r == REASON_REJECTED)
		a = (struct answer){ req->told.status, req->told.phrase };
	if (!is_challenge(r))
		return a;
	if (!challenge(req, n)) {
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
	struct nonce n;

	*a = answer_of(req, r, &n);
	put_head(req, w, a);
	if (is_challenge(r) && a->status != 503)
		put_challenges(req, w, &n, is_stale(r));
	if (r == REASON_BAD_EXTENSION)
		put_unsupported(req, w);
	if (r == REASON_REDIRECTED)
		put_contact(req, w);
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
