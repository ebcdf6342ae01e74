/*
 * events.h -- the closed list of what can stand in the log.
 *
 * One row an event: identifier, name, level, a sentence for the operator.
 * The manual names each of them (test/scripts/man.sh).
 */
#ifndef BASE_EVENTS_H
#define BASE_EVENTS_H

#define EVENTS(E)							       \
E(EV_LOG_LOST, "log.lost", WARNING,					       \
    "The log's reader was too slow; so many lines were never written.")	       \
E(EV_LOG_WITHHELD, "log.withheld", NOTICE,				       \
    "Strangers cause more lines than limits.log_lines; so many were not"       \
    " written; said once a second.")					       \
E(EV_NONCE_FULL, "nonce.full", WARNING,					       \
    "The nonce memory is full; the oldest nonces are stale early.")	       \
E(EV_NONCE_RENEW, "nonce.renew", WARNING,				       \
    "The clock was set back; all nonces issued before are stale.")	       \
E(EV_REDIS_UP, "nonce.redis.up", NOTICE,				       \
    "Redis counts the uses of nonces from now on.")			       \
E(EV_REDIS_DOWN, "nonce.redis.down", WARNING,				       \
    "Redis is away or not fit; on_failure says what happens meanwhile.")      \
E(EV_REDIS_STILL, "nonce.redis.still-down", WARNING,			       \
    "Redis is still away, now for this reason.")			       \
E(EV_REDIS_GENERATION, "nonce.redis.generation", NOTICE,		       \
    "Redis may have lost uses of nonces; all issued before are stale.")       \
E(EV_REDIS_TWIN, "nonce.redis.instance", ERROR,			       \
    "Another live instance has the same instance_id.")			       \
E(EV_REDIS_TWIN_GONE, "nonce.redis.instance-good", NOTICE,		       \
    "No other instance has the same instance_id any more.")		       \
E(EV_REDIS_KEY, "nonce.redis.key", ERROR,				       \
    "The other instances have another master key: none takes our nonces.")    \
E(EV_REDIS_KEY_GOOD, "nonce.redis.key-good", NOTICE,			       \
    "The other instances have the same master key again.")		       \
E(EV_SHARED_UP, "shared.up", NOTICE,					       \
    "Bans and calls are shared through Redis from now on.")		       \
E(EV_SHARED_DOWN, "shared.down", WARNING,				       \
    "Bans and calls are not shared, for this reason; each instance has its"    \
    " own meanwhile.")							       \
E(EV_SHARED_LOST, "shared.lost", WARNING,				       \
    "What became of so many calls Redis was never told: too much waited, or "  \
    "we stopped while it was away; they end by themselves.")		       \
E(EV_USERS_LOAD, "users.load", NOTICE,					       \
    "A users file was read and is in force.")				       \
E(EV_USERS_KEEP, "users.keep", ERROR,					       \
    "A users file changed but cannot be used; the old users stay.")	       \
E(EV_USERS_FAIL, "users.fail", ERROR,					       \
    "A users file cannot be used, and there are no old users to keep.")     \
E(EV_USERS_ALGORITHM, "users.algorithm", WARNING,			       \
    "Some users have no hash of this algorithm, so it is not offered.")     \
E(EV_FIXUPS_FAIL, "fixups.fail", ERROR,					       \
    "A cure for a fault of libsofia-sip-ua is not in force; see symbol.")      \
E(EV_TRANSPORT_FAIL, "transport.fail", ERROR,				       \
    "The transports cannot be set up; the reason is in the line.")	       \
E(EV_TRANSPORT_REFUSE, "transport.refuse", NOTICE,			       \
    "Bytes or a connection were turned away before they became a message;"     \
    " one line a second for each reason, unsaid counts the others.")	       \
E(EV_REQUEST_RELAYED, "request.relayed", INFO,				       \
    "A request was sent on; the line sums it up.")			       \
E(EV_REQUEST_CHALLENGED, "request.challenged", DEBUG,			       \
    "A request without an answer to a challenge: the usual first one.")      \
E(EV_REQUEST_REFUSED, "request.refused", INFO,				       \
    "A request was answered by us; the reason is in the line.")		       \
E(EV_REQUEST_DROPPED, "request.dropped", DEBUG,				       \
    "A request that is not to be answered, or is one too many, ended here.")   \
E(EV_RESPONSE_DROPPED, "response.dropped", INFO,			       \
    "A response to nothing that we asked, or one with a fault; see reason.")  \
E(EV_CANCEL_FOREIGN, "cancel.foreign", NOTICE,				       \
    "A CANCEL from another address than the INVITE; it was dropped.")	       \
E(EV_GUARD_BAN, "guard.ban", NOTICE,					       \
    "An address gets silence for so many seconds, for this reason.")	       \
E(EV_GUARD_UNBAN, "guard.unban", NOTICE,				       \
    "A ban has ended, or made room for another.")			       \
E(EV_GUARD_NO_BAN, "guard.no-ban", ERROR,				       \
    "There was no memory for a ban.")					       \
E(EV_FIREWALL_UP, "firewall.up", NOTICE,				       \
    "The kernel drops what is banned from now on.")			       \
E(EV_FIREWALL_FAIL, "firewall.fail", WARNING,				       \
    "The kernel does not take our bans; what is banned is dropped by us.")     \
E(EV_FIREWALL_RIGHT, "firewall.right", WARNING,			       \
    "The daemon could not give up CAP_NET_ADMIN after its start.")	       \
E(EV_GUARD_OVER_RATE, "guard.over-rate", NOTICE,			       \
    "Somebody sends more than his rate; one line a second for each kind,"      \
    " unsaid counts the others.")					       \
