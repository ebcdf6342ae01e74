/* Signed tokens: round trips, and that nothing else opens. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/count.h"
#include "route/token.h"

enum { NOW_S = 1700000000, MAX_S = 43200 };

/* SHA-256 over a key and the parts stands in for auth/keys. */
struct test_keys {
	uint8_t	key[2];
};

static void
test_mac(void *arg, unsigned which, bool path, const struct str *part,
    unsigned n, uint8_t out[TOKEN_MAC_BYTES])
{
	const struct test_keys *k = arg;
	const uint8_t head[2] = { k->key[which], path };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL);
	EVP_DigestUpdate(ctx, head, sizeof head);
	for (unsigned i = 0; i < n; i++)
		EVP_DigestUpdate(ctx, part[i].p, part[i].len);
	EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
}

static struct test_keys one_key = { { 1, 0 } };
static struct test_keys both_keys = { { 2, 1 } };
static struct test_keys other_key = { { 3, 0 } };
static const struct token_signer signer = { test_mac, &one_key, 1 };
static const struct token_signer rolled = { test_mac, &both_keys, 2 };
static const struct token_signer stranger = { test_mac, &other_key, 1 };

#define CALL_ID "a84b4c76e66710@pc33.example.com"
#define CALLER "1928301774"
#define CALLEE "a6c85cf"

static struct side
side(enum side_kind kind, const char *ip, uint16_t port)
{
	struct side s = { .kind = kind };

	if (kind == SIDE_PEER) {
		s.peer = peer_id("pbx");
		return s;
	}
	assert_true(addr_parse_host(&s.addr, str_of(ip)));
	s.addr.port = port;
	s.transport = TRANSPORT_TCP;
	if (kind == SIDE_FLOW) {
		s.listener = 65535;
		s.connection = 0xdeadbeef;
		s.instance = 513;
	}
	return s;
}

/* A flow that other instances can reach. */
static struct side
held(struct side s, const char *inside, uint16_t port)
{
	assert_true(addr_parse_host(&s.inside, str_of(inside)));
	s.inside.port = port;
	s.inside_transport = TRANSPORT_TLS;
	return s;
}

static struct dialog_token
sample(void)
{
	struct dialog_token t = {
		.issued_s = NOW_S, .flags = TOKEN_CALLER_DIGEST,
		.user = "alice", .callee_user = "bob"
	};

	t.caller = side(SIDE_FLOW, "192.0.2.7", 5062);
	t.callee = side(SIDE_PEER, "10.0.0.5", 5060);
	return t;
}

/* The next request of the caller. */
static const struct token_bearer bearer = {
	{ CALL_ID, sizeof CALL_ID - 1 }, { CALLER, sizeof CALLER - 1 },
	{ CALLEE, sizeof CALLEE - 1 }, NOW_S, MAX_S
};

static size_t
seal(const struct dialog_token *t, char *text)
{
	size_t n = dialog_token_seal(&signer, t, str_of(CALL_ID),
	    str_of(CALLER), text);

	assert_int_equal(n, strlen(text));
	return n;
}

static enum token_verdict
open_from(const struct token_signer *s, const char *text, const char *from,
    const char *to)
{
	const struct token_bearer by = { str_of(CALL_ID), str_of(from),
		str_of(to), NOW_S, MAX_S };
	struct dialog_token t;
	bool from_is_caller;

	return dialog_token_open(s, str_of(text), &by, &t, &from_is_caller);
}

static void
assert_same_side(const struct side *a, const struct side *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->peer, b->peer);
	assert_int_equal(a->listener, b->listener);
	assert_int_equal(a->connection, b->connection);
	if (a->kind != SIDE_NONE) {
		assert_int_equal(a->transport, b->transport);
		assert_true(addr_same(&a->addr, &b->addr));
	}
	assert_int_equal(a->instance, b->instance);
	assert_int_equal(a->inside_transport, b->inside_transport);
	assert_true(addr_same(&a->inside, &b->inside));
}

