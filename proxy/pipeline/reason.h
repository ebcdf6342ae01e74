/*
 * reason.h -- why a request ended as it did: the words of the log line, of
 * the counter requests_total{reason=…} and of the manual.
 *
 * One row: identifier, word, status of our answer (0: none of ours), phrase,
 * a sentence for the operator.
 */
#ifndef PIPELINE_REASON_H
#define PIPELINE_REASON_H

#define REASONS(R)							       \
R(RELAYED, "relayed", 0, "",						       \
    "The request was sent on and its final response passed back.")	       \
R(ACK_RELAYED, "ack-relayed", 0, "",					       \
    "An ACK to a 2xx was sent on.")					       \
R(ACK_OURS, "ack-ours", 0, "",						       \
    "An ACK to an answer of ours ended here.")				       \
R(ACK_STRAY, "ack-stray", 0, "",					       \
    "An ACK that belongs to no dialog of ours was dropped.")		       \
R(ACK_BAD, "ack-bad", 0, "",						       \
    "An ACK that fails a check was dropped; an ACK is never answered.")	       \
R(BAD_HEADER, "bad-header", 400, "Bad Request",				       \
    "A header that a proxy must understand is malformed or doubled.")	       \
R(BAD_VIA, "bad-via", 400, "Bad Via",					       \
    "The top Via names this proxy though it was sent by somebody else.")	       \
R(BAD_BODY, "bad-body", 400, "Bad Content-Length",			       \
    "The body is shorter than Content-Length says.")			       \
R(BAD_URI, "bad-uri", 400, "Bad Request-URI",				       \
    "The Request-URI is malformed.")					       \
R(BAD_SCHEME, "bad-scheme", 416, "Unsupported URI Scheme",		       \
    "The Request-URI is neither sip, sips nor tel.")			       \
R(BAD_EXTENSION, "bad-extension", 420, "Bad Extension",			       \
    "Proxy-Require asks for something this proxy does not know.")	       \
R(TOO_MANY_HOPS, "too-many-hops", 483, "Too Many Hops",			       \
    "Max-Forwards ran out.")						       \
R(TOO_BROAD, "too-broad", 440, "Max-Breadth Exceeded",			       \
    "Max-Breadth ran out (RFC 5393).")					       \
R(LOOP, "loop", 482, "Loop Detected",					       \
    "The request came back unchanged.")					       \
R(NO_TRANSACTION, "no-transaction", 481,				       \
    "Call/Transaction Does Not Exist",					       \
    "A CANCEL for nothing that is under way.")				       \
R(CANCEL_TAKEN, "cancel-taken", 200, "OK",				       \
    "A CANCEL was answered, and its INVITE given up.")			       \
R(TOO_LARGE, "too-large", 413, "Request Entity Too Large",		       \
    "Longer than limits.message_size.")					       \
R(BAD_VERSION, "bad-version", 505, "Version Not Supported",		       \
    "Another version of SIP than 2.0.")					       \
R(NO_SECURE_WAY, "no-secure-way", 480, "Temporarily Unavailable",	       \
    "The Request-URI is sips, and the target is not reached over TLS.")	       \
R(OVERLOAD, "overload", 503, "Service Unavailable",			       \
    "limits.pending is reached, or pending of the peer that it is from.")					       \
R(TARGET_BUSY, "target-busy", 503, "Service Unavailable",		       \
    "limits.pending_per_target is reached for every target.")		       \
R(OVER_RATE, "over-rate", 0, "",						       \
    "More than a rate of limits allows; dropped, since the source may be"      \
    " forged.")								       \
R(OVER_RATE_TOLD, "over-rate-told", 503, "Service Unavailable",		       \
    "More than a rate of limits or of the peer allows.")		       \
R(SCANNER, "scanner", 0, "",						       \
    "A User-Agent of guard.scanners; dropped.")				       \
R(USER_SLOWED, "user-slowed", 0, "",					       \
    "An answer for a user for whom there were too many wrong ones; dropped.")  \
R(NO_MEMORY, "no-memory", 503, "Service Unavailable",			       \
    "There was no memory for this request.")				       \
R(NO_CREDENTIALS, "no-credentials", 407, "Proxy Authentication Required",      \
    "No answer to a challenge of ours: the usual first request.")	       \
R(BAD_CREDENTIALS, "bad-credentials", 407, "Proxy Authentication Required",    \
    "Credentials for our realm that are malformed.")			       \
R(NOT_OFFERED, "not-offered", 407, "Proxy Authentication Required",	       \
    "An algorithm or qop that the challenge did not offer.")		       \
R(FOREIGN_NONCE, "foreign-nonce", 407, "Proxy Authentication Required",	       \
    "A nonce that none of our keys signed.")				       \
R(WRONG_URI, "wrong-uri", 407, "Proxy Authentication Required",		       \
    "The digest uri is not the Request-URI.")				       \
R(WRONG_PASSWORD, "wrong-password", 407, "Proxy Authentication Required",      \
    "Unknown user or wrong password; to a stranger both look the same.")       \
