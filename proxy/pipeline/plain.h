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

/* All lent from the bytes. */
struct plain {
	struct str	method;
	/* of the one Via */
	struct str	via_host, via_port;	/* port: may be empty */
	struct str	before, after;		/* its parameters, and those
						 * behind a bare rport */
	bool		rport;
	struct str	branch;
	/* whole lines, with CRLF */
	struct str	from, to, call_id, cseq;
	/* values */
	struct str	from_tag, to_value, call_id_value;
	uint32_t	cseq_number;
};

/* bytes: one datagram whose head was judged.  false: go the full way. */
bool plain_read(struct plain *p, struct str bytes);

#endif
