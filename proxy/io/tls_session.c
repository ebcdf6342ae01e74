/*
 * tls_session.c -- one connection over TLS.
 */
#include "config.h"

#include "io/tls_inner.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/addr.h"
#include "base/clock.h"

enum { TICKET_KEYS_MS = 24 * 3600 * 1000 };

static struct tls *
session_new(struct tls_context *c, int fd)
{
	struct tls_setup *s = c->setup;
	struct tls *t = calloc(1, sizeof *t +
	    s->ntrusts * sizeof t->vouched[0]);

	ERR_clear_error();
	if (t == NULL)
		return NULL;
	t->setup = s;
	s->users++;
	t->ssl = SSL_new(s->ctx);
	if (t->ssl != NULL && SSL_set_app_data(t->ssl, t) &&
	    SSL_set_fd(t->ssl, fd))
		return t;
	tls_free(t);
	return NULL;
}

struct tls *
tls_accept(struct tls_context *c, int fd)
{
	int64_t now = clock_mono_ms();
	struct tls *t;

	if (now - c->setup->tickets_ms > TICKET_KEYS_MS &&
	    tls_tickets_renew(c->setup->ctx))
		c->setup->tickets_ms = now;
	t = session_new(c, fd);
	if (t != NULL)
		SSL_set_accept_state(t->ssl);
	return t;
}

/* RFC 6066 section 3: no address in the server name extension. */
static bool
set_name(struct tls *t, const char *name)
{
	struct addr a;

	t->name = strdup(name);
	if (t->name == NULL)
		return false;
	return addr_parse_host(&a, str_of(name)) ||
	    SSL_set_tlsext_host_name(t->ssl, name);
}

struct tls *
tls_connect(struct tls_context *c, int fd, const char *name)
{
	struct tls *t = session_new(c, fd);

	if (t == NULL)
		return NULL;
	SSL_set_connect_state(t->ssl);
	if (t->setup->ntrusts > 0)
		t->generation = t->setup->trust[0]->generation;
	if (name != NULL && !set_name(t, name)) {
		tls_free(t);
		return NULL;
	}
	if (name != NULL)
		tls_cache_use(&t->setup->cache, name, t->ssl, t->generation);
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	ERR_clear_error();
	if (t->open && !t->broken)
		SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	ERR_clear_error();
	tls_setup_unref(t->setup);
	tls_names_fini(&t->names);
	free(t->name);
	free(t->reason);
	free(t);
}

/* The connection broke below TLS. */
static int
broke(struct tls *t, int error)
{
	struct tls_verdict v = { .failure = TLS_FAIL_CLOSED };

	if (error == 0 || error == EAGAIN)
		error = ECONNRESET;
	snprintf(v.text, sizeof v.text, "%s", strerror(error));
	tls_fail(t, &v);
	return -error;
}

static int
hung_up(struct tls *t)
{
	struct tls_verdict v = { TLS_FAIL_CLOSED, 0,
		"the other end hung up" };

	t->broken = true;
	tls_fail(t, &v);
	return -EPIPE;
}

/* What a call that did not succeed means; 0: the end. */
static int
judge(struct tls *t, int ret)
{
	int error = errno;
	struct tls_verdict v;

	switch (SSL_get_error(t->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		t->wants_out = false;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		t->wants_out = true;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		t->broken = true;
		return broke(t, error);
	default:
		t->broken = true;
		tls_verdict_error(&v);
		tls_fail(t, &v);
		ERR_clear_error();
		return -EPROTO;
	}
}

static int
no_memory(struct tls *t)
{
	struct tls_verdict v = { TLS_FAIL_CERT, 0, "no memory" };

	t->broken = true;
	tls_fail(t, &v);
	return -ENOMEM;
}

int
tls_handshake(struct tls *t)
{
	int ret, r;

	if (t->broken)
		return -EPROTO;
	errno = 0;
	ERR_clear_error();
	ret = SSL_do_handshake(t->ssl);
	if (ret != 1) {
		r = judge(t, ret);
		return r != 0 ? r : hung_up(t);
	}
	t->wants_out = false;
	if (!SSL_is_server(t->ssl) && SSL_session_reused(t->ssl) &&
	    !tls_verify_again(t))
		return no_memory(t);
	t->open = true;
	return 0;
}

static int
clip(size_t len)
{
	return len > INT_MAX ? INT_MAX : (int)len;
}

ssize_t
tls_read(struct tls *t, void *p, size_t len)
{
	int ret;

	if (t->broken)
		return -EPROTO;
	errno = 0;
	ERR_clear_error();
	ret = SSL_read(t->ssl, p, clip(len));
	t->drained = ret <= 0;
	if (ret <= 0)
		return judge(t, ret);
	t->wants_out = false;
	return ret;
}

ssize_t
tls_write(struct tls *t, const void *p, size_t len)
{
	int ret, r;

	if (t->broken)
		return -EPROTO;
	if (len == 0)
		return 0;
	errno = 0;
	ERR_clear_error();
	ret = SSL_write(t->ssl, p, clip(len));
	if (ret <= 0) {
		r = judge(t, ret);
		return r != 0 ? r : hung_up(t);
	}
	t->wants_out = false;
	return ret;
}

bool
tls_wants_out(const struct tls *t)
{
	return t->wants_out;
}

bool
tls_has_bytes(const struct tls *t)
{
	return !t->drained && !t->broken && SSL_has_pending(t->ssl);
}

const char *
tls_reason(const struct tls *t)
{
	if (t->reason != NULL)
		return t->reason;
	return t->failure != TLS_FAIL_NONE ? "no memory for the reason" :
	    "nothing failed";
}

enum tls_failure
tls_failure(const struct tls *t)
{
	return t->failure;
}

const struct tls_peer *
tls_peer(const struct tls *t)
{
	return t->open && t->known ? &t->peer : NULL;
}

bool
tls_peer_has_name(const struct tls_peer *p, const char *name)
{
	struct tls_names names = { (const char **)p->name, p->nnames };

	return name != NULL && tls_names_have(&names, name);
}

bool
tls_peer_vouched(const struct tls_peer *p, const struct tls_trust *trust)
{
	const struct tls *t = (const struct tls *)p;

	for (size_t i = 0; i < t->setup->ntrusts; i++)
		if (t->setup->trust[i] == trust && t->vouched[i])
			return true;
	return false;
}
