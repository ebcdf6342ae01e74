/*
 * nonce_redis.c -- the nonce store `redis`: uses counted for all instances.
 *
 * It is up only after a whole connect sequence: who is the server, is it fit,
 * does it take writes and scripts, which generations are in force.  Anything
 * that goes wrong ends the link, and the sequence begins again.
 *
 * A nonce names the memory that counts it: a generation of the data in Redis,
 * or this process (local).  So being away or coming back opens nothing; the
 * nonces of the other memory are merely stale.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/nonce_store.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "io/loop.h"
#include "modules/kinds.h"
#include "modules/redis_beat.h"
#include "modules/redis_canary.h"
#include "modules/redis_conf.h"
#include "modules/redis_scripts.h"
#include "modules/redis_server.h"
#include "modules/redis_uses.h"
#include "modules/use_memory.h"

#define LITERAL(s) ((struct str){ s, sizeof s - 1 })

enum {
	LOCAL_NONCES = 100000,		/* counted here while away */
	SAY_AGAIN_MS = 60000		/* another reason for being away */
};

/* What a connect sequence still waits for. */
enum { WAIT_INFO = 1, WAIT_SCRIPT = 2, WAIT_TRIAL = 4, WAIT_BEAT = 8,
    WAIT_CANARIES = 16 };

enum state { STARTING, GREETING, UP, AWAY };

struct store {
	struct nonce_store base;
	struct redis_space space;
	struct redis_server server;
	struct canaries	 canaries;
	struct beat	 beat;
	struct uses	 uses;
	struct use_memory *local;
	uint32_t	 nc_max;
	enum on_failure	 on_failure;
	enum state	 state;
	unsigned	 waits;		/* bits: WAIT_... */
	bool		 closing;
	const char	*reason;	/* why away */
	int64_t		 said_ms;
	uint32_t	 known[SHARDS];	/* generations; 0: none yet */
	unsigned	 next_shard;
	uint64_t	*nup, *nconnects, *nuses, *nround_trips,
			*nround_trip_us, *noffset_ms, *ntwin, *nother_key;
};

static const char *const verdict_names[] = {
	[USE_ACCEPT] = "accept", [USE_ABSORB] = "absorb",
	[USE_FENCED] = "fenced", [USE_REPLAY] = "replay",
	[USE_UNAVAILABLE] = "unavailable"
};

static const struct metric metrics[] = {
	{ "nonce_redis_up", "Whether Redis counts the uses of nonces.",
	    METRIC_GAUGE, NULL, NULL, 0 },
	{ "nonce_redis_connects_total", "Connect sequences that succeeded.",
	    METRIC_COUNTER, NULL, NULL, 0 },
	{ "nonce_redis_uses_total",
	    "Uses of nonces that were put to Redis, by verdict; unavailable: "
	    "no answer in time.", METRIC_COUNTER, "verdict", verdict_names,
	    sizeof verdict_names / sizeof verdict_names[0] },
	{ "nonce_redis_round_trips_total", "Answers to uses.",
	    METRIC_COUNTER, NULL, NULL, 0 },
	{ "nonce_redis_round_trip_us_total",
	    "Microseconds that these answers took, all together.",
	    METRIC_COUNTER, NULL, NULL, 0 },
	{ "nonce_redis_clock_offset_ms",
	    "How far the server's clock is from ours, either way.",
	    METRIC_GAUGE, NULL, NULL, 0 },
	{ "nonce_redis_instance_twin",
	    "Whether another live instance has the same instance_id.",
	    METRIC_GAUGE, NULL, NULL, 0 },
	{ "nonce_redis_other_key",
	    "Whether the other instances have another master key.",
	    METRIC_GAUGE, NULL, NULL, 0 }
};

/* One line a change of state, and one when the reason becomes another. */
static void
say_away(struct store *s, const char *reason)
{
	int64_t now_ms = clock_mono_ms();
	bool still = s->reason != NULL;

	if (still && (strcmp(s->reason, reason) == 0 ||
	    now_ms < s->said_ms + SAY_AGAIN_MS))
		return;
	s->reason = reason;
	if (still)
		s->said_ms = now_ms;
	log_event(still ? EV_REDIS_STILL : EV_REDIS_DOWN,
	    kv_str("reason", reason),
	    kv_str("server", redis_link_where(s->space.link)),
	    kv_str("on_failure", s->on_failure == FAILURE_DENY ?
	    "deny" : "local"));
}

