/* What name servers answer, byte by byte. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "io/dns_message.h"

/* The pieces of a message; a name is "\1a\4test", and "\300\14" points to the
 * one in the question. */
#define ID "\x12\x34"
#define OK "\x81\x80"			/* recursion done */
#define OWN "\x85\x00"			/* the server's own zone */
#define COUNTS(answers, authorities)					       \
	"\0\1" "\0" answers "\0" authorities "\0\0"
#define QUESTION(type) "\1a\4test\0" "\0" type "\0\1"
#define THERE "\300\14"
#define RECORD(type, ttl, len) "\0" type "\0\1" ttl "\0" len
#define A "\1"
#define CNAME "\5"
#define SOA "\6"
#define AAAA "\34"
#define SRV "\41"
#define TYPE_NAPTR "\43"
#define MINUTE "\0\0\0\74"
#define HOUR "\0\0\16\20"
#define SIP_UDP "\1s\7SIP+D2U\0" "\1u\4test\0"

static const struct {
	const char	*what;
	enum dns_type	 type;
	const char	*m;
	size_t		 len;
	enum dns_verdict want;
	const char	*records;	/* or the alias */
	uint32_t	 ttl_s;
} cases[] = {
#define M(m) m, sizeof m - 1
	{ "an address", DNS_A, M(ID OK COUNTS("\1", "\0") QUESTION(A)
	    THERE RECORD(A, MINUTE, "\4") "\300\0\2\1"),
	    DNS_ANSWERED, "192.0.2.1", 60 },
	{ "two, the lower TTL", DNS_A, M(ID OK COUNTS("\2", "\0") QUESTION(A)
	    THERE RECORD(A, HOUR, "\4") "\300\0\2\1"
	    "\1A\4TEST\0" RECORD(A, MINUTE, "\4") "\300\0\2\2"),
	    DNS_ANSWERED, "192.0.2.1, 192.0.2.2", 60 },
	{ "an IPv6 address", DNS_AAAA, M(ID OK COUNTS("\1", "\0")
	    QUESTION(AAAA) THERE RECORD(AAAA, MINUTE, "\20")
	    "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\6"),
	    DNS_ANSWERED, "[2001:db8::6]", 60 },
	{ "an address of wrong length", DNS_A, M(ID OK COUNTS("\1", "\0")
	    QUESTION(A) THERE RECORD(A, MINUTE, "\5") "\300\0\2\1\0"),
	    DNS_ANSWERED, "", 60 },
	{ "records of others are passed over", DNS_A, M(ID OK
	    COUNTS("\3", "\0") QUESTION(A)
	    "\1b\4test\0" RECORD(A, MINUTE, "\4") "\300\0\2\3"
	    THERE "\0\1" "\0\3" MINUTE "\0\4" "\300\0\2\2"
	    THERE RECORD(A, MINUTE, "\4") "\300\0\2\1"),
	    DNS_ANSWERED, "192.0.2.1", 60 },
	{ "an alias and its address", DNS_A, M(ID OK COUNTS("\2", "\0")
	    QUESTION(A) THERE RECORD(CNAME, MINUTE, "\4") "\1b\300\16"
	    "\1b\4test\0" RECORD(A, HOUR, "\4") "\300\0\2\1"),
	    DNS_ANSWERED, "192.0.2.1", 60 },
	{ "in the other order", DNS_A, M(ID OK COUNTS("\2", "\0")
	    QUESTION(A) "\1b\4test\0" RECORD(A, HOUR, "\4") "\300\0\2\1"
	    THERE RECORD(CNAME, MINUTE, "\4") "\1b\300\16"),
	    DNS_ANSWERED, "192.0.2.1", 60 },
	{ "an alias alone", DNS_A, M(ID OK COUNTS("\1", "\0") QUESTION(A)
	    THERE RECORD(CNAME, MINUTE, "\4") "\1b\300\16"),
	    DNS_ALIASED, "b.test", 60 },
	{ "an alias of nothing", DNS_A, M(ID "\x81\x83" COUNTS("\1", "\0")
	    QUESTION(A) THERE RECORD(CNAME, MINUTE, "\4") "\1b\300\16"),
	    DNS_ANSWERED, "", 10 },
	{ "an alias of itself", DNS_A, M(ID OK COUNTS("\1", "\0") QUESTION(A)
	    THERE RECORD(CNAME, MINUTE, "\2") THERE),
	    DNS_ALIASED, "a.test", 60 },
	{ "an alias that is an address", DNS_A, M(ID OK COUNTS("\1", "\0")
	    QUESTION(A) THERE RECORD(CNAME, MINUTE, "\11")
	    "\1" "1\1" "2\1" "3\1" "4\0"), DNS_ANSWERED, "", 10 },
	{ "no such name", DNS_A, M(ID "\x81\x83" COUNTS("\0", "\0")
	    QUESTION(A)), DNS_ANSWERED, "", 10 },
	{ "RFC 2308: the minimum of the SOA", DNS_A, M(ID "\x81\x83"
	    COUNTS("\0", "\1") QUESTION(A) "\4test\0"
	    RECORD(SOA, HOUR, "\26") "\0\0" "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1"
	    MINUTE), DNS_ANSWERED, "", 60 },
	{ "or its TTL", DNS_A, M(ID OK COUNTS("\0", "\1") QUESTION(A)
	    "\4test\0" RECORD(SOA, "\0\0\0\5", "\26") "\0\0"
	    "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1" MINUTE),
	    DNS_ANSWERED, "", 5 },
	{ "none in its own zone", DNS_A, M(ID OWN COUNTS("\0", "\0")
	    QUESTION(A)), DNS_ANSWERED, "", 10 },
	{ "asks us to ask others", DNS_A, M(ID "\x81\x00" COUNTS("\0", "\0")
	    QUESTION(A)), DNS_USELESS, "", 0 },
	{ "RFC 2181: a TTL below zero is none", DNS_A, M(ID OK
	    COUNTS("\1", "\0") QUESTION(A)
	    THERE RECORD(A, "\200\0\0\74", "\4") "\300\0\2\1"),
	    DNS_ANSWERED, "192.0.2.1", 0 },
	{ "no longer than a day", DNS_A, M(ID OK COUNTS("\1", "\0")
	    QUESTION(A) THERE RECORD(A, "\0\77\0\0", "\4") "\300\0\2\1"),
	    DNS_ANSWERED, "192.0.2.1", 86400 },

	{ "SRV", DNS_SRV, M(ID OK COUNTS("\2", "\0") QUESTION(SRV)
	    THERE RECORD(SRV, MINUTE, "\12") "\0\1\0\2\23\304\1b" THERE
	    THERE RECORD(SRV, MINUTE, "\12") "\0\3\0\4\23\305\1C" THERE),
	    DNS_ANSWERED, "1 2 5060 b.a.test, 3 4 5061 C.a.test", 60 },
	{ "RFC 2782: no such service", DNS_SRV, M(ID OK COUNTS("\1", "\0")
	    QUESTION(SRV) THERE RECORD(SRV, MINUTE, "\7") "\0\1\0\2\0\0\0"),
	    DNS_ANSWERED, "1 2 0 ", 60 },
	{ "SRV with port 0", DNS_SRV, M(ID OK COUNTS("\1", "\0")
	    QUESTION(SRV) THERE RECORD(SRV, MINUTE, "\10")
	    "\0\1\0\2\0\0" THERE), DNS_ANSWERED, "", 60 },
	{ "SRV to an address", DNS_SRV, M(ID OK COUNTS("\1", "\0")
	    QUESTION(SRV) THERE RECORD(SRV, MINUTE, "\17")
	    "\0\1\0\2\23\304" "\1" "1\1" "2\1" "3\1" "4\0"),
	    DNS_ANSWERED, "", 60 },
	{ "SRV with bytes that are in no name", DNS_SRV, M(ID OK
	    COUNTS("\3", "\0") QUESTION(SRV)
	    THERE RECORD(SRV, MINUTE, "\12") "\0\1\0\2\23\304\2x\0" "\0"
	    THERE RECORD(SRV, MINUTE, "\13") "\0\1\0\2\23\304\3x.y\0"
	    THERE RECORD(SRV, MINUTE, "\13") "\0\1\0\2\23\304\3x\r\n\0"),
	    DNS_ANSWERED, "", 60 },
	{ "SRV cut short", DNS_SRV, M(ID OK COUNTS("\1", "\0")
	    QUESTION(SRV) THERE RECORD(SRV, MINUTE, "\4") "\0\1\0\2"),
	    DNS_USELESS, "", 0 },
	{ "SRV with more behind it", DNS_SRV, M(ID OK COUNTS("\1", "\0")
	    QUESTION(SRV) THERE RECORD(SRV, MINUTE, "\11")
	    "\0\1\0\2\23\304" THERE "x"), DNS_ANSWERED, "", 60 },

	{ "NAPTR", DNS_NAPTR, M(ID OK COUNTS("\3", "\0") QUESTION(TYPE_NAPTR)
	    THERE RECORD(TYPE_NAPTR, MINUTE, "\27") "\0\12\0\1" SIP_UDP
	    THERE RECORD(TYPE_NAPTR, MINUTE, "\27") "\0\12\0\2"
	    "\1S\7sip+d2t\0" "\1t\4test\0"
	    THERE RECORD(TYPE_NAPTR, MINUTE, "\30") "\0\11\0\3"
	    "\1s\10SIPS+D2T\0" "\1s\4test\0"), DNS_ANSWERED,
	    "10 1 udp u.test, 10 2 tcp t.test, 9 3 tls s.test", 60 },
	{ "NAPTR for something else", DNS_NAPTR, M(ID OK COUNTS("\4", "\0")
	    QUESTION(TYPE_NAPTR)
	    /* another service */
	    THERE RECORD(TYPE_NAPTR, MINUTE, "\27") "\0\12\0\1"
	    "\1s\7SIP+D2S\0" "\1u\4test\0"
	    /* no SRV record */
	    THERE RECORD(TYPE_NAPTR, MINUTE, "\27") "\0\12\0\1"
	    "\1a\7SIP+D2U\0" "\1u\4test\0"
	    /* an expression */
	    THERE RECORD(TYPE_NAPTR, MINUTE, "\30") "\0\12\0\1"
	    "\1s\7SIP+D2U\1!" "\1u\4test\0"
	    /* nowhere */
	    THERE RECORD(TYPE_NAPTR, MINUTE, "\20") "\0\12\0\1"
	    "\1s\7SIP+D2U\0" "\0"), DNS_ANSWERED, "", 60 },
	{ "NAPTR with a string that has no end", DNS_NAPTR, M(ID OK
	    COUNTS("\1", "\0") QUESTION(TYPE_NAPTR)
	    THERE RECORD(TYPE_NAPTR, MINUTE, "\5") "\0\12\0\1\377"),
	    DNS_USELESS, "", 0 },

	{ "truncated", DNS_A, M(ID "\x83\x80" COUNTS("\0", "\0")
	    QUESTION(A)), DNS_USELESS, "", 0 },
	{ "the question is not understood", DNS_A, M(ID "\x81\x81"
	    COUNTS("\0", "\0") QUESTION(A)), DNS_USELESS, "", 0 },
	{ "the server fails", DNS_A, M(ID "\x81\x82" COUNTS("\0", "\0")
	    QUESTION(A)), DNS_USELESS, "", 0 },
	{ "the server refuses", DNS_A, M(ID "\x81\x85" COUNTS("\0", "\0")
	    QUESTION(A)), DNS_USELESS, "", 0 },

	{ "another name", DNS_A, M(ID OK COUNTS("\1", "\0")
	    "\1b\4test\0" "\0\1" "\0\1"
	    THERE RECORD(A, MINUTE, "\4") "\300\0\2\1"),
	    DNS_USELESS, "", 0 },
	{ "another type", DNS_A, M(ID OK COUNTS("\1", "\0") QUESTION(SRV)
	    THERE RECORD(A, MINUTE, "\4") "\300\0\2\1"),
	    DNS_USELESS, "", 0 },
	{ "another class", DNS_A, M(ID OK COUNTS("\0", "\0")
	    "\1a\4test\0" "\0\1" "\0\3"), DNS_USELESS, "", 0 },
	{ "no question", DNS_A, M(ID OK "\0\0\0\0\0\0\0\0"),
	    DNS_USELESS, "", 0 },
	{ "two questions", DNS_A, M(ID OK "\0\2\0\0\0\0\0\0"
	    QUESTION(A) QUESTION(A)), DNS_USELESS, "", 0 },
	{ "a question, not an answer", DNS_A, M(ID "\x01\x00"
	    COUNTS("\0", "\0") QUESTION(A)), DNS_USELESS, "", 0 },
	{ "another operation", DNS_A, M(ID "\xa9\x80" COUNTS("\0", "\0")
	    QUESTION(A)), DNS_USELESS, "", 0 },
	{ "fewer records than it says", DNS_A, M(ID OK COUNTS("\2", "\0")
	    QUESTION(A) THERE RECORD(A, MINUTE, "\4") "\300\0\2\1"),
	    DNS_USELESS, "", 0 },
	{ "a record longer than the message", DNS_A, M(ID OK
	    COUNTS("\1", "\0") QUESTION(A)
	    THERE RECORD(A, MINUTE, "\5") "\300\0\2\1"),
	    DNS_USELESS, "", 0 },
	{ "a name that points to itself", DNS_A, M(ID OK COUNTS("\1", "\0")
	    "\300\14" "\0\1" "\0\1"), DNS_USELESS, "", 0 },
	{ "a name that points ahead", DNS_A, M(ID OK COUNTS("\1", "\0")
	    "\300\22" "\0\1" "\0\1" "\1a\4test\0"), DNS_USELESS, "", 0 },
	{ "an owner that leads back to itself", DNS_A, M(ID OK
	    COUNTS("\1", "\0") QUESTION(A)
	    "\1x\300\30" RECORD(A, MINUTE, "\4") "\300\0\2\1"),
	    DNS_USELESS, "", 0 },
	{ "a label of a kind that there is not", DNS_A, M(ID OK
	    COUNTS("\1", "\0") "\100a\4test\0" "\0\1" "\0\1"),
	    DNS_USELESS, "", 0 },
	{ "nothing", DNS_A, M(""), DNS_USELESS, "", 0 },
};

