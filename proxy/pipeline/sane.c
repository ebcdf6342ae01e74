/*
 * sane.c -- the headers that a proxy must understand: are they there, once,
 * and in form?
 */
#include "config.h"

#include "pipeline/sane.h"

#include <string.h>
#include <strings.h>

#include "base/count.h"
#include "guard/header.h"
#include "guard/uri.h"
#include "pipeline/message.h"

static const struct fault no_fault = { .why = REASON_COUNT };

/* ---- one header each */

static struct fault
fault_of(enum header_verdict v, const char *name)
{
	static const enum reason why[] = {
		[HEADER_GOOD] = REASON_COUNT,
		[HEADER_BAD] = REASON_BAD_HEADER,
		[HEADER_BAD_URI] = REASON_BAD_HEADER_URI,
		[HEADER_BAD_TEL] = REASON_BAD_TEL,
		[HEADER_BAD_TAG] = REASON_BAD_TAG,
	};

	return (struct fault){ why[v], name };
}

static struct fault
fault_if(bool bad, enum reason why, const char *name)
{
	return bad ? (struct fault){ why, name } : no_fault;
}

static struct fault
judge_party(const msg_common_t *h, const char *name)
{
	return fault_of(header_party(message_raw_value(h)), name);
}

/* Did the parser read what we judged?  With no blank behind it, UTF-8 in a
 * name may have been the beginning of a scheme to it. */
static struct fault
judge_reading(struct fault f, const url_t *u, const char *name)
{
	return f.why != REASON_COUNT ? f : fault_if(
	    u->url_type == url_invalid, REASON_BAD_HEADER_URI, name);
}

static struct fault
judge_address(const sip_addr_t *a, const char *name)
{
	return judge_reading(judge_party(a->a_common, name), a->a_url, name);
}

static struct fault
judge_call_id(const sip_call_id_t *i)
{
	return fault_if(!header_call_id(message_raw_value(i->i_common)),
	    REASON_BAD_CALL_ID, "Call-ID");
}

/* method: of the start line; NULL: a response's. */
static struct fault
judge_cseq(const sip_cseq_t *cs, const char *method)
{
	struct str said;

	if (!header_cseq(message_raw_value(cs->cs_common), &said))
		return (struct fault){ REASON_BAD_CSEQ, "CSeq" };
	return fault_if(method != NULL && !str_is(said, method),
	    REASON_CSEQ_METHOD, "CSeq");
}

static struct fault
judge_max_forwards(const sip_max_forwards_t *mf)
{
	return fault_if(mf != NULL && !header_max_forwards(
	    message_raw_value(mf->mf_common)), REASON_BAD_MAX_FORWARDS,
	    "Max-Forwards");
}

/* Of several in one line the first one has the line. */
static struct fault
judge_contacts(const sip_contact_t *m)
{
	static const char name[] = "Contact";
	struct fault f = no_fault;

	for (; m != NULL && f.why == REASON_COUNT; m = m->m_next) {
		if (m->m_common->h_len > 0)
			f = fault_of(header_contacts(message_raw_value(
			    m->m_common)), name);
		f = judge_reading(f, m->m_url, name);
	}
	return f;
}

static struct fault
judge_via(const sip_via_t *v)
{
	bool good = v->v_host != NULL && uri_is_host(str_of(v->v_host)) &&
	    via_port_number(v) > 0;

	for (size_t i = 0; good && v->v_params != NULL &&
	    v->v_params[i] != NULL; i++)
		good = header_param(str_of(v->v_params[i]));
	return fault_if(!good, REASON_BAD_VIA, "Via");
}

/* ---- all of them */

/* The parser could not read it.  Often we can tell why. */
static struct fault
why_unread(const msg_header_t *h, const char *name)
{
	static const struct {
		const char	*name;
		enum reason	 why;
	} known[] = {
		{ "CSeq", REASON_BAD_CSEQ },
		{ "Call-ID", REASON_BAD_CALL_ID },
		{ "Max-Forwards", REASON_BAD_MAX_FORWARDS },
		{ "Content-Length", REASON_BAD_LENGTH },
		{ "Via", REASON_BAD_VIA },
	};
	struct fault f = no_fault;

	for (size_t i = 0; i < COUNT(known); i++)
		if (strcasecmp(name, known[i].name) == 0)
			return (struct fault){ known[i].why, name };
	if (strcasecmp(name, "From") == 0 || strcasecmp(name, "To") == 0)
		f = judge_party(h->sh_common, name);
	else if (strcasecmp(name, "Contact") == 0)
		f = fault_of(header_contacts(message_raw_value(
		    h->sh_common)), name);
	return f.why != REASON_COUNT ? f : fault_of(HEADER_BAD, name);
}

static bool
is_one_of(const char *name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcasecmp(name, *list) == 0)
			return true;
	return false;
}

/* The first header that could not be read, or stands there once more than it
 * may. */
static struct fault
judge_errors(const sip_t *sip, const char *const *list, bool in_list)
{
	const msg_header_t *h = (const msg_header_t *)sip->sip_error;

	for (; h != NULL; h = h->sh_next) {
		bool unread = h->sh_class == sip_error_class;
		const char *name = unread ? h->sh_error->er_name :
		    h->sh_class->hc_name;

		if (name == NULL)
			return fault_of(HEADER_BAD, NULL);
		if (is_one_of(name, list) == in_list)
			return unread ? why_unread(h, name) :
			    (struct fault){ REASON_HEADER_TWICE, name };
	}
	return no_fault;
}

static struct fault
judge_missing(const sip_t *sip)
{
	const char *name = sip->sip_via == NULL ? "Via" :
	    sip->sip_from == NULL ? "From" : sip->sip_to == NULL ? "To" :
	    sip->sip_call_id == NULL ? "Call-ID" :
	    sip->sip_cseq == NULL ? "CSeq" : NULL;

	return fault_if(name != NULL, REASON_MISSING_HEADER, name);
}

/* Those that tell a transaction and a dialog from others. */
static struct fault
judge_identity(const sip_t *sip, const char *method)
{
	struct fault f = judge_missing(sip);

	if (f.why == REASON_COUNT)
		f = judge_cseq(sip->sip_cseq, method);
	if (f.why == REASON_COUNT)
		f = judge_call_id(sip->sip_call_id);
	if (f.why == REASON_COUNT)
		f = judge_address(sip->sip_from, "From");
	if (f.why == REASON_COUNT)
		f = judge_address(sip->sip_to, "To");
	return f;
}

struct fault
sane_request(const sip_t *sip)
{
	/* Scraps of credentials prove nothing: the answer is a challenge. */
	static const char *const but[] = {
		"Proxy-Authorization", "Authorization", NULL
	};
	struct fault f = judge_errors(sip, but, false);

	if (f.why == REASON_COUNT)
		f = judge_identity(sip, sip->sip_request->rq_method_name);
	if (f.why == REASON_COUNT)
		f = judge_max_forwards(sip->sip_max_forwards);
	if (f.why == REASON_COUNT)
		f = judge_contacts(sip->sip_contact);
	if (f.why == REASON_COUNT)
		f = judge_via(sip->sip_via);
	return f;
}

struct fault
sane_response(const sip_t *sip)
{
	static const char *const judged[] = {
		"Via", "From", "To", "Call-ID", "CSeq", NULL
	};
	struct fault f = judge_errors(sip, judged, true);

	return f.why == REASON_COUNT ? judge_identity(sip, NULL) : f;
}