static void
go_away(struct store *s, const char *reason)
{
	say_away(s, reason);
	s->state = AWAY;
	s->waits = 0;
	*s->nup = 0;
	beat_stop(&s->beat);
	canaries_forget(&s->canaries);
}

static void
drop(struct store *s, const char *reason)
{
	if (s->state != GREETING && s->state != UP)
		return;
	go_away(s, reason);
	redis_link_drop(s->space.link, reason);
}

static void
be_up(struct store *s)
{
	s->state = UP;
	s->reason = NULL;
	*s->nup = 1;
	++*s->nconnects;
	log_event(EV_REDIS_UP,
	    kv_str("server", redis_link_where(s->space.link)),
	    kv_str("kind", s->server.kind),
	    kv_str("version", s->server.version),
	    kv_bool("scripts", s->uses.sha[0] != '\0'),
	    kv_int("clock_offset_ms", s->server.offset_ms));
}

static void
arrived(struct store *s, unsigned what)
{
	if (s->state != GREETING)
		return;
	s->waits &= ~what;
	if (s->waits == 0)
		be_up(s);
}

/* Nothing is said of those that are found at the first connect. */
static void
learn_generations(struct store *s)
{
	unsigned changed = 0, before = 0;

	for (unsigned i = 0; i < SHARDS; i++) {
		before += s->known[i] != 0;
		changed += s->known[i] != s->canaries.generation[i];
		s->known[i] = s->canaries.generation[i];
	}
	if (before > 0 && changed > 0)
		log_event(EV_REDIS_GENERATION, kv_uint("shards", changed),
		    kv_str("server", redis_link_where(s->space.link)));
}

static void
claimed(void *arg, const char *reason)
{
	struct store *s = arg;

	if (reason != NULL) {
		drop(s, reason);
		return;
	}
	learn_generations(s);
	arrived(s, WAIT_CANARIES);
}

static void
fenced(void *arg, unsigned shard, struct str canary)
{
	struct store *s = arg;
	uint32_t generation;

	if (s->state != UP)
		return;
	switch (canary_parse(&s->canaries, canary, shard, &generation)) {
	case CANARY_OURS:
		if (generation != s->known[shard])
			canaries_claim(&s->canaries);
		break;
	case CANARY_ABSENT:
		canaries_claim(&s->canaries);
		break;
	case CANARY_FOREIGN:
		drop(s, "the server has taken up other data");
	}
}

/* May we not call scripts, or does what the script calls displease it? */
static bool
scripts_are_denied(const struct redisReply *r)
{
	struct str text = redis_text(r);

	return redis_is_error(r, "NOPERM") &&
	    memmem(text.p, text.len, "evalsha", 7) != NULL;
}

/* Redis 6 and 7 word it differently. */
static bool
is_denied_inside(const struct redisReply *r)
{
	static const char *const words[] = { "can't run this", "NOPERM" };
	struct str text = redis_text(r);

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (memmem(text.p, text.len, words[i], strlen(words[i])))
			return true;
	return false;
}

/* The script is tried, to its end, on keys that are gone in a moment: what the
 * ACL denies in it must show now and not at the first use. */
static void
tried(void *arg, const struct redisReply *r)
{
	struct store *s = arg;

	if (s->state != GREETING)
		return;
	if (scripts_are_denied(r))
		s->uses.sha[0] = '\0';
	else if (redis_kind(r) != REDIS_INT) {
		drop(s, is_denied_inside(r) ? "the server's ACL denies "
		    "(NOPERM) a command that the script needs" :
		    space_reason(r));
		return;
	}
	arrived(s, WAIT_TRIAL);
}

static bool
try_script(struct store *s)
{
	struct space_key key[3];

	return SPACE_SEND(&s->space, tried, s, LITERAL("EVALSHA"),
	    str_of(s->uses.sha), LITERAL("3"),
	    space_key(&s->space, &key[0], 0, "t"),
	    space_key(&s->space, &key[1], 0, "tn"),
	    space_key(&s->space, &key[2], 0, "tr"), LITERAL(""),
	    LITERAL("0"), LITERAL("1"), LITERAL("-"), LITERAL("-"),
	    LITERAL("1"), LITERAL("-"));
}

