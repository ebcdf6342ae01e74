/*
 * sdp_dtls.c -- whose certificate DTLS must see: a=fingerprint (RFC 8122
 * section 5) and who calls whom: a=setup (RFC 4145 section 4, RFC 5763
 * section 5).
 */
#include "config.h"

#include "base/count.h"
#include "base/grammar.h"
#include "guard/sdp_inner.h"

/* What SHA-256 is not better than can be made to meet. */
static const struct {
	const char	*name;
	unsigned	 bytes;
	bool		 is_safe;
} hashes[] = {
	{ "sha-256", 32, true },
	{ "sha-384", 48, true },
	{ "sha-512", 64, true },
	{ "sha-224", 28, false },
	{ "sha-1", 20, false },
	{ "md5", 16, false },
	{ "md2", 16, false },
};

/* AB:CD:...; the RFC writes capitals, not all do. */
static bool
is_hex_pairs(struct str s, unsigned bytes)
{
	if (s.len != bytes * 3 - 1)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (i % 3 == 2 ? s.p[i] != ':' : !grammar_is(s.p[i], IS_HEX))
			return false;
	return true;
}

void
sdp_dtls_fingerprint(struct sdp_dtls *d, struct str value)
{
	struct str name = sdp_cut(&value, ' ');

	d->seen = true;
	for (size_t i = 0; i < COUNT(hashes); i++) {
		if (!str_caseis(name, hashes[i].name))
			continue;
		if (!is_hex_pairs(value, hashes[i].bytes))
			d->bad = true;
		else if (hashes[i].is_safe)
			d->good = true;
		else
			d->weak = true;
		return;
	}
	/* one that is not known does no harm beside one that is */
	if (!sdp_is_token(name) || value.len == 0)
		d->bad = true;
}

/* Not holdconn: RFC 5763 section 5. */
void
sdp_dtls_setup(struct sdp_dtls *d, struct str value)
{
	if (!str_caseis(value, "actpass") && !str_caseis(value, "active") &&
	    !str_caseis(value, "passive"))
		d->bad_setup = true;
}

enum sdp_hole
sdp_dtls_hole(const struct sdp_dtls *stream, const struct sdp_dtls *session)
{
	const struct sdp_dtls *d = stream->seen ? stream : session;

	if (!d->seen)
		return SDP_NO_FINGERPRINT;
	if (d->bad)
		return SDP_BAD_FINGERPRINT;
	if (!d->good)
		return d->weak ? SDP_WEAK_FINGERPRINT : SDP_BAD_FINGERPRINT;
	return stream->bad_setup || session->bad_setup ? SDP_BAD_SETUP :
	    SDP_SAFE;
}
