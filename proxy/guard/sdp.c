/*
 * sdp.c -- a session description, line by line.
 *
 * RFC 8866 section 5: lines end with CRLF, and a parser should take a lone LF
 * as well; we do.  The last line may lack its end, since a multipart boundary
 * eats it.
 */
#include "config.h"

#include <stddef.h>

#include "base/count.h"
#include "guard/sdp_inner.h"

/* RFC 8866 section 5: the order of lines, 0: not there at all. */
static const struct place {
	char	type;
	uint8_t	session, stream;
	bool	many;			/* may stand there again */
} places[] = {
	{ 'v', 1, 0, false }, { 'o', 2, 0, false }, { 's', 3, 0, false },
	{ 'i', 4, 1, false }, { 'u', 5, 0, false }, { 'e', 6, 0, true },
	{ 'p', 7, 0, true }, { 'c', 8, 2, true }, { 'b', 9, 3, true },
	{ 't', 10, 0, false }, { 'r', 11, 0, true }, { 'z', 12, 0, false },
	{ 'k', 13, 4, false }, { 'a', 14, 5, true }, { 'm', 15, 6, true },
};
enum { PLACE_T = 10, PLACE_Z = 12 };

/* One description while it is read. */
struct reading {
	struct sdp_facts own;		/* what this one has */
	unsigned	 line;
	unsigned	 place;		/* of the line before */
	unsigned	 seen;		/* of v, o, s, t: bits */
	bool		 is_blank;	/* an empty line was there */
	bool		 has_c, stream_has_c;
	bool		 in_bundle;
	bool		 clear, stream_clear;	/* perhaps: tcap */
	bool		 in_stream;
	struct sdp_stream stream;
	struct sdp_crypto crypto;
	struct sdp_dtls	 session, dtls;
};

static void
note_fault(struct reading *r, enum sdp_fault fault)
{
	if (fault == SDP_TORN || fault == SDP_STREAM)
		r->own.torn = true;
	if (r->own.fault != SDP_SOUND)
		return;
	r->own.fault = fault;
	r->own.line = r->line;
}

/* ---- streams */

static enum sdp_hole
srtp_hole(const struct reading *r)
{
	const struct sdp_crypto *c = &r->crypto;

	if (c->bad)
		return SDP_BAD_CRYPTO;
	if (c->unencrypted)
		return SDP_UNENCRYPTED;
	if (c->good)
		return SDP_SAFE;
	return r->dtls.seen || r->session.seen ?
	    sdp_dtls_hole(&r->dtls, &r->session) : SDP_NO_KEYS;
}

/* What was promised by the m= may be left for a capability (RFC 5939). */
static enum sdp_hole
unless_clear(const struct reading *r, enum sdp_hole hole)
{
	return hole == SDP_SAFE && (r->clear || r->stream_clear) ?
	    SDP_OPTIONAL : hole;
}

static enum sdp_hole
hole_of(const struct reading *r)
{
	bool is_offered = r->crypto.seen || r->dtls.seen || r->session.seen;

	switch (sdp_promise_of(r->stream.profile)) {
	case PROMISE_SRTP:
		return srtp_hole(r);
	case PROMISE_DTLS:
		return sdp_dtls_hole(&r->dtls, &r->session);
	case PROMISE_TLS:
		return r->dtls.seen || r->session.seen ?
		    sdp_dtls_hole(&r->dtls, &r->session) : SDP_SAFE;
	case PROMISE_UNKNOWN:
		return SDP_UNKNOWN;
	case PROMISE_NOTHING:
		break;
	}
	return is_offered ? SDP_OPTIONAL : SDP_CLEAR;
}

/* RFC 8866 section 5.14: port 0 is no stream, but for one that is sent over
 * another's port (RFC 8843 section 6). */
static void
judge_stream(struct reading *r)
{
	enum sdp_hole hole = unless_clear(r, hole_of(r));

	if (r->stream.port == 0 && !r->in_bundle)
		return;
	/* where DTLS is promised, nobody uses them */
	if (r->crypto.seen && sdp_promise_of(r->stream.profile) !=
	    PROMISE_DTLS)
		r->own.keys = true;
	if (r->own.hole != SDP_SAFE || hole == SDP_SAFE)
		return;
	r->own.hole = hole;
	r->own.stream = r->own.streams;
}

/* RFC 8866 section 5.7 */
static void
end_stream(struct reading *r)
{
	if (!r->in_stream)
		return;
	judge_stream(r);
	if (!r->has_c && !r->stream_has_c)
		note_fault(r, SDP_LACKS);
}

static void
begin_stream(struct reading *r, struct str value)
{
	end_stream(r);
	r->own.streams++;
	r->in_stream = true;
	r->in_bundle = r->stream_has_c = r->stream_clear = false;
	memset(&r->stream, 0, sizeof r->stream);
	memset(&r->crypto, 0, offsetof(struct sdp_crypto, tag));
	memset(&r->dtls, 0, sizeof r->dtls);
	r->place = 0;
	if (!sdp_stream_read(&r->stream, value))
		note_fault(r, SDP_STREAM);
}

/* ---- lines */

