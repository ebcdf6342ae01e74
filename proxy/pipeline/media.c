/*
 * media.c -- the bodies of messages against what peers and phones ask for.
 *
 * The sender's policy and that of whom it goes to, each for itself.  Offers
 * and answers stand in INVITE, its responses and its ACK, in PRACK and in
 * UPDATE (RFC 6337 section 1.1); other bodies are nobody's media.
 */
#include "config.h"

#include "pipeline/media.h"

#include "guard/body.h"
#include "pipeline/media_told.h"
#include "pipeline/message.h"

/* ---- what is asked for, and what is there */

static const struct media_conf *
conf_of(const struct policy *policy, const struct peer *peer)
{
	return peer != NULL ? peer->media : policy->media;
}

static bool
anybody_asks(const struct request *req)
{
	if (conf_of(req->policy, req->peer) != NULL)
		return true;
	for (const struct leg *leg = &req->leg; leg != NULL; leg = leg->next)
		if (conf_of(req->policy, leg->peer) != NULL)
			return true;
	return false;
}

static struct sdp_terms
terms_of(const struct media_conf *conf)
{
	static const enum sdp_need need[] = {
		[MEDIA_NONE] = SDP_ANY, [MEDIA_PREFER] = SDP_PREFERRED,
		[MEDIA_REQUIRE] = SDP_REQUIRED
	};

	return (struct sdp_terms){ .bytes = conf->size,
		.streams = conf->streams, .grammar = conf->grammar,
		.need = need[conf->security] };
}

static bool
may_offer(sip_method_t m)
{
	return m == sip_method_invite || m == sip_method_ack ||
	    m == sip_method_prack || m == sip_method_update;
}

static void
read_one(void *arg, struct str sdp)
{
	sdp_read(arg, sdp);
}

/* The value of a header by either of its names; *twice if there are two. */
static struct str
value_of(const sip_t *sip, const char *name, const char *compact,
    bool *twice)
{
	const sip_unknown_t *a = message_other(sip, name, NULL);
	const sip_unknown_t *b = message_other(sip, compact, NULL);
	const sip_unknown_t *one = a != NULL ? a : b;
	struct str none = { NULL, 0 };

	if (one == NULL)
		return none;
	*twice |= (a != NULL && b != NULL) || message_other(sip,
	    one == a ? name : compact, one) != NULL;
	return message_raw_value(one->un_common);
}

static struct str
text_of(const sip_t *sip)
{
	struct str out = { sip->sip_payload->pl_data,
		sip->sip_payload->pl_len };

	if (sip->sip_content_length != NULL &&
	    sip->sip_content_length->l_length < out.len)
		out.len = sip->sip_content_length->l_length;
	return out;
}

/* false: there is no description in it, and nothing that could hide one. */
static bool
read_body(const sip_t *sip, struct sdp_facts *f)
{
	struct body b = { .text = { NULL, 0 } };
	bool twice = false;

	if (sip->sip_payload == NULL)
		return false;
	b.text = text_of(sip);
	if (b.text.len == 0)
		return false;
	b.type = value_of(sip, "Content-Type", "c", &twice);
	b.encoding = value_of(sip, "Content-Encoding", "e", &twice);
	f->opaque = twice || !body_each_sdp(&b, read_one, f);
	return f->opaque || f->descriptions > 0;
}

static const char *
name_of(const struct peer *peer)
{
	return peer == NULL ? NULL : peer->name;
}

/* The first that is to be refused, or else that is to be told. */
static void
keep_worse(struct sdp_judged *worst, const struct sdp_judged *j)
{
	if (j->verdict != SDP_OK && (worst->verdict == SDP_OK ||
	    (j->refused && !worst->refused)))
		*worst = *j;
}

/* ---- requests */

/* What comes in is judged here; whether it goes out where others can read
 * along is asked for each target. */
static struct sdp_judged
judge_by(struct request *req, const struct media_conf *conf,
    const struct sdp_facts *f)
{
	struct sdp_judged j = { .verdict = SDP_OK };
	struct sdp_terms terms;

	if (conf == NULL)
		return j;
	terms = terms_of(conf);
	j = sdp_judge(&terms, f, req->transport == TRANSPORT_TLS);
	j.refused &= req->method != sip_method_ack;
	return j;
}

