/*
 * tls_check.c -- what -t says of the TLS files.
 */
#include "config.h"

#include <sys/stat.h>

#include "daemon/tls_files.h"
#include "daemon/tls_holders.h"

static void
complain(void *arg, const struct tls_fault *f)
{
	const struct settings *s = arg;

	conf_error(s->conf, f->line, f->option, "%s", f->why);
}

static void
warn_of_end(const struct settings *s, const struct holder *h, int line,
    const char *option)
{
	int64_t days = h == NULL ? INT64_MAX : holder_days_left(h);

	if (days < 0)
		conf_warn(s->conf, line, option, "has expired");
	else if (days < TLS_SOON_DAYS)
		conf_warn(s->conf, line, option, "expires in %d days",
		    (int)days);
}

static void
warn_of_ends(const struct settings *s, const struct holders *hs)
{
	const struct listen_conf *l = s->listen.v;

	for (size_t i = 0; i < s->listen.n; i++)
		if (l[i].tls)
			warn_of_end(s, holder_find(hs, OF_LISTENER, l[i].name),
			    l[i].certificate.line[0], "listen.certificate");
	warn_of_end(s, holder_find(hs, OF_ALL, ""), s->tls.line,
	    "tls.certificate");
}

static void
warn_of_reader(const struct settings *s, int line, const char *option,
    const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & (S_IROTH | S_IWOTH)) != 0)
		conf_warn(s->conf, line, option, "everybody on this machine "
		    "can read or write %s", path);
}

static void
warn_of_readers(const struct settings *s)
{
	const struct listen_conf *l = s->listen.v;
	const struct conf_list *keys;

	for (size_t i = 0; i < s->listen.n; i++) {
		keys = l[i].key.n > 0 ? &l[i].key : &l[i].certificate;
		for (size_t k = 0; l[i].tls && k < keys->n; k++)
			warn_of_reader(s, keys->line[k], "listen.key",
			    keys->v[k]);
	}
	if (s->tls.certificate != NULL)
		warn_of_reader(s, s->tls.line, "tls.key", s->tls.key != NULL ?
		    s->tls.key : s->tls.certificate);
}

static void
warn_of_peers(const struct settings *s)
{
	const struct peer *p;

	for (size_t i = 0; i < peers_count(s->peers); i++) {
		p = peers_at(s->peers, i);
		if (p->verify == PEER_VERIFY_NONE)
			conf_warn(s->conf, p->line, "peers.verify", "anybody "
			    "on the way to \"%s\" can stand in for it",
			    p->name);
	}
}

int
tls_files_check(const struct settings *s)
{
	struct holders hs = { 0 };
	unsigned faults = holders_load(&hs, s, complain,
	    (struct settings *)(uintptr_t)s);

	if (faults == 0) {
		holders_commit(&hs);
		warn_of_ends(s, &hs);
		warn_of_readers(s);
	}
	warn_of_peers(s);
	holders_fini(&hs);
	return faults == 0 ? 0 : -1;
}
