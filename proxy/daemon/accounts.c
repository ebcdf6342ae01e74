/*
 * accounts.c -- our passwords at peers.
 *
 * A file holds one line.  What is kept of it is H(A1), one for each algorithm,
 * which is good in that realm only.
 */
#include "config.h"

#include "daemon/accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "pipeline/uplink.h"

enum { PASSWORD_MAX = 1024 };

struct password {
	size_t	len;
	char	text[PASSWORD_MAX + 3];	/* CR LF, and one too many */
};

/* Of the open file, so what is judged is what is read. */
static const char *
judge_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a file";
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "must not be open to group or others (chmod 0400)";
	return NULL;
}

static const char *
read_text(int fd, struct password *p)
{
	ssize_t n;

	for (p->len = 0; p->len < sizeof p->text; p->len += (size_t)n) {
		n = read(fd, p->text + p->len, sizeof p->text - p->len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return strerror(errno);
		else if (n == 0)
			break;
	}
	return NULL;
}

/* One line, whose end does not count. */
static const char *
judge_text(struct password *p)
{
	if (p->len > 0 && p->text[p->len - 1] == '\n')
		p->len--;
	if (p->len > 0 && p->text[p->len - 1] == '\r')
		p->len--;
	if (p->len == 0)
		return "holds no password";
	if (p->len > PASSWORD_MAX)
		return "is too long";
	return str_has_control((struct str){ p->text, p->len }) ?
	    "holds more than one line of text" : NULL;
}

/* NULL, or what is wrong.  O_NONBLOCK is for a FIFO in the file's place. */
static const char *
read_password(const char *path, struct password *p)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	const char *fault;

	if (fd < 0)
		return strerror(errno);
	fault = judge_file(fd);
	if (fault == NULL)
		fault = read_text(fd, p);
	if (fault == NULL)
		fault = judge_text(p);
	close(fd);
	return fault;
}

static void
hash_password(struct account *a, const struct password *p)
{
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		a->as.ha1.has[alg] = digest_alg_usable((enum digest_alg)alg);
		if (a->as.ha1.has[alg])
			digest_ha1(a->as.ha1.ha1[alg], (enum digest_alg)alg,
			    str_of(a->as.user), str_of(a->as.realm),
			    (struct str){ p->text, p->len });
	}
}

static void
load(struct settings *s, const struct peer *peer)
{
	const struct account_conf *conf = peer->account;
	struct account *a = &s->accounts[s->naccounts++];
	struct password p;
	const char *fault = read_password(conf->password_file, &p);

	*a = (struct account){ .peer = peer->name, .peer_id = peer->id,
		.as = { .user = conf->user, .realm = conf->realm,
		.legacy = conf->legacy } };
	if (fault == NULL)
		hash_password(a, &p);
	else
		conf_error(s->conf, conf->line,
		    "peers.credentials.password_file", "\"%s\": %s",
		    conf->password_file, fault);
	secret_wipe(&p, sizeof p);
}

int
accounts_load(struct settings *s)
{
	size_t n = peers_count(s->peers);
	unsigned errors = conf_errors(s->conf);

	s->accounts = calloc(n + 1, sizeof *s->accounts);
	if (s->accounts == NULL)
		conf_error(s->conf, 0, "peers.credentials", "no memory");
	for (size_t i = 0; i < n && s->accounts != NULL; i++)
		if (peers_at(s->peers, i)->account != NULL)
			load(s, peers_at(s->peers, i));
	return conf_errors(s->conf) == errors ? 0 : -1;
}

void
accounts_free(struct account *accounts, size_t n)
{
	secret_free(accounts, n * sizeof *accounts);
}