static enum sdp_need
need_of(const struct media_conf *conf)
{
	return conf == NULL ? SDP_ANY : terms_of(conf).need;
}

/* Who gets keys must get them unseen, if either of the two says so; an ACK
 * goes on all the same. */
static void
bind_leg(struct leg *leg, const struct sdp_facts *f)
{
	const struct request *req = leg->req;
	enum sdp_need a = need_of(conf_of(req->policy, req->peer));
	enum sdp_need b = need_of(conf_of(req->policy, leg->peer));

	if (!f->keys)
		return;
	leg->keys = a > b ? a : b;
	if (leg->keys == SDP_REQUIRED && req->method == sip_method_ack)
		leg->keys = SDP_PREFERRED;
}

/* What all legs together come to: refused only if each is. */
static bool
judge_legs(struct request *req, const struct sdp_facts *f,
    struct sdp_judged *worst)
{
	bool all = true;

	for (struct leg *leg = &req->leg; leg != NULL; leg = leg->next) {
		struct sdp_judged j = judge_by(req, conf_of(req->policy,
		    leg->peer), f);

		leg->unfit = j.refused;
		all = all && j.refused;
		keep_worse(worst, &j);
		bind_leg(leg, f);
	}
	return all;
}

static void
tell_request(struct request *req, const struct leg *leg, bool passed)
{
	const struct media_about a = { req->sip, &req->media,
		name_of(req->peer), name_of(leg->peer), passed };

	media_tell(req->p, &a);
}

enum step_verdict
step_media(struct request *req)
{
	struct sdp_facts f = { 0 };
	bool refused;

	if (!anybody_asks(req) || !may_offer(req->method) ||
	    !read_body(req->sip, &f))
		return STEP_NEXT;
	req->media = judge_by(req, conf_of(req->policy, req->peer), &f);
	refused = req->media.refused;
	if (!refused)
		refused = judge_legs(req, &f, &req->media);
	tell_request(req, &req->leg, !refused);
	return refused ? refuse(req, media_reason(&req->media)) : STEP_NEXT;
}

bool
media_may_leave(struct leg *leg, enum transport t)
{
	struct request *req = leg->req;
	bool refused = leg->keys == SDP_REQUIRED;

	if (leg->keys == SDP_ANY || t == TRANSPORT_TLS)
		return true;
	req->media = (struct sdp_judged){ .verdict = SDP_UNSAFE,
		.refused = refused, .hole = SDP_KEYS_SEEN };
	tell_request(req, leg, !refused);
	if (!refused)
		leg->keys = SDP_ANY;		/* said once */
	return !refused;
}

/* ---- responses */

/* By both sides, whose worse verdict is told. */
static void
judge_response(struct pipeline *p, const struct media_conf *const conf[2],
    bool secret, struct media_about *a)
{
	struct sdp_judged worst = { .verdict = SDP_OK }, j;
	struct sdp_facts f = { 0 };
	struct sdp_terms terms;

	if (!may_offer(a->sip->sip_cseq->cs_method) ||
	    !read_body(a->sip, &f))
		return;
	for (int i = 0; i < 2; i++) {
		if (conf[i] == NULL)
			continue;
		terms = terms_of(conf[i]);
		j = sdp_judge(&terms, &f, secret);
		keep_worse(&worst, &j);
	}
	a->judged = &worst;
	media_tell(p, a);
}

void
media_response(const struct leg *leg, const sip_t *sip)
{
	const struct request *req = leg->req;
	const struct media_conf *const conf[2] = {
		conf_of(req->policy, leg->peer),
		conf_of(req->policy, req->peer)
	};
	struct media_about a = { .sip = sip, .from = name_of(leg->peer),
		.to = name_of(req->peer), .passed = true };

	if (conf[0] != NULL || conf[1] != NULL)
		judge_response(req->p, conf, leg->tried_by == TRANSPORT_TLS &&
		    req->transport == TRANSPORT_TLS, &a);
}

void
media_late_response(struct pipeline *p, const sip_t *sip,
    const struct peer *from)
{
	const struct media_conf *const conf[2] = {
		conf_of(p->policy, from), NULL
	};
	struct media_about a = { .sip = sip, .from = name_of(from),
		.passed = true };

	if (conf[0] != NULL)
		judge_response(p, conf, p->arrived->transport ==
		    TRANSPORT_TLS, &a);
}
