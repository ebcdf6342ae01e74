/*
 * tls_inner.h -- what the files of io/tls share, and nobody else sees.
 */
#ifndef IO_TLS_INNER_H
#define IO_TLS_INNER_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "io/tls.h"

/* tls_why.c: what went wrong, for people and for the metric. */
struct tls_verdict {
	enum tls_failure failure;
	int		 error;			/* X509_V_ERR_... */
	char		 text[TLS_WHY_MAX];
};

/* From what OpenSSL says of a chain. */
void tls_verdict_chain(struct tls_verdict *v, X509_STORE_CTX *s);
/* From the oldest error in OpenSSL's queue. */
void tls_verdict_error(struct tls_verdict *v);
/* Printable ASCII only: names are the peer's words. */
void tls_clean(char *text);
/* "path: what"; what NULL: errno's sentence.  Empties OpenSSL's queue. */
void tls_why_file(char why[TLS_WHY_MAX], const char *path, const char *what);

/* tls_pem.c: NULL: why has a sentence.  Of certificates and CRLs there may
 * be none in a file. */
STACK_OF(X509) *tls_pem_certificates(const char *path, char why[TLS_WHY_MAX]);
STACK_OF(X509_CRL) *tls_pem_crls(const char *path, char why[TLS_WHY_MAX]);
EVP_PKEY *tls_pem_key(const char *path, char why[TLS_WHY_MAX]);

/* tls_names.c: who a certificate is about, in lower case; one piece of
 * memory. */
struct tls_names {
	const char	**name;
	size_t		 n;
};

enum tls_names_of {
	TLS_NAMES_SIP,		/* RFC 5922 7.1 */
	TLS_NAMES_WILDCARDS,	/* and DNS names that begin with "*." */
	TLS_NAMES_SNI		/* all: what a server may be asked for */
};

bool tls_names_read(struct tls_names *n, X509 *x, enum tls_names_of which);
void tls_names_fini(struct tls_names *n);
bool tls_names_have(const struct tls_names *n, const char *name);
/* "*." stands for one label. */
bool tls_names_match(const struct tls_names *n, const char *name);

/* tls_trust.c */
struct tls_trust {
	unsigned	 users;
	X509_STORE	*store;		/* NULL: another has taken it */
	unsigned	 generation;	/* of the store */
	bool		 crl_expired_ok;
};

/* What a peer shows. */
struct tls_shown {
	X509		*leaf;
	STACK_OF(X509)	*others;
	const char	*purpose;	/* "ssl_client", "ssl_server" */
	int		 level;		/* of security, as OpenSSL counts */
};

struct tls_trust *tls_trust_ref(struct tls_trust *t);
bool tls_trust_vouches(const struct tls_trust *t, const struct tls_shown *s,
    struct tls_verdict *v);

/* tls_resume.c: sessions that a client goes on with. */
enum { TLS_KEPT_MAX = 64 };

struct tls_kept {
	char		*name;		/* of the server */
	SSL_SESSION	*session;
	unsigned	 generation;	/* of the trust that it was judged by */
	int64_t		 until_ms;
};

struct tls_cache {
	struct tls_kept	 kept[TLS_KEPT_MAX];
	size_t		 next;		/* to be overwritten */
};

void tls_cache_fini(struct tls_cache *c);
/* Takes the session over. */
void tls_cache_keep(struct tls_cache *c, const char *name,
    SSL_SESSION *session, unsigned generation);
/* Makes ssl try the session of this name, if there is one. */
void tls_cache_use(struct tls_cache *c, const char *name, SSL *ssl,
    unsigned generation);
/* A server's tickets. */
bool tls_tickets_init(SSL_CTX *ctx);
bool tls_tickets_renew(SSL_CTX *ctx);

/* tls_context.c */
struct tls_own {		/* a certificate of ours */
	STACK_OF(X509)	*chain;	/* without ours */
	X509		*leaf;
	EVP_PKEY	*key;
	struct tls_names names;	/* only where there are several to choose */
};

/* What a context is made of; sessions keep it. */
struct tls_setup {
	unsigned	 users;
	SSL_CTX		*ctx;
	struct tls_own	*own;
	size_t		 nown;
	struct tls_trust **trust;
	size_t		 ntrusts;
	bool		 wildcards;
	int64_t		 expires_s;
	int64_t		 tickets_ms;	/* since when their keys are used */
	struct tls_cache cache;
};

struct tls_context {
	struct tls_setup *setup;	/* NULL: another has taken it */
};

void tls_setup_unref(struct tls_setup *s);	/* NULL is allowed */

/* tls_session.c */
struct tls {
	struct tls_peer	 peer;		/* the first: tls_peer_vouched() */
	SSL		*ssl;
	struct tls_setup *setup;
	char		*name;		/* that the server must bear, or NULL */
	unsigned	 generation;	/* of the client's trust at the start */
	bool		 open;		/* hands were shaken */
	bool		 known;		/* peer: somebody vouches for it */
	bool		 broken;	/* nothing more can be said */
	bool		 wants_out;
	bool		 drained;	/* OpenSSL holds no record yet */
	enum tls_failure failure;
	char		*reason;
	struct tls_names names;	/* of peer */
	bool		 vouched[];	/* of the setup's trusts */
};

/* tls_verify.c: judges the other end's chain, and name; arg is not used. */
int tls_verify(X509_STORE_CTX *given, void *arg);
/* Who is known from the session that this one goes on with; false: no
 * memory. */
bool tls_verify_again(struct tls *t);
void tls_fail(struct tls *t, const struct tls_verdict *v);

#endif
