/*
 * grammar.c -- which byte may stand where.
 */
#include "config.h"

#include "base/grammar.h"

enum {
	MARK = IN_USER | IN_PASSWORD | IN_PARAM | IN_HEADERS | IN_OTHER,
	NAME = IN_TOKEN | IN_WORD | IN_VALUE | IN_DISPLAY,
	ALNUM = MARK | NAME | IN_HOST,
	BRACKET = IN_WORD | IN_VALUE | IN_PARAM | IN_HEADERS | IN_OTHER
};

const uint16_t grammar_bytes[256] = {
	['0' ... '9'] = ALNUM | IS_DIGIT | IS_HEX,
	['a' ... 'f'] = ALNUM | IS_ALPHA | IS_HEX,
	['A' ... 'F'] = ALNUM | IS_ALPHA | IS_HEX,
	['g' ... 'z'] = ALNUM | IS_ALPHA,
	['G' ... 'Z'] = ALNUM | IS_ALPHA,
	['-'] = ALNUM | IS_SEPARATOR,
	['.'] = ALNUM | IS_SEPARATOR,
	['_'] = ALNUM,		/* no host's, but many have it */
	['!'] = MARK | NAME,
	['~'] = MARK | NAME,
	['*'] = MARK | NAME,
	['\''] = MARK | NAME,
	['('] = MARK | IN_WORD | IS_SEPARATOR,
	[')'] = MARK | IN_WORD | IS_SEPARATOR,
	['%'] = NAME,
	['`'] = NAME,
	['+'] = MARK | NAME,
	['$'] = MARK | IN_WORD,	/* no word's, as '&', '#' and '|' */
	['&'] = MARK | IN_WORD,	/* are not, but none ends it */
	['='] = IN_USER | IN_PASSWORD | IN_HEADERS | IN_OTHER |
	    IN_WORD,		/* no word's, but base64 ends with it */
	[','] = IN_USER | IN_PASSWORD | IN_OTHER,
	[';'] = IN_USER | IN_OTHER,
	['?'] = IN_USER | IN_HEADERS | IN_OTHER | IN_WORD,
	['/'] = IN_USER | BRACKET,
	[':'] = BRACKET,
	['['] = BRACKET,
	[']'] = BRACKET,
	['@'] = IN_OTHER,
	['#'] = IN_USER | IN_OTHER |	/* as phones send it: *21# */
	    IN_WORD,
	['|'] = IN_WORD,
	[0x80 ... 0xff] = IN_DISPLAY |
	    IN_USER,		/* to be escaped, but it hides nothing, and
				 * PBXs call users by their names */
	['<'] = IN_WORD,
	['>'] = IN_WORD,
	['\\'] = IN_WORD,
	['"'] = IN_WORD,
	['{'] = IN_WORD,
	['}'] = IN_WORD,
	[' '] = IS_LWS,
	['\t'] = IS_LWS,
	['\r'] = IS_LWS,
	['\n'] = IS_LWS,
};

static bool
is_escape(struct str s)
{
	return s.len >= 3 && s.p[0] == '%' && grammar_is(s.p[1], IS_HEX) &&
	    grammar_is(s.p[2], IS_HEX);
}

bool
grammar_fits(struct str s, unsigned bits)
{
	for (;;) {
		s = str_from(s, grammar_span(s, bits));
		if (!is_escape(s))
			return s.len == 0;
		s = str_from(s, 3);
	}
}
