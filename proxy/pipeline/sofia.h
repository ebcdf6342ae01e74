/*
 * sofia.h -- what of Sofia-SIP the pipeline uses: messages, parsed and edited.
 */
#ifndef PIPELINE_SOFIA_H
#define PIPELINE_SOFIA_H

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_string.h>

#endif
