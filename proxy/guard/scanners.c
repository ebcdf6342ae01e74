/*
 * scanners.c -- tools that look for open proxies and weak passwords.
 *
 * A pattern begins with a letter where it can: then asking costs next to
 * nothing.
 */
#include "config.h"

#include "guard/scanners.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1 << 20 };

const char scanners_built_in[] =
    "friendly-scanner*\n"
    "friendly-request*\n"
    "sipvicious*\n"
    "sundayddr*\n"
    "sip-scan*\n"
    "sipscan*\n"
    "sipcli*\n"
    "siparmyknife*\n"
    "sivus*\n"
    "smap*\n"
    "iwar*\n"
    "gulp*\n"
    "pplsip*\n"
    "vaxsipuseragent*\n"
    "vaxipuseragent*\n"
    "sipsscuser*\n";

struct scanners {
	char	*text;		/* patterns, each ended by NUL */
	size_t	 len;
	bool	 begins[256];	/* may one fit what begins with this byte? */
};

static const char *const firewalls[] = {
	[FIREWALL_OFF] = "off", [FIREWALL_NFTABLES] = "nftables", NULL
};

const struct conf_opt guard_opts[] = {
	CONF_LINE(struct guard_conf),
	{ "scanners", CONF_T_PATH, offsetof(struct guard_conf, scanners),
	    CONF_RELOAD | CONF_OFF,
	    .help = "A file of patterns, one a line; strangers whose "
	    "User-Agent fits one get silence. By default a list that is "
	    "built in: the one that comes as scanners.list." },
	{ "firewall", CONF_T_CHOICE, offsetof(struct guard_conf, firewall),
	    .dflt = "off", .choices = firewalls,
	    .help = "Who drops what is banned besides us: the kernel "
	    "(\"nftables\"), which is told of each ban and of its end, or "
	    "nobody. The daemon needs CAP_NET_ADMIN for it." },
	{ "firewall_table", CONF_T_STR, offsetof(struct guard_conf,
	    firewall_table), .dflt = "sipbouncer", .min = 1, .max = 31,
	    .help = "The name of our table of family inet. It is made anew "
	    "at each start, and deleted at the end; of several daemons on "
	    "one machine each needs another name." },
	CONF_END
};

static int
complain(struct conf *c, const struct guard_conf *conf, const char *what)
{
	conf_error(c, conf->line, "guard.scanners", "%s: %s",
	    conf->scanners == NULL ? "built in" : conf->scanners, what);
	return -EINVAL;
}

/* The whole file, ended by NUL; NULL with errno. */
static char *
read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;

	if (f == NULL)
		return NULL;
	text = malloc(FILE_MAX_BYTES);
	if (text != NULL) {
		*len = fread(text, 1, FILE_MAX_BYTES, f);
		errno = ferror(f) ? EIO : EFBIG;
		if (ferror(f) || *len == FILE_MAX_BYTES) {
			free(text);
			text = NULL;
		} else {
			text[*len] = '\0';
		}
	}
	fclose(f);
	return text;
}

/* Few fit by their first byte, so most User-Agents are done with at once. */
static void
note_begin(struct scanners *s, char first)
{
	unsigned char c = (unsigned char)first, lower = c | ' ';

	if (c == '*' || c == '?')
		memset(s->begins, true, sizeof s->begins);
	s->begins[c] = true;
	if (lower >= 'a' && lower <= 'z')
		s->begins[lower] = s->begins[lower ^ ' '] = true;
}

/* Line by line, in its own place: patterns stay, each with its NUL. */
static void
settle(struct scanners *s, size_t len)
{
	char *end = s->text + len, *p = s->text, *next;
	struct str line;

	for (; p < end; p = next) {
		next = memchr(p, '\n', (size_t)(end - p));
		next = next == NULL ? end : next + 1;
		line = str_trim((struct str){ p, (size_t)(next - p) });
		if (line.len == 0 || *line.p == '#')
			continue;
		note_begin(s, *line.p);
		memmove(s->text + s->len, line.p, line.len);
		s->len += line.len;
		s->text[s->len++] = '\0';
	}
}

static bool
is_text(const char *text, size_t len)
{
	return memchr(text, '\0', len) == NULL;
}

static int
load(struct conf *c, const struct guard_conf *conf, struct scanners *s)
{
	size_t len = sizeof scanners_built_in - 1;

	if (conf->scanners != NULL && strcmp(conf->scanners, "off") == 0)
		return 0;
	s->text = conf->scanners == NULL ? strdup(scanners_built_in) :
	    read_file(conf->scanners, &len);
	if (s->text == NULL)
		return complain(c, conf, strerror(errno));
	if (!is_text(s->text, len))
		return complain(c, conf, "holds a NUL");
	settle(s, len);
	return 0;
}

struct scanners *
scanners_new(struct conf *c, const struct guard_conf *conf)
{
	struct scanners *s = calloc(1, sizeof *s);

	if (s == NULL) {
		complain(c, conf, "no memory");
		return NULL;
	}
	if (load(c, conf, s) < 0) {
		scanners_free(s);
		return NULL;
	}
	return s;
}

void
scanners_free(struct scanners *s)
{
	if (s == NULL)
		return;
	free(s->text);
	free(s);
}

bool
scanners_have(const struct scanners *s, struct str user_agent)
{
	struct str pattern;

	/* what is empty may fit "*" */
	if (user_agent.len > 0 && !s->begins[(unsigned char)*user_agent.p])
		return false;
	for (size_t i = 0; i < s->len; i += pattern.len + 1) {
		pattern = str_of(s->text + i);
		if (glob_match(pattern, user_agent, true))
			return true;
	}
	return false;
}
