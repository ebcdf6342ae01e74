/*
 * line.h -- header lines that must be written anew.
 *
 * The parser keeps the bytes of each line, and they go out again unless they
 * are forgotten.  Of several values in one line the first has the bytes, and
 * the others point to where they end: who edits one value has the whole line
 * written anew, or the others are lost, or the old bytes go out.  Sofia's
 * msg_fragment_clear_chain() is not in all of its versions, and its functions
 * that edit parameters do not see to the others in all of them.
 */
#ifndef TRANSPORT_LINE_H
#define TRANSPORT_LINE_H

#include <sofia-sip/msg_types.h>

/*
 * Forget the bytes of the line that one value stands in; to be called before
 * that value is edited.  first: the first header of its kind in the message.
 */
void line_rewrite(msg_header_t *first, const msg_header_t *one);

#endif
