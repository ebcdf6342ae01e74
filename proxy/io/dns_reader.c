/*
 * dns_reader.c -- numbers, names and strings from the bytes of a DNS message.
 */
#include "config.h"

#include "io/dns_reader.h"

#include <string.h>

bool
dns_has(struct dns_reader *r, size_t n)
{
	if (r->bad || n > r->len - r->at)
		r->bad = true;
	return !r->bad;
}

unsigned
dns_take_u8(struct dns_reader *r)
{
	return dns_has(r, 1) ? r->m[r->at++] : 0;
}

unsigned
dns_take_u16(struct dns_reader *r)
{
	if (!dns_has(r, 2))
		return 0;
	r->at += 2;
	return get_u16(r->m + r->at - 2);
}

uint32_t
dns_take_u32(struct dns_reader *r)
{
	if (!dns_has(r, 4))
		return 0;
	r->at += 4;
	return get_u32(r->m + r->at - 4);
}

/* A name being put together: of labels, and of what they point to. */
struct naming {
	struct dns_reader part;		/* where it goes on */
	size_t		 began;		/* that part */
	char		*out;
	size_t		 len;
	bool		 odd;		/* has no text of its own */
};

/* Bytes that would make the text another name. */
static bool
is_odd(const uint8_t *label, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (label[i] <= ' ' || label[i] >= 0x7f || label[i] == '.')
			return true;
	return false;
}

static void
add_label(struct naming *name, size_t n)
{
	struct dns_reader *r = &name->part;

	if (n > 63 || name->len + n + 1 > DNS_NAME_SIZE || !dns_has(r, n)) {
		r->bad = true;
		return;
	}
	name->odd = name->odd || is_odd(r->m + r->at, n);
	memcpy(name->out + name->len, r->m + r->at, n);
	name->len += n;
	name->out[name->len++] = '.';
	r->at += n;
}

/* To before where this part began (RFC 1035 section 4.1.4: a prior
 * occurrence), so there is an end. */
static void
jump(struct naming *name, size_t to)
{
	if (to >= name->began)
		name->part.bad = true;
	else
		name->part.at = name->began = to;
}

void
dns_take_name(struct dns_reader *r, char out[DNS_NAME_SIZE])
{
	struct naming name = { .part = *r, .began = r->at, .out = out };
	size_t end = 0;			/* of what stands here itself */
	unsigned n;

	while ((n = dns_take_u8(&name.part)) != 0) {
		if (n < 0xc0) {
			add_label(&name, n);
			continue;
		}
		n = (n & 0x3f) << 8 | dns_take_u8(&name.part);
		if (end == 0)
			end = name.part.at;
		jump(&name, n);
	}
	r->at = end != 0 ? end : name.part.at;
	r->bad = name.part.bad;
	out[name.len == 0 || name.odd || r->bad ? 0 : name.len - 1] = '\0';
}

struct str
dns_take_string(struct dns_reader *r)
{
	size_t n = dns_take_u8(r);
	struct str s = { "", 0 };

	if (dns_has(r, n)) {
		s = (struct str){ (const char *)r->m + r->at, n };
		r->at += n;
	}
	return s;
}
