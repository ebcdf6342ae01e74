/*
 * callee.h -- answers whatever is asked with 200, an INVITE with 180 before
 * it, and remembers nothing.
 */
#ifndef BENCH_CALLEE_H
#define BENCH_CALLEE_H

#include "message.h"
#include "wire.h"

void callee_answer(struct wire *w, const struct message *request);

#endif
