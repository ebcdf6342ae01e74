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
#include "pipeline/sofia.h"

/* The class for NTATAG_MCLASS, to be ended by free() after the agent that has
 * it.  NULL: no memory. */
msg_mclass_t *message_class_new(void);

/* The Request-URI as it stands in the received bytes. */
struct str message_raw_uri(const sip_t *sip);

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

/* rport and received in the top Via, as RFC 3581 section 4 wants them where
 * rport was asked for. */
void message_be_symmetric(msg_t *msg, sip_t *sip, const struct addr *source);

/* Remove credentials for our realm from the header we challenge in:
 * Authorization if www, else Proxy-Authorization. */
void message_drop_credentials(msg_t *msg, sip_t *sip, const char *realm,
    bool www);

/* The value of a header as it stands in the received bytes. */
struct str message_raw_value(const msg_common_t *h);

/* A To header with a tag added if it has none (in msg's home). */
sip_to_t *message_to_with_tag(msg_t *msg, const sip_t *sip,
    const char *tag);

#endif
