/*
 * message.c -- reading and editing a SIP message that Sofia has parsed.
 */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/sip_protos.h>

#include "auth/credentials.h"
#include "base/count.h"
#include "pipeline/message.h"
#include "pipeline/pipeline.h"
#include "transport/line.h"

enum { PIECES_MAX = 256 };	/* of a message; untouched ones are one */

msg_mclass_t *
pipeline_message_class(void)
{
#define H(x) { sip_##x##_class, offsetof(sip_t, sip_##x) }
	static const struct {
		msg_hclass_t	*class;
		size_t		 offset;
	} known[] = {
		H(via), H(from), H(to), H(call_id), H(cseq), H(max_forwards),
		H(route), H(record_route), H(contact), H(content_length),
		H(proxy_authorization), H(authorization), H(proxy_require),
		H(path),
	};
#undef H
	msg_mclass_t *mc = msg_mclass_clone(sip_default_mclass(), 0, 1);

	if (mc == NULL)
		return NULL;
	for (size_t i = 0; i < COUNT(known); i++)
		if (msg_mclass_insert_with_mask(mc, known[i].class,
		    known[i].offset, sip_mask_request | sip_mask_response |
		    sip_mask_proxy) < 0) {
			free(mc);
			return NULL;
		}
	return mc;
}

static bool
is_blank_in(const char *p, const char *end)
{
	size_t n = (size_t)(end - p);

	return memchr(p, ' ', n) != NULL || memchr(p, '\t', n) != NULL;
}

struct str
message_raw_uri(const sip_t *sip)
{
	const sip_common_t *h = sip->sip_request->rq_common;
	const char *line = h->h_data, *end, *p, *q;
	struct str none = { NULL, 0 };

	if (line == NULL)
		return none;
	end = line + h->h_len;
	while (end > line && (end[-1] == '\r' || end[-1] == '\n'))
		end--;
	p = memchr(line, ' ', (size_t)(end - line));
	if (p == NULL)
		return none;
	p++;
	q = memchr(p, ' ', (size_t)(end - p));
	if (q == NULL || q == p || is_blank_in(q + 1, end))
		return none;
	return (struct str){ p, (size_t)(q - p) };
}

int
message_read_tel(msg_t *msg, sip_t *sip)
{
	url_t *u = sip->sip_request->rq_url;
	struct str raw = message_raw_uri(sip);
	char *number, *params;

	if (u->url_type != url_tel || u->url_fragment == NULL || raw.p == NULL)
		return 0;
	number = su_strndup(msg_home(msg), raw.p + strlen("tel:"),
	    (isize_t)(raw.len - strlen("tel:")));
	if (number == NULL)
		return -ENOMEM;
	params = strchr(number, ';');
	if (params != NULL)
		*params++ = '\0';
	u->url_user = number;
	u->url_params = params;
	u->url_fragment = NULL;
	return 0;
}

sip_unknown_t *
message_other(const sip_t *sip, const char *name, const sip_unknown_t *after)
{
	sip_unknown_t *un = after == NULL ? sip->sip_unknown : after->un_next;

	while (un != NULL && (un->un_name == NULL ||
	    strcasecmp(un->un_name, name) != 0))
		un = un->un_next;
	return un;
}

void
message_drop_via(msg_t *msg, sip_t *sip)
{
	msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)sip->sip_via);
}

void
message_drop_other(msg_t *msg, sip_t *sip, const char *name)
{
	sip_unknown_t *un;

	while ((un = message_other(sip, name, NULL)) != NULL)
		msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)un);
}

/*
 * Put in its place at once.  Left to msg_serialize(), a raw header that joins
 * others may end up behind the body.
 */
int
message_add_other(msg_t *msg, sip_t *sip, const char *text)
{
	sip_unknown_t *un = sip_unknown_make(msg_home(msg), text);

	if (un == NULL || msg_header_insert(msg, (msg_pub_t *)sip,
	    (msg_header_t *)un) < 0)
		return -ENOMEM;
	return 0;
}

bool
message_has_token(const sip_t *sip, const char *name, const char *token)
{
	sip_unknown_t *un = NULL;

	while ((un = message_other(sip, name, un)) != NULL) {
		const char *p = un->un_value;

		while (p != NULL && *p != '\0') {
			size_t n = strcspn(p, ",;");

			if (str_caseis(str_trim((struct str){ p, n }), token))
				return true;
			p += n;
			p += *p != '\0';
		}
	}
	return false;
}

const url_t *
message_strict_hop(const sip_t *sip)
{
	const sip_route_t *first = sip->sip_route;

	return first == NULL || url_has_param(first->r_url, "lr") ? NULL :
	    first->r_url;
}

