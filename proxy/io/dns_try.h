/*
 * dns_try.h -- one question put to one name server, once, over UDP or TCP.
 *
 * Each has a socket of its own, whose port the kernel draws by lot, connected
 * so that nobody else's datagrams come in (RFC 5452 section 9.2).
 */
#ifndef IO_DNS_TRY_H
#define IO_DNS_TRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct loop;
struct dns_try;

/* From the loop.  UDP: a datagram; others may follow it.  TCP: the message,
 * once.  m NULL: this server cannot be reached; nothing follows.  fn may free
 * the try. */
typedef void dns_try_f(void *arg, const uint8_t *m, size_t len);

struct dns_try_conf {
	struct loop	*loop;
	const struct sockaddr_storage *server;
	bool		 tcp;
	dns_try_f	*fn;
	void		*arg;
};

/* The question is copied.  NULL: it cannot be sent there. */
struct dns_try *dns_try_start(const struct dns_try_conf *conf,
    const uint8_t *question, size_t len);
void dns_try_free(struct dns_try *t);	/* NULL is allowed */

#endif
