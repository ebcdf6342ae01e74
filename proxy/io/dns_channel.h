/*
 * dns_channel.h -- one question put to the name servers, by c-ares.
 *
 * c-ares asks one server after another by UDP, and by TCP what comes
 * truncated.  Each question has a channel of its own: all that are asked in
 * one channel of 1.18 leave by the same port as long as any of them is open,
 * which makes answers easy to forge (RFC 5452 section 9.2); and what is to be
 * asked no more is ended by ending its channel.
 */
#ifndef IO_DNS_CHANNEL_H
#define IO_DNS_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "io/dns_message.h"
#include "io/dns_servers.h"

struct loop;
struct dns_channel;

/* Once, from the loop, never from inside start.  m, lent for the time of the
 * call: an answer to this question, looked at no further; NULL: nobody told.
 * silences: tries that met none.  fn may free the channel. */
typedef void dns_channel_f(void *arg, const uint8_t *m, size_t len,
    unsigned silences);

struct dns_channel_conf {
	struct loop	*loop;
	const struct dns_servers *servers;	/* copied */
	size_t		 first;		/* whom to begin with, modulo n */
	dns_channel_f	*fn;
	void		*arg;
};

/* NULL: no memory, or no name that can be asked for. */
struct dns_channel *dns_channel_start(const struct dns_channel_conf *conf,
    const struct dns_question *q);
/* fn does not come any more.  NULL is allowed. */
void dns_channel_free(struct dns_channel *c);

#endif
