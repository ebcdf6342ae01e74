/*
 * sdp_crypto.c -- the keys of SRTP that stand in a=crypto: RFC 4568 section
 * 9.1 and 9.2.
 */
#include "config.h"

#include "base/count.h"
#include "base/grammar.h"
#include "guard/sdp_inner.h"

enum {
	LIFETIME_EXPONENT_MAX = 48,	/* packets of SRTP (RFC 3711 9.2) */
	MKI_BYTES_MAX = 128, KDR_MAX = 24, WSH_LEAST = 64
};

/* Master key and salt of a suite, bytes. */
static const struct {
	const char	*name;
	unsigned	 key_salt;
} suites[] = {
	{ "AES_CM_128_HMAC_SHA1_80",	16 + 14 },
	{ "AES_CM_128_HMAC_SHA1_32",	16 + 14 },
	{ "F8_128_HMAC_SHA1_80",	16 + 14 },
	{ "AES_192_CM_HMAC_SHA1_80",	24 + 14 },	/* RFC 6188 */
	{ "AES_192_CM_HMAC_SHA1_32",	24 + 14 },
	{ "AES_256_CM_HMAC_SHA1_80",	32 + 14 },
	{ "AES_256_CM_HMAC_SHA1_32",	32 + 14 },
	{ "AEAD_AES_128_GCM",		16 + 12 },	/* RFC 7714 */
	{ "AEAD_AES_256_GCM",		32 + 12 },
};

/* What a line came to. */
enum line { LINE_GOOD, LINE_BAD, LINE_UNKNOWN, LINE_UNENCRYPTED };

