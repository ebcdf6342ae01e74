/*
 * tls.h -- TLS over connected, non-blocking sockets of ours, as server and as
 * client.
 *
 * TLS 1.2 and 1.3, a cipher list after Mozilla's "intermediate", no
 * renegotiation, no compression.  A peer is believed when its chain leads to
 * an authority of a `tls_trust` and no CRL there revokes it; a server also has
 * to bear the name that was asked for.
 *
 * No call waits, and files are read only where one is named.  The process has
 * to ignore SIGPIPE.
 *
 * Sources: RFC 5922 (names of SIP domains), RFC 5924 (purpose), RFC 6066
 * (server name), RFC 8446, RFC 9525.
 */
#ifndef IO_TLS_H
#define IO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { TLS_WHY_MAX = 256 };

/*
 * Whom to believe: authorities, and what they revoked.  An authority may be an
 * intermediate one.  Counted: it stays as long as a context refers to it.
 */
struct tls_trust;

struct tls_trust_conf {
	const char	*ca;		/* PEM file; NULL: the system's */
	const char	*crl;		/* PEM file, or a folder of such; NULL:
					 * none is looked at.  Otherwise each
					 * authority of a chain needs one */
	bool		 crl_expired_ok;	/* one past its nextUpdate still
						 * counts; else it refuses */
};

/* NULL: why has a sentence. */
struct tls_trust *tls_trust_new(const struct tls_trust_conf *conf,
    char why[TLS_WHY_MAX]);
void tls_trust_free(struct tls_trust *t);	/* NULL is allowed */

/* What we are. */
struct tls_context;

struct tls_certificate {
	const char	*chain;		/* PEM: ours, then intermediates */
	const char	*key;		/* PEM; NULL: in the same file */
};

enum tls_ask { TLS_ASK_NOTHING, TLS_ASK_OPTIONAL, TLS_ASK_REQUIRED };

struct tls_server_conf {
	const struct tls_certificate *certificate;	/* the first is for
							 * clients without or
							 * with an unknown SNI;
							 * the others are found
							 * by their names */
	size_t		 ncertificates;
	enum tls_ask	 ask;		/* for a client's certificate */
	struct tls_trust *const *trust;	/* whom of these the clients' chain may
					 * lead to; any one is enough */
	size_t		 ntrusts;
	const char	*ciphers;	/* of TLS 1.2; NULL: the default */
	int		 min_version;	/* 12 or 13 */
};

struct tls_client_conf {
	struct tls_certificate certificate;	/* chain NULL: none */
	struct tls_trust *trust;	/* NULL: verify nothing */
	const char	*ciphers;
	int		 min_version;
	bool		 wildcards;	/* "*." in a DNS name stands for one
					 * label; not in SIP: RFC 5922 7.2 */
};

/* NULL: why has a sentence that names the file. */
struct tls_context *tls_server_context_new(const struct tls_server_conf *conf,
    char why[TLS_WHY_MAX]);
struct tls_context *tls_client_context_new(const struct tls_client_conf *conf,
    char why[TLS_WHY_MAX]);
void tls_context_free(struct tls_context *c);	/* NULL is allowed */

/*
 * Take over what `from` is made of (read anew by the caller), for sessions to
 * come; those that run are not touched, and earlier tickets are worth nothing.
 * from is empty after it and must be freed.
 */
void tls_context_replace(struct tls_context *c, struct tls_context *from);
/*
 * Likewise; it counts from the next handshake in every context that names t.
 * Nobody comes back on an earlier judgement: clients that showed a certificate
 * are never resumed, servers only while the trust is the same.  from serves no
 * context after it: build contexts on the trust that stays.
 */
void tls_trust_replace(struct tls_trust *t, struct tls_trust *from);

/* When the certificate that ends first ends, unix seconds; INT64_MAX: there
 * is none. */
int64_t tls_context_expires_s(const struct tls_context *c);

