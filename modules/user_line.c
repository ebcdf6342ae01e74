/*
 * user_line.c -- one line of a users file.
 */
#include "config.h"

#include "modules/user_line.h"

#include <stdint.h>
#include <string.h>

#include "base/grammar.h"
#include "base/secret.h"

/* Cut what stands before the first `at` off *rest, and that too; all of it
 * when there is none. */
static struct str
cut(struct str *rest, char at)
{
	struct str piece = *rest;
	const char *p;

	p = rest->len == 0 ? NULL : memchr(rest->p, at, rest->len);
	if (p == NULL) {
		*rest = (struct str){ rest->p + rest->len, 0 };
		return piece;
	}
	piece.len = (size_t)(p - piece.p);
	rest->p += piece.len + 1;
	rest->len -= piece.len + 1;
	return piece;
}

static const char *
text_fault(struct str s)
{
	uint32_t c;
	size_t n;

	for (; s.len > 0; s = str_from(s, n)) {
		n = utf8_decode(s, &c);
		if (n == 0)
			return "there is text that is not UTF-8";
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			return "there is a control character";
	}
	return NULL;
}

bool
user_line_is_blank(struct str line)
{
	line = str_trim(line);
	return line.len == 0 || line.p[0] == '#';
}

static bool
is_name_char(char c)
{
	return grammar_is(c, IS_ALPHA | IS_DIGIT) || c == '-' || c == '_' ||
	    c == '.';
}

const char *
user_name_fault(struct str name)
{
	if (name.len == 0)
		return "the name is empty";
	if (name.len > USER_NAME_MAX)
		return "the name is longer than 128 bytes";
	if (name.p[0] == '#')
		return "the name begins with #, which makes it a comment";
	if (memchr(name.p, ':', name.len) != NULL)
		return "there is a colon in the name";
	if (str_trim(name).len != name.len)
		return "the name begins or ends with a space";
	return text_fault(name);
}

const char *
user_realm_fault(struct str realm)
{
	if (realm.len == 0)
		return "the realm is empty";
	if (realm.len > USER_REALM_MAX)
		return "the realm is longer than 255 bytes";
	if (memchr(realm.p, ':', realm.len) != NULL)
		return "there is a colon in the realm";
	if (str_trim(realm).len != realm.len)
		return "the realm begins or ends with a space";
	return text_fault(realm);
}

const char *
user_identity_fault(struct str identity)
{
	struct str rest = identity, scheme;

	if (identity.len == 0)
		return "an identity is empty";
	if (memchr(identity.p, ',', identity.len) != NULL)
		return "there is a comma in an identity (write %2C)";
	if (memchr(identity.p, ' ', identity.len) != NULL)
		return "there is a space in an identity";
	scheme = cut(&rest, ':');
	if (!str_caseis(scheme, "sip") && !str_caseis(scheme, "sips") &&
	    !str_caseis(scheme, "tel"))
		return "an identity must begin with sip:, sips: or tel:";
	if (rest.len == 0)
		return "an identity ends after its scheme";
	return text_fault(identity);
}

static const char *
parse_hash(struct ha1_set *set, struct str text)
{
	struct str name = cut(&text, '=');
	enum digest_alg alg;
	bool sess;

	if (!digest_alg_parse(str_trim(name), &alg, &sess) || sess)
		return "unknown hash (known: md5, sha-256, sha-512-256)";
	if (set->has[alg])
		return "a hash stands there twice";
	if (!hex_decode(set->ha1[alg], digest_alg_bytes(alg), str_trim(text)))
		return "a hash is not hex, or of the wrong length";
	set->has[alg] = true;
	return NULL;
}

static const char *
parse_hashes(struct ha1_set *set, struct str text)
{
	const char *fault;

	if (text.len == 0)
		return "there are no hashes (NAME:REALM:md5=HEX,...)";
	do {
		fault = parse_hash(set, cut(&text, ','));
	} while (fault == NULL && text.len > 0);
	return fault;
}

/* As a name in the configuration: it is compared with those. */
const char *
user_class_fault(struct str class)
{
	if (class.len == 0)
		return "the class is empty";
	if (class.len > USER_CLASS_MAX)
		return "the class is longer than 32 bytes";
	for (size_t i = 0; i < class.len; i++)
		if (!is_name_char(class.p[i]))
			return "there is more in the class than letters, "
			    "digits, '-', '_' and '.'";
	return NULL;
}

const char *
user_prefix_fault(struct str prefix)
{
	size_t digits = prefix.len - (prefix.len > 0 && *prefix.p == '+');

	if (prefix.len == 0)
		return "a prefix is empty";
	if (prefix.len > USER_PREFIX_MAX)
		return "a prefix is longer than 31 bytes";
	for (size_t i = prefix.len - digits; i < prefix.len; i++)
		if (prefix.p[i] < '0' || prefix.p[i] > '9')
			return "a prefix is not digits, with or without a + "
			    "before them";
	return NULL;
}

