/*
 * pki.h -- authorities, certificates and CRLs for a test, made on the spot.
 *
 * What goes wrong here ends the test.
 */
#ifndef TEST_PKI_H
#define TEST_PKI_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

/* A folder of PEM files, removed at the end. */
struct pki {
	char	dir[64];
};

struct pki_cert {
	X509		*x;
	EVP_PKEY	*key;
};

/* Texts are as in OpenSSL's configuration files. */
struct pki_spec {
	const char	*name;		/* common name */
	const char	*san;		/* "URI:sip:a.example,IP:10.0.0.1" */
	const char	*use;		/* extendedKeyUsage */
	const char	*key_use;	/* keyUsage */
	bool		 ca;
	bool		 rsa;		/* else P-256 */
	int		 from_days, to_days;	/* from now; both 0: good */
};

void pki_open(struct pki *p);
void pki_close(struct pki *p);
/* The path of a file in the folder; good until 16 others were asked for. */
const char *pki_path(const struct pki *p, const char *file);
/* A folder in it; its path. */
const char *pki_folder(const struct pki *p, const char *name);

/* by NULL: it signs itself.  Freed by pki_free(). */
struct pki_cert pki_issue(const struct pki_cert *by,
    const struct pki_spec *spec);
void pki_free(struct pki_cert *c);

/* Append to a file; path is of pki_path(). */
void pki_put_text(const char *path, const char *text);
void pki_put_cert(const char *path, const struct pki_cert *c);
void pki_put_key(const char *path, const struct pki_cert *c,
    const char *password);
/* A CRL of `by` that revokes one, or none (NULL), good until next_days from
 * now. */
void pki_put_crl(const char *path, const struct pki_cert *by,
    const struct pki_cert *revoked, int next_days);

#endif
