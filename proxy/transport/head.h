/*
 * head.h -- how transport/ asks for a judgement on the raw head of a message.
 *
 * The head is everything up to and with the empty line.  Its bytes are judged
 * before Sofia's parser sees them, because that parser takes a bare CR and a
 * bare LF for line ends and stops at a NUL, so that it would read another
 * message than the next hop does.  The judge stands above this layer
 * (guard/screen.h) and is handed in when the transports are opened.
 */
#ifndef TRANSPORT_HEAD_H
#define TRANSPORT_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All after HEAD_MORE are refusals, and so is it for a datagram; with a
 * sentence for the operator.  HEAD_BAD_LENGTH is said when the head is whole:
 * a request can be answered then. */
#define HEAD_VERDICTS(V)						\
V(HEAD_WHOLE, "whole",							\
    "The head is complete: no refusal.")				\
V(HEAD_MORE, "unfinished",						\
    "A datagram that ends before the head of its message does.")	\
V(HEAD_NUL, "nul",							\
    "A NUL byte in the head.")						\
V(HEAD_BARE_CR, "bare-cr",						\
    "A CR without its LF in the head: not all take it for the end of "	\
    "a line.")								\
V(HEAD_BARE_LF, "bare-lf",						\
    "An LF without its CR in the head: not all take it for the end of "	\
    "a line.")								\
V(HEAD_STUN, "stun",							\
    "A STUN message that is not answered; see limits.stun.")		\
V(HEAD_NOT_SIP, "not-sip",						\
    "The first byte is none that a SIP message begins with, as when "	\
    "TLS is spoken on a port without it.")				\
V(HEAD_FOLDED_START, "folded-start",					\
    "The start line is continued on a second line.")			\
V(HEAD_BAD_NAME, "bad-header-name",					\
    "A header line that has no name, or no colon after it.")		\
V(HEAD_BAD_LENGTH, "bad-content-length",				\
    "A Content-Length that is no number, that is folded, or a second "	\
    "one; a request gets 400.")						\
V(HEAD_TOO_MANY, "too-many-headers",					\
    "More header lines than limits.headers.")				\
V(HEAD_TOO_LONG, "head-too-long",					\
    "A head longer than limits.message_size, or than 32768 bytes.")

enum head_verdict {
#define V(id, name, help) id,
	HEAD_VERDICTS(V)
#undef V
	HEAD_VERDICT_COUNT
};

/*
 * One head that is being judged, perhaps in several pieces: the bytes may move
 * between two looks, so only offsets are kept.  Zeroed for each message, then
 * the limits are set; the rest is the judge's.
 */
struct head {
	size_t	max_bytes;	/* of the head without the blank lines before */
	size_t	max_lines;	/* header lines, folded ones counted each */
	size_t	start;		/* bytes of CRLF before the start line */
	size_t	len;		/* up to the body; with HEAD_WHOLE and
				 * HEAD_BAD_LENGTH */
	int64_t	body;		/* Content-Length, -1 without; same */
	size_t	scanned;	/* bytes that need no second look */
	size_t	line;		/* where the line at `scanned` begins */
	size_t	lines;		/* header lines so far */
	bool	started;	/* the start line is complete */
	bool	has_length;	/* Content-Length was there */
	bool	in_length;	/* and it was the last line */
	bool	bad_length;	/* it is no good */
};

typedef enum head_verdict head_judge_f(struct head *h, const char *p,
    size_t len);

#endif
