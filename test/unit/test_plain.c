/* Requests read as text: which are plain, and what is read of them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "base/writer.h"
#include "pipeline/plain.h"

enum line { START, VIA, FROM, TO, CALL_ID, CSEQ, MORE, LINES };

static const char *const usual[LINES] = {
	[START] = "INVITE sip:bob@example.com SIP/2.0",
	[VIA] = "Via: SIP/2.0/UDP h.example:5062;rport;branch=z9hG4bK1",
	[FROM] = "From: \"A\" <sip:a@example.com>;tag=x1",
	[TO] = "To: <sip:bob@example.com>",
	[CALL_ID] = "Call-ID: c1@h",
	[CSEQ] = "CSeq: 7 INVITE",
	[MORE] = "Max-Forwards: 70"
};

/* The usual request with one line in the place of another. */
static struct str
with(char out[1024], enum line where, const char *line)
{
	struct writer w = writer_on(out, 1024);

	for (size_t i = 0; i < LINES; i++) {
		const char *text = i == (size_t)where ? line : usual[i];

		if (text == NULL)
			continue;
		put_text(&w, text);
		put_text(&w, "\r\n");
	}
	put_text(&w, "\r\n");
	assert_false(w.full);
	return (struct str){ out, w.len };
}

static void
same(const char *what, struct str got, const char *want)
{
	if (got.p == NULL || !str_is(got, want))
		fail_msg("%s: \"%.*s\"", what, (int)got.len,
		    got.p == NULL ? "" : got.p);
}

static void
everything_is_read(void **state)
{
	char text[1024];
	struct plain p;

	(void)state;
	assert_true(plain_read(&p, with(text, MORE, "User-Agent: ua 1")));
	same("method", p.method, "INVITE");
	same("domain", p.domain, "example.com");
	same("sent-by", p.sent_by, "h.example:5062");
	same("Via's host", p.via_host, "h.example");
	assert_int_equal(p.via_port, 5062);
	same("before rport", p.before, "");
	same("behind rport", p.after, ";branch=z9hG4bK1");
	same("branch", p.branch, "z9hG4bK1");
	same("From", p.from, "From: \"A\" <sip:a@example.com>;tag=x1\r\n");
	same("tag", p.from_tag, "x1");
	same("To", p.to, "<sip:bob@example.com>");
	same("Call-ID line", p.call_id_line, "Call-ID: c1@h\r\n");
	same("Call-ID", p.call_id, "c1@h");
	same("CSeq line", p.cseq_line, "CSeq: 7 INVITE\r\n");
	assert_int_equal(p.cseq, 7);
	same("User-Agent", p.user_agent, "ua 1");
}

static void
without_rport_or_port(void **state)
{
	char text[1024];
	struct plain p;

	(void)state;
	assert_true(plain_read(&p, with(text, VIA,
	    "v: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK-a.b")));
	same("sent-by", p.sent_by, "10.0.0.1");
	assert_int_equal(p.via_port, 5060);
	same("all", p.before, ";branch=z9hG4bK-a.b");
	same("nothing", p.after, "");
	assert_null(p.user_agent.p);
}

