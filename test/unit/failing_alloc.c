/*
 * failing_alloc.c -- the same work again, with each allocation failing once.
 */
#include "config.h"

#include "failing_alloc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The linker gives these names their meaning: --wrap in ld(1). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

static unsigned seen, failing;		/* failing: 0, or which one */

static bool
must_fail(void)
{
	if (++seen != failing)
		return false;
	errno = ENOMEM;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return must_fail() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return must_fail() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return must_fail() ? NULL : __real_realloc(p, size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return must_fail() ? NULL : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *s)
{
	return must_fail() ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t n)
{
	return must_fail() ? NULL : __real_strndup(s, n);
}

static bool
run(failing_alloc_work_f *work, void *arg, unsigned nth)
{
	bool ok;

	seen = 0;
	failing = nth;
	ok = work(arg);
	failing = 0;
	return ok;
}

unsigned
failing_alloc_count(failing_alloc_work_f *work, void *arg)
{
	assert_true(run(work, arg, 0));
	return seen;
}

unsigned
failing_alloc_each(failing_alloc_work_f *work, void *arg)
{
	unsigned n = failing_alloc_count(work, arg), coped = 0;

	assert_true(n > 0);
	for (unsigned i = 1; i <= n; i++)
		if (run(work, arg, i))
			coped++;
	return coped;
}
