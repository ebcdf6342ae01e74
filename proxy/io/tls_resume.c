/*
 * tls_resume.c -- going on with an earlier session, which saves both ends the
 * expensive half of a handshake.
 *
 * A server keeps nothing; the client holds a ticket.  One of a client that
 * showed a certificate is never taken: his chain is judged each time, so what
 * is revoked meanwhile counts.  A client goes on only with what the present
 * state of its trust has judged, and not for long.
 */
#include "config.h"

#include "io/tls_inner.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "base/secret.h"

enum {
	KEEP_MS = 3600 * 1000,
	TICKET_KEYS_BYTES = 80		/* as OpenSSL wants them */
};

static void
forget(struct tls_kept *k)
{
	free(k->name);
	SSL_SESSION_free(k->session);
	*k = (struct tls_kept){ 0 };
}

void
tls_cache_fini(struct tls_cache *c)
{
	for (size_t i = 0; i < TLS_KEPT_MAX; i++)
		forget(&c->kept[i]);
}

static struct tls_kept *
find(struct tls_cache *c, const char *name)
{
	for (size_t i = 0; i < TLS_KEPT_MAX; i++)
		if (c->kept[i].name != NULL &&
		    strcasecmp(c->kept[i].name, name) == 0)
			return &c->kept[i];
	return NULL;
}

void
tls_cache_keep(struct tls_cache *c, const char *name, SSL_SESSION *session,
    unsigned generation)
{
	struct tls_kept *k = find(c, name);
	char *copy = strdup(name);

	if (copy == NULL) {
		SSL_SESSION_free(session);
		return;
	}
	if (k == NULL) {
		k = &c->kept[c->next];
		c->next = (c->next + 1) % TLS_KEPT_MAX;
	}
	forget(k);
	*k = (struct tls_kept){ .name = copy, .session = session,
		.generation = generation,
		.until_ms = clock_mono_ms() + KEEP_MS };
}

/* RFC 8446 C.4: one ticket, one use, so that nobody can tell that two
 * connections are of the same client. */
void
tls_cache_use(struct tls_cache *c, const char *name, SSL *ssl,
    unsigned generation)
{
	struct tls_kept *k = find(c, name);

	if (k == NULL)
		return;
	if (k->generation == generation && clock_mono_ms() < k->until_ms &&
	    SSL_SESSION_is_resumable(k->session)) {
		SSL_set_session(ssl, k->session);
		if (SSL_SESSION_get_protocol_version(k->session) <
		    TLS1_3_VERSION)
			return;
	}
	forget(k);
}

static int
fill_ticket(SSL *ssl, void *arg)
{
	(void)ssl, (void)arg;
	return 1;
}

static SSL_TICKET_RETURN
take_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
    size_t len, SSL_TICKET_STATUS status, void *arg)
{
	(void)ssl, (void)name, (void)len, (void)arg;
	switch (status) {
	case SSL_TICKET_SUCCESS:
	case SSL_TICKET_SUCCESS_RENEW:
		if (SSL_SESSION_get0_peer(session) != NULL)
			return SSL_TICKET_RETURN_IGNORE_RENEW;
		return status == SSL_TICKET_SUCCESS ?
		    SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
	default:
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	}
}

/* Who gets at the keys of a process can read what was said under its tickets:
 * they do not last for the life of the process. */
bool
tls_tickets_renew(SSL_CTX *ctx)
{
	uint8_t keys[TICKET_KEYS_BYTES];
	bool ok;

	random_bytes(keys, sizeof keys);
	ok = SSL_CTX_set_tlsext_ticket_keys(ctx, keys, sizeof keys) == 1;
	secret_wipe(keys, sizeof keys);
	ERR_clear_error();
	return ok;
}

bool
tls_tickets_init(SSL_CTX *ctx)
{
	static const unsigned char id[] = "sip";

	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ctx, KEEP_MS / 1000);
	SSL_CTX_set_num_tickets(ctx, 1);
	return SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1) &&
	    SSL_CTX_set_session_ticket_cb(ctx, fill_ticket, take_ticket, NULL)
	    && tls_tickets_renew(ctx);
}