static const struct dns_question question = {
	.type = DNS_A, .name = "a.test"
};

static size_t
record_text(char *out, size_t size, const struct dns_answer *a, size_t i)
{
	const union dns_record *r = &a->v[i];
	char text[ADDR_TEXT_MAX];
	int n;

	if (a->type == DNS_SRV)
		n = snprintf(out, size, "%u %u %u %s", r->srv.priority,
		    r->srv.weight, r->srv.port, r->srv.host);
	else if (a->type == DNS_NAPTR)
		n = snprintf(out, size, "%u %u %s %s", r->naptr.order,
		    r->naptr.preference, transport_name(r->naptr.transport),
		    r->naptr.name);
	else
		n = snprintf(out, size, "%s",
		    addr_host_text(&r->addr, text));
	return (size_t)n;
}

static const char *
records(const struct dns_answer *a)
{
	static char out[2000];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < a->n; i++) {
		if (i > 0)
			len += (size_t)snprintf(out + len, sizeof out - len,
			    ", ");
		len += record_text(out + len, sizeof out - len, a, i);
	}
	return out;
}

/* In memory that ends where the message does. */
static enum dns_verdict
read_copy(struct dns_reply *out, const void *m, size_t len,
    enum dns_type type)
{
	struct dns_question q = question;
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	enum dns_verdict v;

