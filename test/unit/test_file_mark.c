/* A number that changes when a file does. */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/count.h"
#include "daemon/file_mark.h"
#include "put_file.h"

/* A file, and a folder with one. */
struct rig { char dir[64], file[96], folder[96], inside[128], other[96]; };

static int
set_up(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	assert_non_null(r);
	strcpy(r->dir, "/tmp/test_file_mark.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->file, sizeof r->file, "%s/file", r->dir);
	snprintf(r->other, sizeof r->other, "%s/other", r->dir);
	snprintf(r->folder, sizeof r->folder, "%s/folder", r->dir);
	snprintf(r->inside, sizeof r->inside, "%s/a", r->folder);
	assert_int_equal(mkdir(r->folder, 0700), 0);
	put_file(r->file, "one");
	put_file(r->inside, "one");
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *r = *state;

	unlink(r->inside);
	rmdir(r->folder);
	unlink(r->file);
	unlink(r->other);
	rmdir(r->dir);
	free(r);
	return 0;
}

static void
rewrite(const struct rig *r)
{
	put_file(r->file, "two!");
}

static void
touch(const struct rig *r)
{
	const struct timespec t[2] = { { 1, 2 }, { 3, 4 } };

	assert_int_equal(utimensat(AT_FDCWD, r->file, t, 0), 0);
}

static void
let_others_read(const struct rig *r)
{
	assert_int_equal(chmod(r->file, 0604), 0);
}

static void
replace(const struct rig *r)
{
	put_file(r->other, "one");
	assert_int_equal(rename(r->other, r->file), 0);
}

static void
take_away(const struct rig *r)
{
	assert_int_equal(unlink(r->file), 0);
}

static void
rewrite_inside(const struct rig *r)
{
	put_file(r->inside, "two!");
}

static void
take_away_inside(const struct rig *r)
{
	assert_int_equal(unlink(r->inside), 0);
}

static uint64_t
mark_both(const struct rig *r)
{
	return file_mark(file_mark(0, r->file), r->folder);
}

static void
each_change_changes_the_mark(void **state)
{
	static void (*const change[])(const struct rig *) = {
		rewrite, touch, let_others_read, replace, rewrite_inside,
		take_away_inside, take_away
	};
	struct rig *r = *state;
	uint64_t was = mark_both(r);

	for (size_t i = 0; i < COUNT(change); i++) {
		assert_true(mark_both(r) == was);
		usleep(20000);		/* the clock of files is coarse */
		change[i](r);
		if (mark_both(r) == was)
			fail_msg("change %zu", i);
		was = mark_both(r);
	}
}

/* Two files that change places are not the same as before. */
static void
what_came_before_counts(void **state)
{
	struct rig *r = *state;

	assert_true(file_mark(file_mark(0, r->file), r->inside) !=
	    file_mark(file_mark(0, r->inside), r->file));
	assert_true(file_mark(1, r->file) != file_mark(2, r->file));
	assert_true(file_mark(0, r->other) != file_mark(0, r->file));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_change_changes_the_mark,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_came_before_counts,
		    set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
