/* One value of a header is edited: what becomes of the others, and of their
 * bytes. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/msg_parser.h>
#include <sofia-sip/sip_header.h>

#include "base/count.h"
#include "transport/line.h"

enum { TEXT_MAX = 2048, PIECES_MAX = 32 };

#define START	"OPTIONS sip:x@example.com SIP/2.0\r\n"
#define END	"From:<sip:a@example.com>;tag=1\r\n"			\
	"To:<sip:x@example.com>\r\nCall-ID:1\r\nCSeq:1 OPTIONS\r\n"	\
	"Content-Length:0\r\n\r\n"

#define A	"SIP/2.0/UDP a;rport"
#define A7	"SIP/2.0/UDP a:7;rport"
#define B	"SIP/2.0/UDP b"
#define C	"SIP/2.0/TCP c;branch=z9hG4bK1"
#define ODD	"v:SIP / 2.0 /UDP  d : 9 ;x\r\n"

/* One of the values gets a port. */
static const struct {
	const char	*what;
	const char	*in;
	unsigned	 which;
	const char	*out;
} cases[] = {
	{ "alone", "Via:" A "\r\n", 0, "Via: " A7 "\r\n" },
	{ "first of two", "Via:" A "," B "\r\n", 0,
	    "Via: " A7 "\r\nVia: " B "\r\n" },
	{ "last of two", "Via:" B "," A "\r\n", 1,
	    "Via: " B "\r\nVia: " A7 "\r\n" },
	{ "between two", "Via:" B " , " A "," C "\r\n", 1,
	    "Via: " B "\r\nVia: " A7 "\r\nVia: " C "\r\n" },
	{ "the line before", ODD "Via:" A "," B "\r\n", 1,
	    ODD "Via: " A7 "\r\nVia: " B "\r\n" },
	{ "the line behind", "Via:" B "," A "\r\n" ODD, 1,
	    "Via: " B "\r\nVia: " A7 "\r\n" ODD },
	{ "a line of two behind", "Via:" A "\r\nVia:" B "," C "\r\n", 0,
	    "Via: " A7 "\r\nVia:" B "," C "\r\n" },
	{ "lines apart", "v:" B "," C "\r\nX:1\r\nVia:" A "," B "\r\n", 2,
	    "v:" B "," C "\r\nX:1\r\nVia: " A7 "\r\nVia: " B "\r\n" },
};

static msg_t *
parsed(const char *vias)
{
	char text[TEXT_MAX];
	int n = snprintf(text, sizeof text, START "%s" END, vias);
	msg_t *msg = msg_make(sip_default_mclass(), MSG_DO_EXTRACT_COPY, text,
	    n);

	assert_non_null(msg);
	assert_non_null(sip_object(msg)->sip_via);
	return msg;
}

static sip_via_t *
via(msg_t *msg, unsigned which)
{
	sip_via_t *v = sip_object(msg)->sip_via;

	while (which-- > 0)
		v = v->v_next;
	return v;
}

static void
edit(msg_t *msg, unsigned which)
{
	sip_via_t *v = via(msg, which);

	line_rewrite((msg_header_t *)sip_object(msg)->sip_via,
	    (msg_header_t *)v);
	v->v_port = "7";
}

static void
written(msg_t *msg, char *text)
{
	msg_iovec_t iov[PIECES_MAX];
	isize_t n;

	assert_true(msg_serialize(msg, msg_object(msg)) >= 0);
	assert_true(msg_prepare(msg) >= 0);
	n = msg_iovec(msg, iov, PIECES_MAX);
	assert_in_range(n, 1, PIECES_MAX);
	for (isize_t i = 0; i < n; i++) {
		memcpy(text, iov[i].mv_base, iov[i].mv_len);
		text += iov[i].mv_len;
	}
	*text = '\0';
}

static void
one_is_edited_and_none_is_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		msg_t *msg = parsed(cases[i].in);
		char got[TEXT_MAX], want[TEXT_MAX];

		edit(msg, cases[i].which);
		written(msg, got);
		snprintf(want, sizeof want, START "%s" END, cases[i].out);
		if (strcmp(got, want) != 0)
			fail_msg("%s:\n%s", cases[i].what, got);
		msg_destroy(msg);
	}
}

static void
a_second_edit_finds_nothing_to_forget(void **state)
{
	msg_t *msg = parsed("Via:" A "," A "\r\n" ODD);
	char got[TEXT_MAX];

	(void)state;
	edit(msg, 0);
	edit(msg, 1);
	written(msg, got);
	assert_string_equal(got, START "Via: " A7 "\r\nVia: " A7 "\r\n" ODD
	    END);
	msg_destroy(msg);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_edited_and_none_is_lost),
		cmocka_unit_test(a_second_edit_finds_nothing_to_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
