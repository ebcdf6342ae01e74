/*
 * sane.h -- the headers that a proxy must understand: are they there, once,
 * and in form?
 */
#ifndef PIPELINE_SANE_H
#define PIPELINE_SANE_H

#include "pipeline/reason.h"
#include "pipeline/sofia.h"

/* What is wrong with a message; why is REASON_COUNT if nothing is. */
struct fault {
	enum reason	 why;
	const char	*header;	/* which one; NULL: none in particular */
};

/* From, To, Call-ID, CSeq, Max-Forwards, Contact and the top Via. */
struct fault sane_request(const sip_t *sip);

/* Of a response only what tells whose it is: a phone that errs elsewhere must
 * not cost a call. */
struct fault sane_response(const sip_t *sip);

#endif
