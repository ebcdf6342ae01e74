/*
 * log.h -- one event a line, as typed key=value pairs.
 *
 * Every line is one row of the table in events.h: it has a name, a level and
 * a sentence for the operator.  Values are typed and escaped in one place, so
 * text from the network cannot forge a field, in text or in JSON.
 *
 *   level=notice event=authn.reject user="bob\" result=ok\x0a" waited_ms=12
 *
 * The sink is the one object of the process that is not passed around: a
 * program has one stderr.  It never blocks: lines are gathered and written
 * when the descriptor takes them; what does not fit is counted and said later.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/events.h"

enum log_level {
	LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTICE, LEVEL_INFO, LEVEL_DEBUG
};

enum log_format { LOG_TEXT, LOG_JSON };

enum kv_type { KV_END, KV_STR, KV_MEM, KV_INT, KV_UINT, KV_BOOL };

struct kv {
	enum kv_type	 type;
	const char	*key;
	union {
		const char *str;
		int64_t	 i;
		uint64_t u;
		bool	 b;
	} v;
	size_t		 len;	/* KV_MEM only, bytes */
};

/* A NULL string is written as "-". */
static inline struct kv
kv_str(const char *key, const char *s)
{
	return (struct kv){ .type = KV_STR, .key = key, .v.str = s };
}

/* Text of a given length, may hold any byte; NULL as above. */
static inline struct kv
kv_mem(const char *key, const char *s, size_t len)
{
	if (s == NULL)
		return kv_str(key, NULL);
	return (struct kv){ .type = KV_MEM, .key = key, .v.str = s,
	    .len = len };
}

static inline struct kv
kv_int(const char *key, int64_t i)
{
	return (struct kv){ .type = KV_INT, .key = key, .v.i = i };
}

static inline struct kv
kv_uint(const char *key, uint64_t u)
{
	return (struct kv){ .type = KV_UINT, .key = key, .v.u = u };
}

static inline struct kv
kv_bool(const char *key, bool b)
{
	return (struct kv){ .type = KV_BOOL, .key = key, .v.b = b };
}

/*
 * Write one event.  The level comes from its row in events.h.
 *
 *   log_event(EV_AUTHN_REJECT, kv_str("user", user), kv_int("ms", ms));
 */
#define log_event(ev, ...) \
	log_write((ev), (const struct kv[]){ __VA_ARGS__, { .type = KV_END } })

void log_write(enum event ev, const struct kv *pairs);

/* Would an event of this level be written?  Spares the gathering of pairs. */
bool log_wants(enum log_level level);

/* Choose descriptor, format and the least important level that is written.
 * Until it is called: descriptor 2, text, LEVEL_INFO. */
void log_open(int fd, enum log_format format, enum log_level least);

/* Write what was gathered.  Called by the event loop when it goes idle, by
 * a timer (100 ms) and before exit; errors and warnings flush themselves. */
void log_flush(void);

/* Lines lost because the descriptor did not take them, since the start. */
uint64_t log_lost(void);

/* The name ("authn.reject"), the sentence and the level of an event. */
const char *log_event_name(enum event ev);
const char *log_event_help(enum event ev);
enum log_level log_event_level(enum event ev);

#endif