E(EV_GUARD_SLOWED, "guard.user-slowed", WARNING,			       \
    "Too many wrong passwords for a user: his answers are dropped, but for"    \
    " those from where he was right lately.")				       \
E(EV_GUARD_DROPPED, "guard.dropped", NOTICE,				       \
    "Somebody gets no answer, for this reason; one line a second for each,"    \
    " unsaid counts the others.")					       \
E(EV_FRAUD_LIMIT, "fraud.limit", NOTICE,				       \
    "A class refused a call; one line a second for each kind of limit, unsaid" \
    " counts the others.")						       \
E(EV_GUARD_SOURCE_SLOWED, "guard.source-slowed", NOTICE,		       \
    "Too many failures of a source where others are right: for so many"	       \
    " seconds, answers of users who were not right there are dropped.")	       \
E(EV_AUTHN_REPLAY, "authn.replay", NOTICE,				       \
    "A right answer was used a second time: a copy, or a confused client.")  \
E(EV_PEER_MISPLACED, "peer.misplaced", NOTICE,				       \
    "A packet with a peer's address came in where the peer does not live.")  \
E(EV_TARGET_FAIL, "target.fail", NOTICE,				       \
    "A target timed out or could not be reached; the next one is tried.")    \
E(EV_UPLINK_REGISTERED, "uplink.registered", NOTICE,			       \
    "Our address is registered at a peer, or now at another of its targets.")  \
E(EV_UPLINK_FAILED, "uplink.failed", WARNING,				       \
    "A target of a peer did not take our registration; the next is asked, or"  \
    " all of them later.")						       \
E(EV_UPLINK_REFUSED, "uplink.refused", WARNING,				       \
    "A peer refused our credentials, or its challenge cannot be answered.")    \
E(EV_TARGET_DOWN, "target.down", WARNING,				       \
    "A target failed its probes, and gets nothing new until they pass.")      \
E(EV_TARGET_UP, "target.up", NOTICE,					       \
    "A target passed its probes, and serves again.")			       \
E(EV_TARGET_GREY, "target.grey", NOTICE,				       \
    "A target failed, and is asked after the others for a while; one line a"  \
    " second, unsaid counts the others.")				       \
E(EV_TARGET_STATE, "target.state", NOTICE,				       \
    "What a target serves now, as asked for by SIGUSR1.")		       \
E(EV_EGRESS_FILTERED, "egress.filtered", NOTICE,			       \
    "A request would have gone where the egress list of its route denies.")  \
E(EV_MEDIA_UNSAFE, "media.unsafe", NOTICE,				       \
    "A body broke what is asked of media; passed says if it was sent on all"   \
    " the same; one line a second, unsaid counts the others.")		       \
E(EV_TIMER_C, "timer.c", NOTICE,					       \
    "A call rang longer than Timer C allows, and is cancelled.")	       \
E(EV_TLS_LOAD, "tls.load", NOTICE,					       \
    "Certificates, authorities and CRLs were read, and are in force.")	       \
E(EV_TLS_KEEP, "tls.keep", ERROR,					       \
    "A new certificate, authority or CRL cannot be used; the old ones stay.")  \
E(EV_TLS_FAIL, "tls.fail", ERROR,					       \
    "TLS cannot be set up; the reason is in the line.")			       \
E(EV_TLS_EXPIRES, "tls.expires", WARNING,				       \
    "A certificate of ours ends soon, or has ended; said once a day.")	       \
E(EV_TLS_UNVERIFIED, "tls.unverified", WARNING,			       \
    "verify is \"none\" for this peer: anybody can stand in for its targets.") \
E(EV_LISTEN, "listen.open", NOTICE,					       \
    "A socket is open.")						       \
E(EV_LISTEN_FAIL, "listen.fail", ERROR,					       \
    "A socket cannot be opened.")					       \
E(EV_CONFIG_FAULT, "config.fault", ERROR,				       \
    "Something is wrong in this line of the configuration; it is not used.")   \
E(EV_CONFIG_WARNING, "config.warning", WARNING,				       \
    "This line of the configuration works, and is hardly what was meant.")    \
E(EV_RELOAD, "daemon.reload", NOTICE,					       \
    "A new configuration is in force.")					       \
E(EV_RELOAD_KEEP, "daemon.keep", ERROR,					       \
    "A new configuration cannot be used; the old one stays.")		       \
E(EV_RELOAD_LATER, "daemon.restart-needed", WARNING,			       \
    "What changed in this option needs a restart.")			       \
E(EV_DESCRIPTORS, "daemon.descriptors", WARNING,			       \
    "The system lets us have fewer descriptors than limits.connections"	       \
    " needs, so that this is taken to be lower; raise LimitNOFILE.")	       \
E(EV_DRAIN, "daemon.drain", NOTICE,					       \
    "The daemon stops taking new requests and waits for those under way.")   \
E(EV_KEY_MADE, "key.made", NOTICE,					       \
    "There was no master key; a new one was made.")			       \
E(EV_KEY_FAIL, "key.fail", ERROR,					       \
    "The master key cannot be used.")					       \
E(EV_METRIC, "metric", NOTICE,						       \
    "One counter, as asked for by SIGUSR1.")				       \
E(EV_DAEMON_START, "daemon.start", NOTICE,				       \
    "The daemon serves requests from now on.")				       \
E(EV_DAEMON_STOP, "daemon.stop", NOTICE,				       \
    "The daemon ends; nothing is served any more.")			       \
E(EV_DAEMON_FAIL, "daemon.fail", ERROR,					       \
    "The daemon cannot start or go on; the reason is in the line.")

enum event {
#define E(id, name, level, help) id,
	EVENTS(E)
#undef E
	EV_COUNT
};

#endif
