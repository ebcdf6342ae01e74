/*
 * deliver.c -- from bytes to a parsed message: where it ends, what Sofia makes
 * of it, and the last look before the hook has it.
 *
 * A stranger must not aim answers at others by what he writes into a Via, so
 * parameters that are there twice are refused (which of them counts would be
 * anybody's guess), and maddr goes (RFC 3261 18.2.1, 18.2.2).
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_buffer.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/msg_parser.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_string.h>

#include "base/count.h"
#include "transport/internal.h"
#include "transport/line.h"
#include "transport/mend.h"

enum {
	/* The text, its copy cut into fields, and what the fields cost. */
	PRELOAD = 2048,
	PRELOAD_MAX = 32768		/* Sofia's sizes have 16 bits */
};

struct head
transport_head(const struct transports *t)
{
	struct head h = { .max_bytes = HEAD_BYTES_MAX };

	if (t->conf.message_size > 0 && t->conf.message_size < HEAD_BYTES_MAX)
		h.max_bytes = (size_t)t->conf.message_size;
	if (t->conf.headers > 0)
		h.max_lines = (size_t)t->conf.headers;
	return h;
}

static size_t
message_max(const struct transports *t, bool stream)
{
	if (t->conf.message_size > 0)
		return (size_t)t->conf.message_size;
	return stream ? STREAM_MESSAGE_MAX : DATAGRAM_MAX;
}

static void
damaged(struct delivery *d, unsigned flags, enum refusal why)
{
	d->damage = flags | MSG_FLG_ERROR;
	d->why = why;
}

/*
 * RFC 3261 18.3.  A datagram ends its message, and what is behind it is
 * thrown away; a stream must say how long the body is (20.14).  What is too
 * large goes on without its body, only to be answered with 413.
 */
size_t
transport_frame(const struct transports *t, const struct head *h, size_t have,
    bool stream, struct delivery *d)
{
	size_t rest = have - h->len, max = message_max(t, stream);
	size_t body = h->body < 0 ? 0 : (size_t)h->body;

	if (h->bad_length)
		damaged(d, MESSAGE_BAD_LENGTH, (enum refusal)HEAD_BAD_LENGTH);
	else if (stream && h->body < 0)
		damaged(d, 0, REFUSE_NO_LENGTH);
	if (!stream && h->body < 0)
		body = rest;
	if (body > max || h->len - h->start > max - body) {
		damaged(d, MSG_FLG_TOOLARGE, REFUSE_TOO_LARGE);
		body = 0;
	} else if (!stream && body > rest) {
		damaged(d, MSG_FLG_TRUNC, REFUSE_TRUNCATED);
		body = rest;
	}
	return h->len + body;
}

/* How often a parameter stands there. */
static unsigned
param_count(const sip_via_t *v, const char *name)
{
	size_t len = strlen(name);
	unsigned n = 0;

	for (size_t i = 0; v->v_params != NULL && v->v_params[i] != NULL; i++) {
		const char *p = v->v_params[i];

		if (strncasecmp(p, name, len) == 0 &&
		    (p[len] == '\0' || p[len] == '='))
			n++;
	}
	return n;
}

static bool
via_once(const sip_via_t *v)
{
	static const char *const once[] = {
		"maddr", "received", "rport", "branch", "ttl"
	};

	for (size_t i = 0; i < COUNT(once); i++)
		if (param_count(v, once[i]) > 1)
			return false;
	return true;
}

static bool
via_is_of(const sip_via_t *v, enum transport transport)
{
	return su_casematch(sip_via_transport(v),
	    transport_via_name(transport));
}

/* maddr is for multicast, which we do not speak. */
static void
via_without_maddr(const sip_t *sip, sip_via_t *v)
{
	if (v->v_maddr == NULL)
		return;
	line_rewrite((msg_header_t *)sip->sip_via, (msg_header_t *)v);
	msg_header_remove_param(v->v_common, "maddr");
}

static bool
judge_request(const struct delivery *d, const sip_t *sip, enum refusal *why)
{
	/* Nothing ever answers an ACK (RFC 3261 17.1.1.3). */
	if (sip->sip_request->rq_method == sip_method_ack &&
	    (!su_casematch(sip->sip_request->rq_version, "SIP/2.0") ||
	    (sip->sip_flags & MSG_FLG_ERROR) != 0)) {
		if (*why == REFUSE_BEFORE)
			*why = REFUSE_GARBAGE;
		return false;
	}
	/* Without a Via there is no way to answer (8.2.6.2). */
	if (*why == REFUSE_BEFORE || sip->sip_via != NULL)
		*why = REFUSE_VIA;
	if (sip->sip_via == NULL || !via_once(sip->sip_via) ||
	    !via_is_of(sip->sip_via, d->arrived.transport))
		return false;
	via_without_maddr(sip, sip->sip_via);
	return true;
}

