/*
 * plain.h -- a request read as text, without making a message of it.
 *
 * Only the plainest are read so: what phones and scanners send first, to be
 * challenged.  Whatever is odd in the least goes the full way, so nothing is
 * accepted here, nor refused.
 */
#ifndef PIPELINE_PLAIN_H
#define PIPELINE_PLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* All is lent from the bytes. */
struct plain {
	struct str	method;
	struct str	domain;		/* host of the Request-URI */
	/* of the one Via */
	struct str	sent_by;	/* host:port, as written */
	struct str	via_host;
	uint16_t	via_port;	/* 5060 if there is none */
	struct str	before, after;	/* its parameters: up to a bare rport,
					 * and those behind it */
	struct str	branch;
	/* whole lines, with CRLF */
	struct str	from, call_id_line, cseq_line;
	/* values */
	struct str	from_tag, to, call_id;
	struct str	user_agent;	/* the first; p NULL: none */
	uint32_t	cseq;
};

/*
 * bytes: one message whose head the judge of raw bytes let pass
 * (guard/screen.h), and its body up to the last byte.  false: go the full way.
 */
bool plain_read(struct plain *p, struct str bytes);

#endif