R(WRONG_PASSWORD_FORBIDDEN, "wrong-password-forbidden", 403, "Forbidden",      \
    "The same, where auth.wrong_password is \"forbid\".")		       \
R(STALE, "stale", 407, "Proxy Authentication Required",			       \
    "A right answer to a nonce that is too old: challenged with stale=true.")  \
R(USED_UP, "used-up", 407, "Proxy Authentication Required",		       \
    "A right answer with a nonce count above auth.nc_max.")		       \
R(OTHER_SOURCE, "other-source", 407, "Proxy Authentication Required",	       \
    "A right answer to a nonce that was given to another address.")	       \
R(FENCED, "fenced", 407, "Proxy Authentication Required",		       \
    "A right answer to a nonce whose uses another memory counted.")	       \
R(REPLAY, "replay", 407, "Proxy Authentication Required",		       \
    "A right answer that was used before.")				       \
R(ABSORBED, "absorbed", 0, "",						       \
    "A retransmission that another instance has in hand.")		       \
R(STORE_AWAY, "store-away", 503, "Service Unavailable",			       \
    "The nonce store cannot tell whether the answer was used.")		       \
R(USERS_AWAY, "users-away", 503, "Service Unavailable",			       \
    "The credential store cannot tell the user's secret.")		       \
R(FOREIGN_DOMAIN, "foreign-domain", 403, "Forbidden",			       \
    "A stranger asked for a domain that is not ours.")			       \
R(FOREIGN_ROUTE, "foreign-route", 403, "Forbidden",			       \
    "A stranger brought a Route that is not ours.")			       \
R(DIALOG_OVER, "dialog-over", 481, "Call/Transaction Does Not Exist",	       \
    "The dialog is older than auth.dialog_max.")			       \
R(FOREIGN_TOKEN, "foreign-token", 403, "Forbidden",			       \
    "A flow token that we did not sign, or from a peer it was not made for.")  \
R(FLOW_GONE, "flow-gone", 430, "Flow Failed",				       \
    "The connection to the phone is no more.")				       \
R(WRONG_IDENTITY, "wrong-identity", 403, "Forbidden",			       \
    "The user may not use this From, To or P-Preferred-Identity.")	       \
R(WRONG_USER, "wrong-user", 403, "Forbidden",				       \
    "In a dialog, somebody other than the user who opened it.")		       \
R(WRONG_NUMBER, "wrong-number", 403, "Forbidden",			       \
    "The users file lets the user call other numbers only.")		       \
R(NO_PRIVACY, "no-privacy", 500, "Privacy Not Available",		       \
    "Privacy says critical, and asks what only a privacy service can do.")     \
R(NO_ROUTE, "no-route", 404, "Not Found",				       \
    "No route matches.")						       \
R(REJECTED, "rejected-by-route", 403, "Forbidden",			       \
    "A route says reject; the status is the one that it names.")	       \
R(REDIRECTED, "redirected", 302, "Moved Temporarily",			       \
    "A route says redirect.")						       \
R(ROUTE_GAVE_UP, "route-gave-up", 400, "Bad Request-URI",		       \
    "A uri_regex could not tell within its bounds if it matches.")	       \
R(FILTERED, "filtered", 473, "Destination Filtered",			       \
    "An address of the target is one that the egress list denies.")	       \
R(NO_SUCH_NAME, "no-such-name", 502, "Bad Gateway",			       \
    "The name of the target does not exist.")				       \
R(DNS_AWAY, "dns-away", 503, "Service Unavailable",			       \
    "No name server answered for the target.")				       \
R(NO_WAY_OUT, "no-way-out", 500, "Server Internal Error",		       \
    "No listener fits the target's transport and address family.")	       \
R(UPLINK_REFUSED, "uplink-refused", 502, "Bad Gateway",		       \
    "The peer refused our credentials, or asks what cannot be answered.")      \
R(TARGET_FAILED, "target-failed", 500, "Server Internal Error",		       \
    "The targets could not be reached, or all answered 503.")		       \
R(TARGETS_DOWN, "targets-down", 503, "Service Unavailable",		       \
    "All targets of the peer are down, by their probes or by hand.")	       \
R(TARGET_TIMEOUT, "target-timeout", 408, "Request Timeout",		       \
    "No target answered in time.")					       \
R(CANCELLED, "cancelled", 487, "Request Terminated",			       \
    "The caller cancelled.")						       \
R(RESPONSE_LATE, "response-late", 0, "",				       \
    "A 2xx to an INVITE came again, or from a second fork: passed on.")       \
R(RESPONSE_STRAY, "response-stray", 0, "",				       \
    "A response to nothing we asked was dropped.")			       \
R(STOPPED, "stopped", 503, "Service Unavailable",						       \
    "The daemon stopped while the request was under way.")

enum reason {
#define R(id, word, status, phrase, help) REASON_##id,
	REASONS(R)
#undef R
	REASON_COUNT
};

const char *reason_word(enum reason r);
int reason_status(enum reason r);
const char *reason_phrase(enum reason r);
const char *reason_help(enum reason r);
/* All words, for the counter family. */
extern const char *const reason_words[REASON_COUNT];

#endif
