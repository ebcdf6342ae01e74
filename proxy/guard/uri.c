/*
 * uri.c -- is this text a URI that everybody reads in the same way?
 */
#include "config.h"

#include "guard/uri.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/grammar.h"

/* What may stand in one URI but once: which of two counts would be anybody's
 * guess (RFC 3261 19.1.1, RFC 3966 section 3). */
static const char *const sip_once[] = {
	"transport", "maddr", "lr", "user", "ttl", "method", NULL
};
static const char *const tel_once[] = {
	"phone-context", "ext", "isub", "rn", "rn-context", "npdi", "cic",
	NULL
};
enum { CONTEXT, EXT, ISUB, RN, RN_CONTEXT, NPDI, CIC };	/* their order */

/* ";name=value"; value.p is NULL where there is no '='. */
struct param {
	struct str	 name, value;
};

static struct str
before(struct str s, char c)
{
	const char *p = s.len == 0 ? NULL : memchr(s.p, c, s.len);

	return p == NULL ? s : (struct str){ s.p, (size_t)(p - s.p) };
}

/* Of what begins with ';', the first one; *s is what comes after it. */
static struct param
next_param(struct str *s)
{
	struct str text = before(str_from(*s, 1), ';');
	struct param out = { .name = before(text, '=') };

	*s = str_from(*s, 1 + text.len);
	if (out.name.len < text.len)
		out.value = str_from(text, out.name.len + 1);
	return out;
}

/* Its place in the list; -1: it is none of them. */
static int
place_of(struct str name, const char *const *list)
{
	for (int i = 0; list[i] != NULL; i++)
		if (str_caseis(name, list[i]))
			return i;
	return -1;
}

/* Note that it is there; false: it was there before. */
static bool
note(unsigned *seen, int place)
{
	unsigned bit = place < 0 ? 0 : 1u << place;
	bool first = (*seen & bit) == 0;

	*seen |= bit;
	return first;
}

static bool
param_is_sound(const struct param *p)
{
	return p->name.len > 0 && grammar_fits(p->name, IN_PARAM) &&
	    (p->value.p == NULL || (p->value.len > 0 &&
	    grammar_fits(p->value, IN_PARAM)));
}

/* Some PBXs put base64 into parameters of their own, also in quotes, and some
 * phones nothing (";pn-prid="). */
static bool
own_is_sound(struct param p)
{
	struct str *v = &p.value;

	if (v->len > 2 && v->p[0] == '"' && v->p[v->len - 1] == '"')
		*v = (struct str){ v->p + 1, v->len - 2 };
	while (v->len > 1 && v->p[v->len - 1] == '=')
		v->len--;
	if (v->len == 0)
		v->p = NULL;
	return param_is_sound(&p);
}

/* ---- hosts */

static bool
is_address(int family, struct str s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr out;

	if (s.len == 0 || s.len >= sizeof text ||
	    memchr(s.p, '\0', s.len) != NULL)
		return false;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	return inet_pton(family, text, &out) == 1;
}

/* Some read "0x7f.1" and "2130706433" as addresses; a name whose last label
 * is a number there is not (RFC 3261 25.1, toplabel). */
static bool
is_numeric(struct str label)
{
	if (label.len > 2 && label.p[0] == '0' &&
	    (label.p[1] == 'x' || label.p[1] == 'X'))
		return grammar_all(str_from(label, 2), IS_HEX);
	return grammar_all(label, IS_DIGIT);
}

static bool
is_name(struct str s)
{
	struct str label;

	if (s.len > 0 && s.p[s.len - 1] == '.')		/* of the root */
		s.len--;
	for (;;) {
		label = before(s, '.');
		if (!grammar_all(label, IN_HOST))
			return false;
		if (label.len == s.len)
			return !is_numeric(label);
		s = str_from(s, label.len + 1);
	}
}

bool
uri_is_host(struct str s)
{
	if (s.len > 2 && s.p[0] == '[' && s.p[s.len - 1] == ']')
		return is_address(AF_INET6, (struct str){ s.p + 1,
		    s.len - 2 });
	return is_name(s) || is_address(AF_INET, s);
}

static bool
is_port(struct str s)
{
	uint64_t n;

	return parse_uint(s, 65535, &n) && n > 0;
}

/* How much of it is the host. */
static size_t
host_length(struct str s)
{
	struct str in;

	if (s.len == 0 || s.p[0] != '[')
		return grammar_span(s, IN_HOST);
	in = before(s, ']');
	return in.len < s.len ? in.len + 1 : s.len;
}

/* ---- sip and sips */

static bool
userinfo_is_sound(struct str s)
{
	struct str user = before(s, ':');

	return user.len > 0 && grammar_fits(user, IN_USER) &&
	    (user.len == s.len ||
	    grammar_fits(str_from(s, user.len + 1), IN_PASSWORD));
}

/* Host and port from the front of *s; what is behind them stays. */
static bool
take_place(struct str *s)
{
	struct str host = { s->p, host_length(*s) }, port;

	if (!uri_is_host(host))
		return false;
	*s = str_from(*s, host.len);
	if (s->len == 0 || s->p[0] != ':')
		return true;
	port = str_from(*s, 1);
	port.len = grammar_span(port, IS_DIGIT);
	*s = str_from(*s, 1 + port.len);
	return is_port(port);
}

