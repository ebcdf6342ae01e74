/* Transactions: what is sent and when, what is absorbed, what stays. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/count.h"
#include "transaction_rig.h"

enum {
	POLL_MS = 2,
	LATE = 25,		/* in T1: what a busy machine may add */
	MANY = 3000
};

/* ---- the life of one transaction, as tables ---- */

enum op { END, RESPONSE, RESPOND, AGAIN, ACK, RELEASE, STATE, PAUSE };

struct step {
	unsigned	 after;		/* this many were sent */
	enum op		 op;
	int		 arg;		/* status; T1 of PAUSE */
};

enum what { INVITE_CLIENT, OTHER_CLIENT, ORPHAN_CLIENT, INVITE_SERVER,
    OTHER_SERVER };

struct life {
	const char	*what;
	enum what	 kind;
	bool		 stream;
	struct step	 step[10];
	const char	*want;		/* sent, and what calls said */
	unsigned	 lasts;		/* T1 until it is gone */
};

/* One of them under way; its number is its key and its port. */
struct run {
	const struct life *life;
	struct rig	*rig;
	uint64_t	 key;
	const struct step *next;
	struct server	*server;
	unsigned	 sends;
	int64_t		 began_ms, pause_ms, gone_ms;
	char		 said[512];
};

#define R2(s)	s " " s " "
#define R9(s)	R2(s) R2(s) R2(s) R2(s) s " "