/* The next word; empty: none is left.  1*WSP stands between them. */
static struct str
next_word(struct str *rest)
{
	struct str out;
	size_t n = 0;

	while (rest->len > 0 && (*rest->p == ' ' || *rest->p == '\t')) {
		rest->p++;
		rest->len--;
	}
	while (n < rest->len && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	out = (struct str){ rest->p, n };
	*rest = (struct str){ n == 0 ? rest->p : rest->p + n, rest->len - n };
	return out;
}

static bool
is_base64(char c)
{
	return grammar_is(c, IS_ALPHA | IS_DIGIT) || c == '+' || c == '/';
}

/* Some leave the padding out, which RFC 4568 section 6.1 discards anyway. */
static bool
is_base64_of(struct str s, unsigned bytes)
{
	size_t chars = (bytes * 4 + 2) / 3, n = 0, padding;

	while (n < s.len && is_base64(s.p[n]))
		n++;
	padding = s.len - n;
	if (n != chars || (padding > 0 && (padding > 2 || s.len % 4 != 0)))
		return false;
	for (; n < s.len; n++)
		if (s.p[n] != '=')
			return false;
	return true;
}

/* A number of packets, or a power of two of them; never none. */
static bool
is_lifetime(struct str s)
{
	uint64_t n;

	if (s.len > 2 && s.p[0] == '2' && s.p[1] == '^')
		return parse_uint((struct str){ s.p + 2, s.len - 2 },
		    LIFETIME_EXPONENT_MAX, &n);
	return parse_uint(s, UINT64_C(1) << LIFETIME_EXPONENT_MAX, &n) &&
	    n > 0;
}

static bool
is_mki(struct str s)
{
	uint64_t bytes;

	return sdp_is_number(sdp_cut(&s, ':')) && s.p != NULL &&
	    s.len <= 3 && parse_uint(s, MKI_BYTES_MAX, &bytes) && bytes > 0;
}

/* "inline:" key||salt ["|" lifetime] ["|" MKI ":" length] */
static bool
is_key(struct str s, unsigned key_salt, bool *has_mki)
{
	struct str part;

	*has_mki = false;
	if (!str_caseis(sdp_cut(&s, ':'), "inline") || s.p == NULL ||
	    !is_base64_of(sdp_cut(&s, '|'), key_salt))
		return false;
	if (s.p == NULL)
		return true;
	part = sdp_cut(&s, '|');
	if (part.len > 0 && memchr(part.p, ':', part.len) == NULL) {
		if (!is_lifetime(part))
			return false;
		if (s.p == NULL)
			return true;
		part = sdp_cut(&s, '|');
	}
	*has_mki = true;
	return is_mki(part) && s.p == NULL;
}

/* Section 6.1: of several keys each has an MKI. */
static bool
are_keys(struct str s, unsigned key_salt)
{
	unsigned n = 0, with_mki = 0;
	bool has_mki;

	for (; s.p != NULL; n++) {
		if (!is_key(sdp_cut(&s, ';'), key_salt, &has_mki))
			return false;
		with_mki += has_mki;
	}
	return n == 1 || with_mki == n;
}

static bool
is_in(struct str s, uint64_t least, uint64_t most)
{
	uint64_t n;

	return parse_uint(s, most, &n) && n >= least;
}

/* Section 6.3.  One that is not known spoils its line, unless it begins with
 * a minus. */
static enum line
judge_parameter(struct str s)
{
	struct str name = sdp_cut(&s, '=');

	if (str_caseis(name, "UNENCRYPTED_SRTP") ||
	    str_caseis(name, "UNENCRYPTED_SRTCP") ||
	    str_caseis(name, "UNAUTHENTICATED_SRTP"))
		return LINE_UNENCRYPTED;
	if (str_is(name, "KDR"))
		return is_in(s, 0, KDR_MAX) ? LINE_GOOD : LINE_BAD;
	if (str_is(name, "WSH"))
		return is_in(s, WSH_LEAST, UINT32_MAX) ? LINE_GOOD : LINE_BAD;
	if (str_is(name, "FEC_ORDER") || str_is(name, "FEC_KEY"))
		return s.len > 0 ? LINE_GOOD : LINE_BAD;
	return name.len > 1 && *name.p == '-' ? LINE_GOOD : LINE_UNKNOWN;
}

static enum line
judge_parameters(struct str rest)
{
	enum line all = LINE_GOOD, one;
	struct str s;

	while ((s = next_word(&rest)).len > 0) {
		one = judge_parameter(s);
		if (one == LINE_BAD)
			return LINE_BAD;
		if (all != LINE_UNENCRYPTED && one != LINE_GOOD)
			all = one;
	}
	return all;
}

/* Is this tag a number, and new?  Of too many nobody could tell. */
static bool
take_tag(struct sdp_crypto *c, struct str s)
{
	uint64_t tag;

	if (s.len > 9 || !parse_uint(s, UINT32_MAX, &tag) ||
	    c->ntags == SDP_CRYPTO_MAX)
		return false;
	for (unsigned i = 0; i < c->ntags; i++)
		if (c->tag[i] == tag)
			return false;
	c->tag[c->ntags++] = (uint32_t)tag;
	return true;
}

static unsigned
key_salt_of(struct str suite)
{
	for (size_t i = 0; i < COUNT(suites); i++)
		if (str_is(suite, suites[i].name))
			return suites[i].key_salt;
	return 0;
}

/* None is registered that does nothing; those that some have are called so
 * ("NULL", "AES_CM_128_NULL_AUTH"). */
static bool
is_null(struct str suite)
{
	static const char word[] = "NULL";
	const size_t len = sizeof word - 1;

	for (; suite.len >= len; suite.p++, suite.len--)
		if (str_caseis((struct str){ suite.p, len }, word))
			return true;
	return false;
}

/* Of a suite that is not known, too: others may know it. */
static enum line
judge_unknown(struct str suite, struct str parameters)
{
	return is_null(suite) || judge_parameters(parameters) ==
	    LINE_UNENCRYPTED ? LINE_UNENCRYPTED : LINE_UNKNOWN;
}

static enum line
judge(struct sdp_crypto *c, struct str value)
{
	struct str tag = next_word(&value), suite = next_word(&value);
	struct str keys = next_word(&value);
	unsigned key_salt = key_salt_of(suite);

	if (!take_tag(c, tag) || !sdp_is_token(suite) || keys.len == 0)
		return LINE_BAD;
	if (key_salt == 0)
		return judge_unknown(suite, value);
	return are_keys(keys, key_salt) ? judge_parameters(value) : LINE_BAD;
}

void
sdp_crypto_add(struct sdp_crypto *c, struct str value)
{
	c->seen = true;
	switch (judge(c, value)) {
	case LINE_GOOD:
		c->good = true;
		break;
	case LINE_BAD:
		c->bad = true;
		break;
	case LINE_UNENCRYPTED:
		c->unencrypted = true;
		break;
	case LINE_UNKNOWN:	/* it neither helps nor harms */
		break;
	}
}