/* Who the server is and what it can do is known; now use it. */
static void
claim(struct store *s)
{
	memcpy(s->canaries.id, s->server.id, sizeof s->canaries.id);
	s->waits |= WAIT_BEAT | WAIT_CANARIES;
	if (s->uses.sha[0] != '\0') {
		s->waits |= WAIT_TRIAL;
		if (!try_script(s)) {
			drop(s, space_unsent(&s->space));
			return;
		}
	}
	beat_start(&s->beat);
	if (s->state == GREETING)
		canaries_claim(&s->canaries);
}

static void
info_came(void *arg, const struct redisReply *r)
{
	struct store *s = arg;
	const char *unfit;

	if (s->state != GREETING)
		return;
	unfit = redis_server_info(&s->server, r) ?
	    redis_server_unfit(&s->server) : space_reason(r);
	if (unfit != NULL)
		drop(s, unfit);
	else
		s->waits &= ~WAIT_INFO;
}

/* "ERR": scripts are unknown to it, since they were renamed away. */
static void
script_came(void *arg, const struct redisReply *r)
{
	struct store *s = arg;
	struct str sha = redis_text(r);

	if (s->state != GREETING)
		return;
	s->uses.sha[0] = '\0';
	if (redis_kind(r) == REDIS_TEXT && sha.len == SCRIPT_SHA) {
		memcpy(s->uses.sha, sha.p, SCRIPT_SHA);
		s->uses.sha[SCRIPT_SHA] = '\0';
	} else if (!redis_is_error(r, "NOPERM") &&
	    !redis_is_error(r, "ERR")) {
		drop(s, space_reason(r));
		return;
	}
	s->waits &= ~WAIT_SCRIPT;
	claim(s);
}

static void
connected(void *arg)
{
	struct store *s = arg;

	s->state = GREETING;
	s->waits = WAIT_INFO | WAIT_SCRIPT;
	if (!SPACE_SEND(&s->space, info_came, s, LITERAL("INFO")) ||
	    !SPACE_SEND(&s->space, script_came, s, LITERAL("SCRIPT"),
	    LITERAL("LOAD"), str_of(redis_use_script)))
		drop(s, space_unsent(&s->space));
}

static void
disconnected(void *arg, const char *reason)
{
	struct store *s = arg;

	go_away(s, reason);
}

static void
say_twin(struct store *s)
{
	*s->ntwin = s->beat.twin;
	log_event(s->beat.twin ? EV_REDIS_TWIN : EV_REDIS_TWIN_GONE,
	    kv_uint("instance_id", s->beat.instance));
}

static void
say_other_key(struct store *s)
{
	*s->nother_key = s->beat.other_key;
	log_event(s->beat.other_key ? EV_REDIS_KEY : EV_REDIS_KEY_GOOD,
	    kv_str("ours", s->beat.fingerprint[0]));
}

static void
beat_told(void *arg, enum beat_event what, const char *reason)
{
	struct store *s = arg;
	int64_t offset_ms = s->server.offset_ms;

	switch (what) {
	case BEAT_OK:
		arrived(s, WAIT_BEAT);
		break;
	case BEAT_BAD:
		drop(s, reason);
		break;
	case BEAT_CANARY_GONE:
		canaries_claim(&s->canaries);
		break;
	case BEAT_TWIN:
		say_twin(s);
		break;
	case BEAT_OTHER_KEY:
		say_other_key(s);
		break;
	case BEAT_CLOCK:
		*s->noffset_ms = (uint64_t)(offset_ms < 0 ? -offset_ms :
		    offset_ms);
		break;
	}
}

/*
 * A use whose answer is lost may have been counted, so it is never accepted;
 * with a new nonce the client is welcome at once.
 */
static enum use_verdict
without_redis(const struct store *s)
{
	return s->on_failure == FAILURE_DENY ? USE_UNAVAILABLE : USE_FENCED;
}

static void
judged(void *arg, struct nonce_use *use, enum use_verdict v, int64_t took_us)
{
	struct store *s = arg;

	if (s->closing)
		return;
	s->nuses[v]++;
	if (took_us > 0) {
		++*s->nround_trips;
		*s->nround_trip_us += (uint64_t)took_us;
	}
	use->done(use, v == USE_UNAVAILABLE ? without_redis(s) : v);
}

static void
server_failed(void *arg, const char *reason)
{
	drop(arg, reason);
}