static void
take_crypto(struct reading *r, struct str value)
{
	if (r->in_stream)
		sdp_crypto_add(&r->crypto, value);
	else		/* not its place (RFC 4568 section 5), but told */
		r->own.keys = true;
}

/* RFC 5939 section 3.3.1: "acap:1 crypto:1 ...", to be used perhaps. */
static void
take_capability(struct reading *r, struct str value)
{
	sdp_cut(&value, ' ');
	if (str_is(sdp_cut(&value, ':'), "crypto"))
		r->own.keys = true;
}

/* RFC 5939 section 3.4.1: "tcap:1 RTP/SAVP RTP/AVP", which who answers may
 * take instead of what the m= says. */
static void
take_transports(struct reading *r, struct str value)
{
	bool *clear = r->in_stream ? &r->stream_clear : &r->clear;
	enum sdp_promise promise;

	sdp_cut(&value, ' ');
	while (value.p != NULL) {
		promise = sdp_promise_of(sdp_cut(&value, ' '));
		*clear |= promise == PROMISE_NOTHING ||
		    promise == PROMISE_UNKNOWN;
	}
}

static void
take_attribute(struct reading *r, struct str value)
{
	struct sdp_dtls *d = r->in_stream ? &r->dtls : &r->session;
	struct str name = sdp_cut(&value, ':');

	if (str_is(name, "crypto"))
		take_crypto(r, value);
	else if (str_is(name, "fingerprint"))
		sdp_dtls_fingerprint(d, value);
	else if (str_is(name, "setup"))
		sdp_dtls_setup(d, value);
	else if (str_is(name, "acap"))
		take_capability(r, value);
	else if (str_is(name, "tcap"))
		take_transports(r, value);
	else if (str_is(name, "bundle-only"))
		r->in_bundle = true;
}

static const struct place *
place_of(char type)
{
	for (size_t i = 0; i < COUNT(places); i++)
		if (places[i].type == type)
			return &places[i];
	return NULL;
}

static bool
is_in_order(const struct reading *r, const struct place *p)
{
	unsigned here = r->in_stream ? p->stream : p->session;

	if (p->type == 't' && !r->in_stream && r->place >= PLACE_T &&
	    r->place <= PLACE_Z)
		return true;		/* the next time, with its repeats */
	if (p->type == 'c' && !r->in_stream && r->has_c)
		return false;
	return here > r->place || (here > 0 && here == r->place && p->many);
}

static void
check_order(struct reading *r, const struct place *p)
{
	/* who reads on may take what follows for another description */
	if (p->type == 'v' && r->line > 1)
		note_fault(r, SDP_TORN);
	if (!is_in_order(r, p))
		note_fault(r, SDP_ORDER);
	r->place = r->in_stream ? p->stream : p->session;
}

static void
check_session(struct reading *r)
{
	static const unsigned all = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 10;

	if ((r->seen & all) != all)
		note_fault(r, SDP_LACKS);
}

static void
take_line(struct reading *r, char type, struct str value)
{
	const struct place *p = place_of(type);

	if (p == NULL) {
		note_fault(r, SDP_TYPE);
		return;
	}
	check_order(r, p);
	r->seen |= 1u << p->session;
	if (type == 'm') {
		if (r->own.streams == 0)
			check_session(r);
		begin_stream(r, value);
		return;
	}
	if (!sdp_value_is_good(type, value))
		note_fault(r, SDP_VALUE);
	if (type == 'a')
		take_attribute(r, value);
	else if (type == 'c' && r->in_stream)
		r->stream_has_c = true;
	else if (type == 'c')
		r->has_c = true;
	else if (type == 'k' && !str_is(value, "prompt"))
		r->own.keys = true;	/* RFC 4566 section 5.12 */
}

static bool
is_torn(struct str line)
{
	return line.len < 2 || line.p[1] != '=' ||
	    memchr(line.p, '\r', line.len) != NULL ||
	    memchr(line.p, '\0', line.len) != NULL;
}

static void
read_line(struct reading *r, struct str line)
{
	r->line++;
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0) {
		note_fault(r, SDP_BLANK);
		r->is_blank = true;
		return;
	}
	if (r->is_blank || is_torn(line))
		note_fault(r, SDP_TORN);
	if (line.len >= 2 && line.p[1] == '=')
		take_line(r, *line.p, (struct str){ line.p + 2,
		    line.len - 2 });
}

/* Of several descriptions the worst counts. */
static void
add(struct sdp_facts *f, const struct sdp_facts *own)
{
	f->descriptions++;
	if (f->bytes < own->bytes)
		f->bytes = own->bytes;
	if (f->streams < own->streams)
		f->streams = own->streams;
	f->torn |= own->torn;
	f->keys |= own->keys;
	if (f->fault == SDP_SOUND) {
		f->fault = own->fault;
		f->line = own->line;
	}
	if (f->hole == SDP_SAFE) {
		f->hole = own->hole;
		f->stream = own->stream;
	}
}

void
sdp_read(struct sdp_facts *f, struct str text)
{
	struct reading r = { .own.bytes = text.len };

	while (text.len > 0)
		read_line(&r, sdp_cut(&text, '\n'));
	end_stream(&r);
	if (r.own.streams == 0)
		check_session(&r);
	add(f, &r.own);
}
