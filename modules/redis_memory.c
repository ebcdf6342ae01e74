/*
 * redis_memory.c -- uses of nonces, counted in Redis for all instances.
 */
#include "config.h"

#include "modules/redis_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "io/loop.h"

enum { SAY_AGAIN_MS = 60000 };		/* another reason for being away */

/* What a connect sequence still waits for. */
enum { WAIT_TRIAL = 1, WAIT_BEAT = 2, WAIT_CANARIES = 4 };

/* One line a change of state, and one when the reason becomes another. */
static void
say_away(struct redis_memory *m, const char *reason)
{
	int64_t now_ms = clock_mono_ms();
	bool still = m->reason != NULL;

	if (still && (strcmp(m->reason, reason) == 0 ||
	    now_ms < m->said_ms + SAY_AGAIN_MS))
		return;
	m->reason = reason;
	if (still)
		m->said_ms = now_ms;
	log_event(still ? EV_REDIS_STILL : EV_REDIS_DOWN,
	    kv_str("reason", reason),
	    kv_str("server", redis_link_where(m->space.link)),
	    kv_str("on_failure", m->on_failure == FAILURE_DENY ?
	    "deny" : "local"));
}

/* ---- up and away */

static void
go_away(struct redis_memory *m, const char *reason)
{
	say_away(m, reason);
	m->state = AWAY;
	m->waits = 0;
	*m->metrics.up = 0;
	greeting_stop(&m->greeting);
	beat_stop(&m->beat);
	canaries_forget(&m->canaries);
}

static void
drop(struct redis_memory *m, const char *reason)
{
	if (m->state != GREETING && m->state != UP)
		return;
	go_away(m, reason);
	redis_link_drop(m->space.link, reason);
}

static void
be_up(struct redis_memory *m)
{
	m->state = UP;
	m->reason = NULL;
	*m->metrics.up = 1;
	++*m->metrics.connects;
	log_event(EV_REDIS_UP,
	    kv_str("server", redis_link_where(m->space.link)),
	    kv_str("kind", m->server.kind),
	    kv_str("version", m->server.version),
	    kv_bool("scripts", m->uses.sha[0] != '\0'),
	    kv_int("clock_offset_ms", m->server.offset_ms));
}

static void
arrived(struct redis_memory *m, unsigned what)
{
	if (m->state != GREETING)
		return;
	m->waits &= ~what;
	if (m->waits == 0)
		be_up(m);
}

static void
connected(void *arg)
{
	struct redis_memory *m = arg;

	m->state = GREETING;
	m->waits = WAIT_TRIAL | WAIT_BEAT | WAIT_CANARIES;
	greeting_start(&m->greeting);
}

static void
disconnected(void *arg, const char *reason)
{
	go_away(arg, reason);
}

/* Of a greeting or a use: the server is of no use. */
static void
failed(void *arg, const char *reason)
{
	drop(arg, reason);
}

static void
known(void *arg)
{
	struct redis_memory *m = arg;

	memcpy(m->canaries.id, m->server.id, sizeof m->canaries.id);
	beat_start(&m->beat);
	if (m->state == GREETING)
		canaries_claim(&m->canaries);
}

static void
tried(void *arg)
{
	arrived(arg, WAIT_TRIAL);
}

/* ---- generations */

/* Nothing is said of those that are found at the first connect. */
static void
learn_generations(struct redis_memory *m)
{
	unsigned changed = 0, before = 0;

	for (unsigned i = 0; i < SHARDS; i++) {
		before += m->known[i] != 0;
		changed += m->known[i] != m->canaries.generation[i];
		m->known[i] = m->canaries.generation[i];
	}
	if (before > 0 && changed > 0)
		log_event(EV_REDIS_GENERATION, kv_uint("shards", changed),
		    kv_str("server", redis_link_where(m->space.link)));
}

static void
claimed(void *arg, const char *reason)
{
	struct redis_memory *m = arg;

	if (reason != NULL) {
		drop(m, reason);
		return;
	}
	learn_generations(m);
	arrived(m, WAIT_CANARIES);
}

