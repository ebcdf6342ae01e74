/* The list of modules: what is named is there, and what is there is named. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "modules/registry.h"

static void
append(char *all, size_t size, const char *name)
{
	size_t len = strlen(all);

	snprintf(all + len, size - len, "%s%s", len == 0 ? "" : ", ", name);
}

static void
cred_kinds_are_named(void **state)
{
	char all[256] = "";
	const struct cred_ops *ops;

	(void)state;
	for (size_t i = 0; (ops = cred_ops_at(i)) != NULL; i++) {
		append(all, sizeof all, ops->name);
		assert_ptr_equal(cred_ops_by_name(ops->name), ops);
	}
	assert_string_equal(cred_ops_names(), all);
	assert_non_null(cred_ops_by_name("file"));
	assert_null(cred_ops_by_name("fil"));
	assert_null(cred_ops_at(1000));
}

static void
nonce_store_kinds_are_named(void **state)
{
	char all[256] = "";
	const struct nonce_store_ops *ops;

	(void)state;
	for (size_t i = 0; (ops = nonce_store_ops_at(i)) != NULL; i++) {
		append(all, sizeof all, ops->name);
		assert_ptr_equal(nonce_store_ops_by_name(ops->name), ops);
	}
	assert_string_equal(nonce_store_ops_names(), all);
	assert_non_null(nonce_store_ops_by_name("memory"));
	assert_null(nonce_store_ops_by_name(""));
	assert_null(nonce_store_ops_at(1000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cred_kinds_are_named),
		cmocka_unit_test(nonce_store_kinds_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