/* Why a handshake failed, for the log and the metric, with a sentence for the
 * operator. */
#define TLS_FAILURES(F)							\
F(TLS_FAIL_PROTOCOL, "tls-protocol",					\
    "It is no TLS, or no version or cipher that we speak.")		\
F(TLS_FAIL_CLOSED, "tls-closed",					\
    "The other end hung up in the middle of the handshake.")		\
F(TLS_FAIL_NO_CERT, "tls-no-certificate",				\
    "A client showed no certificate where one is required.")		\
F(TLS_FAIL_REVOKED, "tls-revoked",					\
    "A certificate in the other end's chain was revoked.")		\
F(TLS_FAIL_EXPIRED, "tls-expired",					\
    "A certificate in the chain has expired, or is not yet valid.")	\
F(TLS_FAIL_SELF_SIGNED, "tls-self-signed",				\
    "The certificate is signed by itself, and not believed.")		\
F(TLS_FAIL_UNKNOWN_CA, "tls-unknown-authority",				\
    "The chain leads to no authority that is believed.")		\
F(TLS_FAIL_PURPOSE, "tls-wrong-purpose",				\
    "The certificate is not meant for this use (RFC 5924).")		\
F(TLS_FAIL_NAME, "tls-wrong-name",					\
    "The certificate of a target does not bear the name in its URI.")	\
F(TLS_FAIL_CRL, "tls-crl",						\
    "An authority of the chain has no revocation list, or none that "	\
    "is in force.")							\
F(TLS_FAIL_REFUSED, "tls-refused-us",					\
    "The other end refused our certificate, or wants one.")		\
F(TLS_FAIL_CERT, "tls-bad-certificate",					\
    "Anything else that is wrong with the other end's certificate.")

enum tls_failure {
	TLS_FAIL_NONE,
#define F(id, name, help) id,
	TLS_FAILURES(F)
#undef F
	TLS_FAILURE_COUNT
};

/* One connection. */
struct tls;

/* fd stays the caller's.  NULL: no memory. */
struct tls *tls_accept(struct tls_context *c, int fd);
/* name: the host name, or address as text, that the certificate must bear
 * (and the SNI, if it is no address); NULL: any. */
struct tls *tls_connect(struct tls_context *c, int fd, const char *name);
/* Says close_notify if it can; never waits.  NULL is allowed. */
void tls_free(struct tls *t);

/*
 * 0 or the number of bytes; -EAGAIN: wait until the socket can be read
 * (tls_wants_out(): written), and call again; else -errno, and tls_reason()
 * and tls_failure() tell.  read gives 0 at the end.
 */
int tls_handshake(struct tls *t);
ssize_t tls_read(struct tls *t, void *p, size_t len);
ssize_t tls_write(struct tls *t, const void *p, size_t len);
bool tls_wants_out(const struct tls *t);
/* There are bytes to fetch that the socket does not announce any more; look
 * at it after each read, and after the handshake. */
bool tls_has_bytes(const struct tls *t);
const char *tls_reason(const struct tls *t);
enum tls_failure tls_failure(const struct tls *t);

/*
 * Who is at the other end, after the handshake; NULL: showed no certificate,
 * or none was asked for, or nothing verified.  Lives as long as the session.
 */
struct tls_peer {
	const char *const *name;	/* SIP domains of RFC 5922 7.1, in
					 * lower case: the hosts of SAN URIs
					 * sip:host, or if there are none the
					 * DNS names; then the addresses, IPv6
					 * ones in brackets */
	size_t		 nnames;
};

const struct tls_peer *tls_peer(const struct tls *t);
/* The whole name, in either case; an address in any spelling. */
bool tls_peer_has_name(const struct tls_peer *p, const char *name);
/* Does its chain lead to an authority of this trust?  Looked at once for each
 * trust of the context, when the handshake ended. */
bool tls_peer_vouched(const struct tls_peer *p, const struct tls_trust *t);

#endif
