#include "config.h"

#include "daemon/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/message.h"
#include "pipeline/sofia.h"
#include "io/loop.h"

enum {
	MESSAGE_PRELOAD = 2048,		/* bytes taken at once for a message */
	SOCKET_BUFFER = 8 << 20,
	NO_HEADER = 1 << 30,		/* 0 would mean any: see nta.c */
	NO_TIMER_C = 15 * 24 * 3600 * 1000	/* nta's own is broken on TCP */
};

struct listener {
	nta_agent_t	*agent;
	msg_mclass_t	*message_class;	/* must outlive the agent */
};

/*
 * Stateless callback mode: what matches no transaction comes to us.  The
 * proxy's rules (UA 0); no resolving, no switching of transports and no
 * answers by the library; rport is forced by us where it is due.
 */
static nta_agent_t *
make_agent(struct loop *loop, const struct settings *s, struct pipeline *p,
    const msg_mclass_t *class)
{
	return nta_agent_create(loop_root(loop), (url_string_t *)-1,
	    pipeline_message, p,
	    NTATAG_UA(0), NTATAG_STATELESS(1),
	    NTATAG_CANCEL_487(0), NTATAG_CANCEL_2543(0), NTATAG_MERGE_482(0),
	    NTATAG_PASS_100(1), NTATAG_EXTRA_100(0), NTATAG_REL100(0),
	    NTATAG_PASS_408(0), NTATAG_TIMEOUT_408(1),
	    NTATAG_SERVER_RPORT(1), NTATAG_CLIENT_RPORT(1),
	    NTATAG_TCP_RPORT(1), NTATAG_TLS_RPORT(1),
	    NTATAG_UDP_MTU(65535), NTATAG_MAXSIZE((unsigned)
	    (s->limits.message_size < 0 ? 1 << 20 : s->limits.message_size)),
	    NTATAG_USE_NAPTR(0), NTATAG_USE_SRV(0), NTATAG_GRAYLIST(0),
	    NTATAG_BAD_REQ_MASK(0), NTATAG_BAD_RESP_MASK(NO_HEADER),
	    NTATAG_SIPFLAGS(MSG_DO_EXTRACT_COPY),
	    NTATAG_MCLASS(class), NTATAG_PRELOAD(MESSAGE_PRELOAD),
	    NTATAG_SIP_T1((unsigned)s->timers.t1_ms),
	    NTATAG_SIP_T1X64((unsigned)(64 * s->timers.t1_ms)),
	    NTATAG_TIMER_C(NO_TIMER_C), TAG_END());
}

static tport_t *
primary_of(nta_agent_t *agent, const char *ident)
{
	tport_t *tp = tport_primaries(nta_agent_tports(agent));

	while (tp != NULL && (tport_name(tp)->tpn_ident == NULL ||
	    strcmp(tport_name(tp)->tpn_ident, ident) != 0))
		tp = tport_next(tp);
	return tp;
}

static int
open_way(nta_agent_t *agent, struct way *w)
{
	char url[512], bound[ADDR_TEXT_MAX];

	snprintf(url, sizeof url, "sip:%s:%u;maddr=%s;transport=%s", w->host,
	    w->port, addr_host_text(&w->addr, bound),
	    transport_name(w->transport));
	if (nta_agent_add_tport(agent, (url_string_t *)url,
	    TPTAG_IDENT(w->ident), TPTAG_STUN_SERVER(0),
	    TPTAG_UDP_RMEM(SOCKET_BUFFER), TPTAG_UDP_WMEM(SOCKET_BUFFER),
	    TPTAG_PONG2PING(1), TPTAG_SDWN_ERROR(0), TAG_END()) == 0)
		w->primary = primary_of(agent, w->ident);
	if (w->primary == NULL) {
		log_event(EV_LISTEN_FAIL, kv_str("listener", w->listener),
		    kv_str("address", addr_text(&w->addr, bound)),
		    kv_str("transport", transport_name(w->transport)),
		    kv_str("reason", su_strerror(su_errno())));
		return -1;
	}
	log_event(EV_LISTEN, kv_str("listener", w->listener),
	    kv_str("address", addr_text(&w->addr, bound)),
	    kv_str("transport", transport_name(w->transport)),
	    kv_str("advertise", w->host));
	return 0;
}

struct listener *
listener_open(struct loop *loop, const struct settings *s, struct ways *ways,
    struct pipeline *p)
{
	struct listener *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->message_class = message_class_new();
	if (l->message_class != NULL)
		l->agent = make_agent(loop, s, p, l->message_class);
	if (l->agent == NULL) {
		log_event(EV_LISTEN_FAIL, kv_str("reason", "no agent"));
		goto fail;
	}
	for (size_t i = 0; i < ways->n; i++)
		if (open_way(l->agent, &ways->way[i]) < 0)
			goto fail;
	pipeline_set_agent(p, l->agent);
	return l;
fail:
	listener_close(l);
	return NULL;
}

void
listener_close(struct listener *l)
{
	if (l == NULL)
		return;
	if (l->agent != NULL)
		nta_agent_destroy(l->agent);
	free(l->message_class);
	free(l);
}