static const struct {
	const char	*what;
	enum line	 where;
	const char	*line;		/* NULL: without it */
	bool		 plain;
} cases[] = {
	{ "as usual", MORE, NULL, true },
	{ "another than CSeq's", START, "FOO sip:b@c SIP/2.0", false },
	{ "an odd method", START, "INV+ITE sip:b@c SIP/2.0", false },
	{ "an ACK", START, "ACK sip:b@c SIP/2.0", false },
	{ "a CANCEL", START, "CANCEL sip:b@c SIP/2.0", false },
	{ "a response", START, "SIP/2.0 200 OK", false },
	{ "no user", START, "INVITE sip:c.example SIP/2.0", true },
	{ "a port", START, "INVITE sip:b@c:65535 SIP/2.0", true },
	{ "port 0", START, "INVITE sip:b@c:0 SIP/2.0", false },
	{ "a port too large", START, "INVITE sip:b@c:65536 SIP/2.0", false },
	{ "an empty port", START, "INVITE sip:b@c: SIP/2.0", false },
	{ "an address", START, "INVITE sip:b@1.2.3.4 SIP/2.0", true },
	{ "a bad one", START, "INVITE sip:b@1.2.3.256 SIP/2.0", false },
	{ "a short one", START, "INVITE sip:b@1.2.3 SIP/2.0", false },
	{ "an octal one", START, "INVITE sip:b@1.2.3.04 SIP/2.0", false },
	{ "a hex one", START, "INVITE sip:b@0x7f000001 SIP/2.0", false },
	{ "a host of dots", START, "INVITE sip:b@c..d SIP/2.0", false },
	{ "a dot at the end", START, "INVITE sip:b@c. SIP/2.0", false },
	{ "a dash at the end", START, "INVITE sip:b@c- SIP/2.0", false },
	{ "a dash before a dot", START, "INVITE sip:b@c-.d SIP/2.0", false },
	{ "a dash in front", START, "INVITE sip:b@c.-d SIP/2.0", false },
	{ "transport", START, "INVITE sip:b@c;transport=udp SIP/2.0", true },
	{ "twice", START, "INVITE sip:b@c;transport=udp;transport=udp SIP/2.0",
	    false },
	{ "a line", START, "INVITE sip:b@c;line=1 SIP/2.0", false },
	{ "a line behind", START, "INVITE sip:b@c;user=phone;line=1 SIP/2.0",
	    false },
	{ "two hosts", START, "INVITE sip:b@c@d SIP/2.0", false },
	{ "a password", START, "INVITE sip:b:x@c SIP/2.0", false },
	{ "an escape", START, "INVITE sip:%62@c SIP/2.0", false },
	{ "sips", START, "INVITE sips:b@c SIP/2.0", false },
	{ "other case", START, "INVITE SIP:b@c SIP/2.0", false },
	{ "version 3", START, "INVITE sip:b@c SIP/3.0", false },
	{ "a blank more", START, "INVITE  sip:b@c SIP/2.0", false },
	{ "a blank behind", START, "INVITE sip:b@c SIP/2.0 ", false },
	{ "no Via", VIA, NULL, false },
	{ "over TCP", VIA, "Via: SIP/2.0/TCP h;branch=z9hG4bK1", false },
	{ "no branch", VIA, "Via: SIP/2.0/UDP h;rport", false },
	{ "no magic", VIA, "Via: SIP/2.0/UDP h;branch=1", false },
	{ "only magic", VIA, "Via: SIP/2.0/UDP h;branch=z9hG4bK", false },
	{ "rport=", VIA, "Via: SIP/2.0/UDP h;rport=;branch=z9hG4bK1", false },
	{ "rports", VIA, "Via: SIP/2.0/UDP h;rports;branch=z9hG4bK1", false },
	{ "two rports", VIA, "Via: SIP/2.0/UDP h;rport;branch=z9hG4bK1;rport",
	    false },
	{ "two branches", VIA,
	    "Via: SIP/2.0/UDP h;branch=z9hG4bK1;branch=z9hG4bK1", false },
	{ "a second branch of magic alone", VIA,
	    "Via: SIP/2.0/UDP h;branch=z9hG4bK1;branch=z9hG4bK", false },
	{ "the same before rport", VIA,
	    "Via: SIP/2.0/UDP h;branch=z9hG4bK1;branch=z9hG4bK;rport", false },
	{ "received", VIA, "Via: SIP/2.0/UDP h;branch=z9hG4bK1;received=x",
	    false },
	{ "two of them", VIA,
	    "Via: SIP/2.0/UDP h;branch=z9hG4bK1,SIP/2.0/UDP i", false },
	{ "no tag", FROM, "From: <sip:a@b>", false },
	{ "an empty tag", FROM, "From: <sip:a@b>;tag=", false },
	{ "more behind the tag", FROM, "From: <sip:a@b>;tag=1;x", false },
	{ "more before it", FROM, "From: <sip:a@b>;x;tag=1", false },
	{ "no brackets", FROM, "From: sip:a@b;tag=1", false },
	{ "an open bracket", FROM, "From: <sip:a@b;tag=1", false },
	{ "an open quote", FROM, "From: \"A <sip:a@b>;tag=1", false },
	{ "a quoted pair", FROM, "From: \"A\\\"\" <sip:a@b>;tag=1", false },
	{ "words", FROM, "From: A B <sip:a@b>;tag=1", true },
	{ "words that touch", FROM, "From: A<sip:a@b>;tag=1", false },
	{ "parameters", FROM, "From: <sip:a@b;x=y;z>;tag=1", true },
	{ "one twice", FROM, "From: <sip:a@b;lr;LR>;tag=1", false },
	{ "too many", FROM, "From: <sip:a@b;a;b;c;d;e>;tag=1", false },
	{ "a tag in To", TO, "To: <sip:a@b>;tag=1", false },
	{ "compact", TO, "t: <sip:a@b>", true },
	{ "no value", TO, "To: ", false },
	{ "two in Call-ID", CALL_ID, "Call-ID: a@b@c", false },
	{ "nothing behind @", CALL_ID, "Call-ID: a@", false },
	{ "a blank in it", CALL_ID, "Call-ID: a b", false },
	{ "one behind it", CALL_ID, "Call-ID: a ", false },
	{ "a tab before it", CALL_ID, "Call-ID: \ta", false },
	{ "no blank", CALL_ID, "Call-ID:a", false },
	{ "blank before colon", CALL_ID, "Call-ID : a", false },
	{ "another method", CSEQ, "CSeq: 7 BYE", false },
	{ "in other case", CSEQ, "CSeq: 7 invite", false },
	{ "zeros", CSEQ, "CSeq: 07 INVITE", false },
	{ "the largest", CSEQ, "CSeq: 2147483647 INVITE", true },
	{ "beyond", CSEQ, "CSeq: 2147483648 INVITE", false },
	{ "a sign", CSEQ, "CSeq: +7 INVITE", false },
	{ "no hops left", MORE, "Max-Forwards: 0", false },
	{ "one", MORE, "Max-Forwards: 1", true },
	{ "beyond", MORE, "Max-Forwards: 256", false },
	{ "no body", MORE, "Content-Length: 0", true },
	{ "a length without body", MORE, "l: 1", false },
	{ "a Contact", MORE, "m: <sip:a@b:5070;ob>;expires=5;q=0.5", true },
	{ "with a tag", MORE, "m: <sip:a@b>;tag=1", false },
	{ "a star", MORE, "Contact: *", false },
	{ "two in one", MORE, "Contact: <sip:a@b>, <sip:c@d>", false },
	{ "a second To", MORE, "t: <sip:a@b>", false },
	{ "a second Via", MORE, "Via: SIP/2.0/UDP h;branch=z9hG4bK1", false },
	{ "what nobody reads", MORE, "SuPPorteD: \x01,,\"", true },
	{ "folded", MORE, "Supported: a\r\n b", false },
	{ "an unknown name", MORE, "X-A: b", false },
	{ "a Route", MORE, "Route: <sip:b;lr>", false },
	{ "credentials", MORE, "Proxy-Authorization: Digest", false },
	{ "others", MORE, "authorization: Digest", false },
	{ "an extension", MORE, "Proxy-Require: x", false },
	{ "breadth", MORE, "Max-Breadth: 0", false },
	{ "a longer name", MORE, "Content-Dispositions-And-More: x", false },
};

