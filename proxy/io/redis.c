/*
 * redis.c -- one connection to a Redis server: commands out, answers in.
 *
 * A command whose time is up is told so, and stays in the queue as a ghost
 * until its answer comes, since answers are known by their order alone.
 *
 * A server that is alive but too slow is as good as none: the connection ends
 * when nothing at all is heard for a while after a timeout, or when too many
 * answers in a row are late.
 */
#include "config.h"

#include "io/redis.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <hiredis/hiredis.h>

#include "base/secret.h"
#include "io/loop.h"
#include "io/timeouts.h"

enum {
	CONNECT_MS = 1000,	/* at least; else some timeouts */
	SILENT_TIMEOUTS = 3,	/* nothing heard for so long: hung */
	SILENT_LEAST_MS = 100,
	LATE_MAX = 100,		/* late answers in a row */
	ARGS_MAX = 64,
	REPLY_MAX = 1 << 20	/* bytes of a reply that is not over */
};

struct command {
	STAILQ_ENTRY(command) entry;
	struct timeout	 timeout;
	redis_done_f	*done;		/* NULL: a ghost, or nobody asks */
	void		*arg;
};

struct redis {
	struct redis_conf conf;
	struct redis_hooks hooks;
	struct redis_stream *stream;
	redisReader	*reader;
	struct timeouts	*timeouts;
	struct loop_timer *watchdog;	/* connecting; then: nothing heard */
	bool		 up, ended;
	bool		 watching;	/* watchdog runs since a timeout */
	unsigned	 late;		/* in a row */
	size_t		 unfinished;	/* bytes of the reply that comes */
	STAILQ_HEAD(, command) queue;
	size_t		 nqueue;
};

/* Takes it off; the caller frees it. */
static struct command *
queue_pop(struct redis *r)
{
	struct command *c = STAILQ_FIRST(&r->queue);

	if (c == NULL)
		return NULL;
	STAILQ_REMOVE_HEAD(&r->queue, entry);
	r->nqueue--;
	timeouts_remove(r->timeouts, &c->timeout);
	return c;
}

static void
command_finish(struct command *c, const redisReply *reply)
{
	redis_done_f *done = c->done;
	void *arg = c->arg;

	free(c);
	if (done != NULL)
		done(arg, reply);
}

static void
end(struct redis *r, const char *reason)
{
	struct command *c;

	if (r->ended)
		return;
	r->ended = true;
	r->up = false;
	loop_timer_stop(r->watchdog);
	while ((c = queue_pop(r)) != NULL)
		command_finish(c, NULL);
	r->hooks.down(r->hooks.arg, reason);	/* frees r */
}

static void
stream_ended(void *arg, const char *reason)
{
	end(arg, reason);
}

static void
stream_opened(void *arg)
{
	struct redis *r = arg;

	loop_timer_stop(r->watchdog);
	r->up = true;
	r->hooks.up(r->hooks.arg);
}

static void
hear(struct redis *r, const struct command *c)
{
	if (c->done != NULL)
		r->late = 0;
	if (!r->watching || r->late >= LATE_MAX)
		return;
	loop_timer_stop(r->watchdog);
	r->watching = false;
}

/* false: no whole reply yet, or the end; then r is gone. */
static bool
take_reply(struct redis *r)
{
	struct command *c;
	void *reply = NULL;

	if (redisReaderGetReply(r->reader, &reply) != REDIS_OK) {
		end(r, "the server does not speak Redis");
		return false;
	}
	if (reply == NULL) {
		if (r->unfinished > REPLY_MAX)
			end(r, "a reply without end");
		return false;
	}
	r->unfinished = 0;
	c = queue_pop(r);
	if (c != NULL) {
		hear(r, c);
		command_finish(c, reply);
	}
	freeReplyObject(reply);
	if (c == NULL)
		end(r, "a reply to nothing");
	return c != NULL;
}

static void
stream_bytes(void *arg, const char *p, size_t len)
{
	struct redis *r = arg;

	r->unfinished += len;
	if (redisReaderFeed(r->reader, p, len) != REDIS_OK)
		end(r, "no memory for a reply");
	else
		while (take_reply(r))
			;
}

static void
watchdog_barks(void *arg)
{
	struct redis *r = arg;

	end(r, r->up ? "the server does not answer" :
	    "no connection in time");
}

static void
expired(void *arg, struct timeout *t)
{
	struct redis *r = arg;
	struct command *c = (struct command *)((char *)t -
	    offsetof(struct command, timeout));
	redis_done_f *done = c->done;
	int64_t silent_ms = SILENT_TIMEOUTS * r->conf.timeout_ms;

	c->done = NULL;
	if (!r->watching)
		loop_timer_start(r->watchdog, silent_ms < SILENT_LEAST_MS ?
		    SILENT_LEAST_MS : silent_ms);
	r->watching = true;
	/* Not from here, where timeouts are being gone through. */
	if (++r->late >= LATE_MAX)
		loop_timer_start(r->watchdog, 0);
	if (done != NULL)
		done(c->arg, NULL);
}

