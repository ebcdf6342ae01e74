/*
 * screen.c -- is the request sane, and may it travel on?  RFC 3261 16.3.
 *
 * Raw bytes (bare CR and LF, NUL, sizes) were judged before Sofia parsed
 * them; here stands what needs the parsed message.
 */
#include "config.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "pipeline/branch_id.h"
#include "pipeline/message.h"
#include "pipeline/request.h"

enum {
	MAX_FORWARDS = 70,		/* RFC 3261 16.6 item 3 */
	VIAS_MAX = 100			/* more than any honest path has */
};

/*
 * A header that did not parse, or stands there twice.  Scraps of credentials
 * are no error here: they prove nothing, so the answer is a challenge.
 */
static bool
has_bad_header(const sip_t *sip)
{
	const msg_header_t *h = (const msg_header_t *)sip->sip_error;

	for (; h != NULL; h = h->sh_next) {
		const char *name = h->sh_class == sip_error_class ?
		    h->sh_error->er_name : h->sh_class->hc_name;

		if (name == NULL || (strcasecmp(name, "Proxy-Authorization")
		    != 0 && strcasecmp(name, "Authorization") != 0))
			return true;
	}
	return false;
}

static bool
headers_are_sane(const struct request *req)
{
	const sip_t *sip = req->sip;

	return !has_bad_header(sip) && sip->sip_from != NULL &&
	    sip->sip_to != NULL && sip->sip_call_id != NULL &&
	    sip->sip_cseq != NULL && sip->sip_via != NULL &&
	    sip->sip_cseq->cs_method == req->method &&
	    strcmp(sip->sip_cseq->cs_method_name,
	    sip->sip_request->rq_method_name) == 0;
}

/* Whoever puts our own name on top wants our answers to go astray. */
static bool
via_is_sane(const struct request *req)
{
	const sip_via_t *v = req->sip->sip_via;
	struct branch_id id;

	if (via_port_number(v) < 0)
		return false;
	if (branch_id_open(req->p, req->sip, v, &id))
		return branch_is_members(req);
	return ways_have_ip(req->p->env.ways, &req->source) ||
	    !way_is(req->way, str_of(v->v_host), via_port_number(v));
}

/* Over UDP the body ends with the datagram. */
static bool
body_is_whole(const struct request *req)
{
	const sip_t *sip = req->sip;
	size_t have = sip->sip_payload == NULL ? 0 : sip->sip_payload->pl_len;

	return req->transport != TRANSPORT_UDP ||
	    sip->sip_content_length == NULL ||
	    sip->sip_content_length->l_length <= have;
}

/* RFC 3986 section 3.1; what has none is no URI. */
static bool
has_scheme(struct str uri)
{
	size_t n = 0;

	while (n < uri.len && (isalnum((unsigned char)uri.p[n]) ||
	    (n > 0 && strchr("+-.", uri.p[n]) != NULL)))
		n++;
	return n > 0 && n < uri.len && uri.p[n] == ':';
}

static bool
scheme_is_known(const url_t *u)
{
	return u->url_type == url_sip || u->url_type == url_sips ||
	    u->url_type == url_tel;
}

/* RFC 5393 5.3.3: nothing is left to fork with. */
static bool
is_too_broad(const sip_t *sip)
{
	const sip_unknown_t *un = message_other(sip, "Max-Breadth", NULL);
	uint64_t n;

	return un != NULL && parse_uint(str_trim(str_of(un->un_value)),
	    UINT32_MAX, &n) && n == 0;
}

/* RFC 3261 16.3 item 4: a Via of ours further down, with the same hash. */
static bool
is_loop(struct request *req)
{
	struct branch_id id;

	loop_hash(req, req->loop_hash);
	for (const sip_via_t *v = req->sip->sip_via; v != NULL; v = v->v_next)
		if (branch_id_open(req->p, req->sip, v, &id) &&
		    memcmp(id.loop_hash, req->loop_hash, 6) == 0)
			return true;
	return false;
}

static bool
uri_is_sane(const struct request *req)
{
	const url_t *u = req->sip->sip_request->rq_url;

	if (req->uri.p == NULL)
		return false;
	if (u->url_type == url_tel)
		return true;
	return u->url_host != NULL && *u->url_host != '\0' &&
	    url_port_number(u) > 0;
}

static bool
came_too_far(const sip_t *sip)
{
	unsigned n = 0;

	for (const sip_via_t *v = sip->sip_via; v != NULL; v = v->v_next)
		n++;
	return n > VIAS_MAX || (sip->sip_max_forwards != NULL &&
	    sip->sip_max_forwards->mf_count == 0);
}

static enum reason
judge(struct request *req)
{
	const sip_t *sip = req->sip;

	if (sip->sip_flags & MSG_FLG_TOOLARGE)
		return REASON_TOO_LARGE;
	if (strcasecmp(sip->sip_request->rq_version, sip_version_2_0) != 0)
		return REASON_BAD_VERSION;
	if (sip->sip_flags & MSG_FLG_TRUNC)
		return REASON_BAD_BODY;
	if ((sip->sip_flags & MSG_FLG_ERROR) || !headers_are_sane(req))
		return REASON_BAD_HEADER;
	if (!via_is_sane(req))
		return REASON_BAD_VIA;
	if (!body_is_whole(req))
		return REASON_BAD_BODY;
	if (req->uri.p == NULL || !has_scheme(req->uri))
		return REASON_BAD_URI;
	if (!scheme_is_known(sip->sip_request->rq_url))
		return REASON_BAD_SCHEME;
	if (!uri_is_sane(req))
		return REASON_BAD_URI;
	if (came_too_far(sip))
		return REASON_TOO_MANY_HOPS;
	if (sip->sip_max_forwards != NULL &&
	    sip->sip_max_forwards->mf_count > MAX_FORWARDS)
		sip->sip_max_forwards->mf_count = MAX_FORWARDS;
	return REASON_COUNT;
}

enum step_verdict
step_screen(struct request *req)
{
	enum reason r = judge(req);

	if (r != REASON_COUNT)
		return refuse(req, r);
	if (req->sip->sip_proxy_require != NULL &&
	    req->method != sip_method_cancel)
		return refuse(req, REASON_BAD_EXTENSION);
	if (is_too_broad(req->sip))
		return refuse(req, REASON_TOO_BROAD);
	if (req->p->draining && req->sip->sip_to->a_tag == NULL &&
	    req->method != sip_method_cancel)
		return refuse(req, REASON_OVERLOAD);
	return STEP_NEXT;
}

enum step_verdict
step_loop(struct request *req)
{
	return is_loop(req) ? refuse(req, REASON_LOOP) : STEP_NEXT;
}

enum step_verdict
step_screen_ack(struct request *req)
{
	if (judge(req) != REASON_COUNT)
		return refuse(req, REASON_ACK_BAD);
	return STEP_NEXT;
}
