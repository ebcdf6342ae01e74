/*
 * deliver.c -- the last look at a parsed message before nta has it.
 *
 * nta answers some requests on its own (400, 413, 505), and sends the answer
 * wherever the topmost Via says: to maddr, to a `received` that the sender
 * wrote, or, for 413 and 505, to the sent-by.  So a stranger could aim its
 * answers at others.  Here the topmost Via is made to say where the request
 * came from, before anything can be answered (RFC 3261 18.2.1, 18.2.2).
 */
#include "config.h"

#include "transport/deliver.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_string.h>

#include "base/addr.h"
#include "transport/internal.h"
#include "transport/sofia_vt.h"

/* How often a parameter stands there.  Twice is an error, and dangerous:
 * nta removes or sets the first, and reads the last. */
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

	for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
		if (param_count(v, once[i]) > 1)
			return false;
	return true;
}

/* nta drops another protocol as well, but only after its own 400. */
static bool
via_is_of(const sip_via_t *v, const tport_t *tp)
{
	return su_casematch(sip_via_transport(v), tport_name(tp)->tpn_proto);
}

/* maddr is for multicast, which we do not speak. */
static void
via_without_maddr(sip_via_t *v)
{
	if (v->v_maddr != NULL)
		msg_header_remove_param(v->v_common, "maddr");
}

static bool
via_set(msg_t *msg, sip_via_t *v, const char *name, const char *value)
{
	char *param = su_sprintf(msg_home(msg), "%s=%s", name, value);

	return param != NULL &&
	    msg_header_replace_param(msg_home(msg), v->v_common, param) >= 0;
}

/* RFC 3261 18.2.1, RFC 3581 4: what nta leaves out for its 413 and 505. */
static bool
via_tell_source(msg_t *msg, sip_via_t *v)
{
	char host[ADDR_TEXT_MAX], port[8];
	struct addr from;
	size_t len;

	if (!addr_from_sockaddr(&from, &msg_addr(msg)->su_sa))
		return false;
	addr_host_text(&from, host);
	len = strlen(host);
	if (host[0] == '[') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
	}
	snprintf(port, sizeof port, "%u", (unsigned)from.port);
	return via_set(msg, v, "received", host) &&
	    (v->v_rport == NULL || via_set(msg, v, "rport", port));
}

static bool
is_version_2(const char *version)
{
	return su_casematch(version, "SIP/2.0");
}

static bool
judge_request(tport_t *tp, msg_t *msg, sip_t *sip, enum refusal *why)
{
	bool odd = !is_version_2(sip->sip_request->rq_version) ||
	    (sip->sip_flags & MSG_FLG_ERROR) != 0;

	/* Nothing ever answers an ACK (RFC 3261 17.1.1.3). */
	if (odd && sip->sip_request->rq_method == sip_method_ack) {
		if (*why == REFUSE_BEFORE)
			*why = REFUSE_GARBAGE;
		return false;
	}
	if (sip->sip_via == NULL)
		return true;		/* nta drops it, and hangs up */
	*why = REFUSE_VIA;
	if (!via_is_of(sip->sip_via, tp) || !via_once(sip->sip_via))
		return false;
	via_without_maddr(sip->sip_via);
	return !odd || via_tell_source(msg, sip->sip_via);
}

/* RFC 3261 18.3: a truncated response is discarded.  The second Via is the
 * one that a response is sent on by. */
static bool
judge_response(sip_t *sip, enum refusal *why)
{
	if (*why != REFUSE_BEFORE)
		return false;
	if (sip->sip_via == NULL || sip->sip_via->v_next == NULL)
		return true;
	*why = REFUSE_VIA;
	if (!via_once(sip->sip_via->v_next))
		return false;
	via_without_maddr(sip->sip_via->v_next);
	return true;
}

static bool
judge(tport_t *tp, msg_t *msg, const struct delivery *d, enum refusal *why)
{
	sip_t *sip = sip_object(msg);

	*why = d->damage != 0 ? d->why : REFUSE_BEFORE;
	if (sip != NULL && sip->sip_request != NULL)
		return judge_request(tp, msg, sip, why);
	if (sip != NULL && sip->sip_status != NULL)
		return judge_response(sip, why);
	*why = REFUSE_GARBAGE;
	return false;
}

static void
refuse(struct transports *t, msg_t *msg, enum refusal why)
{
	struct addr from;
	bool known = addr_from_sockaddr(&from, &msg_addr(msg)->su_sa);

	transport_refuse(t, why, known ? &from : NULL);
	msg_destroy(msg);
}

void
transport_deliver(tport_t *tp, msg_t *msg, su_time_t now)
{
	struct transports *t = transport_self();
	const struct delivery *d = t->delivery;
	enum refusal why;

	if (!judge(tp, msg, d, &why)) {
		refuse(t, msg, why);
		return;
	}
	if (d->damage != 0)	/* nta answers it with 400 or 413 */
		t->refused[d->why - HEAD_MORE]++;
	if (t->hooks.on_message != NULL &&
	    t->hooks.on_message(t->hooks.arg, tp, msg, &d->raw) ==
	    TRANSPORT_DROP) {
		msg_destroy(msg);
		return;
	}
	tport_base_deliver(tp, msg, now);
}
