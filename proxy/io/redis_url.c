/*
 * redis_url.c -- what the URL of a Redis server says.
 */
#include "config.h"

#include "io/redis_url.h"

#include <string.h>

#include "base/text.h"

enum { DB_MAX = 65535 };

/* Splits at the first c: what is before it is returned, *s is behind it; no
 * c: all is returned, and *s is empty. */
static struct str
cut(struct str *s, char c)
{
	const char *at = s->len > 0 ? memchr(s->p, c, s->len) : NULL;
	struct str head = *s;

	if (at == NULL) {
		*s = (struct str){ s->p + s->len, 0 };
		return head;
	}
	head.len = (size_t)(at - s->p);
	*s = (struct str){ at + 1, s->len - head.len - 1 };
	return head;
}

static bool
strip(struct str *s, const char *prefix)
{
	size_t len = strlen(prefix);

	if (s->len < len || memcmp(s->p, prefix, len) != 0)
		return false;
	*s = (struct str){ s->p + len, s->len - len };
	return true;
}

static bool
unescape(char out[REDIS_TEXT_MAX + 1], struct str s)
{
	size_t n = 0;
	uint8_t byte;

	for (size_t i = 0; i < s.len; i++) {
		byte = (uint8_t)s.p[i];
		if (byte == '%') {
			if (s.len - i < 3 || !hex_decode(&byte, 1,
			    (struct str){ s.p + i + 1, 2 }) || byte == 0)
				return false;
			i += 2;
		}
		if (n == REDIS_TEXT_MAX)
			return false;
		out[n++] = (char)byte;
	}
	out[n] = '\0';
	return true;
}

/* A '/' may stand in a password, so the last '@' counts. */
static bool
take_user(struct redis_url *u, struct str *s)
{
	const char *at = s->len > 0 ? memrchr(s->p, '@', s->len) : NULL;
	struct str both, user;

	if (at == NULL)
		return true;
	both = (struct str){ s->p, (size_t)(at - s->p) };
	*s = (struct str){ at + 1, s->len - both.len - 1 };
	user = cut(&both, ':');
	/* the password may come from elsewhere: user@ */
	return unescape(u->user, user) && unescape(u->password, both) &&
	    (u->user[0] != '\0' || u->password[0] != '\0');
}

static bool
take_db(struct redis_url *u, struct str s)
{
	uint64_t db = 0;

	if (s.len > 0 && !parse_uint(s, DB_MAX, &db))
		return false;
	u->db = (uint32_t)db;
	return true;
}

static bool
take_host(struct redis_url *u, struct str s, uint16_t port)
{
	const char *close = s.len > 0 && s.p[0] == '[' ?
	    memchr(s.p, ']', s.len) : NULL;
	const char *colon = memchr(close != NULL ? close : s.p, ':',
	    s.len - (close != NULL ? (size_t)(close - s.p) : 0));
	struct str host = s, rest = { "", 0 };
	uint64_t number = port;

	if (colon != NULL) {
		host.len = (size_t)(colon - s.p);
		rest = (struct str){ colon + 1, s.len - host.len - 1 };
	}
	if (close != NULL && host.len != (size_t)(close - s.p) + 1)
		return false;
	if (colon != NULL && (!parse_uint(rest, UINT16_MAX, &number) ||
	    number == 0))
		return false;
	u->port = (uint16_t)number;
	return host.len > 0 && unescape(u->host, host);
}

static const char *
parse_unix(struct redis_url *u, struct str s)
{
	struct str path = cut(&s, '?');

	if (path.len == 0 || path.p[0] != '/' || !unescape(u->path, path))
		return "unix:// needs the absolute path of a socket";
	if (s.len > 0 && (!strip(&s, "db=") || !take_db(u, s)))
		return "only ?db=NUMBER may follow the path";
	return NULL;
}

const char *
redis_url_parse(struct redis_url *u, const char *text)
{
	struct str s = str_of(text), host;
	bool is_unix;

	memset(u, 0, sizeof *u);
	u->tls = strip(&s, "rediss://");
	is_unix = !u->tls && strip(&s, "unix://");
	if (!u->tls && !is_unix && !strip(&s, "redis://"))
		return "url must begin with redis://, rediss:// or unix://";
	if (!take_user(u, &s))
		return "what stands before @ is not user:password";
	if (is_unix)
		return parse_unix(u, s);
	host = cut(&s, '/');
	if (!take_host(u, host, REDIS_PORT))
		return "url has no host, or no right port";
	return take_db(u, s) ? NULL : "the database is not a number";
}

bool
redis_host_port(struct redis_url *u, const char *text, uint16_t default_port)
{
	memset(u, 0, sizeof *u);
	return take_host(u, str_of(text), default_port);
}
