/*
 * line.c -- header lines that must be written anew.
 */
#include "config.h"

#include "transport/line.h"

#include <sofia-sip/msg_header.h>

static const char *
line_end(const msg_header_t *h)
{
	return (const char *)h->sh_data + h->sh_len;
}

void
line_rewrite(msg_header_t *first, const msg_header_t *one)
{
	const char *end;

	if (one->sh_data == NULL)
		return;
	end = line_end(one);
	for (msg_header_t *h = first; h != NULL; h = h->sh_next) {
		if (h->sh_data == NULL || line_end(h) != end)
			continue;
		h->sh_data = NULL;
		h->sh_len = 0;
	}
}