bool
url_names_host(const url_t *u)
{
	return (u->url_type == url_sip || u->url_type == url_sips) &&
	    u->url_host != NULL;
}

/* The parser takes "urn:service:sos" for a host and a port. */
bool
url_is_service(const url_t *u)
{
	return u->url_type == url_unknown && u->url_user == NULL &&
	    u->url_port != NULL && str_caseis(str_of(u->url_scheme), "urn") &&
	    str_caseis(str_of(u->url_host), "service");
}

struct str
url_domain(const url_t *u)
{
	return str_of(url_names_host(u) ? u->url_host : "");
}

static int
port_number(const char *text, int dflt)
{
	uint64_t n;

	if (text == NULL || *text == '\0')
		return dflt;
	return parse_uint(str_of(text), 65535, &n) ? (int)n : -1;
}

int
url_port_number(const url_t *u)
{
	return port_number(u->url_port,
	    u->url_type == url_sips ? SIPS_PORT : SIP_PORT);
}

int
via_port_number(const sip_via_t *v)
{
	bool tls = v->v_protocol != NULL &&
	    strcasecmp(v->v_protocol, sip_transport_tls) == 0;

	return port_number(v->v_port, tls ? SIPS_PORT : SIP_PORT);
}

/*
 * Others may cut a URI elsewhere than Sofia does, and then read another user
 * or host; and an escaped NUL ends a name early for whoever compares it.
 */
