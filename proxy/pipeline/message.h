/*
 * message.h -- reading and editing a SIP message that Sofia has parsed.
 *
 * The message class is trimmed (message_class_new()): headers that a proxy
 * need not understand stay raw, in any number, as sip_unknown.
 */
#ifndef PIPELINE_MESSAGE_H
#define PIPELINE_MESSAGE_H

#include <stdbool.h>

#include "auth/identity.h"
#include "base/addr.h"
#include "base/text.h"
#include "base/writer.h"
#include "pipeline/sofia.h"
#include "transaction/transaction.h"

/* The Request-URI as it stands in the received bytes; p NULL: the start line
 * has other blanks than one on either side of it (RFC 3261 7.1). */
struct str message_raw_uri(const sip_t *sip);

/* In the number of a tel Request-URI '#' is dialled (RFC 3966 section 3); Sofia
 * takes all behind it, parameters too, for a fragment.  Undo that.  -ENOMEM. */
int message_read_tel(msg_t *msg, sip_t *sip);

/* Remove the top Via; the bytes of the others stay as they came. */
void message_drop_via(msg_t *msg, sip_t *sip);

/* The next raw header of that name (ASCII case-blind; long form), after
 * `after` or the first.  NULL: no more. */
sip_unknown_t *message_other(const sip_t *sip, const char *name,
    const sip_unknown_t *after);
/* Remove all of that name. */
void message_drop_other(msg_t *msg, sip_t *sip, const char *name);
/* Add "Name: value", without CRLF; -ENOMEM. */
int message_add_other(msg_t *msg, sip_t *sip, const char *text);

/* Does a header hold this token, among others set apart by comma or
 * semicolon (Privacy has the latter)? */
bool message_has_token(const sip_t *sip, const char *name,
    const char *token);

/* The first Route, if a strict router is behind it, which wants to see it as
 * Request-URI (RFC 3261 16.6 item 6); else NULL. */
const url_t *message_strict_hop(const sip_t *sip);

/* sip and sips name a host; tel names a number, and a service URN (RFC 5031)
 * what nobody has yet said who gives it. */
bool url_names_host(const url_t *u);
bool url_is_service(const url_t *u);
/* The host that it names, or "". */
struct str url_domain(const url_t *u);

/* Port of a URL or Via; the scheme's or transport's default if absent.
 * -1: malformed. */
int url_port_number(const url_t *u);
int via_port_number(const sip_via_t *v);

/* Take an identity apart; text lives in home.  false: neither sip(s) nor
 * tel. */
bool identity_of_url(su_home_t *home, const url_t *u,
    struct identity_uri *out);

/* Put another Request-URI in place.  -ENOMEM. */
int message_set_uri(msg_t *msg, sip_t *sip, const url_t *u);

/*
 * Let the top Via tell where the request came from (RFC 3261 18.2.1, RFC 3581
 * section 4): received where it is another address than sent-by, rport where
 * it was asked for; both in any case if `symmetric`.
 */
void message_tell_source(msg_t *msg, sip_t *sip, const struct addr *source,
    bool symmetric);

/* Remove credentials for our realm from the header we challenge in:
 * Authorization if www, else Proxy-Authorization. */
void message_drop_credentials(msg_t *msg, sip_t *sip, const char *realm,
    bool www);

/* The value of a header as it stands in the received bytes. */
struct str message_raw_value(const msg_common_t *h);

/* The number of seconds that this raw header begins with; -1: none. */
int64_t message_seconds(const sip_t *sip, const char *name);

/* Who a message belongs to, by one of its Vias; 0: it lacks Call-ID or CSeq. */
uint64_t message_key(const struct transactions *ts, const sip_t *sip,
    const sip_via_t *via);

/* The start line, then `on_top` (whole lines), a Content-Length if there is
 * none, then all the rest: as it came, but for what was edited.  false: no
 * memory. */
bool message_write(struct writer *w, msg_t *msg, const char *on_top);

/* A header and those of its kind behind it, as they came or were edited. */
void message_put_headers(struct writer *w, const msg_common_t *h);

/* ACK or CANCEL for an INVITE that was sent, made from its bytes (RFC 3261
 * 17.1.1.3, 9.1).  to: the To line, with CRLF, or empty for the INVITE's;
 * more: other lines, or NULL. */
struct derived {
	const char	*method;
	struct str	 to;
	const char	*more;
};
void message_derive(struct writer *w, struct str invite,
    const struct derived *d);

#endif
