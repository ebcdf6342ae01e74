/*
 * message.h -- just enough of SIP for callers and callees that measure: the
 * lines of a message as they came, and text that grows in a buffer.
 */
#ifndef BENCH_MESSAGE_H
#define BENCH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum { MESSAGE_MAX = 4096, LINES_MAX = 48 };

enum header {
	HEADER_OTHER,
	HEADER_VIA,
	HEADER_RECORD_ROUTE,
	HEADER_FROM,
	HEADER_TO,
	HEADER_CALL_ID,
	HEADER_CSEQ,
	HEADER_CONTACT,
	HEADER_CHALLENGE,		/* Proxy-Authenticate */
	HEADER_COUNT
};

struct line {
	enum header	 header;
	struct str	 whole;		/* without its end */
	struct str	 value;
};

struct message {
	int		 status;	/* 0: a request */
	struct str	 method;	/* of a response: of its CSeq */
	unsigned	 cseq;
	struct str	 value[HEADER_COUNT];	/* the first of each */
	struct line	 line[LINES_MAX];	/* after the first */
	size_t		 nlines;
};

/* Lends from p.  false: not SIP, or more lines than we look at. */
bool message_parse(struct message *m, const char *p, size_t len);

/* Text that is being written; what does not fit sets full. */
struct text {
	char	*p;
	size_t	 len, size;
	bool	 full;
};

void text_add(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
