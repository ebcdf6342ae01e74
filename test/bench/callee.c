/*
 * callee.c -- answers whatever is asked with 200.
 */
#include "config.h"

#include "callee.h"

#include <string.h>

static const char sdp[] =
    "v=0\r\n"
    "o=- 1 1 IN IP4 192.0.2.2\r\n"
    "s=-\r\n"
    "c=IN IP4 192.0.2.2\r\n"
    "t=0 0\r\n"
    "m=audio 20000 RTP/AVP 8 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n";

/* RFC 3261 8.2.6.2 */
static void
copy_lines(struct text *out, const struct message *request)
{
	for (size_t i = 0; i < request->nlines; i++) {
		const struct line *line = &request->line[i];
		bool tagged = memmem(line->whole.p, line->whole.len, ";tag=",
		    5) != NULL;

		if (line->header == HEADER_OTHER ||
		    line->header >= HEADER_CONTACT)
			continue;
		text_add(out, "%.*s%s\r\n", (int)line->whole.len,
		    line->whole.p, line->header == HEADER_TO && !tagged ?
		    ";tag=callee" : "");
	}
}

static void
answer(struct wire *w, const struct message *request, const char *status)
{
	bool invite = str_is(request->method, "INVITE");
	const char *body = invite && status[0] == '2' ? sdp : "";
	char bytes[MESSAGE_MAX];
	struct text out = { .p = bytes, .size = sizeof bytes };

	text_add(&out, "SIP/2.0 %s\r\n", status);
	copy_lines(&out, request);
	if (invite)
		text_add(&out, "Contact: <sip:callee@%s>\r\n", wire_self(w));
	if (body[0] != '\0')
		text_add(&out, "Content-Type: application/sdp\r\n");
	text_add(&out, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	if (!out.full)
		wire_send(w, bytes, out.len);
}

void
callee_answer(struct wire *w, const struct message *request)
{
	if (str_is(request->method, "INVITE"))
		answer(w, request, "180 Ringing");
	answer(w, request, "200 OK");
}