static const char *
parse_class(struct user_line *u, struct str text)
{
	if (u->class.len > 0)
		return "there is a second class";
	u->class = text;
	return user_class_fault(text);
}

static const char *
parse_prefixes(struct user_line *u, struct str text)
{
	struct str one;
	const char *fault;

	if (u->nprefixes > 0)
		return "there is a second list of prefixes";
	if (text.len > 0 && text.p[text.len - 1] == '|')
		return "a prefix is empty";
	do {
		one = cut(&text, '|');
		fault = user_prefix_fault(one);
		if (fault != NULL)
			return fault;
		if (u->nprefixes == USER_PREFIXES_MAX)
			return "there are more than 64 prefixes";
		u->prefix[u->nprefixes++] = one;
	} while (text.len > 0);
	return NULL;
}

static const char *
parse_identity(struct user_line *u, struct str one)
{
	const char *fault = user_identity_fault(one);

	if (fault != NULL)
		return fault;
	if (u->nidentities == USER_IDENTITIES_MAX)
		return "there are more than 64 identities";
	u->identity[u->nidentities++] = one;
	return NULL;
}

/* What stands behind name=; false: it is not an attribute of that name. */
static bool
take_value(struct str one, const char *name, struct str *value)
{
	size_t len = strlen(name);

	if (one.len < len || memcmp(one.p, name, len) != 0)
		return false;
	*value = (struct str){ one.p + len, one.len - len };
	return true;
}

static const char *
parse_attributes(struct user_line *u, struct str text)
{
	const char *fault = NULL;
	struct str one, value;

	while (text.len > 0 && fault == NULL) {
		one = str_trim(cut(&text, ','));
		if (take_value(one, "class=", &value))
			fault = parse_class(u, value);
		else if (take_value(one, "prefixes=", &value))
			fault = parse_prefixes(u, value);
		else
			fault = parse_identity(u, one);
	}
	return fault;
}

const char *
user_line_parse(struct user_line *u, struct str line)
{
	const char *fault;

	memset(u, 0, sizeof *u);
	if (line.len > USER_LINE_MAX)
		return "the line is longer than 4096 bytes";
	line = str_trim(line);
	u->name = cut(&line, ':');
	u->realm = cut(&line, ':');
	if ((fault = user_name_fault(u->name)) != NULL ||
	    (fault = user_realm_fault(u->realm)) != NULL ||
	    (fault = parse_hashes(&u->ha1, cut(&line, ':'))) != NULL)
		return fault;
	return parse_attributes(u, str_trim(line));
}

/* Text that grows to the right. */
struct line_out {
	char	*p;
	size_t	 size, len;
	bool	 too_long;
};

static void
put(struct line_out *o, const char *p, size_t len)
{
	if (o->too_long || len > o->size - o->len) {
		o->too_long = true;
		return;
	}
	memcpy(o->p + o->len, p, len);
	o->len += len;
}

static void
put_text(struct line_out *o, const char *s)
{
	put(o, s, strlen(s));
}

static void
put_hash(struct line_out *o, enum digest_alg alg, const uint8_t *ha1)
{
	static const char *const name[] = {
		[DIGEST_MD5] = "md5=", [DIGEST_SHA256] = "sha-256=",
		[DIGEST_SHA512_256] = "sha-512-256="
	};
	char hex[DIGEST_HEX_MAX];

	hex_encode(hex, ha1, digest_alg_bytes(alg));
	put_text(o, name[alg]);
	put_text(o, hex);
	secret_wipe(hex, sizeof hex);
}

static void
put_rights(struct line_out *o, const struct user_line *u, const char *between)
{
	if (u->class.len > 0) {
		put_text(o, between);
		put_text(o, "class=");
		put(o, u->class.p, u->class.len);
		between = ",";
	}
	for (size_t i = 0; i < u->nprefixes; i++) {
		put_text(o, i > 0 ? "|" : between);
		put_text(o, i > 0 ? "" : "prefixes=");
		put(o, u->prefix[i].p, u->prefix[i].len);
	}
}

size_t
user_line_format(char out[USER_LINE_MAX + 1], const struct user_line *u)
{
	struct line_out o = { .p = out, .size = USER_LINE_MAX };
	const char *between = ":";

	put(&o, u->name.p, u->name.len);
	put_text(&o, ":");
	put(&o, u->realm.p, u->realm.len);
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		if (!u->ha1.has[alg])
			continue;
		put_text(&o, between);
		put_hash(&o, (enum digest_alg)alg, u->ha1.ha1[alg]);
		between = ",";
	}
	between = ":";
	for (size_t i = 0; i < u->nidentities; i++) {
		put_text(&o, between);
		put(&o, u->identity[i].p, u->identity[i].len);
		between = ",";
	}
	put_rights(&o, u, between);
	if (o.too_long)
		return 0;
	out[o.len] = '\0';
	return o.len;
}
