/*
 * test_header.c -- which values of headers everybody reads in the same way.
 */
#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "guard/header.h"

#define MAX31 "2147483647"

/* Without a NUL behind it, so that a sanitizer sees who reads on. */
static struct str
copy_of(const char *text)
{
	struct str out = { malloc(strlen(text) + 1), strlen(text) };

	assert_non_null(out.p);
	memcpy((char *)(uintptr_t)out.p, text, out.len);
	return out;
}

struct row {
	const char		*value;
	enum header_verdict	 want;
};

static void
check_rows(const struct row *row, size_t n,
    enum header_verdict (*judge)(struct str))
{
	for (size_t i = 0; i < n; i++) {
		struct str s = copy_of(row[i].value);
		enum header_verdict v = judge(s);

		free((char *)(uintptr_t)s.p);
		if (v != row[i].want)
			fail_msg("%s: %d", row[i].value, v);
	}
}

static const struct row parties[] = {
	{ "<sip:a@b>", HEADER_GOOD },
	{ "sip:a@b;tag=1", HEADER_GOOD },
	{ "tel:112;tag=1", HEADER_GOOD },
	{ "<sip:a@b>;tag=a/b:[1]", HEADER_GOOD },
	{ "<tel:112>", HEADER_GOOD },
	{ "caller<sip:caller@example.com>;tag=323", HEADER_GOOD },
	{ "a token-2 'x <sip:a@b> ; tag = 1", HEADER_GOOD },
	{ "token1~` token2'+_ token3*%!.- <sip:a@b>", HEADER_GOOD },
	{ "\r\n \"J R \\\\\\\"\"  \r\n\t<sip:a@b>\r\n  ;\r\n  tag = 98",
	    HEADER_GOOD },
	{ "\"BEL:\\\x07 DEL:\\\x7f\" <sip:a@b>", HEADER_GOOD },
	{ "\"%Z%45\" <sip:a@b>;tag=x", HEADER_GOOD },
	{ "\"<sip:x@y>\" <sip:a@b>;tag=x", HEADER_GOOD },
	{ "\"\xd0\x9d, ;\" <sip:a@b>;fromParam''~+*_!.-%=\"\xd1\x80\"",
	    HEADER_GOOD },
	{ "<http://www.example.com>;tag=3", HEADER_GOOD },
	{ "isbn:2983792873", HEADER_GOOD },
	{ "<sip:a@b>;x;y=[::1]:5;z=\"a;b\"", HEADER_GOOD },
	{ "<sip:a@b?Subject=x>", HEADER_GOOD },
	{ "Jos\xc3\xa9 M <sip:a@b>", HEADER_GOOD },

	{ "<sip:a@b", HEADER_BAD }, { "\"x <sip:a@b>", HEADER_BAD },
	{ "\"x\" sip:a@b", HEADER_BAD }, { "\"x\\\"", HEADER_BAD },
	{ "\"x\\", HEADER_BAD }, { "\"a\x07\" <sip:a@b>", HEADER_BAD },
	{ "\"a\x7f\" <sip:a@b>", HEADER_BAD },
	{ "<sip:a@b> x", HEADER_BAD }, { "<sip:a@b>, <sip:c@d>", HEADER_BAD },
	{ "<sip:a@b>;", HEADER_BAD }, { "<sip:a@b>;;tag=1", HEADER_BAD },
	{ "<sip:a@b>;x=", HEADER_BAD }, { "<sip:a@b>;=x", HEADER_BAD },
	{ "<sip:a@b>;x=y z", HEADER_BAD }, { "<sip:a@b>;x=\"y", HEADER_BAD },
	{ "<sip:a@b>;x=\"y\"z", HEADER_BAD }, { "<sip:a@b>>", HEADER_BAD },
	{ "sip:a@b <sip:c@d>", HEADER_BAD },

	{ "", HEADER_BAD_URI }, { "<>", HEADER_BAD_URI },
	{ "a, b <sip:a@b>", HEADER_BAD_URI },
	{ "a:b <sip:a@b>", HEADER_BAD }, { "a@b <sip:a@b>", HEADER_BAD_URI },
	{ "M\xc3\xbcller, A <sip:a@b>", HEADER_BAD_URI },
	{ "< sip:a@b >", HEADER_BAD_URI }, { "<sip:a b@c>", HEADER_BAD_URI },
	{ "<<sip:a@b>", HEADER_BAD_URI }, { "<sip:a<b@c>", HEADER_BAD_URI },
	{ "sip:a@b?x=y", HEADER_BAD_URI }, { "sip:a\\b@c", HEADER_BAD_URI },
	{ "<sip:a@b\r\n c>", HEADER_BAD_URI },
	{ "<tel:+x>", HEADER_BAD_TEL },

	{ "<sip:a@b>;tag", HEADER_BAD_TAG },
	{ "<sip:a@b>;tag=", HEADER_BAD_TAG },
	{ "<sip:a@b>;tag=\"1\"", HEADER_BAD_TAG },
	{ "<sip:a@b>;tag=1;TAG=1", HEADER_BAD_TAG },
};

