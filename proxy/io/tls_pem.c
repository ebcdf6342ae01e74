/*
 * tls_pem.c -- certificates, CRLs and keys from PEM files.
 */
#include "config.h"

#include "io/tls_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/secret.h"

enum { FILE_BYTES_MAX = 64 << 20 };	/* large CRLs have some */

struct bytes {
	char	*p;
	size_t	 len;
};

static int
read_all(int fd, struct bytes *b)
{
	size_t have = 0;
	ssize_t n = 1;

	while (have < b->len && n > 0) {
		n = read(fd, b->p + have, b->len - have);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			have += (size_t)n;
	}
	b->len = have;
	return n < 0 ? -1 : 0;
}

static int
read_fd(int fd, struct bytes *b)
{
	struct stat st;
	size_t room;

	if (fstat(fd, &st) < 0)
		return -1;
	errno = !S_ISREG(st.st_mode) ? EINVAL : EFBIG;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
		return -1;
	room = b->len = (size_t)st.st_size;
	b->p = malloc(room + 1);
	if (b->p == NULL)
		return -1;
	if (read_all(fd, b) == 0)
		return 0;
	secret_free(b->p, room);
	return -1;
}

/* Not by stdio, whose buffers would keep a key. */
static BIO *
open_file(const char *path, struct bytes *b, char why[TLS_WHY_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	BIO *bio;

	ERR_clear_error();
	if (fd < 0 || read_fd(fd, b) < 0) {
		tls_why_file(why, path, NULL);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	close(fd);
	bio = BIO_new_mem_buf(b->p, (int)b->len);
	if (bio == NULL) {
		tls_why_file(why, path, "no memory");
		secret_free(b->p, b->len);
	}
	return bio;
}

static void
close_file(BIO *bio, struct bytes *b)
{
	BIO_free(bio);
	secret_free(b->p, b->len);
	ERR_clear_error();
}

/* Did reading stop since there is no more?  Else a piece is damaged. */
static bool
is_end(void)
{
	unsigned long e = ERR_peek_last_error();

	return ERR_GET_LIB(e) == ERR_LIB_PEM &&
	    ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

/* No daemon asks at a terminal. */
static int
no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf, (void)size, (void)writing, (void)arg;
	return -1;
}

STACK_OF(X509) *
tls_pem_certificates(const char *path, char why[TLS_WHY_MAX])
{
	struct bytes b;
	BIO *bio = open_file(path, &b, why);
	STACK_OF(X509) *all;
	X509 *x;
	bool ok;

	if (bio == NULL)
		return NULL;
	all = sk_X509_new_null();
	ok = all != NULL;
	while (ok && (x = PEM_read_bio_X509(bio, NULL, no_password, NULL))) {
		ok = sk_X509_push(all, x) > 0;
		if (!ok)
			X509_free(x);
	}
	if (!ok || !is_end()) {
		tls_why_file(why, path, ok ? "a certificate is damaged" :
		    "no memory");
		sk_X509_pop_free(all, X509_free);
		all = NULL;
	}
	close_file(bio, &b);
	return all;
}

STACK_OF(X509_CRL) *
tls_pem_crls(const char *path, char why[TLS_WHY_MAX])
{
	struct bytes b;
	BIO *bio = open_file(path, &b, why);
	STACK_OF(X509_CRL) *all;
	X509_CRL *x;
	bool ok;

	if (bio == NULL)
		return NULL;
	all = sk_X509_CRL_new_null();
	ok = all != NULL;
	while (ok && (x = PEM_read_bio_X509_CRL(bio, NULL, no_password,
	    NULL))) {
		ok = sk_X509_CRL_push(all, x) > 0;
		if (!ok)
			X509_CRL_free(x);
	}
	if (!ok || !is_end()) {
		tls_why_file(why, path, ok ? "a CRL is damaged" :
		    "no memory");
		sk_X509_CRL_pop_free(all, X509_CRL_free);
		all = NULL;
	}
	close_file(bio, &b);
	return all;
}

static bool
has_key(const struct bytes *b)
{
	static const char mark[] = "PRIVATE KEY-----";

	return memmem(b->p, b->len, mark, sizeof mark - 1) != NULL;
}

EVP_PKEY *
tls_pem_key(const char *path, char why[TLS_WHY_MAX])
{
	struct bytes b;
	BIO *bio = open_file(path, &b, why);
	EVP_PKEY *key;

	if (bio == NULL)
		return NULL;
	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (key == NULL)
		tls_why_file(why, path, has_key(&b) ?
		    "the key is damaged, or has a password" :
		    "no key in it");
	close_file(bio, &b);
	return key;
}
