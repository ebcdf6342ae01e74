/*
 * branch_id.h -- the branch parameter of our Via.
 *
 * It is signed, so that a response (or a request that loops) can be told to
 * be ours without state, and carries what a loop is known by (RFC 3261 16.6
 * item 8, RFC 5393 4.2):
 *
 *   "z9hG4bK" base64url( u32 issued, unix s | 6 sequence | 6 loop hash |
 *                        8 first bytes of a MAC )
 *
 * Under the MAC also lie the Call-ID and the Via below ours: a response that
 * is passed on without a transaction goes where the request came from.
 */
#ifndef PIPELINE_BRANCH_ID_H
#define PIPELINE_BRANCH_ID_H

#include "pipeline/request.h"

#define BRANCH_COOKIE "z9hG4bK"		/* RFC 3261 8.1.1.7 */

enum {
	BRANCH_BYTES = 24,
	BRANCH_ID_TEXT = sizeof BRANCH_COOKIE - 1 + BASE64URL_LEN(BRANCH_BYTES),
	BRANCH_DRAWN_BYTES = 16,
	BRANCH_DRAWN_TEXT = sizeof BRANCH_COOKIE - 1 + 2 * BRANCH_DRAWN_BYTES
};

/* What decides how we route this request; equal on its way round a loop. */
void loop_hash(const struct request *req, uint8_t out[6]);

/* out: BRANCH_ID_TEXT + 1 bytes. */
void branch_id_make(struct request *req, char *out);

/* Random instead of signed: of what we ask ourselves, and wait for. */
void branch_draw(char out[BRANCH_DRAWN_TEXT + 1]);

/* What begins with a Via of ours. */
struct branch_asks {
	const char	*branch, *call_id;
	uint32_t	 cseq;
	const struct addr *to;		/* by its network we have a name */
};

/* "host:port", where who is at `to` finds us by this way. */
void branch_put_place(struct writer *w, const struct way *way,
    const struct addr *to);

/* That Via, as a line, for what leaves by this way. */
void branch_put_via(struct writer *w, const struct way *way,
    const struct branch_asks *asks);

/* The key of its transaction. */
uint64_t branch_key(const struct pipeline *p, const struct way *way,
    const struct branch_asks *asks);

struct branch_id {
	uint32_t	issued_s;
	uint8_t		loop_hash[6];
};

/* Does another instance hand this over?  By where it came from, and by the
 * branch on top. */
bool branch_is_members(const struct request *req);

/* Is this Via's branch one that we signed, over this Call-ID and `below`? */
bool branch_id_open(struct pipeline *p, const sip_t *sip,
    const sip_via_t *via, struct branch_id *out);

#endif