static void
from_and_to(void **state)
{
	(void)state;
	check_rows(parties, COUNT(parties), header_party);
}

static void
contacts(void **state)
{
	static const struct row rows[] = {
		{ "*", HEADER_GOOD }, { " * ", HEADER_GOOD },
		{ "<sip:a@b>", HEADER_GOOD },
		{ "sip:a@b;unknownparam, \"x, y\" <sip:a@b>;q=0.33 , <tel:1>",
		    HEADER_GOOD },
		{ "<sip:a@b;x?Route=%3Csip:c%3E>", HEADER_GOOD },
		{ "<name:John_Smith>", HEADER_GOOD },
		{ "<sip:a@b>;tag=1;tag=2", HEADER_GOOD },
		{ "<sip:a@b>;+sip.instance=\"<urn:uuid:1>\";reg-id=1",
		    HEADER_GOOD },
		{ "*, <sip:a@b>", HEADER_BAD_URI }, { "", HEADER_BAD_URI },
		{ "<sip:a@b>,", HEADER_BAD_URI },
		{ ",<sip:a@b>", HEADER_BAD_URI },
		{ "\"Joe\" <sip:joe@example.org>;;;;", HEADER_BAD },
		{ "sip:a@b?Route=%3Csip:c%3E", HEADER_BAD_URI },
		{ "<sip:a@b> <sip:c@d>", HEADER_BAD },
	};

	(void)state;
	check_rows(rows, COUNT(rows), header_contacts);
}

static void
cseq(void **state)
{
	static const struct {
		const char	*value, *method;	/* NULL: refused */
	} rows[] = {
		{ "1 INVITE", "INVITE" }, { "0009\r\n  INVITE", "INVITE" },
		{ MAX31 " RE%47IST%45R", "RE%47IST%45R" }, { "0 x+`", "x+`" },
		{ " 1 INVITE ", "INVITE" },
		{ "2147483648 INVITE", NULL }, { "", NULL }, { "1", NULL },
		{ "1 ", NULL }, { "INVITE", NULL }, { "1INVITE", NULL },
		{ "-1 INVITE", NULL }, { "+1 INVITE", NULL },
		{ "1 INVITE x", NULL }, { "1 INV/TE", NULL },
		{ "36893488147419103232 REGISTER", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct str s = copy_of(rows[i].value), method;
		bool good = header_cseq(s, &method);

		if (good != (rows[i].method != NULL) ||
		    (good && !str_is(method, rows[i].method)))
			fail_msg("%s", rows[i].value);
		free((char *)(uintptr_t)s.p);
	}
}

static void
others(void **state)
{
	static const struct {
		bool		(*judge)(struct str);
		const char	*value;
		bool		 want;
	} rows[] = {
		{ header_call_id, "a", true }, { header_call_id, "a@b", true },
		{ header_call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"]"
		    "[?}{", true },
		{ header_call_id, "", false }, { header_call_id, "@", false },
		{ header_call_id, "a@", false }, { header_call_id, "@a", false },
		{ header_call_id, "a@b@c", false },
		{ header_call_id, "a b", false },
		{ header_call_id, "DLGCH_K0IE+/==", true },
		{ header_call_id, "a#$&|b@c", true },
		{ header_call_id, "a;b", false },
		{ header_call_id, "a\xc3\xa9", false },
		{ header_call_id, "a\r\n b", false },
		{ header_max_forwards, "0", true },
		{ header_max_forwards, "0068", true },
		{ header_max_forwards, "255", true },
		{ header_max_forwards, "256", false },
		{ header_max_forwards, "", false },
		{ header_max_forwards, "-1", false },
		{ header_max_forwards, "7 0", false },
		{ header_param, "rport", true },
		{ header_param, "branch=z9hG4bK-.!%66*_+`'~", true },
		{ header_param, "received=[2001:db8::9:255]", true },
		{ header_param, "received=2001:db8::9:255", true },
		{ header_param, "x=\"a b\"", true },
		{ header_param, "", false }, { header_param, "x=", false },
		{ header_param, "=x", false }, { header_param, "x=a b", false },
		{ header_param, "x=a,b", false }, { header_param, " x", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct str s = copy_of(rows[i].value);

		if (rows[i].judge(s) != rows[i].want)
			fail_msg("%s", rows[i].value);
		free((char *)(uintptr_t)s.p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_and_to),
		cmocka_unit_test(contacts),
		cmocka_unit_test(cseq),
		cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