/* RFC 3261 18.3: a truncated response is discarded.  The second Via is the
 * one that a response is sent on by. */
static bool
judge_response(const sip_t *sip, enum refusal *why)
{
	if (*why != REFUSE_BEFORE)
		return false;
	*why = REFUSE_GARBAGE;
	if (sip->sip_status->st_status < 100 ||
	    sip->sip_status->st_status > 699)
		return false;
	if (sip->sip_via == NULL || sip->sip_via->v_next == NULL)
		return true;
	*why = REFUSE_VIA;
	if (!via_once(sip->sip_via->v_next))
		return false;
	via_without_maddr(sip, sip->sip_via->v_next);
	return true;
}

static bool
judge(const struct delivery *d, const sip_t *sip, enum refusal *why)
{
	*why = d->damage != 0 ? d->why : REFUSE_BEFORE;
	if (sip != NULL && sip->sip_request != NULL)
		return judge_request(d, sip, why);
	if (sip != NULL && sip->sip_status != NULL)
		return judge_response(sip, why);
	*why = REFUSE_GARBAGE;
	return false;
}

/* What is no whole message in Sofia's eyes is marked as an error. */
static bool
parse(msg_t *msg, const struct delivery *d, enum mend mend)
{
	static const unsigned flags[] = {
		[MEND_URI] = MSG_FLG_ERROR,
		[MEND_VIA] = MSG_FLG_ERROR | MESSAGE_BAD_VIA,
		[MEND_PARTIES] = 0
	};
	msg_iovec_t iov[msg_n_fragments] = { { 0 } };
	size_t len = d->arrived.len;

	if (msg_recv_iovec(msg, iov, msg_n_fragments, len, 1) != 1)
		return false;
	memcpy(iov[0].mv_base, d->arrived.raw, len);
	mend_bytes(mend, iov[0].mv_base, len);
	msg_recv_commit(msg, len, 1);
	if (msg_extract(msg) <= 0)
		msg_mark_as_complete(msg, MSG_FLG_ERROR);
	mend_undo(mend, msg, d->arrived.raw, len);
	msg_set_flags(msg, d->damage | flags[mend]);
	return true;
}

static msg_t *
parsed(const struct transports *t, const struct delivery *d, enum mend mend)
{
	size_t preload = PRELOAD + 2 * d->arrived.len;
	msg_t *msg = msg_create(t->mclass, MSG_DO_EXTRACT_COPY);
	struct sockaddr_storage ss;
	socklen_t len;

	if (msg == NULL)
		return NULL;
	su_home_preload(msg_home(msg), 1,
	    preload < PRELOAD_MAX ? preload : PRELOAD);
	len = addr_to_sockaddr(&d->arrived.source, &ss);
	msg_set_address(msg, (const su_sockaddr_t *)&ss, len);
	if (parse(msg, d, mend))
		return msg;
	msg_destroy(msg);
	return NULL;
}

static msg_t *
message_of(const struct transports *t, const struct delivery *d)
{
	msg_t *msg = parsed(t, d, MEND_NOTHING);
	enum mend mend;

	if (msg == NULL)
		return NULL;
	mend = mend_wanted(sip_object(msg), d->arrived.raw, d->arrived.len);
	if (mend == MEND_NOTHING)
		return msg;
	msg_destroy(msg);
	return parsed(t, d, mend);
}

static bool
was_plain(const struct transports *t, const struct delivery *d)
{
	return t->hooks.on_plain != NULL && d->damage == 0 &&
	    d->arrived.transport == TRANSPORT_UDP &&
	    t->hooks.on_plain(t->hooks.arg, &d->arrived);
}

bool
transport_deliver(struct transports *t, const struct delivery *d)
{
	msg_t *msg;
	enum refusal why;

	if (was_plain(t, d)) {
		t->messages[d->arrived.transport]++;
		return true;
	}
	msg = message_of(t, d);
	if (msg == NULL)
		return false;
	t->messages[d->arrived.transport]++;
	if (!judge(d, sip_object(msg), &why)) {
		transport_refuse(t, why, &d->arrived.source);
		msg_destroy(msg);
		return true;
	}
	if (d->damage != 0)	/* it is answered with 400 or 413 */
		t->refused[d->why - HEAD_MORE]++;
	t->hooks.on_message(t->hooks.arg, &d->arrived, msg);
	return true;
}