	assert_non_null(copy);
	memcpy(copy, m, len);
	q.type = type;
	v = dns_reply_read(out, copy, len, &q);
	free(copy);
	return v;
}

static void
what_is_read(void **state)
{
	struct dns_reply r;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum dns_verdict v = read_copy(&r, cases[i].m, cases[i].len,
		    cases[i].type);
		const char *text = v == DNS_ALIASED ? r.alias :
		    v == DNS_ANSWERED ? records(&r.answer) : "";

		if (v != cases[i].want || strcmp(text, cases[i].records) != 0)
			fail_msg("%s: %d, %s", cases[i].what, v, text);
		if ((v == DNS_ANSWERED || v == DNS_ALIASED) &&
		    r.answer.ttl_s != cases[i].ttl_s)
			fail_msg("%s: %u s", cases[i].what, r.answer.ttl_s);
	}
}

/* What was cut off somewhere is not taken for the whole. */
static void
cut_anywhere(void **state)
{
	struct dns_reply r;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (cases[i].want != DNS_ANSWERED || cases[i].records[0] == 0)
			continue;
		for (size_t len = 0; len < cases[i].len; len++)
			if (read_copy(&r, cases[i].m, len, cases[i].type) !=
			    DNS_USELESS)
				fail_msg("%s, cut to %zu", cases[i].what,
				    len);
	}
}

