/*
 * token_inner.h -- the bytes of a token: what its kinds share.
 */
#ifndef ROUTE_TOKEN_INNER_H
#define ROUTE_TOKEN_INNER_H

#include "route/token.h"

enum {
	VERSION_DIALOG = 3,
	VERSION_PATH = 4,
	MAC_SHORT = 16,		/* bytes of the HMAC that are carried */
	ADDRESS_MAX = 20,	/* IPv6 */
	SIDE_MAX = 7 + ADDRESS_MAX + 2 + ADDRESS_MAX	/* FLOW */
};

/* Being written; the buffer holds the longest token. */
struct sealing {
	uint8_t	*p;
	size_t	 n;
};

void sealing_u8(struct sealing *w, uint8_t v);
void sealing_u16(struct sealing *w, uint16_t v);
void sealing_u32(struct sealing *w, uint32_t v);
void sealing_bytes(struct sealing *w, const void *p, size_t n);
void sealing_side(struct sealing *w, const struct side *s);
void sealing_user(struct sealing *w, const char *user);
/* Its text, with the MAC behind; returns the length. */
size_t sealing_end(struct sealing *w, const uint8_t mac[TOKEN_MAC_BYTES],
    char *out);

/* Being read; bad once and for all when something was missing or wrong. */
struct reading {
	const uint8_t	*p;
	size_t		 left;
	bool		 bad;
};

/* Decoded, and the MAC cut off: it stands behind what is left. */
struct reading reading_of(struct str text, uint8_t *buf, size_t size);
uint8_t reading_u8(struct reading *r);
uint16_t reading_u16(struct reading *r);
uint32_t reading_u32(struct reading *r);
/* n bytes, or NULL when there are not so many. */
const uint8_t *reading_bytes(struct reading *r, size_t n);
/* Text without NUL, into max + 1 bytes. */
void reading_text(struct reading *r, size_t n, char *out, size_t max);
/* s is zeroed. */
void reading_side(struct reading *r, struct side *s);
bool reading_is_whole(const struct reading *r);

bool token_user_fits(const char user[TOKEN_USER_MAX + 1]);
struct str token_bytes(const uint8_t *p, size_t n);

#endif