static void
what_is_plain(void **state)
{
	char text[1024];
	struct plain p;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (plain_read(&p, with(text, cases[i].where,
		    cases[i].line)) != cases[i].plain)
			fail_msg("%s: \"%s\"", cases[i].what,
			    cases[i].line == NULL ? "-" : cases[i].line);
}

/* Nothing beyond the bytes is looked at (under a sanitizer that tells). */
static void
what_is_cut_is_not_plain(void **state)
{
	char text[1024];
	struct str whole = with(text, MORE, usual[MORE]);
	struct plain p;

	(void)state;
	for (size_t len = 0; len < whole.len; len++) {
		char *piece = test_malloc(len + 1);

		memcpy(piece, whole.p, len);
		assert_false(plain_read(&p, (struct str){ piece, len }));
		test_free(piece);
	}
	assert_true(plain_read(&p, whole));
}

static void
a_body_is_as_long_as_it_says(void **state)
{
	static const struct {
		const char *line, *body;
		bool	 plain;
	} bodies[] = {
		{ "Content-Length: 3", "abc", true },
		{ "l: 3", "\r\n\n", true },
		{ NULL, "abc", true },
		{ "Content-Length: 3", "abcd", false },
		{ "Content-Length: 3", "ab", false },
		{ "Content-Length: 03", "abc", false },
	};
	char text[1024];
	struct plain p;

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		struct str s = with(text, MORE, bodies[i].line);

		memcpy(text + s.len, bodies[i].body, strlen(bodies[i].body));
		s.len += strlen(bodies[i].body);
		assert_int_equal(plain_read(&p, s), bodies[i].plain);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(without_rport_or_port),
		cmocka_unit_test(what_is_plain),
		cmocka_unit_test(what_is_cut_is_not_plain),
		cmocka_unit_test(a_body_is_as_long_as_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
