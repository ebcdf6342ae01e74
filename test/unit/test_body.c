/* Where in a body session descriptions stand, and what hides one. */
#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "base/writer.h"
#include "guard/body.h"

#define MIXED "multipart/mixed;boundary=\"b\""
#define SDP "Content-Type: application/sdp\r\n\r\n"
#define TEXT "Content-Type: text/plain\r\n\r\n"
#define INNER "Content-Type: multipart/alternative; boundary=c\r\n\r\n"

static const struct {
	const char	*what, *type, *encoding, *text;
	const char	*found;		/* each with a '|' behind it */
	bool		 clear;
} cases[] = {
	{ "alone", "application/sdp", "", "v=0", "v=0|", true },
	{ "without a type", "", "", "v=0", "v=0|", true },
	{ "other letters", "APPLICATION/SDP", "", "v=0", "v=0|", true },
	{ "blanks and folding", " application\r\n / sdp ; charset=x", "",
	    "v=0", "v=0|", true },
	{ "another type", "application/sdpx", "", "v=0", "", true },
	{ "text", "text/plain", "gzip", "v=0", "", true },
	{ "no slash", "application", "", "v=0", "", false },
	{ "no type", "/sdp", "", "v=0", "", false },
	{ "no subtype", "application/", "", "v=0", "", false },
	{ "a list of types", "text/plain, application/sdp", "", "v=0", "", false },
	{ "something behind it", "application/sdp(x)", "", "v=0", "", false },
	{ "an unprintable byte", "application/sdp\1", "", "v=0", "", false },
	{ "identity", "application/sdp", "identity", "v=0", "v=0|", true },
	{ "gzip", "application/sdp", "gzip", "v=0", "", false },
	{ "two encodings", "application/sdp", "identity, gzip", "v=0", "",
	    false },
	{ "S/MIME", "application/pkcs7-mime; smime-type=enveloped-data", "",
	    "x", "", false },
	{ "S/MIME of old", "application/x-pkcs7-mime", "", "x", "", false },
	{ "elsewhere (RFC 4483)", "message/external-body; access-type=URL;"
	    "URL=\"http://192.0.2.1/\"", "", "x", "", false },
	{ "a tunnel (RFC 3261 23.4)", "message/sip", "", "x", "", false },

	{ "one part", MIXED, "", "--b\r\n" SDP "v=0\r\n\r\n--b--\r\n",
	    "v=0\r\n|", true },
	{ "its last line end is the boundary's", MIXED, "",
	    "--b\r\n" SDP "v=0\r\n--b--", "v=0|", true },
	{ "LF alone", MIXED, "", "--b\nContent-Type:application/sdp\n\n"
	    "v=0\n--b--", "v=0|", true },
	{ "empty lines before and behind", MIXED, "", "\r\n--b\r\n" SDP
	    "v=0\r\n--b--\r\n \r\n", "v=0|", true },
	{ "text before", MIXED, "", SDP "v=1\r\n--b\r\n" TEXT "x\r\n--b--",
	    "", false },
	{ "text behind", MIXED, "", "--b\r\n" TEXT "x\r\n--b--\r\n" SDP
	    "v=1\r\n", "", false },
	{ "another part behind", MIXED, "", "--b\r\n" SDP
	    "v=0\r\n--b--\r\nv=2\r\n--b\r\n" SDP "v=3\r\n--b--", "v=0|",
	    false },
	{ "two", MIXED, "", "--b\r\n" SDP "v=0\r\n--b\r\n" TEXT "v=1\r\n"
	    "--b \t\r\n" SDP "v=2\r\n--b--", "v=0|v=2|", true },
	{ "compact, folded", MIXED, "", "--b\r\nX: y\r\nc:\r\n "
	    "application/sdp\r\n\r\nv=0\r\n--b--", "v=0|", true },
	{ "without a type it is text", MIXED, "", "--b\r\n\r\nv=0\r\n--b--",
	    "", true },
	{ "no last boundary", MIXED, "", "--b\r\n" SDP "v=0\r\n", "v=0|",
	    true },
	/* what some take for a boundary, and others do not */
	{ "a boundary that goes on", MIXED, "", "--b\r\n" TEXT
	    "x\r\n--bc\r\n" SDP "v=0\r\n--b--", "", false },
	{ "one in other letters", MIXED, "", "--b\r\n" TEXT
	    "x\r\n--B\r\n" SDP "v=0\r\n--b--", "", false },
	{ "one within a line", MIXED, "", "x--b\r\n" SDP "v=0\r\n--b\r\n"
	    TEXT "x\r\n--b--", "", false },
	{ "one behind a bare CR", MIXED, "", "--b\r\n" TEXT "x\r--b\r\n"
	    SDP "v=0\r\n--b--", "", false },
	{ "two boundaries", "multipart/mixed;boundary=b;boundary=c", "",
	    "--b\r\n" TEXT "x\r\n--b--\r\n--c\r\n" SDP "v=0\r\n--c--",
	    "", false },
	{ "one in a quoted string", "multipart/mixed;x=\"; boundary=c\";"
	    "boundary=b", "", "--b\r\n" TEXT "x\r\n--c\r\n" SDP
	    "v=0\r\n--c--\r\n--b--", "", false },
	{ "one in pieces (RFC 2231)", "multipart/mixed;boundary*0=c;"
	    "boundary=b", "", "--b\r\n" TEXT "x\r\n--b--", "", false },
	{ "a bare CR in a header", MIXED, "", "--b\r\nX: y\r" SDP "v=0\r\n"
	    "--b--", "", false },
	{ "a header without a colon", MIXED, "", "--b\r\nContent-Type "
	    "application/sdp\r\n\r\nv=0\r\n--b--", "", false },
	{ "an indented text", MIXED, "", "--b\r\n" TEXT " x\r\n--b\r\n" SDP
	    "v=0\r\n--b--", "v=0|", true },
	{ "headers alone", MIXED, "", "--b\r\nX: y\r\n\r\n--b--", "", true },
	{ "headers without an end", MIXED, "", "--b\r\nContent-Type: "
	    "application/sdp\r\nv=0\r\n--b--", "", false },
	{ "a blank line that is none", MIXED, "", "--b\r\n \r\n" SDP
	    "v=0\r\n--b--", "", false },
	{ "parts within parts", MIXED, "", "--b\r\n" INNER "--c\r\n" SDP
	    "v=0\r\n--c\r\n" SDP "v=1\r\n--c--\r\n--b\r\n" SDP "v=2\r\n--b--",
	    "v=0|v=1|v=2|", true },
	{ "three deep", MIXED, "", "--b\r\n" INNER "--c\r\n"
	    "Content-Type: multipart/mixed;boundary=d\r\n\r\n--d\r\n" SDP
	    "v=0\r\n--d--\r\n--c--\r\n--b--", "", false },
	{ "base64", MIXED, "", "--b\r\nContent-Transfer-Encoding: base64\r\n"
	    SDP "dj0w\r\n--b--", "", false },
	{ "binary", MIXED, "", "--b\r\nContent-Transfer-Encoding: binary\r\n"
	    SDP "v=0\r\n--b--", "v=0|", true },
	{ "a part in gzip", MIXED, "", "--b\r\nContent-Encoding: gzip\r\n"
	    SDP "v=0\r\n--b--", "", false },
	{ "a picture in base64", MIXED, "", "--b\r\n"
	    "Content-Transfer-Encoding: base64\r\nContent-Type: image/png"
	    "\r\n\r\nv=0\r\n--b\r\n" SDP "v=0\r\n--b--", "v=0|", true },
	{ "two types", MIXED, "", "--b\r\nContent-Type: text/plain\r\n" SDP
	    "v=0\r\n--b--", "", false },
	{ "a sealed part", MIXED, "", "--b\r\n" SDP "v=0\r\n--b\r\n"
	    "Content-Type: application/pkcs7-mime\r\n\r\nx\r\n--b--",
	    "v=0|", false },
	{ "the whole in gzip", MIXED, "gzip", "--b\r\n" SDP "v=0\r\n--b--",
	    "", false },

	{ "no boundary", "multipart/mixed", "", "--b\r\n" SDP "v=0", "",
	    false },
	{ "an empty one", "multipart/mixed;boundary=\"\"", "", "--\r\n" SDP
	    "v=0", "", false },
	{ "one that never ends", "multipart/mixed;boundary=\"b", "",
	    "--b\r\n" SDP "v=0", "", false },
	{ "one with an escape", "multipart/mixed;boundary=\"\\b\"", "",
	    "--b\r\n" SDP "v=0", "", false },
	{ "another parameter before", "multipart/mixed; a=\"x;b=y\" ;"
	    " BOUNDARY = b", "", "--b\r\n" SDP "v=0\r\n--b--", "v=0|", true },
	{ "none in the text", MIXED, "", "v=0\r\n", "", false },
	{ "too long a one", "multipart/mixed;boundary="
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxx", "", "--b\r\n" SDP "v=0", "", false },
	{ "nothing in it", MIXED, "", "", "", false },
	{ "an empty part", MIXED, "", "--b\r\n--b--", "", true },
};

static void
note(void *arg, struct str sdp)
{
	struct writer *w = arg;

	put_str(w, sdp);
	put_text(w, "|");
}

/* At the end of its memory. */
static char *
copied(struct str s)
{
	char *p = malloc(s.len + 1);

	assert_non_null(p);
	memcpy(p, s.p, s.len);
	return p;
}

static void
found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct body b = { str_of(cases[i].type),
			str_of(cases[i].encoding), str_of(cases[i].text) };
		char text[256];
		struct writer w = writer_on(text, sizeof text);
		bool clear = body_each_sdp(&b, note, &w);

		assert_false(w.full);
		if (clear != cases[i].clear ||
		    !str_is((struct str){ text, w.len }, cases[i].found))
			fail_msg("%s: %.*s, %d", cases[i].what, (int)w.len,
			    text, clear);
	}
}

