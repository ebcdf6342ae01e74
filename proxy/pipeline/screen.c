/*
 * screen.c -- is the request sane, and may it travel on?  RFC 3261 16.3.
 *
 * Raw bytes (bare CR and LF, NUL, sizes) were judged before Sofia parsed
 * them; here stands what needs the parsed message.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "guard/uri.h"
#include "pipeline/branch_id.h"
#include "pipeline/intake.h"
#include "pipeline/message.h"
#include "pipeline/methods.h"
#include "pipeline/sane.h"

enum {
	MAX_FORWARDS = 70,		/* RFC 3261 16.6 item 3 */
	VIAS_MAX = 100			/* more than any honest path has */
};

/* Whoever puts our own name on top wants our answers to go astray. */
static bool
via_is_his(const struct request *req)
{
	const sip_via_t *v = req->sip->sip_via;
	struct branch_id id;

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

static bool
scheme_is_known(const url_t *u)
{
	return u->url_type == url_sip || u->url_type == url_sips ||
	    u->url_type == url_tel || url_is_service(u);
}

/* An empty one asks for nothing. */
static bool
asks_for_extension(const sip_t *sip)
{
	const sip_proxy_require_t *pr = sip->sip_proxy_require;

	while (pr != NULL && (pr->k_items == NULL || *pr->k_items == NULL))
		pr = (const sip_proxy_require_t *)pr->k_next;
	return pr != NULL;
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

/* An emergency call is never lost for want of a phone-context. */
static enum reason
judge_uri(struct request *req)
{
	if (message_read_tel(req->msg, req->sip) < 0)
		return REASON_NO_MEMORY;
	switch (uri_judge(req->uri, URI_REQUEST)) {
	case URI_GOOD:
	case URI_SERVICE:
		break;
	case URI_NO_CONTEXT:
		if (intake_is_emergency(req))
			break;
		return REASON_BAD_TEL;
	case URI_BAD_TEL:
		return REASON_BAD_TEL;
	case URI_OTHER:
		return REASON_BAD_SCHEME;
	case URI_BAD:
		return REASON_BAD_URI;
	}
	return scheme_is_known(req->sip->sip_request->rq_url) ?
	    REASON_COUNT : REASON_BAD_URI;
}

/* Of a stream nobody knows where the message ends without it. */
static bool
lacks_length(const struct request *req)
{
	return req->transport != TRANSPORT_UDP &&
	    req->sip->sip_content_length == NULL;
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

/* The bytes as they came. */
static struct fault
judge_frame(const struct request *req)
{
	static const char length[] = "Content-Length";
	unsigned flags = (unsigned)req->sip->sip_flags;
	const char *version = req->sip->sip_request->rq_version;

	if (flags & MSG_FLG_TOOLARGE)
		return (struct fault){ REASON_TOO_LARGE, NULL };
	if (req->uri.p == NULL)
		return (struct fault){ REASON_BAD_START_LINE, NULL };
	if (req->method == sip_method_unknown &&
	    methods_is_misspelt(req->method_name))
		return (struct fault){ REASON_BAD_START_LINE, NULL };
	if (strcasecmp(version, sip_version_2_0) != 0)
		return (struct fault){ REASON_BAD_VERSION, NULL };
	if (flags & (MESSAGE_BAD_LENGTH | MSG_FLG_TRUNC))
		return (struct fault){ REASON_BAD_LENGTH, length };
	if (flags & MESSAGE_BAD_VIA)
		return (struct fault){ REASON_BAD_VIA, "Via" };
	if (lacks_length(req))
		return (struct fault){ REASON_MISSING_HEADER, length };
	return (struct fault){ .why = REASON_COUNT };
}

/* And what they say. */
static enum reason
judge_headers(struct request *req)
{
	struct fault f = judge_frame(req);

	if (f.why == REASON_COUNT)
		f = sane_request(req->sip);
	req->header = f.header;
	return f.why;
}

static enum reason
judge(struct request *req)
{
	const sip_t *sip = req->sip;
	enum reason r = judge_headers(req);

	if (r == REASON_COUNT)
		r = judge_uri(req);
	if (r != REASON_COUNT)
		return r;
	if (!via_is_his(req))
		return REASON_OWN_VIA;
	if (!body_is_whole(req))
		return REASON_BAD_LENGTH;
	if (sip->sip_flags & MSG_FLG_ERROR)
		return REASON_BAD_HEADER;
	if (came_too_far(sip))
		return REASON_TOO_MANY_HOPS;
	if (sip->sip_max_forwards != NULL &&
	    sip->sip_max_forwards->mf_count > MAX_FORWARDS)
		sip->sip_max_forwards->mf_count = MAX_FORWARDS;
	return methods_allow(req) ? REASON_COUNT : REASON_METHOD_NOT_ALLOWED;
}

enum step_verdict
step_screen(struct request *req)
{
	enum reason r = judge(req);

	if (r != REASON_COUNT)
		return refuse(req, r);
	if (asks_for_extension(req->sip) &&
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
	return judge(req) == REASON_COUNT ? STEP_NEXT :
	    refuse(req, REASON_ACK_BAD);
}
