/*
 * acked.h -- which INVITEs inside dialogs we answered ourselves.
 *
 * Such an answer keeps the dialog's To tag, so the ACK to it looks like one
 * that must be passed on.  It is known by the INVITE's branch: a table of
 * fixed size holds keyed hashes of the latest.  An entry that was overwritten
 * costs an ACK too many on the far side, which no one there waits for.
 */
#ifndef PIPELINE_ACKED_H
#define PIPELINE_ACKED_H

#include "pipeline/request.h"

/* We answered this INVITE without a transaction. */
void acked_note(struct request *req);
/* Is this ACK the one to such an answer? */
bool acked_has(struct request *req);

#endif
