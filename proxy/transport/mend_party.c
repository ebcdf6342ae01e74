/*
 * mend_party.c -- From, To and Contact: their display names, and where they
 * are folded.
 */
#include "config.h"

#include <string.h>

#include <sofia-sip/msg.h>
#include <sofia-sip/sip_header.h>

#include "base/count.h"
#include "transport/mend_inner.h"

/* Those that we read. */
static const struct {
	const char	*name, *compact;
} named[] = { { "From", "f" }, { "To", "t" }, { "Contact", "m" } };

enum { NAMED = COUNT(named) };

/* What stands before '<', if it is neither in quotes nor a URI; else len 0. */
static struct str
bare_name(struct str whole, size_t which)
{
	struct str line = mend_header(whole, named[which].name,
	    named[which].compact), none = { line.p, 0 };
	const char *colon = memchr(line.p, ':', line.len);
	size_t n = 0;

	if (colon == NULL)
		return none;
	line = str_from(line, (size_t)(colon + 1 - line.p));
	while (n < line.len && strchr("<\":;,", line.p[n]) == NULL)
		n++;
	return n < line.len && line.p[n] == '<' ?
	    str_trim((struct str){ line.p, n }) : none;
}

static bool
is_ascii(char c)
{
	return (unsigned char)c < 0x80;
}

static bool
has_line_end(const char *s)
{
	return s != NULL && strpbrk(s, "\r\n") != NULL;
}

/* A name was taken for the beginning of a scheme, or a line end for the end
 * of a host, number or path. */
static bool
is_misread_uri(const url_t *u)
{
	return u->url_type == url_invalid || has_line_end(u->url_user) ||
	    has_line_end(u->url_host) || has_line_end(u->url_port) ||
	    has_line_end(u->url_path) || has_line_end(u->url_fragment);
}

/* Or it was left out. */
static bool
lost_a_party(const sip_t *sip)
{
	if (sip->sip_error != NULL || (sip->sip_from != NULL &&
	    is_misread_uri(sip->sip_from->a_url)) || (sip->sip_to != NULL &&
	    is_misread_uri(sip->sip_to->a_url)))
		return true;
	for (const sip_contact_t *m = sip->sip_contact; m != NULL;
	    m = m->m_next)
		if (is_misread_uri(m->m_url))
			return true;
	return false;
}

/* The first one of which there may be several, behind `after`. */
static struct str
next_party(struct str whole, size_t which, struct str after)
{
	size_t at = after.p == NULL ? 0 : (size_t)(after.p - whole.p);

	return mend_header(str_from(whole, at), named[which].name,
	    named[which].compact);
}

static bool
has_fold(struct str whole)
{
	for (size_t n = 0; n < NAMED; n++) {
		struct str line = next_party(whole, n,
		    (struct str){ NULL, 0 });

		for (; line.len > 0; line = next_party(whole, n, line))
			if (memchr(line.p, '\n', line.len - 1) != NULL)
				return true;
	}
	return false;
}

static bool
has_odd_name(struct str whole)
{
	struct str name;

	for (size_t n = 0; n < NAMED; n++) {
		name = bare_name(whole, n);
		for (size_t i = 0; i < name.len; i++)
			if (!is_ascii(name.p[i]))
				return true;
	}
	return false;
}

bool
mend_parties_wanted(const sip_t *sip, struct str whole)
{
	return lost_a_party(sip) && (has_odd_name(whole) || has_fold(whole));
}

static void
mend_names(char *base, struct str whole)
{
	struct str name;
	char *p;

	for (size_t n = 0; n < NAMED; n++) {
		name = bare_name(whole, n);
		p = base + (name.p - whole.p);
		for (size_t i = 0; i < name.len; i++)
			if (!is_ascii(p[i]))
				p[i] = '_';
	}
}

/* But for the line's own end. */
static void
mend_folds(char *base, struct str whole)
{
	for (size_t n = 0; n < NAMED; n++) {
		struct str line = next_party(whole, n,
		    (struct str){ NULL, 0 });

		for (; line.len > 0; line = next_party(whole, n, line)) {
			char *p = base + (line.p - whole.p);

			for (size_t i = 0; i + 2 < line.len; i++)
				if (p[i] == '\r' || p[i] == '\n')
					p[i] = ' ';
		}
	}
}

void
mend_parties(char *base, struct str whole)
{
	mend_names(base, whole);
	mend_folds(base, whole);
}

void
mend_rename(msg_t *msg, const char **name, struct str as)
{
	char *copy = su_strndup(msg_home(msg), as.p, (isize_t)as.len);

	if (copy != NULL)
		*name = copy;
}

void
mend_parties_undo(msg_t *msg, struct str whole)
{
	sip_t *sip = sip_object(msg);
	const char **shown[NAMED] = {
		sip->sip_from == NULL ? NULL : &sip->sip_from->a_display,
		sip->sip_to == NULL ? NULL : &sip->sip_to->a_display,
		sip->sip_contact == NULL ? NULL :
		    &sip->sip_contact->m_display,
	};
	struct str name;

	for (size_t n = 0; n < NAMED; n++) {
		name = bare_name(whole, n);
		if (shown[n] != NULL && name.len > 0)
			mend_rename(msg, shown[n], name);
	}
}
