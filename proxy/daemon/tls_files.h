/*
 * tls_files.h -- certificates, authorities and CRLs: read from their files,
 * and read again when the settings or the files change.
 *
 * All are read together, and replace what was read before only when all are
 * sound.  What is handed out stays where it is until tls_files_free(): after
 * a change the same pointers stand for what is in force then.
 */
#ifndef DAEMON_TLS_FILES_H
#define DAEMON_TLS_FILES_H

#include "daemon/settings.h"

struct loop;
struct metrics;
struct tls_context;		/* io/tls.h */
struct tls_files;
struct tls_trust;		/* io/tls.h */

/* Read what the settings name.  NULL after logging every cause.  s must live
 * until another one is in force; metrics get label values that live until
 * tls_files_free(). */
struct tls_files *tls_files_new(struct loop *l, struct metrics *metrics,
    const struct settings *s);
void tls_files_free(struct tls_files *f);	/* NULL is allowed */

/* Other settings.  0; or -1 after logging every cause: the old ones, and all
 * that was read for them, stay in force. */
int tls_files_reload(struct tls_files *f, const struct settings *s);

/* Has a file changed?  A timer asks that every 10 seconds. */
void tls_files_look(struct tls_files *f);

/* What we are on a listener.  NULL: it had no TLS when we started. */
struct tls_context *tls_files_server(const struct tls_files *f,
    const char *listener);

/* What we are towards this peer, and whom we trust there; peer NULL: towards
 * anybody.  NULL: TLS is not configured. */
struct tls_context *tls_files_client(const struct tls_files *f,
    const char *peer);

/* Whom the certificate of this peer must lead to when it comes in there: the
 * question for tls_peer_vouched(). */
struct tls_trust *tls_files_trust(const struct tls_files *f,
    const char *listener, const struct peer *p);

/* -t: read everything once, and complain to s->conf.  0, or -1 when there was
 * an error. */
int tls_files_check(const struct settings *s);

#endif