static void
fenced(void *arg, unsigned shard, struct str canary)
{
	struct redis_memory *m = arg;
	uint32_t generation;

	if (m->state != UP)
		return;
	switch (canary_parse(&m->canaries, canary, shard, &generation)) {
	case CANARY_OURS:
		if (generation != m->known[shard])
			canaries_claim(&m->canaries);
		break;
	case CANARY_ABSENT:
		canaries_claim(&m->canaries);
		break;
	case CANARY_FOREIGN:
		drop(m, "the server has taken up other data");
	}
}

uint32_t
redis_memory_generation(struct redis_memory *m)
{
	return m->known[m->next_shard++ % SHARDS];
}

/* ---- what a beat tells */

static void
say_twin(struct redis_memory *m)
{
	*m->metrics.twin = m->beat.twin;
	log_event(m->beat.twin ? EV_REDIS_TWIN : EV_REDIS_TWIN_GONE,
	    kv_uint("instance_id", m->beat.instance));
}

static void
say_other_key(struct redis_memory *m)
{
	*m->metrics.other_key = m->beat.other_key;
	log_event(m->beat.other_key ? EV_REDIS_KEY : EV_REDIS_KEY_GOOD,
	    kv_str("ours", m->beat.fingerprint[0]));
}

static void
beat_told(void *arg, enum beat_event what, const char *reason)
{
	struct redis_memory *m = arg;

	switch (what) {
	case BEAT_OK:
		arrived(m, WAIT_BEAT);
		break;
	case BEAT_BAD:
		drop(m, reason);
		break;
	case BEAT_CANARY_GONE:
		canaries_claim(&m->canaries);
		break;
	case BEAT_TWIN:
		say_twin(m);
		break;
	case BEAT_OTHER_KEY:
		say_other_key(m);
		break;
	case BEAT_CLOCK:
		*m->metrics.offset_ms = (uint64_t)llabs(m->server.offset_ms);
		break;
	}
}

/* ---- uses */

static void
judged(void *arg, struct nonce_use *use, enum use_verdict v, int64_t took_us)
{
	struct redis_memory *m = arg;

	if (m->closing)
		return;
	redis_metrics_judged(&m->metrics, v, took_us);
	m->judged(m, use, v);
}

enum use_verdict
redis_memory_judge(struct redis_memory *m, struct nonce_use *use)
{
	return uses_start(&m->uses, use);
}

/* ---- opened and closed */

static void
wire(struct redis_memory *m)
{
	m->greeting.space = m->canaries.space = m->beat.space =
	    m->uses.space = &m->space;
	m->greeting.arg = m->canaries.arg = m->beat.arg = m->uses.arg = m;
	m->greeting.server = m->beat.server = &m->server;
	m->greeting.sha = m->uses.sha;
	m->greeting.known = known;
	m->greeting.tried = tried;
	m->greeting.failed = m->uses.failed = failed;
	m->canaries.done = claimed;
	m->beat.tell = beat_told;
	m->uses.canaries = &m->canaries;
	m->uses.judged = judged;
	m->uses.fenced = fenced;
}

static void
make_names(struct redis_memory *m, const struct redis_store_conf *c,
    const struct nonce_store_env *env)
{
	random_hex(m->space.owner, OWNER_TEXT / 2);
	m->space.prefix = c->prefix;
	m->beat.instance = env->instance;
	redis_conf_fingerprints(env, &m->beat);
}

const char *
redis_memory_open(struct redis_memory *m, const struct redis_store_conf *c,
    const struct nonce_store_env *env)
{
	const struct redis_link_hooks hooks = { connected, disconnected, m };

	m->on_failure = (enum on_failure)c->on_failure;
	wire(m);
	make_names(m, c, env);
	if (!redis_metrics_add(&m->metrics, env->metrics) ||
	    beat_init(&m->beat, env->loop) < 0)
		return "no memory";
	return redis_conf_open(c, env->loop, env->dns, &hooks,
	    &m->space.link);
}

void
redis_memory_close(struct redis_memory *m)
{
	m->closing = true;
	m->state = AWAY;
	greeting_stop(&m->greeting);
	if (m->beat.timer != NULL)
		beat_stop(&m->beat);
	canaries_forget(&m->canaries);
	redis_link_free(m->space.link);
	loop_timer_free(m->beat.timer);
}
