/*
 * tls_client.h -- TLS over a connected, non-blocking socket of ours.
 *
 * For talking to servers that we were told to trust by name, such as Redis:
 * TLS 1.2 or later, chain and name are verified.  SIP over TLS is another
 * matter and lives in transport/.
 *
 * Sources: RFC 6125 (names), RFC 8446.
 */
#ifndef IO_TLS_CLIENT_H
#define IO_TLS_CLIENT_H

#include <stddef.h>
#include <sys/types.h>

struct tls_trust;		/* whom to believe */
struct tls_client;		/* one connection */

/* From a PEM file of authorities; NULL: those of the system.  On failure
 * NULL and a sentence in *why (static). */
struct tls_trust *tls_trust_new(const char *ca, const char **why);
void tls_trust_free(struct tls_trust *t);	/* NULL is allowed */

/* host: the name, or address as text, that the certificate must bear.  fd
 * stays the caller's.  NULL: no memory. */
struct tls_client *tls_client_new(struct tls_trust *t, int fd,
    const char *host);
void tls_client_free(struct tls_client *c);	/* NULL is allowed */

/*
 * 0 or the number of bytes; -EAGAIN: wait until the socket can be read
 * (tls_client_wants_out(): written), and call again; else -errno, and
 * tls_client_reason() has a sentence.  read gives 0 at the end.
 */
int tls_client_handshake(struct tls_client *c);
ssize_t tls_client_read(struct tls_client *c, void *p, size_t len);
ssize_t tls_client_write(struct tls_client *c, const void *p, size_t len);
int tls_client_wants_out(const struct tls_client *c);
const char *tls_client_reason(const struct tls_client *c);

#endif
