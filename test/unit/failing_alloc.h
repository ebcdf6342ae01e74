/*
 * failing_alloc.h -- the same work again, with each allocation failing once.
 *
 * A test program that is linked with failing_alloc.c and with
 * $(failing_alloc_ldflags) has its calls of malloc(), calloc(), realloc(),
 * reallocarray(), strdup() and strndup() counted, and one of them failed;
 * those inside shared libraries are not touched.  Leaks are found by the
 * address sanitizer, as in every other test.
 *
 *   static bool
 *   work(void *arg)
 *   {
 *           struct thing *t = thing_new();
 *
 *           thing_free(t);
 *           return t != NULL;
 *   }
 *
 *   assert_int_equal(failing_alloc_each(work, NULL), 0);
 */
#ifndef FAILING_ALLOC_H
#define FAILING_ALLOC_H

#include <stdbool.h>

/* Do the work once and clean up; true: it succeeded.  No cmocka assertion
 * inside: it would leave with the failure still to come. */
typedef bool failing_alloc_work_f(void *arg);

/*
 * Run with memory (it must succeed, and must have allocated), then once for
 * each of its allocations with that one failing.  Returns how many of these
 * runs claimed to succeed all the same: 0 where every allocation is needed.
 */
unsigned failing_alloc_each(failing_alloc_work_f *work, void *arg);

/* How often the work allocates; it must succeed. */
unsigned failing_alloc_count(failing_alloc_work_f *work, void *arg);

#endif
