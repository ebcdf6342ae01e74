/*
 * tls_rig.h -- both ends of a TLS connection in one process.
 */
#ifndef TLS_RIG_H
#define TLS_RIG_H

#include "io/tls.h"
#include "pki.h"

/* root > inter > leafs; other is nobody's friend. */
struct rig_pki {
	struct pki	 files;
	struct pki_cert	 root, inter, other;
	/* of them, and where they are: certificate, intermediate, key */
	struct pki_cert	 server, client;
	const char	*root_pem, *inter_pem, *other_pem;
	const char	*server_pem, *client_pem;
};

#define RIG_SERVER "sip.example"
#define RIG_CLIENT "client.example"

/* Fixtures of a group: keys take their time, so they are made once. */
extern struct rig_pki rig_pki;
int rig_pki_setup(void **state);
int rig_pki_teardown(void **state);

void rig_pki_open(struct rig_pki *p);
void rig_pki_close(struct rig_pki *p);
/* A file with certificate, chain and key; by NULL: self-signed. */
const char *rig_put(struct rig_pki *p, const char *file,
    const struct pki_cert *c, bool with_inter);

struct tls_trust *rig_trust(const char *ca, const char *crl);
/* pem NULL: shows no certificate; trust NULL: asks for none, believes all. */
struct tls_context *rig_server(const char *pem, struct tls_trust *trust);
struct tls_context *rig_client(const char *pem, struct tls_trust *trust);
/* The last version that it speaks: 11, 12 or 13. */
void rig_last_version(struct tls_context *c, int version);

struct rig_end {
	int		 fd;
	struct tls	*tls;
	int		 result;	/* of the handshake */
};

struct rig_pair {
	struct rig_end	 server, client;
};

void rig_pair_open(struct rig_pair *p, struct tls_context *server,
    struct tls_context *client, const char *name);
/* Let both shake hands, and take notice of what the other said last. */
void rig_pair_shake(struct rig_pair *p);
void rig_pair_close(struct rig_pair *p);
/* Both are open; a byte goes each way. */
void rig_pair_works(struct rig_pair *p);

const char *rig_failure_name(enum tls_failure f);
/* It failed for this reason, or (TLS_FAIL_NONE) not at all. */
void rig_failed(const struct rig_end *e, enum tls_failure want);

/* A server that asks for no certificate, and a client that verifies it. */
struct rig_ends {
	struct tls_trust	*trust;
	struct tls_context	*server, *client;
	struct rig_pair		 pair;
};

/* A test of which *state is that, by rig_pki. */
int rig_ends_setup(void **state);
int rig_ends_teardown(void **state);
#define RIG_ENDS_TEST(f) cmocka_unit_test_setup_teardown(f,		\
    rig_ends_setup, rig_ends_teardown)

struct rig_ends *rig_ends_new(struct rig_pki *p);
void rig_ends_free(struct rig_ends *e);
/* A new connection between them. */
void rig_meet(struct rig_ends *e);

#endif
