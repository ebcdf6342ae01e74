/*
 * hosts.c -- the names of the hosts file, read once.
 */
#include "config.h"

#include "io/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/target.h"

struct host {
	struct addr	addr;
	char		name[TARGET_HOST_MAX + 1];
};

struct hosts {
	struct host	*v;
	size_t		 n, size;
};

static bool
grow(struct hosts *h)
{
	size_t size = h->size == 0 ? 16 : 2 * h->size;
	struct host *v;

	if (h->n < h->size)
		return true;
	v = reallocarray(h->v, size, sizeof *v);
	if (v == NULL)
		return false;
	h->v = v;
	h->size = size;
	return true;
}

/* One line: address, names, and perhaps a comment. */
static bool
add_line(struct hosts *h, char *line)
{
	struct addr addr;
	char *rest = line + strspn(line, " \t"), *word;

	line[strcspn(line, "#\r\n")] = '\0';
	word = strsep(&rest, " \t");
	if (!addr_parse_host(&addr, str_of(word)))
		return true;
	while ((word = strsep(&rest, " \t")) != NULL && h->n < HOSTS_MAX) {
		if (!grow(h))
			return false;
		if (!target_host_copy(h->v[h->n].name, str_of(word)))
			continue;
		h->v[h->n++].addr = addr;
	}
	return true;
}

static bool
read_lines(struct hosts *h, FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	bool ok = true;

	while (ok && h->n < HOSTS_MAX && getline(&line, &size, f) >= 0)
		ok = add_line(h, line);
	free(line);
	return ok;
}

struct hosts *
hosts_new(const char *path)
{
	struct hosts *h;
	FILE *f;
	bool ok = true;

	h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	f = fopen(path, "re");
	if (f != NULL) {
		ok = read_lines(h, f);
		fclose(f);
	}
	if (!ok) {
		hosts_free(h);
		return NULL;
	}
	return h;
}

void
hosts_free(struct hosts *h)
{
	if (h == NULL)
		return;
	free(h->v);
	free(h);
}

static bool
is_localhost(struct str name)
{
	static const char suffix[] = ".localhost";
	size_t n = sizeof suffix - 1;

	if (str_caseis(name, suffix + 1))
		return true;
	return name.len > n &&
	    str_caseis((struct str){ name.p + name.len - n, n }, suffix);
}

static size_t
add_loopback(struct addr *out, size_t max)
{
	static const char *const text[] = { "127.0.0.1", "::1" };
	size_t n = 0;

	for (; n < 2 && n < max; n++)
		addr_parse_host(&out[n], str_of(text[n]));
	return n;
}

size_t
hosts_find(const struct hosts *h, struct str name, struct addr *out,
    size_t max)
{
	bool local = is_localhost(name);
	size_t n = 0;

	for (size_t i = 0; i < h->n && n < max; i++) {
		if (!str_caseis(name, h->v[i].name))
			continue;
		if (local && !addr_is_loopback(&h->v[i].addr))
			continue;
		out[n++] = h->v[i].addr;
	}
	return n == 0 && local ? add_loopback(out, max) : n;
}
