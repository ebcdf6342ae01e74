/*
 * intake.c -- how many requests may be under way: in all, and of one peer.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pipeline/intake.h"
#include "pipeline/message.h"
#include "pipeline/route_query.h"

/* Requests under way that came from one peer; it outlives reloads. */
struct peer_load {
	UT_hash_handle	 hh;
	uint32_t	 id;		/* of the peer */
	int64_t		 pending;
};

static struct peer_load *
find(const struct pipeline *p, const struct peer *peer)
{
	struct peer_load *l;

	HASH_FIND(hh, p->peer_loads, &peer->id, sizeof peer->id, l);
	return l;
}

static void
tell(void *owner, const struct metric *what, metrics_visit_f *visit, void *arg)
{
	const struct pipeline *p = owner;
	const struct peers *ps = p->policy->peers;

	for (size_t i = 0; i < peers_count(ps); i++) {
		const struct peer *peer = peers_at(ps, i);
		const struct peer_load *l = find(p, peer);

		if (peer_sends(peer))
			visit(arg, what, peer->name, l == NULL ? 0 :
			    (uint64_t)l->pending);
	}
}

int
intake_open(struct pipeline *p)
{
	static const struct metric pending = {
		.name = "peer_requests_pending", .label = "peer",
		.kind = METRIC_GAUGE,
		.help = "Requests under way that came from the peer."
	};

	return metrics_add_live(p->env.metrics, &pending, tell, p);
}

void
intake_free(struct pipeline *p)
{
	struct peer_load *l, *tmp;

	HASH_ITER(hh, p->peer_loads, l, tmp) {
		HASH_DELETE(hh, p->peer_loads, l);
		free(l);
	}
}

/* With its parameters it may be read as another: "112;rn=+1900". */
static bool
is_that_alone(const url_t *u)
{
	struct called called;

	route_query_called(u, &called);
	for (size_t i = 1; i < called.n; i++)
		if (!number_is_local(&called.reading[i], &called.reading[0]))
			return false;
	return called.n > 0;
}

/* RFC 5031 4.2: "sos", and what is below it. */
static bool
is_sos(const url_t *u)
{
	return url_is_service(u) && strncasecmp(u->url_port, "sos", 3) == 0 &&
	    (u->url_port[3] == '\0' || u->url_port[3] == '.');
}

/* As it was received: what others put before it is for them to know. */
bool
intake_is_emergency(const struct request *req)
{
	const url_t *u = req->sip->sip_request->rq_url;
	const struct conf_list *numbers = &req->policy->limits->emergency;
	const char *user = u->url_user;

	if (is_sos(u))
		return message_strict_hop(req->sip) == NULL;
	if (u->url_type == url_tel && user == NULL)
		user = u->url_host;
	for (size_t i = 0; user != NULL && i < numbers->n; i++)
		if (strcmp(numbers->v[i], user) == 0)
			return is_that_alone(u) &&
			    message_strict_hop(req->sip) == NULL;
	return false;
}

bool
intake_is_over(const struct request *req, int64_t max, int64_t pending)
{
	if (max < 0 || pending < max || req->token_state == TOKEN_GOOD)
		return false;
	return pending >= 2 * max || !intake_is_emergency(req);
}

static bool
peer_is_full(const struct request *req)
{
	const struct peer_load *l;

	if (req->peer == NULL || req->peer->pending < 0 || req->load != NULL)
		return false;
	l = find(req->p, req->peer);
	return l != NULL && intake_is_over(req, req->peer->pending,
	    l->pending);
}

bool
intake_is_full(const struct request *req)
{
	return peer_is_full(req) || (req->prev == NULL && intake_is_over(req,
	    req->policy->limits->pending, (int64_t)req->p->pending));
}

static struct peer_load *
add(struct pipeline *p, const struct peer *peer)
{
	struct peer_load *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->id = peer->id;
	HASH_ADD(hh, p->peer_loads, id, sizeof l->id, l);
	if (l->hh.tbl != NULL)
		return l;
	free(l);
	return NULL;
}

bool
intake_begin(struct request *req)
{
	struct peer_load *l;

	if (req->peer == NULL || req->load != NULL)
		return true;
	l = find(req->p, req->peer);
	if (l == NULL)
		l = add(req->p, req->peer);
	if (l == NULL)
		return false;
	l->pending++;
	req->load = l;
	return true;
}

void
intake_end(struct request *req)
{
	struct peer_load *l = req->load;

	req->load = NULL;
	if (l == NULL || --l->pending > 0)
		return;
	HASH_DELETE(hh, req->p->peer_loads, l);
	free(l);
}
