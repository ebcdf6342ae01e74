/*
 * deliver.h -- the last look at a parsed message before nta has it.
 */
#ifndef TRANSPORT_DELIVER_H
#define TRANSPORT_DELIVER_H

#include <sofia-sip/msg.h>
#include <sofia-sip/su_time.h>
#include <sofia-sip/tport.h>

/* For vtp_deliver: hands msg to nta, or destroys it. */
void transport_deliver(tport_t *tp, msg_t *msg, su_time_t now);

#endif