static bool
params_are_sound(struct str s)
{
	unsigned seen = 0;

	while (s.len > 0) {
		struct param p = next_param(&s);
		int at = place_of(p.name, sip_once);

		if (!note(&seen, at) ||
		    !(at < 0 ? own_is_sound(p) : param_is_sound(&p)))
			return false;
	}
	return true;
}

/* RFC 3261 19.1.1: no headers in a Request-URI.  A last ';' with nothing
 * behind it hides nothing, and some phones write it into their Contact. */
static bool
rest_is_sound(struct str s, enum uri_place place)
{
	struct str params = before(s, '?');

	if (params.len < s.len && (place != URI_ENCLOSED ||
	    !grammar_fits(str_from(s, params.len + 1), IN_HEADERS)))
		return false;
	if (params.len > 0 && params.p[params.len - 1] == ';' &&
	    place != URI_BARE)
		params.len--;
	if (params.len == 0)
		return true;
	return place != URI_BARE && params.p[0] == ';' &&
	    params_are_sound(params);
}

static enum uri_verdict
judge_sip(struct str s, enum uri_place place)
{
	struct str user = before(s, '@');

	if (user.len < s.len) {
		if (!userinfo_is_sound(user))
			return URI_BAD;
		s = str_from(s, user.len + 1);
	}
	return take_place(&s) && rest_is_sound(s, place) ? URI_GOOD :
	    URI_BAD;
}

/* ---- tel */

/* A number, after its '+' if it is a global one: digits, of which a local one
 * has also hexadecimal ones, '*' and '#'; with separators. */
static bool
number_is_sound(struct str s)
{
	bool global = s.len > 0 && s.p[0] == '+';
	size_t dialled = 0;

	for (size_t i = global; i < s.len; i++) {
		if (grammar_is(s.p[i], global ? IS_DIGIT : IS_HEX) ||
		    (!global && (s.p[i] == '*' || s.p[i] == '#')))
			dialled++;
		else if (!grammar_is(s.p[i], IS_SEPARATOR))
			return false;
	}
	return dialled > 0;
}

static bool
context_is_sound(struct str s)
{
	return s.len > 0 && s.p[0] == '+' ? number_is_sound(s) : is_name(s);
}

static bool
is_tel_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!grammar_is(s.p[i], IS_ALPHA | IS_DIGIT) && s.p[i] != '-')
			return false;
	return s.len > 0;
}

static bool
tel_param_is_sound(const struct param *p, int place)
{
	switch (place) {
	case CONTEXT:
	case RN_CONTEXT:
		return context_is_sound(p->value);
	case EXT:
	case RN:
	case CIC:
		return number_is_sound(p->value);
	case ISUB:	/* without '?', which ends it for some */
		return p->value.len > 0 && grammar_fits(p->value, IN_PARAM);
	case NPDI:	/* without a value, but many say so */
		return p->value.p == NULL || str_caseis(p->value, "yes");
	default:
		return is_tel_name(p->name) && param_is_sound(p);
	}
}

static enum uri_verdict
judge_tel(struct str s, enum uri_place place)
{
	struct str number = before(s, ';');
	unsigned seen = 0;

	if (!number_is_sound(number) ||
	    (place == URI_BARE && number.len < s.len))
		return URI_BAD_TEL;
	s = str_from(s, number.len);
	while (s.len > 0) {
		struct param p = next_param(&s);
		int at = place_of(p.name, tel_once);

		if (!note(&seen, at) || !tel_param_is_sound(&p, at))
			return URI_BAD_TEL;
	}
	return number.p[0] == '+' || (seen & 1u << CONTEXT) != 0 ? URI_GOOD :
	    URI_NO_CONTEXT;
}

/* ---- urn */

enum { LABEL_MAX = 27 };

/* Letters and digits, and hyphens between them. */
static bool
is_service_label(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!grammar_is(s.p[i], IS_ALPHA | IS_DIGIT) &&
		    (s.p[i] != '-' || i == 0 || i == s.len - 1))
			return false;
	return s.len > 0 && s.len <= LABEL_MAX;
}

/* RFC 5031 4.2: without parameters, so there is but one reading. */
static bool
is_service(struct str s)
{
	struct str label = before(s, ':');

	if (!str_caseis(label, "service") || label.len == s.len)
		return false;
	do {
		s = str_from(s, label.len + 1);
		label = before(s, '.');
		if (!is_service_label(label))
			return false;
	} while (label.len < s.len);
	return true;
}

/* ---- any */

/* RFC 3986 section 3.1 */
static bool
is_scheme(struct str s)
{
	if (s.len == 0 || !grammar_is(s.p[0], IS_ALPHA))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!grammar_is(s.p[i], IS_ALPHA | IS_DIGIT) &&
		    s.p[i] != '+' && s.p[i] != '-' && s.p[i] != '.')
			return false;
	return true;
}

enum uri_verdict
uri_judge(struct str uri, enum uri_place place)
{
	struct str scheme = before(uri, ':'), rest;

	if (scheme.len == uri.len || !is_scheme(scheme) ||
	    (place == URI_BARE && before(uri, '?').len < uri.len))
		return URI_BAD;
	rest = str_from(uri, scheme.len + 1);
	if (str_caseis(scheme, "sip") || str_caseis(scheme, "sips"))
		return judge_sip(rest, place);
	if (str_caseis(scheme, "tel"))
		return judge_tel(rest, place);
	if (str_caseis(scheme, "urn") && is_service(rest))
		return URI_SERVICE;
	return rest.len > 0 && grammar_fits(rest, IN_OTHER) ? URI_OTHER :
	    URI_BAD;
}