/* One byte changed to all that it may be: read to an end, within bounds. */
static void
changed_anywhere(void **state)
{
	uint8_t m[300];
	struct dns_reply r;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(cases[i].len <= sizeof m);
		for (size_t at = 0; at < cases[i].len; at++) {
			memcpy(m, cases[i].m, cases[i].len);
			for (int byte = 0; byte < 256; byte++) {
				m[at] = (uint8_t)byte;
				read_copy(&r, m, cases[i].len,
				    cases[i].type);
				assert_true(r.answer.n <= DNS_RECORDS_MAX);
			}
		}
	}
}

static void
put(uint8_t *m, size_t *len, const void *p, size_t n)
{
	memcpy(m + *len, p, n);
	*len += n;
}

/* More SRV records than are kept: those of the lowest priority are. */
static void
the_first_ones_are_kept(void **state)
{
	static const char head[] = ID OK "\0\1" "\0\50" "\0\0\0\0"
	    QUESTION(SRV);
	static const char one[] = THERE RECORD(SRV, MINUTE, "\10");
	uint8_t m[1000];
	struct dns_reply r;
	unsigned seen = 0;
	size_t len = 0;

	(void)state;
	put(m, &len, head, sizeof head - 1);
	for (unsigned i = 0; i < 40; i++) {
		const uint8_t data[8] = { 0, (uint8_t)(40 - i), 0, 0, 0x13,
			(uint8_t)i, 0xc0, 12 };

		put(m, &len, one, sizeof one - 1);
		put(m, &len, data, sizeof data);
	}
	assert_int_equal(read_copy(&r, m, len, DNS_SRV), DNS_ANSWERED);
	assert_int_equal(r.answer.n, DNS_RECORDS_MAX);
	for (size_t i = 0; i < r.answer.n; i++)
		seen |= 1u << r.answer.v[i].srv.priority;
	assert_int_equal(seen, 0x1fffe);
}

