/*
 * reason.h -- why a request ended as it did: the words of the log line, of
 * the counter requests_ended_total{reason=…} and of the manual.
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
R(BAD_START_LINE, "bad-start-line", 400, "Bad Request Line",		       \
    "Not just a method, a Request-URI and a version, with one blank"	       \
    " between; or a method in other letters than its own.")		       \
R(MISSING_HEADER, "missing-header", 400, "Missing Header",		       \
    "There is no From, To, Call-ID or CSeq, or over a connection no"	       \
    " Content-Length.")							       \
R(HEADER_TWICE, "header-twice", 400, "Doubled Header",			       \
    "A header stands there twice that may only once.")			       \
R(BAD_HEADER, "bad-header", 400, "Bad Header",				       \
    "A header that a proxy must understand is malformed.")		       \
R(BAD_HEADER_URI, "bad-header-uri", 400, "Bad URI in Header",		       \
    "The URI in From, To or Contact is malformed, or that of a Route which"    \
    " has to become the Request-URI.")					       \
R(BAD_TAG, "bad-tag", 400, "Bad Tag",					       \
    "A tag of From or To is empty, quoted, or there twice.")	       \
R(BAD_CALL_ID, "bad-call-id", 400, "Bad Call-ID",			       \
    "The Call-ID is malformed.")					       \
R(BAD_CSEQ, "bad-cseq", 400, "Bad CSeq",				       \
    "The CSeq is malformed, or its number not below 2^31.")		       \
R(CSEQ_METHOD, "cseq-method", 400, "CSeq Has Another Method",		       \
    "The methods of CSeq and start line differ.")			       \
R(BAD_MAX_FORWARDS, "bad-max-forwards", 400, "Bad Max-Forwards",	       \
    "Max-Forwards is no number from 0 to 255.")				       \
R(BAD_VIA, "bad-via", 400, "Bad Via",					       \
    "Host, port or a parameter of the top Via is malformed.")		       \
R(OWN_VIA, "own-via", 400, "Bad Via",					       \
    "The top Via names this proxy though it was sent by somebody else.")       \
R(BAD_LENGTH, "bad-content-length", 400, "Bad Content-Length",		       \
    "Content-Length is malformed, or the body is shorter than it says.")      \
R(BAD_URI, "bad-uri", 400, "Bad Request-URI",				       \
    "The Request-URI is malformed.")					       \
R(BAD_TEL, "bad-tel", 400, "Bad tel URI",				       \
    "A tel URI is malformed, or the one called is a local number without"      \
    " phone-context and none of limits.emergency.")			       \
R(BAD_SCHEME, "bad-scheme", 416, "Unsupported URI Scheme",		       \
    "The Request-URI is neither sip, sips, tel nor urn:service.")	       \
R(METHOD_NOT_ALLOWED, "method-not-allowed", 405, "Method Not Allowed",	       \
    "A method that auth.methods or peers.methods leaves out.")		       \
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
    "limits.pending is reached, or pending of the peer that it is from.")      \
R(TARGET_BUSY, "target-busy", 503, "Service Unavailable",		       \
    "limits.pending_per_target is reached for every target.")		       \
R(OVER_RATE, "over-rate", 0, "",					       \
    "More than a rate of limits allows; dropped, since the source may be"      \
    " forged.")								       \
R(OVER_RATE_TOLD, "over-rate-told", 503, "Service Unavailable",		       \
    "More than a rate of limits or of the peer allows.")		       \
R(SCANNER, "scanner", 0, "",						       \
    "A User-Agent of guard.scanners; dropped.")				       \
R(USER_SLOWED, "user-slowed", 0, "",					       \
    "An answer for a user for whom there were too many wrong ones; dropped.")  \
R(SOURCE_SLOWED, "source-slowed", 0, "",				       \
    "An answer from where too many were wrong, for a user who was not right "  \
    "there; dropped.")							       \
R(NO_MEMORY, "no-memory", 503, "Service Unavailable",			       \
    "There was no memory for this request.")				       \
R(NO_CREDENTIALS, "no-credentials", 407, "Proxy Authentication Required",      \
    "No answer to a challenge of ours: the usual first request.")	       \
R(OTHER_REALM, "other-realm", 407, "Proxy Authentication Required",	       \
    "Credentials for other realms only, as of a phone that is set to one.")    \
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
R(NOT_A_CALL, "not-a-call", 403, "Not A Call",				       \
    "An INVITE in the dialog of a subscription or the like.")		       \
R(FLOW_GONE, "flow-gone", 430, "Flow Failed",				       \
    "The connection to the phone is no more.")				       \
R(WRONG_IDENTITY, "wrong-identity", 403, "Forbidden",			       \
    "The user may not use this From, To or P-Preferred-Identity.")	       \
R(WRONG_USER, "wrong-user", 403, "Forbidden",				       \
    "In a dialog, somebody other than the user who opened it.")		       \
R(WRONG_NUMBER, "wrong-number", 403, "Forbidden",			       \
    "The users file lets the user call other numbers only.")		       \
R(TOO_MANY_CALLS, "too-many-calls", 480, "Too Many Calls",		       \
    "As many calls of the user or peer as its class lets are under way.")      \
R(CALLS_TOO_FAST, "calls-too-fast", 480, "Too Many Calls A Minute",	       \
    "The user or peer begins calls faster than its class lets.")	       \
R(FORBIDDEN_NUMBER, "forbidden-number", 403, "Forbidden Number",	       \
    "The class of the user or peer does not let him call this number.")	       \
R(OUTSIDE_HOURS, "outside-hours", 403, "Outside Hours",			       \
    "The class of the user or peer does not let him call at this time.")       \
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
R(MEDIA_UNSAFE, "media-unsafe", 488, "Not Acceptable Here",		       \
    "The media are not protected as the sender's peer, the target's, or the"   \
    " group media asks for.")						       \
R(BAD_SDP, "bad-sdp", 400, "Bad Session Description",			       \
    "An SDP that is malformed, where media.grammar or media.security asks"     \
    " for a good one.")							       \
R(SDP_TOO_LARGE, "sdp-too-large", 413, "Request Entity Too Large",	       \
    "An SDP that is longer than media.size.")				       \
R(TOO_MANY_STREAMS, "too-many-streams", 488, "Not Acceptable Here",	       \
    "An SDP with more streams than media.streams.")			       \
R(MEDIA_OPAQUE, "media-opaque", 415, "Unsupported Media Type",		       \
    "A body that cannot be looked into, where its SDP is to be judged.")       \
R(FILTERED, "filtered", 473, "Destination Filtered",			       \
    "An address of the target is one that the egress list denies.")	       \
R(NO_SUCH_NAME, "no-such-name", 502, "Bad Gateway",			       \
    "The name of the target does not exist, or leads to nobody but us.")       \
R(DNS_AWAY, "dns-away", 503, "Service Unavailable",			       \
    "No name server answered for the target.")				       \
R(NO_WAY_OUT, "no-way-out", 500, "Server Internal Error",		       \
    "No listener fits the target's transport and address family.")	       \
R(UPLINK_REFUSED, "uplink-refused", 502, "Bad Gateway",		       \
    "The peer refused our credentials, or asks what cannot be answered.")      \
R(TARGET_FAILED, "target-failed", 500, "Server Internal Error",		       \
    "The targets could not be reached, or all answered 503.")		       \
R(TARGETS_DOWN, "targets-down", 503, "Service Unavailable",		       \
    "All targets of the peer are down, by their probes.")		       \
R(TARGET_TIMEOUT, "target-timeout", 408, "Request Timeout",		       \
    "No target answered in time.")					       \
R(CANCELLED, "cancelled", 487, "Request Terminated",			       \
    "The caller cancelled.")						       \
R(RESPONSE_LATE, "response-late", 0, "",				       \
    "A 2xx to an INVITE came again, or from a second fork: passed on.")       \
R(RESPONSE_STRAY, "response-stray", 0, "",				       \
    "A response to nothing we asked was dropped.")			       \
R(STOPPED, "stopped", 503, "Service Unavailable",			       \
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
