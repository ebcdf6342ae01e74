/*
 * token.h -- the signed tokens in our Record-Route, Path and Contact.
 *
 * They let any instance know a dialog that any instance let in, and find a
 * phone behind NAT, without state.  Text is base64url, fit for the user part
 * of a SIP URI.  A token opens only with the label that it was sealed with.
 * Hostile input: a fuzz target.
 *
 * dialog: u8 version=3 | u8 master index hint | u32 issued (unix s) |
 *         side caller | side callee | u8 flags | 8 call (if counted) |
 *         8 call before (if behind) | u8 len, user |
 *         u8 len, callee's user | 16 byte MAC (under the MAC also: u16 len,
 *         Call-ID, u16 len, caller's tag; if bound this is 8 bytes of it, and
 *         8 of one under which is also: u16 len, callee's tag)
 * path:   u8 version=4 | u8 hint | side flow | u32 registrar (peer id) |
 *         u16 len, original Contact URI (may be empty) |
 *         u8 len, user who registered | 16 byte MAC
 *         no time and no randomness: the same phone gives the same token,
 *         so a refresh is no new binding
 * side:   u8 kind | PEER: u32 peer id (its addresses are the peer's affair)
 *                 | FLOW: u16 listener id, u32 connection id, address,
 *                         u16 instance id, address of the instance or u16 0
 *                 | ADDR: address
 * address: u8 transport | u8 4 or 16 | ip | u16 port
 */
#ifndef ROUTE_TOKEN_H
#define ROUTE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "base/transport.h"

enum side_kind { SIDE_NONE, SIDE_PEER, SIDE_FLOW, SIDE_ADDR };

struct side {
	enum side_kind	kind;
	uint32_t	peer;		/* SIDE_PEER: peer_id() of its name */
	uint16_t	listener;	/* SIDE_FLOW: where it came in */
	uint32_t	connection;	/* SIDE_FLOW: 0 for UDP */
	enum transport	transport;
	struct addr	addr;		/* where it is reached; not SIDE_PEER */
	/* SIDE_FLOW: who holds it, and where other instances reach him (port
	 * 0: nowhere) */
	uint16_t	instance;
	enum transport	inside_transport;
	struct addr	inside;
};

enum { TOKEN_USER_MAX = 128, TOKEN_TEXT_MAX = 528, TOKEN_URI_MAX = 512,
    PATH_TOKEN_TEXT_MAX = 1000, TOKEN_CALL_BYTES = 8, TOKEN_MAC_BYTES = 32 };

/* flags */
enum {
	TOKEN_CALLER_DIGEST = 1,	/* the caller proved it by digest */
	TOKEN_HANDED = 2,		/* no dialog's: one request, handed by
					 * one instance to another; callee is
					 * the flow */
	TOKEN_COUNTED = 4,		/* as a call of a class of service */
	TOKEN_BEHIND = 8,		/* a peer made it of a counted call
					 * that it got from us */
	TOKEN_CALL = 16,		/* an INVITE opened the dialog */
	TOKEN_BOUND = 32		/* the MAC covers the callee's tag, too,
					 * so it is of one dialog of the call */
};

struct dialog_token {
	uint32_t	issued_s;
	struct side	caller, callee;
	uint8_t		flags;
	uint8_t		call[TOKEN_CALL_BYTES];	/* its number, if counted */
	uint8_t		before[TOKEN_CALL_BYTES];	/* if behind one */
	/* who proved himself, or registered the callee's flow; "": none */
	char		user[TOKEN_USER_MAX + 1];
	char		callee_user[TOKEN_USER_MAX + 1];
};

struct path_token {
	struct side	flow;
	uint32_t	registrar;
	char		user[TOKEN_USER_MAX + 1];	/* "": none */
	char		contact[TOKEN_URI_MAX + 1];	/* "" : Path mode */
};

enum token_verdict {
	TOKEN_OK,
	TOKEN_FOREIGN,		/* malformed or not signed by us */
	TOKEN_EXPIRED,		/* ours, but past dialog_max */
	TOKEN_OF_CALL		/* ours, but bound to another dialog of the
				 * call */
};

/* Signs with keys (auth/keys.h) through this narrow door, so that route/
 * does not include auth/: mac over the parts under master `which`. */
struct token_signer {
	void	(*mac)(void *arg, unsigned which, bool path,
		    const struct str *part, unsigned n,
		    uint8_t out[TOKEN_MAC_BYTES]);
	void	*arg;
	unsigned nkeys;
};

/* 32-bit id of a peer by its name: FNV-1a; settings refuse two that meet. */
uint32_t peer_id(const char *name);

/* Returns the length of the text in out (TOKEN_TEXT_MAX + 1 bytes), or 0:
 * user too long. */
size_t dialog_token_seal(const struct token_signer *s,
    const struct dialog_token *t, struct str call_id, struct str caller_tag,
    char *out);

/*
 * The same once the callee's tag is known, of the same length.  false: it is
 * not ours, of another call or no call's, or bound already.
 */
struct dialog_tags { struct str call_id, caller, callee; };
bool dialog_token_bind(const struct token_signer *s, struct str text,
    const struct dialog_tags *tags, char *out);

/* The request that a dialog token stands in. */
struct token_bearer {
	struct str	call_id, from_tag, to_tag;	/* empty: none */
	int64_t		now_s;		/* unix */
	int64_t		max_s;		/* how old it may be */
};

/*
 * The caller's tag is not known by the reader (either side may send the
 * request), so both tags are tried: from_tag, then to_tag.  *from_is_caller
 * says which one fitted.
 */
enum token_verdict dialog_token_open(const struct token_signer *s,
    struct str text, const struct token_bearer *by, struct dialog_token *t,
    bool *from_is_caller);

/* out: PATH_TOKEN_TEXT_MAX + 1 bytes; 0: contact too long. */
size_t path_token_seal(const struct token_signer *s,
    const struct path_token *t, char *out);
enum token_verdict path_token_open(const struct token_signer *s,
    struct str text, struct path_token *t);
/* Does it look like one, whoever signed it? */
bool path_token_is_like(struct str text);

#endif
