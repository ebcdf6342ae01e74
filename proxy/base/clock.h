/*
 * clock.h -- the two clocks.  What decides takes the time as an argument;
 * only the loop and the pipeline's entrance look at a clock.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_unix_ms(void);	/* wall time: what a nonce is dated by */
int64_t clock_mono_ms(void);	/* never steps: what a deadline is set by */
int64_t clock_mono_us(void);	/* the same, for durations in the log */

#endif