static const struct life lives[] = {
	{ "INVITE, nobody answers (A, B)", INVITE_CLIENT, false, { { 0 } },
	    R2("INVITE") R2("INVITE") R2("INVITE") "INVITE !timeout ", 64 },
	{ "INVITE over TCP, nobody answers (B)", INVITE_CLIENT, true,
	    { { 0 } }, "INVITE !timeout ", 64 },
	{ "MESSAGE, nobody answers (E, F)", OTHER_CLIENT, false, { { 0 } },
	    R9("MESSAGE") R2("MESSAGE") "!timeout ", 64 },
	{ "MESSAGE over TCP, nobody answers (F)", OTHER_CLIENT, true,
	    { { 0 } }, "MESSAGE !timeout ", 64 },
	{ "MESSAGE, a provisional answer: E is T2", OTHER_CLIENT, false,
	    { { 1, RESPONSE, 100 } },
	    "MESSAGE >pass MESSAGE " R2("MESSAGE") R2("MESSAGE")
	    R2("MESSAGE") "MESSAGE !timeout ", 64 },
	{ "INVITE, a provisional answer: no A, no B", INVITE_CLIENT, false,
	    { { 2, RESPONSE, 100 }, { 0, PAUSE, 66 }, { 0, RESPONSE, 180 },
	    { 0, RESPONSE, 200 } },
	    "INVITE INVITE >pass >pass >pass ", 67 },
	{ "INVITE, refused: ACK and its repeats (D)", INVITE_CLIENT, false,
	    { { 1, RESPONSE, 486 }, { 0, RESPONSE, 486 },
	    { 0, RESPONSE, 180 }, { 0, RESPONSE, 486 }, { 0, PAUSE, 40 },
	    { 0, RESPONSE, 486 }, { 0, RESPONSE, 200 } },
	    "INVITE ACK >pass ACK >absorbed >absorbed ACK >absorbed "
	    "ACK >absorbed >stray ", 64 },
	{ "INVITE over TCP, refused: gone", INVITE_CLIENT, true,
	    { { 1, RESPONSE, 180 }, { 0, RESPONSE, 486 } },
	    "INVITE >pass ACK >pass ", 0 },
	{ "INVITE, accepted: gone", INVITE_CLIENT, false,
	    { { 1, RESPONSE, 200 } }, "INVITE >pass ", 0 },
	{ "MESSAGE, answered: gone", OTHER_CLIENT, false,
	    { { 2, RESPONSE, 404 } }, "MESSAGE MESSAGE >pass ", 1 },
	{ "CANCEL that nobody waits for", ORPHAN_CLIENT, false, { { 0 } },
	    R9("MESSAGE") R2("MESSAGE"), 64 },
	{ "CANCEL, answered", ORPHAN_CLIENT, false,
	    { { 1, RESPONSE, 200 } }, "MESSAGE >absorbed ", 0 },
	{ "INVITE, let go: sent no more", INVITE_CLIENT, false,
	    { { 2, RELEASE, 0 } }, "INVITE INVITE ", 65 },
	{ "INVITE, let go and refused: acknowledged", INVITE_CLIENT, false,
	    { { 1, RELEASE, 0 }, { 0, RESPONSE, 180 }, { 0, PAUSE, 20 },
	    { 0, RESPONSE, 487 }, { 0, RESPONSE, 487 } },
	    "INVITE >absorbed ACK >absorbed ACK >absorbed ", 84 },
	{ "INVITE, let go while it rings", INVITE_CLIENT, false,
	    { { 1, RESPONSE, 180 }, { 0, RELEASE, 0 } },
	    "INVITE >pass ", 64 },
	{ "INVITE over TCP, let go and refused", INVITE_CLIENT, true,
	    { { 1, RELEASE, 0 }, { 0, RESPONSE, 487 } },
	    "INVITE ACK >absorbed ", 0 },
	{ "INVITE, let go and accepted", INVITE_CLIENT, false,
	    { { 1, RELEASE, 0 }, { 0, RESPONSE, 200 } },
	    "INVITE >stray ", 0 },
	{ "MESSAGE, let go: gone", OTHER_CLIENT, false,
	    { { 1, RELEASE, 0 } }, "MESSAGE ", 0 },

	{ "INVITE asked, repeats get the last answer", INVITE_SERVER, false,
	    { { 0, AGAIN, 0 }, { 0, RESPOND, 100 }, { 0, AGAIN, 0 },
	    { 0, RESPOND, 180 }, { 0, AGAIN, 0 }, { 0, STATE, 0 },
	    { 0, ACK, 0 }, { 0, RESPOND, 486 }, { 0, STATE, 0 },
	    { 0, RELEASE, 0 } },
	    "100 100 180 180 :proceeding >no 486 :completed " R9("486")
	    "486 ", 64 },
	{ "INVITE accepted: 2xx pass, nothing is repeated (L)",
	    INVITE_SERVER, false,
	    { { 0, RESPOND, 180 }, { 0, RESPOND, 200 }, { 0, AGAIN, 0 },
	    { 0, RESPOND, 200 }, { 0, RESPOND, 486 }, { 0, ACK, 0 },
	    { 0, RELEASE, 0 }, { 0, STATE, 0 }, { 0, RESPOND, 200 } },
	    "180 200 200 >already >no :accepted 200 ", 64 },
	{ "INVITE over TCP accepted (L)", INVITE_SERVER, true,
	    { { 0, RESPOND, 200 }, { 0, RELEASE, 0 } }, "200 ", 64 },
	{ "INVITE refused and acknowledged (G, I)", INVITE_SERVER, false,
	    { { 0, RESPOND, 486 }, { 0, RELEASE, 0 }, { 3, ACK, 0 },
	    { 0, STATE, 0 }, { 0, AGAIN, 0 }, { 0, ACK, 0 } },
	    "486 486 486 >acked :confirmed >acked ", 13 },
	{ "INVITE refused over TCP, no ACK (H)", INVITE_SERVER, true,
	    { { 0, RESPOND, 486 }, { 0, AGAIN, 0 }, { 0, RELEASE, 0 } },
	    "486 ", 64 },
	{ "INVITE refused over TCP, acknowledged: gone", INVITE_SERVER, true,
	    { { 0, RESPOND, 486 }, { 0, RELEASE, 0 }, { 0, ACK, 0 } },
	    "486 >acked ", 0 },
	{ "MESSAGE answered (J)", OTHER_SERVER, false,
	    { { 0, RESPOND, 200 }, { 0, RESPOND, 404 }, { 0, AGAIN, 0 },
	    { 0, RELEASE, 0 }, { 0, AGAIN, 0 }, { 0, ACK, 0 },
	    { 0, STATE, 0 } },
	    "200 >already 200 200 >no :completed ", 64 },
	{ "MESSAGE answered over TCP: gone", OTHER_SERVER, true,
	    { { 0, RESPOND, 200 }, { 0, AGAIN, 0 }, { 0, RELEASE, 0 } },
	    "200 ", 0 },
	{ "nobody answers the INVITE", INVITE_SERVER, false,
	    { { 0, RESPOND, 100 }, { 0, RELEASE, 0 }, { 0, AGAIN, 0 },
	    { 0, ACK, 0 }, { 0, STATE, 0 } }, "100 >no :accepted ", 64 },
	{ "nobody answers the MESSAGE", OTHER_SERVER, false,
	    { { 0, AGAIN, 0 }, { 0, RELEASE, 0 }, { 0, AGAIN, 0 } },
	    "", 64 },
	{ "kept while the owner holds it", INVITE_SERVER, false,
	    { { 0, RESPOND, 486 }, { 11, PAUSE, 8 }, { 0, AGAIN, 0 },
	    { 0, RELEASE, 0 } }, "486 486 " R9("486") "486 ", 71 },
};

