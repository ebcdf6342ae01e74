/*
 * flow.h -- tokens in Record-Route, Path and Contact, put on and taken off.
 */
#ifndef PIPELINE_FLOW_H
#define PIPELINE_FLOW_H

#include "base/writer.h"
#include "pipeline/request.h"

/* How the sender of this request is reached again: the flow that it came on,
 * or the peer that it is. */
void flow_of_sender(const struct request *req, struct side *out);

/* Is the sender this side?  A flow is compared to the port, a peer by id, an
 * address by its IP. */
bool flow_is_sender(const struct request *req, const struct side *s);

/* The narrow door between route/token and auth/keys. */
struct token_signer flow_signer(struct pipeline *p);

/*
 * Read a dialog token.  TOKEN_OK: ours, over this Call-ID and one of the
 * tags; token and from_caller of req are filled.  A second one joins the
 * first where the two meet at a peer: that is a PBX that routed the call back
 * through us and stays out of the dialog.  So it is with one that is of another
 * dialog of the call, or too old, where this request may have such.
 */
enum token_verdict flow_open_dialog(struct request *req, struct str text);
/* The same without a note in req. */
enum token_verdict flow_read_dialog(const struct request *req,
    struct str text, struct dialog_token *t, bool *from_caller);

/*
 * Fix a flow as the target of the request: ours; or another instance that has
 * it, which gets the request for it (and over UDP, if that instance is gone,
 * the place itself).  false: the connection or the listener is gone.
 */
bool flow_to_target(struct request *req, const struct side *flow);

/* Route with a token for an instance that gets the request for its flow;
 * nothing for all others.  false: it cannot be made. */
bool flow_put_handed(struct leg *leg, struct writer *w);

/* Did another instance hand this over just now?  By the token that was read,
 * and where it came from. */
bool flow_is_handed(const struct request *req);

/* Record-Route with a dialog token, for leaving by `out` towards the side
 * `callee` (RFC 3261 16.6 item 4, RFC 5658).  -errno. */
int flow_record_route(struct leg *leg, const struct way *out,
    const struct side *callee, struct writer *w);

/* The response to an INVITE that opens a dialog: with the tag of who was called
 * our token is of this dialog, and good for who called. */
void flow_bind(struct pipeline *p, msg_t *msg, sip_t *sip);

/* REGISTER towards a peer: tokens in Contact, Supported.  -errno. */
int flow_register(struct leg *leg, const struct way *out);
/* And Path. */
int flow_path(struct leg *leg, const struct way *out, struct writer *w);
/* The response to it: our tokens in Contact undone. */
void flow_registered(struct request *req, msg_t *msg, sip_t *sip);

/* A request to a Contact token of ours: the Request-URI that it stands for. */
enum contact_verdict {
	CONTACT_OPENED,		/* req->path is filled, the URI replaced */
	CONTACT_FOREIGN,	/* looks like ours, but is not: 403 */
	CONTACT_PLAIN		/* an ordinary user part */
};
enum contact_verdict flow_open_contact(struct request *req, struct str user);

#endif
