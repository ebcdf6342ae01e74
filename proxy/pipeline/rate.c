/*
 * rate.c -- is this one too many?  Asked before anything is done for it.
 */
#include "config.h"

#include "auth/params.h"
#include "pipeline/branch_id.h"
#include "pipeline/flow.h"
#include "pipeline/message.h"
#include "pipeline/watch.h"

enum {
	NONCE_AGE_MS = 24 * 3600 * 1000,	/* a phone that was asleep */
	HEADERS_READ = 4			/* credentials of one request */
};

/* ---- can the sender receive where he says that he is? */

bool
source_has_nonce(const struct request *req)
{
	return req->transport != TRANSPORT_UDP || nonce_is_from(
	    req->p->env.keys, &req->nonce, &req->source);
}

static bool
nonce_is_of_source(const struct request *req, struct str nonce)
{
	struct keys *keys = req->p->env.keys;
	struct nonce n;

	return nonce_open(keys, nonce, str_of(req->policy->realm), &n) &&
	    req->unix_ms - n.issued_ms < NONCE_AGE_MS &&
	    nonce_is_from(keys, &n, &req->source);
}

static bool
credentials_are_of_source(const struct request *req, const msg_auth_t *au)
{
	static const char *const name[] = { "nonce" };
	char out[CREDENTIALS_TEXT_MAX];
	struct str nonce = { .p = NULL }, text;
	struct params r = { .name = name, .value = &nonce, .n = 1,
		.out = out };

	for (int i = 0; au != NULL && i < HEADERS_READ; i++, au = au->au_next) {
		text = message_raw_value(au->au_common);
		if (text.len > sizeof out || !params_start(&r, text, "Digest"))
			continue;
		if (params_find(&r) && nonce_is_of_source(req, nonce))
			return true;
		nonce.p = NULL;
		r.out = out;
	}
	return false;
}

static bool
token_is_of_source(const struct request *req)
{
	const sip_t *sip = req->sip;
	struct dialog_token t;
	bool from_caller;
	enum token_verdict v;

	if (sip->sip_route == NULL || sip->sip_call_id == NULL ||
	    sip->sip_from == NULL || sip->sip_to == NULL ||
	    sip->sip_route->r_url->url_user == NULL)
		return false;
	v = flow_read_dialog(req, str_of(sip->sip_route->r_url->url_user),
	    &t, &from_caller);
	return (v == TOKEN_OK || v == TOKEN_OF_CALL) &&
	    flow_is_sender(req, from_caller ? &t.caller : &t.callee);
}

bool
source_is_proved(const struct request *req)
{
	return req->transport != TRANSPORT_UDP ||
	    credentials_are_of_source(req, req->sip->sip_proxy_authorization)
	    || credentials_are_of_source(req, req->sip->sip_authorization) ||
	    token_is_of_source(req);
}

/* ---- rates */

static uint64_t
mark_source(const struct knock *k)
{
	uint8_t source[SOURCE_BYTES];

	source_of(k->source, (unsigned)k->limits->ipv4_prefix, source);
	return mark_of(k->watch->key, MARK_SOURCE, source, sizeof source);
}

static const struct conf_rate *
rate_of_method(const struct knock *k, size_t *index)
{
	for (size_t i = 0; i < LIMITS_METHODS; i++) {
		*index = i;
		if (k->limits->methods[i].count > 0 &&
		    str_is(k->method, limits_methods[i]))
			return &k->limits->methods[i];
	}
	return NULL;
}

static enum over
take_source(const struct knock *k, enum mark_kind kind, uint64_t source)
{
	const struct conf_rate *rate;
	size_t i;

	if (!watch_take_knock(k, kind, source,
	    &k->limits->requests_per_source))
		return OVER_SOURCE;
	rate = rate_of_method(k, &i);
	return rate == NULL || watch_take_knock(k, MARK_RATE_METHOD,
	    mark_join(k->watch->key, kind, source, 0) + i, rate) ? WITHIN :
	    OVER_METHOD;
}

enum over
rate_take(const struct knock *k)
{
	return take_source(k, MARK_RATE_SOURCE, mark_source(k));
}

bool
rate_take_handshake(const struct knock *k)
{
	return watch_take_knock(k, MARK_RATE_HANDSHAKE, mark_source(k),
	    &k->limits->requests_per_source);
}

bool
rate_would(const struct knock *k)
{
	uint64_t source = mark_source(k);
	size_t i;
	const struct conf_rate *rate = rate_of_method(k, &i);

	return watch_would(k, MARK_RATE_SOURCE, source,
	    &k->limits->requests_per_source) && (rate == NULL ||
	    watch_would(k, MARK_RATE_METHOD, mark_join(k->watch->key,
	    MARK_RATE_SOURCE, source, 0) + i, rate));
}

/*
 * Whoever may have forged his address draws on a bucket that others, who
 * forge the same, may have emptied.  That somebody can receive there takes a
 * MAC to tell, so that is asked only of one whom it would have hit.
 */
static enum over
judge_source(struct request *req)
{
	struct knock k = knock_of(req);
	uint64_t source = mark_source(&k);
	enum over over;

	if (req->transport != TRANSPORT_UDP)
		return take_source(&k, MARK_RATE_PROVED, source);
	over = take_source(&k, MARK_RATE_SOURCE, source);
	if (over == WITHIN || !source_is_proved(req))
		return over;
	return take_source(&k, MARK_RATE_PROVED, source);
}

/* Who has still to bring a password has only an address so far. */
static bool
is_known(const struct request *req)
{
	return req->peer != NULL && !peer_asks_digest(req->peer);
}

static enum over
judge(struct request *req)
{
	if (!is_known(req))
		return judge_source(req);
	if (!watch_peer(req))
		return OVER_PEER;
	return req->policy->limits->exempt_peers ? WITHIN :
	    judge_source(req);
}

static enum step_verdict
refuse_over(struct request *req, enum over over)
{
	bool silent = over != OVER_USER && !is_known(req) &&
	    req->transport == TRANSPORT_UDP &&
	    req->policy->limits->over == OVER_SILENCE;

	watch_over(req, over);
	return refuse(req, silent ? REASON_OVER_RATE :
	    REASON_OVER_RATE_TOLD);
}

static bool
is_scanner(const struct request *req)
{
	const sip_unknown_t *un = is_known(req) ? NULL :
	    message_other(req->sip, "User-Agent", NULL);
	struct knock k = knock_of(req);

	if (un == NULL || !scanners_have(req->policy->scanners,
	    str_of(un->un_value)))
		return false;
	watch_dropped(&k, DROPPED_SCANNER, str_of(""), str_of(un->un_value));
	return true;
}

enum step_verdict
step_rate(struct request *req)
{
	enum over over;

	if (branch_is_members(req))	/* judged there */
		return STEP_NEXT;
	over = judge(req);
	if (over != WITHIN)
		return refuse_over(req, over);
	return is_scanner(req) ? refuse(req, REASON_SCANNER) : STEP_NEXT;
}

/* Only now: who copies another's answers must not use up his rate, nor hold a
 * connection. */
enum step_verdict
step_proved(struct request *req)
{
	transport_vouch(req->p->env.transports, req->connection);
	if (req->proof == PROOF_NONE)
		return STEP_NEXT;
	if (!watch_take(req, MARK_RATE_USER, req->claimed,
	    &req->policy->limits->requests_per_user))
		return refuse_over(req, OVER_USER);
	watch_success(req);
	return STEP_NEXT;
}