static void
say(struct run *r, const char *text)
{
	size_t n = strlen(r->said);

	snprintf(r->said + n, sizeof r->said - n, "%s ", text);
}

static void
hear(struct rig *rig, const struct hop *h, const char *text, size_t len)
{
	struct run *r = (struct run *)rig->test + (h->addr.port - 1);
	char copy[32];

	snprintf(copy, sizeof copy, "%.*s", (int)len, text);
	say(r, copy);
	r->sends++;
}

static void
run_failed(void *owner, enum client_failure why)
{
	say(owner, why == CLIENT_TIMEOUT ? "!timeout" : "!transport");
}

static const struct client_hooks run_hooks = { run_failed };

static bool
is_client(const struct run *r)
{
	return r->life->kind < INVITE_SERVER;
}

static struct client *
client_of(const struct run *r)
{
	return client_find(r->rig->ts, r->key, r->life->kind ==
	    INVITE_CLIENT ? CLIENT_INVITE : CLIENT_OTHER);
}

static struct server *
server_of(const struct run *r)
{
	return server_find(r->rig->ts, r->key, r->life->kind ==
	    INVITE_SERVER ? SERVER_INVITE : SERVER_OTHER);
}

/* As the pipeline does: first the ACK, then the verdict. */
static void
take_response(struct run *r, int status)
{
	static const char *const verdict[] = { [CLIENT_PASS] = ">pass",
	    [CLIENT_ABSORBED] = ">absorbed", [CLIENT_STRAY] = ">stray" };
	struct client *c = client_of(r);

	assert_non_null(c);
	if (r->life->kind == INVITE_CLIENT && status >= 300 &&
	    client_request(c).len > 0) {
		assert_true(str_is(client_request(c), "INVITE"));
		client_ack(c, "ACK", 3);
		assert_int_equal(client_request(c).len, 0);
	}
	say(r, verdict[client_response(c, status)]);
}

static void
respond(struct run *r, struct server *s, int status)
{
	char text[8];

	snprintf(text, sizeof text, "%d", status);
	switch (server_respond(s, status, text, 3)) {
	case 0:		break;
	case -EALREADY:	say(r, ">already"); break;
	default:	say(r, ">failed");
	}
}

static void
server_step(struct run *r, const struct step *step)
{
	static const char *const name[] = {
		[SERVER_PROCEEDING] = ":proceeding",
		[SERVER_ACCEPTED] = ":accepted",
		[SERVER_COMPLETED] = ":completed",
		[SERVER_CONFIRMED] = ":confirmed" };
	struct server *s = server_of(r);

	assert_non_null(s);
	if (step->op == RESPOND)
		respond(r, s, step->arg);
	else if (step->op == AGAIN)
		server_again(s);
	else if (step->op == ACK)
		say(r, server_acked(s) ? ">acked" : ">no");
	else if (step->op == RELEASE)
		server_release(s);
	else
		say(r, name[server_state(s)]);
}

/* All of them. */
struct look {
	struct rig		*rig;
	struct loop_timer	*timer;
	struct run		 runs[COUNT(lives)];
};

/* The steps whose time has come. */
static void
go_on(struct run *r)
{
	int64_t now_ms = clock_mono_ms();

	for (; r->next->op != END; r->next++) {
		if (r->sends < r->next->after || now_ms < r->pause_ms)
			return;
		if (r->next->op == PAUSE)
			r->pause_ms = now_ms + r->next->arg * T1_MS;
		else if (r->next->op == RESPONSE)
			take_response(r, r->next->arg);
		else if (is_client(r))
			client_release(client_of(r));
		else
			server_step(r, r->next);
	}
}

static void
look(void *arg)
{
	struct look *all = arg;
	size_t gone = 0;

	for (size_t i = 0; i < COUNT(all->runs); i++) {
		struct run *r = &all->runs[i];

		go_on(r);
		if (r->gone_ms == 0 && (is_client(r) ? client_of(r) == NULL :
		    server_of(r) == NULL))
			r->gone_ms = clock_mono_ms();
		gone += r->gone_ms != 0;
	}
	if (gone == COUNT(all->runs))
		loop_stop(all->rig->loop);
	else
		loop_timer_start(all->timer, POLL_MS);
}