static bool
reads_one_way(const url_t *u)
{
	static const char host[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:[]+*#";

	return (u->url_user == NULL || strstr(u->url_user, "%00") == NULL) &&
	    (u->url_host == NULL ||
	    u->url_host[strspn(u->url_host, host)] == '\0') &&
	    (u->url_params == NULL || strchr(u->url_params, '@') == NULL) &&
	    u->url_headers == NULL && u->url_fragment == NULL &&
	    u->url_path == NULL;
}

bool
identity_of_url(su_home_t *home, const url_t *u, struct identity_uri *out)
{
	const char *user = u->url_user, *host = u->url_host;
	char *plain;

	switch (u->url_type) {
	case url_sip:
		out->scheme = str_of("sip");
		break;
	case url_sips:
		out->scheme = str_of("sips");
		break;
	case url_tel:
		out->scheme = str_of("tel");
		if (user == NULL)
			user = host;
		host = NULL;
		break;
	default:
		return false;
	}
	if (!reads_one_way(u))
		return false;
	if (user != NULL && strchr(user, '%') != NULL) {
		plain = su_strdup(home, user);
		if (plain == NULL)
			return false;
		url_unescape(plain, plain);
		user = plain;
	}
	out->user = str_of(user);
	out->host = str_of(host);
	return true;
}

int
message_set_uri(msg_t *msg, sip_t *sip, const url_t *u)
{
	sip_request_t *old = sip->sip_request, *rq;

	rq = sip_request_create(msg_home(msg), old->rq_method,
	    old->rq_method_name, (const url_string_t *)u, NULL);
	if (rq == NULL)
		return -ENOMEM;
	if (msg_header_replace(msg, (msg_pub_t *)sip, (msg_header_t *)old,
	    (msg_header_t *)rq) < 0)
		return -ENOMEM;
	return 0;
}

/* The parameter with this text in the place of one that is there. */
static void
set_via_param(msg_t *msg, sip_via_t *v, const struct writer *w)
{
	char *param = w->full ? NULL : su_strndup(msg_home(msg), w->p, w->len);

	if (param != NULL)
		msg_header_replace_param(msg_home(msg), v->v_common, param);
}

static void
tell_port(msg_t *msg, sip_via_t *v, const struct addr *source)
{
	char text[16];
	struct writer w = writer_on(text, sizeof text);

	put_text(&w, "rport=");
	put_uint(&w, source->port);
	set_via_param(msg, v, &w);
}

/* Without brackets, unlike in sent-by. */
static void
tell_host(msg_t *msg, sip_via_t *v, const char *host)
{
	char text[16 + ADDR_TEXT_MAX];
	struct writer w = writer_on(text, sizeof text);
	size_t n = strlen(host);

	put_text(&w, "received=");
	if (*host == '[')
		put_mem(&w, host + 1, n - 2);
	else
		put_mem(&w, host, n);
	set_via_param(msg, v, &w);
}

void
message_tell_source(msg_t *msg, sip_t *sip, const struct addr *source,
    bool symmetric)
{
	sip_via_t *v = sip->sip_via;
	char host[ADDR_TEXT_MAX];
	bool elsewhere;

	addr_host_text(source, host);
	elsewhere = v->v_host == NULL || strcasecmp(v->v_host, host) != 0;
	if (!symmetric && !elsewhere && v->v_rport == NULL &&
	    v->v_received == NULL)
		return;
	line_rewrite((msg_header_t *)v, (msg_header_t *)v);
	if (v->v_received != NULL)	/* the sender's own idea of it */
		msg_header_remove_param(v->v_common, "received");
	if (symmetric || v->v_rport != NULL)
		tell_port(msg, v, source);
	if (symmetric || elsewhere || v->v_rport != NULL)
		tell_host(msg, v, host);
}

void
message_drop_credentials(msg_t *msg, sip_t *sip, const char *realm, bool www)
{
	msg_auth_t *au, *next;

	au = www ? sip->sip_authorization : sip->sip_proxy_authorization;
	for (; au != NULL; au = next) {
		next = au->au_next;
		if (credentials_are_for(message_raw_value(au->au_common),
		    str_of(realm)))
			msg_header_remove(msg, (msg_pub_t *)sip,
			    (msg_header_t *)au);
	}
}

struct str
message_raw_value(const msg_common_t *h)
{
	struct str none = { NULL, 0 };
	const char *line = h->h_data, *colon;

	if (line == NULL)
		return none;
	colon = memchr(line, ':', h->h_len);
	if (colon == NULL)
		return none;
	colon++;
	return str_trim((struct str){ colon,
	    (size_t)(line + h->h_len - colon) });
}

int64_t
message_seconds(const sip_t *sip, const char *name)
{
	const sip_unknown_t *un = message_other(sip, name, NULL);
	struct str value = { NULL, 0 }, digits;
	uint64_t s;

	if (un != NULL)
		value = message_raw_value(un->un_common);
	digits = (struct str){ value.p, 0 };	/* a comment may follow */
	while (digits.len < value.len && value.p[digits.len] >= '0' &&
	    value.p[digits.len] <= '9')
		digits.len++;
	return parse_uint(digits, INT32_MAX, &s) ? (int64_t)s : -1;
}

/* In place: what is left of the buffer is enough, or all is lost anyway. */
static void
put_encoded(struct writer *w, const msg_header_t *h)
{
	size_t room = w->size - w->len;
	issize_t n = msg_header_e(w->p + w->len, (isize_t)room, h, 0);

	if (n < 0 || (size_t)n >= room)
		w->full = true;
	else
		w->len += (size_t)n;
}

void
message_put_headers(struct writer *w, const msg_common_t *h)
{
	const msg_header_t *next = (const msg_header_t *)h;

	/* of several in one line, the first one has the line */
	for (; next != NULL; next = next->sh_next) {
		if (next->sh_data != NULL)
			put_mem(w, next->sh_data, next->sh_len);
		else
			put_encoded(w, next);
	}
}

/* RFC 3261 20.14: a datagram need not say how long its body is, but a stream
 * must, or the next hop takes the body for messages of ours. */
static void
put_length(struct writer *w, const sip_t *sip)
{
	if (sip->sip_content_length != NULL)
		return;
	put_text(w, "Content-Length: ");
	put_uint(w, sip->sip_payload == NULL ? 0 : sip->sip_payload->pl_len);
	put_text(w, "\r\n");
}

bool
message_write(struct writer *w, msg_t *msg, const char *on_top)
{
	msg_iovec_t iov[PIECES_MAX];
	sip_t *sip = sip_object(msg);
	const msg_common_t *first = sip->sip_request != NULL ?
	    sip->sip_request->rq_common : sip->sip_status->st_common;
	isize_t n;
	size_t start;

	if (msg_serialize(msg, (msg_pub_t *)sip) < 0 || msg_prepare(msg) < 0)
		return false;
	n = msg_iovec(msg, iov, PIECES_MAX);
	if (n == 0 || n > PIECES_MAX)
		return false;
	start = first->h_len;
	put_mem(w, iov[0].mv_base, start);
	put_text(w, on_top);
	put_length(w, sip);
	put_mem(w, (const char *)iov[0].mv_base + start,
	    iov[0].mv_len - start);
	for (isize_t i = 1; i < n; i++)
		put_mem(w, iov[i].mv_base, iov[i].mv_len);
	return !w->full;
}

uint64_t
message_key(const struct transactions *ts, const sip_t *sip,
    const sip_via_t *via)
{
	char host[256];
	struct writer w = writer_on(host, sizeof host);
	struct transaction_id id;

	if (via == NULL || sip->sip_call_id == NULL || sip->sip_cseq == NULL)
		return 0;
	put_text(&w, via->v_host);
	put_text(&w, ":");
	if (via->v_port != NULL)
		put_text(&w, via->v_port);
	id.branch = str_of(via->v_branch);
	id.sent_by = (struct str){ host, w.len };
	id.call_id = str_of(sip->sip_call_id->i_id);
	id.cseq = sip->sip_cseq->cs_seq;
	return transaction_key(ts, &id);
}
