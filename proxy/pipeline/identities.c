/*
 * identities.c -- who somebody says that he is, besides From.
 */
#include "config.h"

#include "pipeline/identities.h"

#include <string.h>

#include "base/writer.h"

/* Behind what stands in brackets or quotes, or a byte. */
static const char *
skip_whole(const char *p)
{
	if (*p == '<')
		p += strcspn(p, ">");
	else if (*p == '"')
		for (p++; *p != '\0' && *p != '"'; p++)
			p += *p == '\\' && p[1] != '\0';
	return *p == '\0' ? p : p + 1;
}

static void
put_name(struct writer *w, struct str s)
{
	struct str name = str_trim(s);
	size_t n = 0;

	while (n < name.len && (unsigned char)name.p[n] < 0x80)
		n++;
	if (n == name.len) {
		put_str(w, s);
		return;
	}
	put_text(w, " \"");
	put_str(w, name);
	put_text(w, "\" ");
}

sip_contact_t *
identities_read(su_home_t *home, const char *value)
{
	size_t size = 3 * strlen(value) + 1;	/* each name gets four bytes */
	struct writer w = writer_on(su_zalloc(home, (isize_t)size), size);

	if (w.p == NULL)
		return NULL;
	for (const char *p = value, *end; *p != '\0'; p = end) {
		size_t n = strcspn(p, "<\":;,\\\r\n");

		if (p[n] == '<')
			put_name(&w, (struct str){ p, n });
		else
			put_mem(&w, p, n);
		end = skip_whole(p + n);
		put_mem(&w, p + n, (size_t)(end - (p + n)));
	}
	return w.full ? NULL : sip_contact_make(home, w.p);
}
