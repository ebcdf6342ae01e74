/*
 * fuzz_plain.c -- libFuzzer target: what plain_read() takes for plain, the
 * parser and all that judges its messages read in the same way.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/count.h"
#include "guard/screen.h"
#include "guard/uri.h"
#include "pipeline/message.h"
#include "pipeline/pipeline.h"
#include "pipeline/plain.h"
#include "pipeline/sane.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool kept)
{
	if (!kept)
		abort();
}

static bool
is_line(const msg_common_t *h, struct str line)
{
	return str_eq((struct str){ h->h_data, h->h_len }, line);
}

static bool
is_text(struct str s, const char *text)
{
	return text != NULL && str_is(s, text);
}

/* Which of two counts would be anybody's guess. */
static void
check_one_branch(const sip_via_t *v)
{
	unsigned n = 0;

	for (size_t i = 0; v->v_params[i] != NULL; i++)
		n += strncasecmp(v->v_params[i], "branch", 6) == 0;
	must(n == 1);
}

static void
check_via(const struct plain *p, const sip_via_t *v)
{
	size_t ours = p->before.len + p->after.len, theirs = 0;

	must(v->v_next == NULL && v->v_comment == NULL &&
	    v->v_received == NULL && v->v_maddr == NULL && v->v_ttl == NULL);
	check_one_branch(v);
	must(strcmp(v->v_protocol, "SIP/2.0/UDP") == 0);
	must(is_text(p->via_host, v->v_host) &&
	    p->via_port == via_port_number(v) &&
	    is_text(p->branch, v->v_branch));
	must(p->sent_by.len == p->via_host.len + (v->v_port == NULL ? 0 :
	    1 + strlen(v->v_port)));
	for (size_t i = 0; v->v_params[i] != NULL; i++)
		theirs += 1 + strlen(v->v_params[i]);
	must(ours + (v->v_rport == NULL ? 0 : strlen(";rport")) == theirs);
}

static void
check_start(const struct plain *p, const sip_t *sip)
{
	const sip_request_t *rq = sip->sip_request;

	must(rq != NULL && is_text(p->method, rq->rq_method_name));
	must(rq->rq_method != sip_method_ack &&
	    rq->rq_method != sip_method_cancel);
	must((rq->rq_method == sip_method_invite) ==
	    str_is(p->method, "INVITE"));
	must((rq->rq_method == sip_method_register) ==
	    str_is(p->method, "REGISTER"));
	must(strcmp(rq->rq_version, "SIP/2.0") == 0);
	must(rq->rq_url->url_type == url_sip &&
	    is_text(p->domain, rq->rq_url->url_host) &&
	    url_port_number(rq->rq_url) > 0);
	must(rq->rq_url->url_params == NULL ||
	    !url_has_param(rq->rq_url, "line"));
	must(uri_judge(message_raw_uri(sip), URI_REQUEST) == URI_GOOD);
}

static void
check_headers(const struct plain *p, const sip_t *sip)
{
	const sip_unknown_t *agent = message_other(sip, "User-Agent", NULL);

	must(is_line(sip->sip_from->a_common, p->from) &&
	    is_text(p->from_tag, sip->sip_from->a_tag));
	must(str_eq(p->to, message_raw_value(sip->sip_to->a_common)) &&
	    sip->sip_to->a_tag == NULL && sip->sip_to->a_params == NULL);
	must(is_line(sip->sip_call_id->i_common, p->call_id_line) &&
	    is_text(p->call_id, sip->sip_call_id->i_id));
	must(is_line(sip->sip_cseq->cs_common, p->cseq_line) &&
	    sip->sip_cseq->cs_seq == p->cseq);
	must(sip->sip_max_forwards == NULL ||
	    sip->sip_max_forwards->mf_count > 0);
	must((agent != NULL) == (p->user_agent.p != NULL));
	must(agent == NULL || is_text(p->user_agent, agent->un_value));
}

/* What the steps before a challenge look at, and what is one. */
static void
check_absent(const sip_t *sip)
{
	static const char *const names[] = {
		"Max-Breadth", "Replaces", "Timestamp", "Require"
	};

	must(sip->sip_proxy_authorization == NULL &&
	    sip->sip_authorization == NULL && sip->sip_route == NULL &&
	    sip->sip_record_route == NULL && sip->sip_path == NULL &&
	    sip->sip_proxy_require == NULL && sip->sip_error == NULL);
	for (size_t i = 0; i < COUNT(names); i++)
		must(message_other(sip, names[i], NULL) == NULL);
}

static void
check_body(const sip_t *sip, size_t len)
{
	must((sip->sip_payload == NULL ? 0 : sip->sip_payload->pl_len) ==
	    len);
	must(sip->sip_content_length == NULL ||
	    sip->sip_content_length->l_length == len);
}

/* As the transport does it. */
static msg_t *
parse(struct str bytes)
{
	static msg_mclass_t *mclass;
	msg_iovec_t iov[msg_n_fragments] = { { 0 } };
	msg_t *msg;

	if (mclass == NULL)
		mclass = pipeline_message_class();
	msg = msg_create(mclass, MSG_DO_EXTRACT_COPY);
	must(msg != NULL && msg_recv_iovec(msg, iov, msg_n_fragments,
	    bytes.len, 1) == 1);
	memcpy(iov[0].mv_base, bytes.p, bytes.len);
	msg_recv_commit(msg, (usize_t)bytes.len, 1);
	must(msg_extract(msg) > 0);
	return msg;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = { (const char *)data, size };
	struct head head = { .max_bytes = 32768, .max_lines = 100 };
	struct plain p;
	const sip_t *sip;
	msg_t *msg;

	if (size == 0 || size > 65535 || screen_head(&head, bytes.p,
	    bytes.len) != HEAD_WHOLE || head.start > 0 ||
	    !plain_read(&p, bytes))
		return 0;
	msg = parse(bytes);
	sip = sip_object(msg);
	must((sip->sip_flags & (MSG_FLG_ERROR | MSG_FLG_TRUNC |
	    MSG_FLG_TOOLARGE)) == 0);
	must(sane_request(sip).why == REASON_COUNT);
	check_start(&p, sip);
	check_via(&p, sip->sip_via);
	check_headers(&p, sip);
	check_absent(sip);
	check_body(sip, size - head.len);
	msg_destroy(msg);
	return 0;
}
