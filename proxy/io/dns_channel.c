/*
 * dns_channel.c -- one question put to the name servers, by c-ares.
 */
#include "config.h"

#include "io/dns_channel.h"

#include <arpa/nameser.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "io/loop.h"

/* c-ares has one socket of each kind for a server. */
enum { WATCHES_MAX = 2 * DNS_SERVERS_MAX };

struct watch {
	struct dns_channel *channel;
	ares_socket_t	 fd;
	struct loop_fd	*loop_fd;	/* NULL: free */
};

struct dns_channel {
	struct loop	*loop;
	dns_channel_f	*fn;
	void		*arg;
	ares_channel	 ares;
	struct loop_timer *timer;
	struct watch	 watch[WATCHES_MAX];
	bool		 deaf;		/* a socket is not watched */
	bool		 told;
	uint8_t		*answer;	/* NULL: none, or no memory */
	size_t		 len;
	unsigned	 silences;
};

/* From inside c-ares, where nothing of it may be ended; go_on() tells. */
static void
keep_answer(void *arg, int status, int timeouts, unsigned char *m, int len)
{
	struct dns_channel *c = arg;

	c->told = true;
	c->silences = (unsigned)timeouts;
	if (status != ARES_SUCCESS || len <= 0)
		return;
	c->answer = malloc((size_t)len);
	if (c->answer == NULL)
		return;
	c->len = (size_t)len;
	memcpy(c->answer, m, c->len);
}

/* c-ares rounds down. */
static void
start_timer(struct dns_channel *c)
{
	struct timeval tv;

	if (c->told)
		loop_timer_start(c->timer, 0);
	else if (ares_timeout(c->ares, NULL, &tv) != NULL)
		loop_timer_start(c->timer, tv.tv_sec * INT64_C(1000) +
		    tv.tv_usec / 1000 + 1);
}

static void
go_on(struct dns_channel *c)
{
	if (c->told)
		c->fn(c->arg, c->answer, c->len, c->silences);
	else
		start_timer(c);
}

static void
time_is_up(void *arg)
{
	struct dns_channel *c = arg;

	if (!c->told)
		ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	go_on(c);
}

static void
socket_ready(void *arg, unsigned events)
{
	const struct watch *w = arg;
	struct dns_channel *c = w->channel;
	ares_socket_t fd = w->fd;

	ares_process_fd(c->ares, events & LOOP_IN ? fd : ARES_SOCKET_BAD,
	    events & LOOP_OUT ? fd : ARES_SOCKET_BAD);
	go_on(c);
}

/* That of fd, or else a free one. */
static struct watch *
find_watch(struct dns_channel *c, ares_socket_t fd)
{
	struct watch *found = NULL;

	for (size_t i = 0; i < WATCHES_MAX; i++) {
		struct watch *w = &c->watch[i];

		if (w->loop_fd != NULL && w->fd == fd)
			return w;
		if (w->loop_fd == NULL)
			found = w;
	}
	return found;
}

/* Neither way: fd is about to be closed.  Later than at the start, one that
 * cannot be watched for want of memory is like a server that is silent. */
static void
socket_changed(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns_channel *c = arg;
	unsigned events = (readable ? LOOP_IN : 0) | (writable ? LOOP_OUT : 0);
	struct watch *w = find_watch(c, fd);

	if (w == NULL)
		return;
	if (events == 0) {
		loop_fd_free(w->loop_fd);
		w->loop_fd = NULL;
	} else if (w->loop_fd != NULL) {
		loop_fd_events(w->loop_fd, events);
	} else {
		w->channel = c;
		w->fd = fd;
		w->loop_fd = loop_fd_new(c->loop, fd, events, socket_ready,
		    w);
		c->deaf = c->deaf || w->loop_fd == NULL;
	}
}

static bool
set_servers(struct dns_channel *c, const struct dns_servers *s, size_t first)
{
	struct ares_addr_port_node server[DNS_SERVERS_MAX];

	for (size_t i = 0; i < s->n; i++) {
		server[i] = s->server[(first + i) % s->n];
		server[i].next = i + 1 < s->n ? &server[i + 1] : NULL;
	}
	return ares_set_servers_ports(c->ares, server) == ARES_SUCCESS;
}

/* All that it would look for in files is set.  EDNS is not: who answers first
 * "truncated" and then "what is EDNS?" makes 1.18 send from memory that it
 * has given back.  So more than 512 bytes come by TCP. */
static bool
open_channel(struct dns_channel *c, const struct dns_servers *s)
{
	char lookups[] = "b";
	struct ares_options options = {
		.timeout = s->timeout_ms, .tries = s->attempts, .ndots = 1,
		.lookups = lookups, .sock_state_cb = socket_changed,
		.sock_state_cb_data = c
	};

	return ares_init_options(&c->ares, &options, ARES_OPT_FLAGS |
	    ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
	    ARES_OPT_NOROTATE | ARES_OPT_SERVERS | ARES_OPT_DOMAINS |
	    ARES_OPT_SORTLIST | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB) ==
	    ARES_SUCCESS;
}

/* By a number of our own: those that 1.18 draws are no good lot. */
static bool
ask(struct dns_channel *c, const struct dns_question *q)
{
	unsigned char *m;
	uint16_t id;
	int len;

	random_bytes(&id, sizeof id);
	if (ares_create_query(q->name, ns_c_in, q->type, id, 1, &m, &len,
	    0) != ARES_SUCCESS)
		return false;
	ares_send(c->ares, m, len, keep_answer, c);
	ares_free_string(m);
	start_timer(c);
	return !c->deaf;
}

struct dns_channel *
dns_channel_start(const struct dns_channel_conf *conf,
    const struct dns_question *q)
{
	struct dns_channel *c;

	c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->loop = conf->loop;
	c->fn = conf->fn;
	c->arg = conf->arg;
	c->timer = loop_timer_new(c->loop, time_is_up, c);
	if (c->timer != NULL && open_channel(c, conf->servers) &&
	    set_servers(c, conf->servers, conf->first) && ask(c, q))
		return c;
	dns_channel_free(c);
	return NULL;
}

void
dns_channel_free(struct dns_channel *c)
{
	if (c == NULL)
		return;
	if (c->ares != NULL)
		ares_destroy(c->ares);
	free(c->answer);
	loop_timer_free(c->timer);
	free(c);
}
