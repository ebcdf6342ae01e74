/*
 * sofia.h -- Sofia's headers, with our types for its magic pointers.
 */
#ifndef PIPELINE_SOFIA_H
#define PIPELINE_SOFIA_H

struct pipeline;
struct request;
struct branch;

#define NTA_AGENT_MAGIC_T	struct pipeline
#define NTA_INCOMING_MAGIC_T	struct request
#define NTA_OUTGOING_MAGIC_T	struct branch

#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

#endif
