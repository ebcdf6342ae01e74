/*
 * sdp_profile.c -- what the transport of a stream promises.
 *
 * From the registry of "proto" values (RFC 8866 section 8.2.3).  What is not
 * here is not known to be safe.
 */
#include "config.h"

#include "base/count.h"
#include "guard/sdp_inner.h"

static const struct {
	const char	*name;
	enum sdp_promise promise;
} profiles[] = {
	{ "RTP/AVP",		PROMISE_NOTHING },
	{ "RTP/AVPF",		PROMISE_NOTHING },
	{ "RTP/SAVP",		PROMISE_SRTP },		/* RFC 3711 */
	{ "RTP/SAVPF",		PROMISE_SRTP },		/* RFC 5124 */
	{ "UDP/TLS/RTP/SAVP",	PROMISE_DTLS },		/* RFC 5764 */
	{ "UDP/TLS/RTP/SAVPF",	PROMISE_DTLS },
	{ "DCCP/TLS/RTP/SAVP",	PROMISE_DTLS },
	{ "DCCP/TLS/RTP/SAVPF",	PROMISE_DTLS },
	{ "TCP/RTP/AVP",	PROMISE_NOTHING },	/* RFC 4571 */
	{ "TCP/RTP/AVPF",	PROMISE_NOTHING },	/* RFC 7850 */
	{ "TCP/RTP/SAVP",	PROMISE_SRTP },
	{ "TCP/RTP/SAVPF",	PROMISE_SRTP },
	{ "TCP/DTLS/RTP/SAVP",	PROMISE_DTLS },
	{ "TCP/DTLS/RTP/SAVPF",	PROMISE_DTLS },
	{ "TCP/TLS/RTP/AVP",	PROMISE_TLS },
	{ "TCP/TLS/RTP/AVPF",	PROMISE_TLS },
	{ "udptl",		PROMISE_NOTHING },	/* T.38 fax */
	{ "UDP/TLS/UDPTL",	PROMISE_DTLS },		/* RFC 7345 */
	{ "TCP/MSRP",		PROMISE_NOTHING },	/* RFC 4975 */
	{ "TCP/TLS/MSRP",	PROMISE_TLS },
	{ "TCP/BFCP",		PROMISE_NOTHING },	/* RFC 8856 */
	{ "UDP/BFCP",		PROMISE_NOTHING },
	{ "TCP/TLS/BFCP",	PROMISE_TLS },
	{ "UDP/TLS/BFCP",	PROMISE_DTLS },
	{ "TCP/DTLS/BFCP",	PROMISE_DTLS },
	{ "UDP/DTLS/SCTP",	PROMISE_DTLS },		/* RFC 8841 */
	{ "TCP/DTLS/SCTP",	PROMISE_DTLS },
	{ "DTLS/SCTP",		PROMISE_DTLS },		/* its drafts */
	{ "TCP/TLS",		PROMISE_TLS },		/* RFC 8122 */
	{ "TCP",		PROMISE_NOTHING },	/* RFC 4145 */
	{ "udp",		PROMISE_NOTHING },
};

enum sdp_promise
sdp_promise_of(struct str profile)
{
	for (size_t i = 0; i < COUNT(profiles); i++)
		if (str_caseis(profile, profiles[i].name))
			return profiles[i].promise;
	return PROMISE_UNKNOWN;
}