/* 255 bytes at most (RFC 1035 section 2.3.4), however it is put together:
 * seven labels of 31 letters, with those of the question 231 bytes, and one
 * more for the rest. */
static void
a_name_has_a_longest_length(void **state)
{
	static const struct {
		uint8_t		last;
		enum dns_verdict want;
	} lengths[] = { { 22, DNS_ANSWERED }, { 23, DNS_USELESS } };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		static const char head[] = ID OK COUNTS("\1", "\0")
		    QUESTION(A);
		static const char tail[] = THERE RECORD(A, MINUTE, "\4")
		    "\300\0\2\1";
		uint8_t m[400];
		struct dns_reply r;
		size_t len = 0;

		put(m, &len, head, sizeof head - 1);
		for (int k = 0; k < 7; k++) {
			m[len] = 31;
			memset(m + len + 1, 'x', 31);
			len += 32;
		}
		m[len] = lengths[i].last;
		memset(m + len + 1, 'x', lengths[i].last);
		len += lengths[i].last + 1u;
		put(m, &len, tail, sizeof tail - 1);
		assert_int_equal(read_copy(&r, m, len, DNS_A),
		    lengths[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(changed_anywhere),
		cmocka_unit_test(the_first_ones_are_kept),
		cmocka_unit_test(a_name_has_a_longest_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