/* Whatever is cut off, nothing behind the end is looked at. */
static void
prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t n = 0; n <= strlen(cases[i].text); n++) {
			char *p = copied((struct str){ cases[i].text, n });
			struct body b = { str_of(cases[i].type),
				str_of(cases[i].encoding), { p, n } };
			char text[256];
			struct writer w = writer_on(text, sizeof text);

			body_each_sdp(&b, note, &w);
			assert_false(w.full);
			free(p);
		}
}

static void
many_parts(void **state)
{
	char text[1024], got[256];

	(void)state;
	for (unsigned n = 1; n <= BODY_PARTS_MAX + 2; n++) {
		struct writer w = writer_on(text, sizeof text);
		struct writer out = writer_on(got, sizeof got);
		struct body b = { str_of(MIXED), { NULL, 0 }, { NULL, 0 } };

		for (unsigned i = 0; i < n; i++)
			put_text(&w, "--b\r\n" SDP "v=0\r\n");
		put_text(&w, "--b--");
		b.text = (struct str){ text, w.len };
		assert_int_equal(body_each_sdp(&b, note, &out),
		    n <= BODY_PARTS_MAX);
		assert_int_equal(out.len, 4 * (n < BODY_PARTS_MAX ? n :
		    BODY_PARTS_MAX));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(many_parts),
	};

	return cmocka_run_group_tests_name("body", tests, NULL, NULL);
}