static enum use_verdict
redis_start(struct nonce_store *base, struct nonce_use *use)
{
	struct store *s = (struct store *)base;

	use->pending = NULL;
	if (use->local)
		return use_memory_judge(s->local, use);
	if (use->nc == 0 || use->nc > s->nc_max)
		return USE_REPLAY;
	if (s->state != UP)
		return without_redis(s);
	return uses_start(&s->uses, use);
}

static void
redis_cancel(struct nonce_store *base, struct nonce_use *use)
{
	(void)base;
	uses_cancel(use);
}

static bool
redis_terms(struct nonce_store *base, struct nonce_terms *out)
{
	struct store *s = (struct store *)base;

	out->local = s->state != UP;
	if (out->local)
		out->generation = use_memory_generation(s->local);
	else
		out->generation = s->known[s->next_shard++ % SHARDS];
	return !out->local || s->on_failure == FAILURE_LOCAL;
}

static void
redis_close(struct nonce_store *base)
{
	struct store *s = (struct store *)base;

	s->closing = true;
	s->state = AWAY;
	if (s->beat.timer != NULL)
		beat_stop(&s->beat);
	canaries_forget(&s->canaries);
	redis_link_free(s->space.link);
	loop_timer_free(s->beat.timer);
	use_memory_free(s->local);
	free(s);
}

static bool
add_metrics(struct store *s, struct metrics *m)
{
	uint64_t **cell[] = { &s->nup, &s->nconnects, &s->nuses,
		&s->nround_trips, &s->nround_trip_us, &s->noffset_ms,
		&s->ntwin, &s->nother_key };

	for (size_t i = 0; i < sizeof cell / sizeof cell[0]; i++) {
		*cell[i] = metrics_add(m, &metrics[i]);
		if (*cell[i] == NULL)
			return false;
	}
	return true;
}

static void
wire(struct store *s, const struct redis_store_conf *c,
    const struct nonce_store_env *env)
{
	uint8_t owner[OWNER_TEXT / 2];

	random_bytes(owner, sizeof owner);
	hex_encode(s->space.owner, owner, sizeof owner);
	s->space.prefix = c->prefix;
	s->on_failure = (enum on_failure)c->on_failure;
	s->nc_max = (uint32_t)env->nc_max;
	s->canaries.space = s->beat.space = s->uses.space = &s->space;
	s->canaries.done = claimed;
	s->canaries.arg = s->beat.arg = s->uses.arg = s;
	s->beat.tell = beat_told;
	s->beat.server = &s->server;
	s->beat.instance = env->instance;
	redis_conf_fingerprints(env, &s->beat);
	s->uses.canaries = &s->canaries;
	s->uses.judged = judged;
	s->uses.fenced = fenced;
	s->uses.failed = server_failed;
}

static const char *
open_link(struct store *s, const struct redis_store_conf *c,
    const struct nonce_store_env *env)
{
	struct redis_link_conf conf;
	struct redis_link_hooks hooks = { connected, disconnected, s };
	const char *why = redis_conf_link(c, &conf);

	conf.loop = env->loop;
	conf.dns = env->dns;
	if (why == NULL)
		s->space.link = redis_link_new(&conf, &hooks, &why);
	secret_wipe(&conf.url, sizeof conf.url);
	return s->space.link != NULL ? NULL : why;
}

static int
redis_open(struct nonce_store **out, const void *conf,
    const struct nonce_store_env *env)
{
	const struct redis_store_conf *c = conf;
	struct store *s = calloc(1, sizeof *s);
	const char *why = "no memory";

	if (s == NULL)
		goto fail;
	s->base.ops = &nonce_redis_ops;
	wire(s, c, env);
	s->local = use_memory_new(LOCAL_NONCES, s->nc_max, env->metrics);
	if (s->local == NULL || !add_metrics(s, env->metrics) ||
	    beat_init(&s->beat, env->loop) < 0)
		goto fail;
	why = open_link(s, c, env);
	if (why != NULL)
		goto fail;
	*out = &s->base;
	return 0;
fail:
	log_event(EV_DAEMON_FAIL, kv_str("part", "nonce_store"),
	    kv_str("reason", why));
	if (s != NULL)
		redis_close(&s->base);
	return -EINVAL;
}

const struct nonce_store_ops nonce_redis_ops = {
	.name = "redis",
	.opts = redis_store_opts,
	.conf_size = sizeof(struct redis_store_conf),
	.fingerprints = true,
	.open = redis_open,
	.close = redis_close,
	.start = redis_start,
	.cancel = redis_cancel,
	.terms = redis_terms,
	.check = redis_check
};
