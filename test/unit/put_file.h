/* put_file.h -- a file with a text in it.  After cmocka.h. */
#ifndef PUT_FILE_H
#define PUT_FILE_H

#include <stdio.h>

static inline void
put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

#endif
