/*
 * verify.c -- is the answer right, and for this Request-URI?
 *
 * A user whom nobody knows costs and looks the same as a wrong password: the
 * sum is done with a secret that nothing matches.
 */
#include "config.h"

#include <string.h>

#include "base/secret.h"
#include "guard/header.h"
#include "pipeline/identities.h"
#include "pipeline/message.h"
#include "pipeline/request.h"
#include "pipeline/route_query.h"

/*
 * RFC 7616 3.4.6: the digest uri must be equivalent to the Request-URI as
 * received; the same bytes, or equal by RFC 3261 19.1.4.
 */
static bool
uri_is_right(struct request *req)
{
	struct str uri = req->cred->uri;
	su_home_t *home = msg_home(req->msg);
	char *received, *claimed;
	url_t *a, *b;

	if (str_eq(uri, req->uri))
		return true;
	received = su_strndup(home, req->uri.p, (isize_t)req->uri.len);
	claimed = su_strndup(home, uri.p, (isize_t)uri.len);
	if (received == NULL || claimed == NULL)
		return false;
	a = url_make(home, received);
	b = url_make(home, claimed);
	return a != NULL && b != NULL && url_cmp_all(a, b) == 0;
}

static bool
digest_is_right(const struct request *req)
{
	static const uint8_t nobody[HA1_MAX];
	const struct credentials *c = req->cred;
	const sip_payload_t *pl = req->sip->sip_payload;
	struct digest_input in = {
		.alg = c->alg, .sess = c->sess, .qop = c->qop,
		.nonce = c->nonce, .nc = c->nc_text, .cnonce = c->cnonce,
		.uri = c->uri, .response = c->response,
		.method = req->method_name,
	};
	bool known = req->answer.result == CRED_SECRET, right;

	if (pl != NULL)
		in.body = (struct str){ pl->pl_data, pl->pl_len };
	right = digest_verify(&in, known ? req->answer.ha1 : nobody);
	return known & right;
}

static bool
answer_is_right(const struct request *req)
{
	switch (req->answer.result) {
	case CRED_ACCEPTED:
		return true;
	case CRED_REJECTED:
		return false;
	default:
		return digest_is_right(req);
	}
}

static bool
may_be(const struct request *req, su_home_t *home, const url_t *u)
{
	struct identity_uri id;
	size_t ndomains = 1;
	const char *const *domain = &req->realm;

	if (!identity_of_url(home, u, &id))
		return false;
	/* in the realm of a peer he is nobody of ours */
	if (req->realm == req->policy->realm)
		domain = domains_list(req->policy->domains, &ndomains);
	return identity_is_allowed(&id, str_of(req->user),
	    req->answer.identity, req->answer.nidentities, domain, ndomains);
}

/* P-Preferred-Identity holds name-addrs, perhaps several (RFC 3325 9.2).  We
 * shall assert them: the next one must find in them what we do. */
static bool
may_prefer(const struct request *req, su_home_t *home)
{
	sip_unknown_t *un = NULL;

	while ((un = message_other(req->sip, "P-Preferred-Identity", un))) {
		sip_contact_t *m = identities_read(home, un->un_value);

		if (m == NULL || header_contacts(message_raw_value(
		    un->un_common)) != HEADER_GOOD)
			return false;
		for (; m != NULL; m = m->m_next)
			if (!may_be(req, home, m->m_url))
				return false;
	}
	return true;
}

/*
 * Judged here, while the answer is at hand, and acted on in authorize, after
 * the use was consumed.
 */
static bool
identity_is_right(const struct request *req)
{
	su_home_t *home = msg_home(req->msg);
	const sip_t *sip = req->sip;
	struct identity_uri from;

	if (!identity_of_url(home, sip->sip_from->a_url, &from))
		return false;
	if (!identity_is_anonymous(&from) &&
	    !may_be(req, home, sip->sip_from->a_url))
		return false;
	if (req->method == sip_method_register &&
	    !may_be(req, home, sip->sip_to->a_url))
		return false;
	return may_prefer(req, home);
}

static void
take_user(struct request *req)
{
	struct str user = req->answer.user;

	if (user.p == NULL)
		user = req->cred->username;
	if (user.len > TOKEN_USER_MAX)
		user.len = TOKEN_USER_MAX;
	memcpy(req->user, user.p, user.len);
	req->user[user.len] = '\0';
}

/* What costs nobody anything, so that a phone's own subscriptions pass. */
static bool
calls_nobody(sip_method_t m)
{
	return m == sip_method_register || m == sip_method_publish ||
	    m == sip_method_subscribe || m == sip_method_options;
}

static bool
has_prefix(const struct cred_answer *a, const struct number *n)
{
	for (size_t i = 0; i < a->nprefixes; i++)
		if (number_begins(n, str_of(a->prefix[i])))
			return number_is_digits(n);
	return false;
}

static bool
may_call(const struct cred_answer *a, const url_t *u)
{
	struct called called;

	route_query_called(u, &called);
	for (size_t i = 0; i < called.n; i++)
		if (!has_prefix(a, &called.reading[i]))
			return false;
	return called.is_bare && called.n > 0;
}

/* Also what a strict router would be told to call. */
static bool
number_is_right(const struct request *req)
{
	const struct cred_answer *a = &req->answer;
	const url_t *hop = message_strict_hop(req->sip);

	return a->nprefixes == 0 || calls_nobody(req->method) ||
	    (may_call(a, req->sip->sip_request->rq_url) &&
	    (hop == NULL || may_call(a, hop)));
}

static void
take_class(struct request *req)
{
	const char *class = req->answer.class;

	if (class != NULL && strlen(class) <= CLASS_MAX)
		strcpy(req->class, class);
}

static void
take_use(struct request *req)
{
	const struct credentials *c = req->cred;

	memcpy(req->use.id, req->nonce.id, NONCE_ID_BYTES);
	req->use.nc = c->qop == QOP_NONE ? 1 : c->nc;
	req->use.issued_ms = req->nonce.issued_ms;
	req->use.now_ms = req->unix_ms;
	req->use.lifetime_s = req->nonce.lifetime_s;
	req->use.generation = req->nonce.store;
	req->use.local = req->nonce.mode & NONCE_LOCAL;
}

static enum reason
judge(struct request *req)
{
	bool uri = uri_is_right(req), right = answer_is_right(req);

	if (req->answer.result == CRED_UNAVAILABLE)
		return REASON_USERS_AWAY;
	if (!uri)
		return REASON_WRONG_URI;
	if (!right)
		return req->policy->auth->wrong_password ==
		    WRONG_PASSWORD_FORBID ? REASON_WRONG_PASSWORD_FORBIDDEN :
		    REASON_WRONG_PASSWORD;
	take_user(req);
	if (req->stale != REASON_COUNT)
		return req->stale;
	if (req->nonce.mode & (NONCE_ONE_TIME | NONCE_LEGACY) &&
	    req->cred->qop != QOP_NONE && req->cred->nc != 1)
		return REASON_REPLAY;
	return REASON_COUNT;
}

enum step_verdict
step_verify(struct request *req)
{
	enum reason r;

	if (req->proof == PROOF_NONE)
		return STEP_NEXT;
	r = judge(req);
	if (r == REASON_COUNT) {
		take_use(req);
		req->identity_ok = identity_is_right(req);
		req->number_ok = number_is_right(req);
		take_class(req);
	}
	secret_wipe(&req->answer.ha1, sizeof req->answer.ha1);
	return r == REASON_COUNT ? STEP_NEXT : refuse(req, r);
}