static void
begin_client(struct run *r, struct hop hop)
{
	struct client_conf conf = {
		.key = r->key,
		.kind = r->life->kind == INVITE_CLIENT ? CLIENT_INVITE :
		    CLIENT_OTHER,
		.hop = hop,
		.hooks = &run_hooks,
		.owner = r->life->kind == ORPHAN_CLIENT ? NULL : r,
	};
	const char *text = r->life->kind == INVITE_CLIENT ? "INVITE" :
	    "MESSAGE";
	int error;

	r->rig->opens = r->life->stream ? 1000 + hop.addr.port : 0;
	assert_non_null(client_new(r->rig->ts, &conf, text, strlen(text),
	    &error));
	assert_int_equal(error, 0);
}

static void
begin_server(struct run *r, struct hop hop)
{
	struct server_conf conf = {
		.key = r->key,
		.kind = r->life->kind == INVITE_SERVER ? SERVER_INVITE :
		    SERVER_OTHER,
		.back = hop,
		.owner = r,
	};

	conf.back.connection = r->life->stream ? 1000 + hop.addr.port : 0;
	assert_non_null(server_new(r->rig->ts, &conf));
	assert_ptr_equal(server_owner(server_of(r)), r);
}

static void
judge(const struct run *r)
{
	const struct life *l = r->life;
	int64_t lasted = (r->gone_ms - r->began_ms) / T1_MS;

	if (strcmp(r->said, l->want) != 0 || lasted < l->lasts ||
	    lasted > l->lasts + LATE)
		fail_msg("%s: %s(want %s), %d T1 (want %u)", l->what, r->said,
		    l->want, (int)lasted, l->lasts);
}

/* All at once, so that the test lasts as long as one of them. */
static void
each_lives_as_it_must(void **state)
{
	struct rig *rig = *state;
	struct look all = { .rig = rig };
	struct run *runs = all.runs;

	rig->test = runs;
	rig->on_send = hear;
	for (size_t i = 0; i < COUNT(lives); i++) {
		struct hop hop = { .addr = rig_addr((unsigned)i + 1) };
		struct run *r = &runs[i];

		*r = (struct run){ .life = &lives[i], .rig = rig,
		    .key = i + 1, .next = lives[i].step,
		    .began_ms = clock_mono_ms() };
		if (is_client(r))
			begin_client(r, hop);
		else
			begin_server(r, hop);
	}
	all.timer = loop_timer_new(rig->loop, look, &all);
	look(&all);
	assert_true(rig_run(rig, 0));
	loop_timer_free(all.timer);
	for (size_t i = 0; i < COUNT(lives); i++)
		judge(&runs[i]);
	assert_int_equal(rig_open_now(rig), 0);
	assert_int_equal(rig_count(rig, "transaction_timeouts_total", NULL),
	    5);
	assert_int_equal(rig_count(rig, "transaction_retransmissions_total",
	    "absorbed"), 19);
	assert_int_equal(rig_count(rig, "transaction_retransmissions_total",
	    "sent"), 68);
}

/* ---- when requests are sent again ---- */

struct schedule {
	size_t		 n;
	int64_t		 at_ms[16];
};

static struct schedule heard;		/* by note_time() */

static void
note_time(struct rig *rig, const struct hop *h, const char *text, size_t len)
{
	(void)rig;
	(void)h;
	(void)text;
	(void)len;
	if (heard.n < COUNT(heard.at_ms))
		heard.at_ms[heard.n++] = clock_mono_ms();
}

static void
requests_are_sent_again_not_before_time(void **state)
{
	static const unsigned due[2][12] = {
		[CLIENT_INVITE] = { 0, 1, 3, 7, 15, 31, 63, 0 },
		[CLIENT_OTHER] = { 0, 1, 3, 7, 15, 23, 31, 39, 47, 55, 63, 0 },
	};
	struct rig *rig = *state;
	struct hop hop = { .addr = rig_addr(1) };

	rig->on_send = note_time;
	for (int kind = CLIENT_INVITE; kind <= CLIENT_OTHER; kind++) {
		int64_t t0 = clock_mono_ms();

		heard.n = 0;
		rig->stop_at = rig->failed + 1;
		assert_non_null(rig_ask(rig, 1, kind, hop));
		assert_true(rig_run(rig, 0));
		for (size_t i = 0; i == 0 || due[kind][i] != 0; i++) {
			assert_in_range(i, 0, heard.n - 1);
			assert_true(heard.at_ms[i] - t0 >=
			    due[kind][i] * T1_MS);
		}
	}
}

