/*
 * registration.h -- addresses of ours that we register at peers.
 *
 * The Contact that a peer is given bears a token of ours ("line"): a request
 * for it, from where we registered, is that peer's, whatever its address.
 *
 * Sources: RFC 3261 section 10, RFC 5626 section 4.5 (waiting after failures).
 */
#ifndef PIPELINE_REGISTRATION_H
#define PIPELINE_REGISTRATION_H

#include <stdbool.h>
#include <stdint.h>

struct peer;
struct pipeline;
struct registrations;
struct request;

/* To be called once before the others.  false: no memory. */
bool registrations_open(struct pipeline *p);

/* As p's policy has them from now on: new ones begin, others are taken back.
 * Those that did not change stay.  false: no memory for one of them. */
bool registrations_update(struct pipeline *p);

/* Take all back: nobody shall call any more.  Bounded. */
void registrations_stop(struct pipeline *p);
/* Is nothing left to be taken back? */
bool registrations_are_over(const struct pipeline *p);
void registrations_free(struct pipeline *p);

/* A connection is gone, and with it the way back to us. */
void registrations_lost(struct pipeline *p, uint32_t connection);

/* The peer that asks for a Contact of ours from where we registered it; NULL:
 * none. */
const struct peer *registrations_find(const struct request *req);

/* Did it come from where we are registered at this peer? */
bool registrations_have(const struct request *req, uint32_t peer_id);

#endif
