#include "config.h"

#include <string.h>

#include "pipeline/acked.h"
#include "pipeline/message.h"
#include "pipeline/reply.h"

enum { TAG_TEXT = 18, RETRY_AFTER_S = 5, CHALLENGE_TEXT_MAX = 768 };

static void
to_tag(struct request *req, size_t master, char out[TAG_TEXT + 1])
{
	const sip_t *sip = req->sip;
	const char *from = sip->sip_from->a_tag;
	uint8_t mac[MAC_BYTES];
	struct mac_part part[2] = {
		{ sip->sip_call_id->i_id, strlen(sip->sip_call_id->i_id) + 1 },
		{ from == NULL ? "" : from, from == NULL ? 0 : strlen(from) },
	};

	keys_mac(req->p->env.keys, master, KEY_TO_TAG, 0, part, 2, mac);
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
	    str_of(req->policy->realm));
}

static void
add_challenges(struct request *req, const struct nonce *n,
    const char *nonce, bool stale, msg_t *reply)
{
	const struct auth_conf *auth = req->policy->auth;
	char opaque[OPAQUE_TEXT + 1], text[CHALLENGE_TEXT_MAX];

	nonce_opaque(req->p->env.keys, 0, str_of(nonce), opaque);
	for (size_t i = 0; i < auth->algorithms.n; i++) {
		enum digest_alg alg = (enum digest_alg)auth->algorithms.v[i];

		if (!(n->algs & 1u << alg))
			continue;
		snprintf(text, sizeof text, "%s: Digest realm=\"%s\", "
		    "nonce=\"%s\", opaque=\"%s\", algorithm=%s, "
		    "qop=\"%s\", userhash=true%s\r\n",
		    req->www ? "WWW-Authenticate" : "Proxy-Authenticate",
		    req->policy->realm, nonce, opaque, digest_alg_name(alg),
		    qop_text(auth), stale ? ", stale=true" : "");
		msg_header_add_str(reply, NULL, text);
	}
}

/* false: no nonce can be counted now. */
static bool
challenge(struct request *req, bool stale, msg_t *reply)
{
	struct nonce_store *store = req->p->env.nonces;
	struct nonce_terms terms;
	struct nonce n;
	char nonce[NONCE_TEXT + 1];
	uint8_t usable = usable_algs(req);

	if (!store->ops->terms(store, &terms))
		return false;
	nonce_terms_of(req, &terms, &n);
	if (n.algs & usable)
		n.algs &= usable;
	nonce_mint(req->p->env.keys, &n, str_of(req->policy->realm),
	    &req->source, req->unix_ms, nonce);
	add_challenges(req, &n, nonce, stale, reply);
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
add_unsupported(const struct request *req, msg_t *reply)
{
	const sip_proxy_require_t *pr = req->sip->sip_proxy_require;

	for (; pr != NULL; pr = (const sip_proxy_require_t *)pr->k_next)
		for (size_t i = 0; pr->k_items != NULL &&
		    pr->k_items[i] != NULL; i++)
			msg_header_add_str(reply, NULL, su_sprintf(
			    msg_home(reply), "Unsupported: %s\r\n",
			    pr->k_items[i]));
}

static void
add_retry_after(msg_t *reply)
{
	msg_header_add_str(reply, NULL, su_sprintf(msg_home(reply),
	    "Retry-After: %u\r\n", RETRY_AFTER_S));
}

struct line {
	int		 status;
	const char	*phrase;
};

/* The headers that belong to the answer; may change its status. */
static struct line
fill(struct request *req, enum reason r, msg_t *reply)
{
	struct line l = { reason_status(r), reason_phrase(r) };

	if (is_challenge(r)) {
		if (!challenge(req, is_stale(r), reply)) {
			l.status = 503;
			l.phrase = reason_phrase(REASON_STORE_AWAY);
		} else if (req->www) {
			l.status = 401;
			l.phrase = sip_401_Unauthorized;
		}
	}
	if (r == REASON_BAD_EXTENSION)
		add_unsupported(req, reply);
	if (l.status == 503)
		add_retry_after(reply);
	return l;
}

static int
send_stateful(struct request *req, msg_t *reply, const struct line *l)
{
	char tag[TAG_TEXT + 1];

	to_tag(req, 0, tag);
	nta_incoming_tag(req->irq, tag);
	if (nta_incoming_complete_response(req->irq, reply, l->status,
	    l->phrase, TAG_END()) < 0) {
		msg_destroy(reply);
		return 0;
	}
	nta_incoming_mreply(req->irq, reply);
	return l->status;
}

static int
send_stateless(struct request *req, msg_t *reply, const struct line *l)
{
	char tag[TAG_TEXT + 1];
	sip_to_t *to;
	int rc;

	acked_note(req);
	to_tag(req, 0, tag);
	to = message_to_with_tag(reply, req->sip, tag);
	if (to == NULL) {
		msg_destroy(reply);
		return 0;
	}
	msg_header_insert(reply, NULL, (msg_header_t *)to);
	rc = nta_msg_mreply(req->p->env.agent, reply, sip_object(reply),
	    l->status, l->phrase, msg_ref(req->msg), TAG_END());
	return rc < 0 ? 0 : l->status;
}

int
reply_send(struct request *req, enum reason r)
{
	msg_t *reply;
	struct line l;

	if (reason_status(r) == 0 || req->method == sip_method_ack ||
	    req->sip->sip_to == NULL || req->sip->sip_from == NULL ||
	    req->sip->sip_call_id == NULL)
		return 0;
	reply = nta_msg_create(req->p->env.agent, 0);
	if (reply == NULL)
		return 0;
	l = fill(req, r, reply);
	return req->irq != NULL ? send_stateful(req, reply, &l) :
	    send_stateless(req, reply, &l);
}

void
reply_trying(struct request *req)
{
	nta_incoming_treply(req->irq, SIP_100_TRYING, TAG_END());
}
