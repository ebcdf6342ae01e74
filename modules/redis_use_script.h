/*
 * redis_use_script.h -- the use of a nonce, as it is counted inside Redis.
 */
#ifndef MODULES_REDIS_USE_SCRIPT_H
#define MODULES_REDIS_USE_SCRIPT_H

/*
 * Consume one use of a nonce.
 *
 * KEYS 1 canary, 2 bitmap of the nonce, 3 fingerprint of this use
 * ARGV 1 the canary as the nonce implies it, 2 bit of the count,
 *      3 life of the bitmap (ms), 4 fingerprint (empty: none), 5 our owner
 *      id, 6 life of the fingerprint (ms), 7 an owner's key without its id
 *
 * Returns 0 accept, 1 replay, 2 absorb; or, as text, the canary that is there
 * (empty: none), when the nonce belongs to other data.
 */
extern const char redis_use_script[];

#endif