static int64_t
connect_ms(const struct redis_conf *c)
{
	int64_t ms = 4 * c->timeout_ms;

	return ms > CONNECT_MS ? ms : CONNECT_MS;
}

struct redis *
redis_new(const struct redis_place *place, const struct redis_conf *conf,
    const struct redis_hooks *hooks)
{
	struct redis_stream_hooks sh = { .open = stream_opened,
		.bytes = stream_bytes, .end = stream_ended };
	struct redis *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	STAILQ_INIT(&r->queue);
	r->conf = *conf;
	r->hooks = *hooks;
	sh.arg = r;
	r->reader = redisReaderCreate();
	r->timeouts = timeouts_new(conf->loop, conf->timeout_ms, expired, r);
	r->watchdog = loop_timer_new(conf->loop, watchdog_barks, r);
	if (r->reader == NULL || r->timeouts == NULL || r->watchdog == NULL)
		goto fail;
	r->stream = redis_stream_new(conf->loop, place, &sh);
	if (r->stream == NULL)
		goto fail;
	loop_timer_start(r->watchdog, connect_ms(conf));
	return r;
fail:
	redis_free(r);
	return NULL;
}

void
redis_free(struct redis *r)
{
	struct command *c;

	if (r == NULL)
		return;
	if (r->up)
		redis_stream_flush(r->stream);
	r->up = false;
	while ((c = queue_pop(r)) != NULL)
		command_finish(c, NULL);
	redis_stream_free(r->stream);
	timeouts_free(r->timeouts);
	loop_timer_free(r->watchdog);
	if (r->reader != NULL)
		redisReaderFree(r->reader);
	free(r);
}

void
redis_end(struct redis *r, const char *reason)
{
	end(r, reason);
}

static bool
write_command(struct redis *r, const struct redis_args *args)
{
	const char *v[ARGS_MAX];
	size_t len[ARGS_MAX];
	char *text;
	int n;
	bool ok;

	if (args->n > ARGS_MAX)
		return false;
	for (size_t i = 0; i < args->n; i++) {
		v[i] = args->v[i].p;
		len[i] = args->v[i].len;
	}
	n = redisFormatCommandArgv(&text, (int)args->n, v, len);
	if (n < 0)
		return false;
	ok = redis_stream_write(r->stream, text, (size_t)n);
	secret_wipe(text, (size_t)n);	/* it may be AUTH */
	redisFreeCommand(text);
	return ok;
}

/* The first leaves at once; what follows while it is away, together. */
static void
flush(struct redis *r)
{
	if (r->nqueue == 1)
		redis_stream_flush(r->stream);
	else
		redis_stream_flush_soon(r->stream);
}

bool
redis_send(struct redis *r, const struct redis_args *args,
    redis_done_f *done, void *arg)
{
	struct command *c;

	if (!r->up || r->nqueue >= r->conf.in_flight)
		return false;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return false;
	if (!write_command(r, args)) {
		free(c);
		return false;
	}
	c->done = done;
	c->arg = arg;
	STAILQ_INSERT_TAIL(&r->queue, c, entry);
	r->nqueue++;
	timeouts_add(r->timeouts, &c->timeout);
	flush(r);
	return true;
}

enum redis_kind
redis_kind(const struct redisReply *r)
{
	if (r == NULL)
		return REDIS_NOTHING;
	switch (r->type) {
	case REDIS_REPLY_NIL:
		return REDIS_NIL;
	case REDIS_REPLY_INTEGER:
		return REDIS_INT;
	case REDIS_REPLY_ARRAY:
		return REDIS_LIST;
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
		return REDIS_TEXT;
	default:
		return REDIS_ERROR;
	}
}

int64_t
redis_int(const struct redisReply *r)
{
	return redis_kind(r) == REDIS_INT ? r->integer : 0;
}

struct str
redis_text(const struct redisReply *r)
{
	enum redis_kind k = redis_kind(r);

	if ((k != REDIS_TEXT && k != REDIS_ERROR) || r->str == NULL)
		return (struct str){ "", 0 };
	return (struct str){ r->str, (size_t)r->len };
}

size_t
redis_count(const struct redisReply *r)
{
	return redis_kind(r) == REDIS_LIST ? r->elements : 0;
}

const struct redisReply *
redis_item(const struct redisReply *r, size_t i)
{
	return i < redis_count(r) ? r->element[i] : NULL;
}

bool
redis_is_error(const struct redisReply *r, const char *word)
{
	struct str text = redis_text(r);
	size_t len = strlen(word);

	return redis_kind(r) == REDIS_ERROR && text.len >= len &&
	    memcmp(text.p, word, len) == 0 &&
	    (text.len == len || text.p[len] == ' ');
}