/* ---- keys ---- */

static void
keys_tell_everything_apart(void **state)
{
	static const struct transaction_id ids[] = {
		{ { "ab", 2 }, { "c", 1 }, { "d", 1 }, 1 },
		{ { "a", 1 }, { "bc", 2 }, { "d", 1 }, 1 },
		{ { "ab", 2 }, { "", 0 }, { "cd", 2 }, 1 },
		{ { "ab", 2 }, { "cd", 2 }, { "", 0 }, 1 },
		{ { NULL, 0 }, { "c", 1 }, { "d", 1 }, 1 },
		{ { "ab", 2 }, { "c", 1 }, { "d", 1 }, 2 },
		{ { "aB", 2 }, { "c", 1 }, { "d", 1 }, 1 },
		{ { "c", 1 }, { "ab", 2 }, { "d", 1 }, 1 },
	};
	struct rig *rig = *state, other = *rig;
	uint64_t key[COUNT(ids)];

	for (size_t i = 0; i < COUNT(ids); i++) {
		key[i] = transaction_key(rig->ts, &ids[i]);
		assert_int_not_equal(key[i], 0);
		assert_true(key[i] == transaction_key(rig->ts, &ids[i]));
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(key[i], key[k]);
	}
	other.metrics = metrics_new();
	other.ts = rig_open(&other);
	assert_true(transaction_key(other.ts, &ids[0]) != key[0]);
	transactions_free(other.ts);
	metrics_free(other.metrics);
}

static void
one_of_a_key_and_kind(void **state)
{
	struct rig *rig = *state;
	struct hop hop = { .addr = rig_addr(1) };
	struct server_conf server = { .key = 1, .kind = SERVER_INVITE,
	    .back = hop };
	struct client_conf client = { 1, CLIENT_INVITE, hop, &rig_hooks, rig };
	struct server *s = server_new(rig->ts, &server);
	int error;

	assert_non_null(s);
	assert_null(server_new(rig->ts, &server));
	assert_null(server_find(rig->ts, 1, SERVER_OTHER));
	assert_null(server_find(rig->ts, 2, SERVER_INVITE));
	assert_null(client_find(rig->ts, 1, CLIENT_INVITE));
	server.kind = SERVER_OTHER;
	assert_non_null(server_new(rig->ts, &server));
	assert_ptr_equal(server_find(rig->ts, 1, SERVER_INVITE), s);
	assert_non_null(client_new(rig->ts, &client, "x", 1, &error));
	assert_int_equal(error, 0);
	assert_null(client_new(rig->ts, &client, "x", 1, &error));
	assert_int_equal(error, -EEXIST);
	assert_int_equal(rig->sends, 1);
	client.kind = CLIENT_OTHER;		/* its CANCEL */
	assert_non_null(client_new(rig->ts, &client, "x", 1, &error));
}

static void
many_are_found(void **state)
{
	struct rig *rig = *state;
	struct server_conf conf = { .kind = SERVER_OTHER, .back = {
	    .addr = rig_addr(1), .connection = 1 } };

	for (unsigned i = 1; i <= MANY; i++) {
		conf.key = i * UINT64_C(0x9e3779b97f4a7c15);
		assert_non_null(server_new(rig->ts, &conf));
	}
	assert_int_equal(rig_count(rig, "transactions", "server"), MANY);
	for (unsigned i = 1; i <= MANY; i++) {
		struct server *s = server_find(rig->ts, i *
		    UINT64_C(0x9e3779b97f4a7c15), SERVER_OTHER);

		assert_non_null(s);
		assert_int_equal(server_respond(s, 200, "200", 3), 0);
		server_release(s);		/* over a stream: gone */
		assert_null(server_find(rig->ts, i *
		    UINT64_C(0x9e3779b97f4a7c15), SERVER_OTHER));
	}
	assert_int_equal(rig_open_now(rig), 0);
}

int
main(void)
{
#define RIG_TEST(f) \
	cmocka_unit_test_setup_teardown(f, rig_set_up, rig_tear_down)
	const struct CMUnitTest tests[] = {
		RIG_TEST(each_lives_as_it_must),
		RIG_TEST(requests_are_sent_again_not_before_time),
		RIG_TEST(keys_tell_everything_apart),
		RIG_TEST(one_of_a_key_and_kind),
		RIG_TEST(many_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
