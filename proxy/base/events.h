/*
 * events.h -- the closed list of what can stand in the log.
 *
 * One row an event: identifier, name, level, a sentence for the operator.
 * The manual's list is printed from this table (sipbouncer -V events).
 */
#ifndef BASE_EVENTS_H
#define BASE_EVENTS_H

#define EVENTS(E)							       \
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