static void
dialogs_come_back_as_they_went(void **state)
{
	static const struct {
		enum side_kind	 caller, callee;
		const char	*caller_ip, *callee_ip, *user, *inside;
	} cases[] = {
		{ SIDE_FLOW, SIDE_PEER, "192.0.2.7", "10.0.0.5", "alice",
		    "10.0.0.1" },
		{ SIDE_PEER, SIDE_FLOW, "2001:db8::5", "192.0.2.7", "", "" },
		{ SIDE_ADDR, SIDE_NONE, "2001:db8::5", "::", "x", "" },
		{ SIDE_NONE, SIDE_ADDR, "0.0.0.0", "255.255.255.255", "",
		    "" },
		{ SIDE_FLOW, SIDE_FLOW, "::1", "2001:db8:1:2:3:4:5:6", "é",
		    "fd00::1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dialog_token t = { .issued_s = NOW_S }, back;
		char text[TOKEN_TEXT_MAX + 1];
		bool from_is_caller = false;

		t.caller = side(cases[i].caller, cases[i].caller_ip, 1);
		t.callee = side(cases[i].callee, cases[i].callee_ip, 65535);
		if (t.caller.kind == SIDE_FLOW)
			t.caller = held(t.caller, cases[i].inside, 5061);
		t.flags = (uint8_t)i;
		strcpy(t.user, cases[i].user);
		seal(&t, text);
		assert_int_equal(dialog_token_open(&signer, str_of(text),
		    &bearer, &back, &from_is_caller), TOKEN_OK);
		assert_true(from_is_caller);
		assert_int_equal(back.issued_s, t.issued_s);
		assert_int_equal(back.flags, t.flags);
		assert_string_equal(back.user, t.user);
		assert_same_side(&back.caller, &t.caller);
		assert_same_side(&back.callee, &t.callee);
	}
}

/* The layout on the wire, byte by byte, as the header draws it. */
static void
the_layout_is_the_one_drawn(void **state)
{
	static const uint8_t want[] = {
		3, 0, 0x65, 0x53, 0xf1, 0x00,
		2, 0xff, 0xff, 0xde, 0xad, 0xbe, 0xef,
		1, 4, 192, 0, 2, 7, 0x13, 0xc6,
		2, 1, 2, 4, 10, 0, 0, 1, 0x13, 0xc5,
		1, 0xa6, 0x3d, 0x5a, 0x00,
		5, 11, 12, 13, 14, 15, 16, 17, 18,
		5, 'a', 'l', 'i', 'c', 'e', 3, 'b', 'o', 'b'
	};
	struct dialog_token t = sample();
	char text[TOKEN_TEXT_MAX + 1];
	uint8_t bytes[sizeof want + 16];

	(void)state;
	t.caller = held(t.caller, "10.0.0.1", 5061);
	t.callee.peer = 0xa63d5a00;
	t.flags |= TOKEN_COUNTED;
	for (uint8_t i = 0; i < TOKEN_CALL_BYTES; i++)
		t.call[i] = 11 + i;
	seal(&t, text);
	assert_int_equal(base64url_decode(bytes, sizeof bytes, str_of(text)),
	    sizeof bytes);
	assert_memory_equal(bytes, want, sizeof want);
}

/* One that is not counted has no number. */
static void
a_counted_call_has_a_number(void **state)
{
	static const uint8_t none[TOKEN_CALL_BYTES];
	struct dialog_token t = sample(), back;
	char text[TOKEN_TEXT_MAX + 1];
	bool from_is_caller;

	(void)state;
	memset(t.call, 7, sizeof t.call);
	memset(t.before, 8, sizeof t.before);
	for (unsigned i = 0; i < 4; i++) {
		t.flags = (i & 1 ? TOKEN_COUNTED : 0) |
		    (i & 2 ? TOKEN_BEHIND : 0);
		seal(&t, text);
		assert_int_equal(dialog_token_open(&signer, str_of(text),
		    &bearer, &back, &from_is_caller), TOKEN_OK);
		assert_int_equal(back.flags, t.flags);
		assert_memory_equal(back.call, i & 1 ? t.call : none,
		    sizeof none);
		assert_memory_equal(back.before, i & 2 ? t.before : none,
		    sizeof none);
		assert_string_equal(back.user, t.user);
	}
}

static bool
bind_to(const struct token_signer *s, const char *text,
    const char *const tags[3], char *out)
{
	const struct dialog_tags t = { str_of(tags[0]), str_of(tags[1]),
		str_of(tags[2]) };

	return dialog_token_bind(s, str_of(text), &t, out);
}

static void
a_bound_one_is_of_one_dialog(void **state)
{
	static const char *const right[3] = { CALL_ID, CALLER, CALLEE };
	static const char *const wrong[][3] = { { "x", CALLER, CALLEE },
		{ CALL_ID, "x", CALLEE }, { CALL_ID, CALLEE, CALLER } };
	struct dialog_token t = sample();
	char text[TOKEN_TEXT_MAX + 1], bound[TOKEN_TEXT_MAX + 1];
	char again[TOKEN_TEXT_MAX + 1];

	(void)state;
	seal(&t, text);
	assert_false(bind_to(&signer, text, right, bound));	/* no call's */
	t.flags |= TOKEN_CALL;
	seal(&t, text);
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(bind_to(&signer, text, wrong[i], bound));
	assert_false(bind_to(&stranger, text, right, bound));
	assert_true(bind_to(&signer, text, right, bound));
	assert_int_equal(strlen(bound), strlen(text));
	assert_false(bind_to(&signer, bound, right, again));
	assert_int_equal(open_from(&signer, bound, CALLER, CALLEE), TOKEN_OK);
	assert_int_equal(open_from(&signer, bound, CALLEE, CALLER), TOKEN_OK);
	/* of another dialog of the call, or of another call */
	assert_int_equal(open_from(&signer, bound, CALLER, "x"),
	    TOKEN_OF_CALL);
	assert_int_equal(open_from(&signer, bound, CALLER, ""),
	    TOKEN_OF_CALL);
	assert_int_equal(open_from(&signer, bound, "x", CALLER),
	    TOKEN_OF_CALL);
	assert_int_equal(open_from(&signer, bound, "x", CALLEE),
	    TOKEN_FOREIGN);
	assert_int_equal(open_from(&signer, text, CALLER, "x"), TOKEN_OK);
	/* the first key signs, whichever signed before */
	assert_true(bind_to(&rolled, text, right, again));
	assert_int_equal(open_from(&rolled, again, CALLER, CALLEE), TOKEN_OK);
	assert_int_equal(open_from(&signer, again, CALLER, CALLEE),
	    TOKEN_FOREIGN);
}

static void
every_flipped_bit_is_refused(void **state)
{
	struct dialog_token t = sample();
	char text[TOKEN_TEXT_MAX + 1], bent[TOKEN_TEXT_MAX + 1];
	uint8_t bytes[300];
	int n;

	(void)state;
	seal(&t, text);
	n = base64url_decode(bytes, sizeof bytes, str_of(text));
	assert_true(n > 0);
	for (int bit = 0; bit < 8 * n; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		base64url_encode(bent, bytes, (size_t)n);
		assert_int_equal(open_from(&signer, bent, CALLER, CALLEE),
		    TOKEN_FOREIGN);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	base64url_encode(bent, bytes, (size_t)n);
	assert_int_equal(open_from(&signer, bent, CALLER, CALLEE), TOKEN_OK);
}

/* The end of it says whose dialog of the call it is. */
static void
every_flipped_bit_takes_a_bound_one_out_of_its_dialog(void **state)
{
	static const char *const right[3] = { CALL_ID, CALLER, CALLEE };
	struct dialog_token t = sample();
	char text[TOKEN_TEXT_MAX + 1], bound[TOKEN_TEXT_MAX + 1];
	uint8_t bytes[300];
	int n;

	(void)state;
	t.flags |= TOKEN_CALL;
	seal(&t, text);
	assert_true(bind_to(&signer, text, right, bound));
	n = base64url_decode(bytes, sizeof bytes, str_of(bound));
	assert_true(n > 0);
	for (int bit = 0; bit < 8 * n; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		base64url_encode(text, bytes, (size_t)n);
		assert_int_equal(open_from(&signer, text, CALLER, CALLEE),
		    bit / 8 < n - 8 ? TOKEN_FOREIGN : TOKEN_OF_CALL);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void
every_other_length_is_refused(void **state)
{
	struct dialog_token t = sample();
	char text[TOKEN_TEXT_MAX + 1], longer[TOKEN_TEXT_MAX + 8];
	struct dialog_token back;
	bool from_is_caller;
	size_t n;

	(void)state;
	n = seal(&t, text);
	for (size_t len = 0; len < n; len++)
		assert_int_equal(dialog_token_open(&signer,
		    (struct str){ text, len }, &bearer, &back,
		    &from_is_caller), TOKEN_FOREIGN);
	for (size_t more = 1; more < 5; more++) {
		snprintf(longer, sizeof longer, "%s%.*s", text, (int)more,
		    "AAAAA");
		assert_int_equal(open_from(&signer, longer, CALLER, CALLEE),
		    TOKEN_FOREIGN);
	}
}

static void
only_its_own_dialog_opens_it(void **state)
{
	static const struct {
		const char		*what, *call_id, *from, *to;
		enum token_verdict	 want;
		bool			 from_is_caller;
	} cases[] = {
		{ "caller sends", CALL_ID, CALLER, CALLEE, TOKEN_OK, true },
		{ "callee sends", CALL_ID, CALLEE, CALLER, TOKEN_OK, false },
		{ "no answer yet", CALL_ID, CALLER, "", TOKEN_OK, true },
		{ "other Call-ID", "a84b4c76e66710", CALLER, CALLEE,
		    TOKEN_FOREIGN, false },
		{ "Call-ID in another case", "A84B4C76E66710@pc33.example.com",
		    CALLER, CALLEE, TOKEN_FOREIGN, false },
		{ "other tags", CALL_ID, "x", "y", TOKEN_FOREIGN, false },
		{ "no tags", CALL_ID, "", "", TOKEN_FOREIGN, false },
		{ "moved boundary", CALL_ID "1", "928301774", CALLEE,
		    TOKEN_FOREIGN, false },
	};
	struct dialog_token t = sample(), back;
	char text[TOKEN_TEXT_MAX + 1];

	(void)state;
	seal(&t, text);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct token_bearer by = { str_of(cases[i].call_id),
			str_of(cases[i].from), str_of(cases[i].to), NOW_S,
			MAX_S };
		bool from_is_caller = false;
		enum token_verdict v = dialog_token_open(&signer,
		    str_of(text), &by, &back, &from_is_caller);

		if (v != cases[i].want)
			fail_msg("%s: %d", cases[i].what, v);
		if (v == TOKEN_OK)
			assert_int_equal(from_is_caller,
			    cases[i].from_is_caller);
	}
}

static void
it_ends_with_dialog_max(void **state)
{
	static const struct {
		int64_t			now_s;
		enum token_verdict	want;
	} cases[] = {
		{ NOW_S, TOKEN_OK },
		{ NOW_S + MAX_S, TOKEN_OK },
		{ NOW_S + MAX_S + 1, TOKEN_EXPIRED },
		{ NOW_S + INT64_C(10) * 365 * 86400, TOKEN_EXPIRED },
		{ NOW_S - 2, TOKEN_OK },	/* a clock that is behind */
	};
	struct dialog_token t = sample(), back;
	struct token_bearer by = bearer;
	char text[TOKEN_TEXT_MAX + 1];
	bool from_is_caller;

	(void)state;
	seal(&t, text);
	for (size_t i = 0; i < COUNT(cases); i++) {
		by.now_s = cases[i].now_s;
		assert_int_equal(dialog_token_open(&signer, str_of(text),
		    &by, &back, &from_is_caller), cases[i].want);
	}
	/* A forged one is foreign, never "expired". */
	text[0] ^= 1;
	by.now_s = NOW_S + MAX_S + 1;
	assert_int_equal(dialog_token_open(&signer, str_of(text), &by, &back,
	    &from_is_caller), TOKEN_FOREIGN);
}

static void
both_masters_open_and_the_first_seals(void **state)
{
	struct dialog_token t = sample();
	char text[TOKEN_TEXT_MAX + 1];

	(void)state;
	seal(&t, text);
	assert_int_equal(open_from(&rolled, text, CALLER, CALLEE), TOKEN_OK);
	assert_int_equal(open_from(&stranger, text, CALLER, CALLEE),
	    TOKEN_FOREIGN);
	dialog_token_seal(&rolled, &t, str_of(CALL_ID), str_of(CALLER), text);
	assert_int_equal(open_from(&rolled, text, CALLER, CALLEE), TOKEN_OK);
	assert_int_equal(open_from(&signer, text, CALLER, CALLEE),
	    TOKEN_FOREIGN);
}

static void
the_user_has_a_bound(void **state)
{
	struct dialog_token t = sample();
	char text[TOKEN_TEXT_MAX + 1];

	(void)state;
	t.caller = t.callee = held(side(SIDE_FLOW, "2001:db8::1", 1),
	    "2001:db8::2", 2);
	memset(t.callee_user, 'v', TOKEN_USER_MAX);
	t.callee_user[TOKEN_USER_MAX] = '\0';
	memset(t.user, 'u', TOKEN_USER_MAX);
	t.user[TOKEN_USER_MAX] = '\0';
	t.flags = TOKEN_COUNTED | TOKEN_BEHIND;
	assert_true(seal(&t, text) <= TOKEN_TEXT_MAX);
	assert_int_equal(open_from(&signer, text, CALLER, CALLEE), TOKEN_OK);
	t.user[TOKEN_USER_MAX] = 'u';			/* and no end */
	assert_int_equal(dialog_token_seal(&signer, &t, str_of(CALL_ID),
	    str_of(CALLER), text), 0);
}

static struct path_token
path_sample(const char *contact)
{
	struct path_token t = { .registrar = peer_id("pbx") };

	t.flow = side(SIDE_FLOW, "192.0.2.7", 5062);
	strcpy(t.contact, contact);
	return t;
}

static void
paths_come_back_as_they_went(void **state)
{
	static const char *const contact[] = {
		"", "sip:alice@192.168.1.20:5062;transport=tcp"
	};

	(void)state;
	for (size_t i = 0; i < COUNT(contact); i++) {
		struct path_token t = path_sample(contact[i]), back;
		char text[PATH_TOKEN_TEXT_MAX + 1];
		char again[PATH_TOKEN_TEXT_MAX + 1];
		size_t n = path_token_seal(&signer, &t, text);

		assert_true(n > 0);
		assert_int_equal(n, strlen(text));
		path_token_seal(&signer, &t, again);
		assert_string_equal(text, again);	/* no new binding */
		assert_int_equal(path_token_open(&signer, str_of(text),
		    &back), TOKEN_OK);
		assert_same_side(&back.flow, &t.flow);
		assert_int_equal(back.registrar, t.registrar);
		assert_string_equal(back.contact, contact[i]);
		assert_int_equal(path_token_open(&rolled, str_of(text),
		    &back), TOKEN_OK);
		assert_int_equal(path_token_open(&stranger, str_of(text),
		    &back), TOKEN_FOREIGN);
	}
}

static void
every_flipped_bit_of_a_path_is_refused(void **state)
{
	struct path_token t = path_sample("sip:a@b"), back;
	char text[PATH_TOKEN_TEXT_MAX + 1], bent[PATH_TOKEN_TEXT_MAX + 1];
	uint8_t bytes[300];
	int n;

	(void)state;
	path_token_seal(&signer, &t, text);
	n = base64url_decode(bytes, sizeof bytes, str_of(text));
	assert_true(n > 0);
	for (int bit = 0; bit < 8 * n; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		base64url_encode(bent, bytes, (size_t)n);
		assert_int_equal(path_token_open(&signer, str_of(bent),
		    &back), TOKEN_FOREIGN);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < strlen(text); len++)
		assert_int_equal(path_token_open(&signer,
		    (struct str){ text, len }, &back), TOKEN_FOREIGN);
}

static void
the_contact_has_a_bound(void **state)
{
	struct path_token t = path_sample(""), back;
	char text[PATH_TOKEN_TEXT_MAX + 1];

	(void)state;
	t.flow = held(side(SIDE_FLOW, "2001:db8::1", 1), "2001:db8::2", 2);
	memset(t.user, 'u', TOKEN_USER_MAX);
	memset(t.contact, 'c', TOKEN_URI_MAX);
	t.contact[TOKEN_URI_MAX] = '\0';
	assert_true(path_token_seal(&signer, &t, text) > 0);
	assert_int_equal(path_token_open(&signer, str_of(text), &back),
	    TOKEN_OK);
	assert_string_equal(back.contact, t.contact);
	assert_true(path_token_is_like(str_of(text)));
	t.contact[TOKEN_URI_MAX] = 'c';
	assert_int_equal(path_token_seal(&signer, &t, text), 0);
}

static void
one_kind_never_opens_as_the_other(void **state)
{
	struct path_token p = path_sample(""), path_back;
	struct dialog_token t = sample();
	char text[PATH_TOKEN_TEXT_MAX + 1];

	(void)state;
	path_token_seal(&signer, &p, text);
	assert_int_equal(open_from(&signer, text, CALLER, CALLEE),
	    TOKEN_FOREIGN);
	assert_true(path_token_is_like(str_of(text)));
	seal(&t, text);
	assert_int_equal(path_token_open(&signer, str_of(text), &path_back),
	    TOKEN_FOREIGN);
	assert_false(path_token_is_like(str_of(text)));
}

/* What is signed by us and yet not as we write it: a fault of another
 * version, which must not be believed. */
static void
signed_nonsense_is_refused(void **state)
{
	static const struct {
		const char	*what;
		uint8_t		 body[64];
		size_t		 n;
	} cases[] = {
		{ "side of no kind", { 4, 0, 4, 0,0,0,0, 0,0, 0 }, 10 },
		{ "no transport", { 4, 0, 3, 3, 4, 1,2,3,4, 0,5,
		    0,0,0,0, 0,0, 0 }, 18 },
		{ "address of 5 bytes", { 4, 0, 3, 0, 5, 1,2,3,4,5, 0,5,
		    0,0,0,0, 0,0, 0 }, 19 },
		{ "IPv4 the long way", { 4, 0, 3, 0, 16, 0,0,0,0,0,0,0,0,0,0,
		    0xff,0xff,1,2,3,4, 0,5, 0,0,0,0, 0,0, 0 }, 30 },
		{ "a flow that nobody has", { 4, 0, 2, 0,1, 0,0,0,7,
		    0, 4, 1,2,3,4, 0,5, 0,0,0,0, 0,0, 0 }, 24 },
		{ "held at no port", { 4, 0, 2, 0,1, 0,0,0,7,
		    0, 4, 1,2,3,4, 0,5, 0,1, 0,4, 1,2,3,5, 0,0,
		    0,0,0,0, 0,0, 0 }, 34 },
		{ "held nowhere over TCP", { 4, 0, 2, 0,1, 0,0,0,7,
		    0, 4, 1,2,3,4, 0,5, 0,1, 1,0, 0,0,0,0, 0,0, 0 }, 28 },
		{ "text past the end", { 4, 0, 0, 0,0,0,0, 0,1 }, 9 },
		{ "bytes left over", { 4, 0, 0, 0,0,0,0, 0,0, 0, 0 }, 11 },
		{ "NUL in text", { 4, 0, 0, 0,0,0,0, 0,2, 'a',0, 0 }, 12 },
		{ "the version before", { 2, 0, 0, 0,0,0,0, 0,0, 0 }, 10 },
		{ "a dialog's version", { 3, 0, 0, 0,0,0,0, 0,0, 0 }, 10 },
		{ "nothing", { 0 }, 0 },
	};
	static const uint8_t good[] = { 4, 0, 2, 0,1, 0,0,0,7,
		0, 4, 1,2,3,4, 0,5, 0,1, 0,0, 0,0,0,0, 0,0, 0 };

	(void)state;
	for (size_t i = 0; i <= COUNT(cases); i++) {
		const uint8_t *body = i < COUNT(cases) ? cases[i].body : good;
		size_t n = i < COUNT(cases) ? cases[i].n : sizeof good;
		struct str part = { (const char *)body, n };
		uint8_t bytes[128], mac[TOKEN_MAC_BYTES];
		char text[256];
		struct path_token back;
		enum token_verdict v;

		test_mac(&one_key, 0, true, &part, 1, mac);
		memcpy(bytes, body, n);
		memcpy(bytes + n, mac, 16);
		base64url_encode(text, bytes, n + 16);
		v = path_token_open(&signer, str_of(text), &back);
		if (v != (i < COUNT(cases) ? TOKEN_FOREIGN : TOKEN_OK))
			fail_msg("%s: %d", i < COUNT(cases) ? cases[i].what :
			    "good", v);
	}
}

/* Vectors of the FNV authors for 32-bit FNV-1a. */
static void
peer_ids_are_fnv1a(void **state)
{
	(void)state;
	assert_int_equal(peer_id(""), 0x811c9dc5);
	assert_int_equal(peer_id("a"), 0xe40c292c);
	assert_int_equal(peer_id("foobar"), 0xbf9cf968);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialogs_come_back_as_they_went),
		cmocka_unit_test(the_layout_is_the_one_drawn),
		cmocka_unit_test(a_counted_call_has_a_number),
		cmocka_unit_test(a_bound_one_is_of_one_dialog),
		cmocka_unit_test(every_flipped_bit_is_refused),
		cmocka_unit_test(
		    every_flipped_bit_takes_a_bound_one_out_of_its_dialog),
		cmocka_unit_test(every_other_length_is_refused),
		cmocka_unit_test(only_its_own_dialog_opens_it),
		cmocka_unit_test(it_ends_with_dialog_max),
		cmocka_unit_test(both_masters_open_and_the_first_seals),
		cmocka_unit_test(the_user_has_a_bound),
		cmocka_unit_test(paths_come_back_as_they_went),
		cmocka_unit_test(every_flipped_bit_of_a_path_is_refused),
		cmocka_unit_test(the_contact_has_a_bound),
		cmocka_unit_test(one_kind_never_opens_as_the_other),
		cmocka_unit_test(signed_nonsense_is_refused),
		cmocka_unit_test(peer_ids_are_fnv1a),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
