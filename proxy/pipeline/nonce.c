/*
 * nonce.c -- did one of us ask that question, and offer what was answered?
 *
 * Age, source and memory are facts that are carried on: they count only
 * after the answer was found right (stale=true is for those alone).
 */
#include "config.h"

#include <string.h>

#include "base/secret.h"
#include "pipeline/request.h"

static bool
was_offered(const struct nonce *n, const struct credentials *c)
{
	if (!(n->algs & 1u << c->alg))
		return false;
	switch (c->qop) {
	case QOP_AUTH:
		return n->qops & NONCE_QOP_AUTH;
	case QOP_AUTH_INT:
		return n->qops & NONCE_QOP_AUTH_INT;
	case QOP_NONE:
		return n->mode & NONCE_LEGACY;
	}
	return false;
}

static bool
opaque_is_ours(struct request *req)
{
	char want[OPAQUE_TEXT + 1];

	nonce_opaque(req->p->env.keys, req->nonce.master, req->cred->nonce,
	    want);
	return secret_eq(want, OPAQUE_TEXT, req->cred->opaque.p,
	    req->cred->opaque.len);
}

static enum reason
staleness(struct request *req)
{
	if (nonce_is_stale(&req->nonce, req->unix_ms))
		return REASON_STALE;
	if (req->cred->qop != QOP_NONE &&
	    req->cred->nc > req->policy->auth->nc_max)
		return REASON_USED_UP;
	if (req->policy->auth->bind == BIND_SOURCE &&
	    !nonce_is_from(req->p->env.keys, &req->nonce, &req->source))
		return REASON_OTHER_SOURCE;
	return REASON_COUNT;
}

/*
 * The same bytes from the same place are a retransmission, also where they
 * reach another instance.  Taken here, while the bytes are at hand.
 */
static void
take_fingerprint(struct request *req)
{
	const struct arrived *raw = req->p->arrived;
	uint8_t mac[MAC_BYTES];
	struct mac_part part[3];

	if (!req->p->env.nonces->ops->fingerprints || raw == NULL ||
	    req->transport != TRANSPORT_UDP)
		return;
	part[0] = (struct mac_part){ req->source.ip, sizeof req->source.ip };
	part[1] = (struct mac_part){ &req->source.port,
		sizeof req->source.port };
	part[2] = (struct mac_part){ raw->raw, raw->len };
	keys_mac(req->p->env.keys, 0, KEY_DATAGRAM, 0, part, 3, mac);
	memcpy(req->use.fingerprint, mac, sizeof req->use.fingerprint);
}

enum step_verdict
step_nonce(struct request *req)
{
	struct credentials *c = req->cred;

	if (req->proof == PROOF_NONE)
		return STEP_NEXT;
	if (!nonce_open(req->p->env.keys, c->nonce, str_of(req->realm),
	    &req->nonce))
		return refuse(req, REASON_FOREIGN_NONCE);
	if (c->opaque.p != NULL && !opaque_is_ours(req))
		return refuse(req, REASON_FOREIGN_NONCE);
	if (!was_offered(&req->nonce, c))
		return refuse(req, REASON_NOT_OFFERED);
	req->stale = staleness(req);
	take_fingerprint(req);
	return STEP_NEXT;
}
