/*
 * uri.h -- is this text a URI that everybody reads in the same way?
 *
 * Sources: RFC 3261 19.1 and 25.1 (sip, sips), RFC 3966 section 3 and RFC 4694
 * (tel), RFC 5031 4.2 (urn:service), RFC 5118 section 4 (IPv6 references).
 * Beyond them an underscore may stand in the name of a host, '#' in that of a
 * user, base64 or nothing at all in a parameter that nobody knows, and
 * "npdi=yes" in tel.
 */
#ifndef GUARD_URI_H
#define GUARD_URI_H

#include "base/text.h"

enum uri_place {
	URI_REQUEST,		/* in a start line: no headers behind '?' */
	URI_ENCLOSED,		/* in a header, between < and > */
	URI_BARE		/* there without: up to the ';', which is the
				 * header's, and no '?' (RFC 3261 section 20) */
};

enum uri_verdict {
	URI_GOOD,
	URI_BAD,
	URI_BAD_TEL,
	URI_NO_CONTEXT,		/* tel: a local number, but not of where */
	URI_SERVICE,		/* urn:service:..., which names no place */
	URI_OTHER		/* in form, of another scheme */
};

enum uri_verdict uri_judge(struct str uri, enum uri_place place);

/* A host name, an IPv4 address, or an IPv6 one in brackets. */
bool uri_is_host(struct str host);

#endif
