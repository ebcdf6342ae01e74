/* Routes: what the file may say, and which one a request takes. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "file_text.h"
#include "route/routes.h"

struct file {
	struct conf_groups	peers, routes, egress;
};

static const struct conf_opt file_opts[] = {
	{ "peers", CONF_T_GROUPS, offsetof(struct file, peers),
	    .opts = peer_opts, .size = sizeof(struct peer_conf) },
	{ "routes", CONF_T_GROUPS, offsetof(struct file, routes),
	    .opts = route_opts, .size = sizeof(struct route_conf) },
	{ "egress", CONF_T_GROUPS, offsetof(struct file, egress),
	    .opts = egress_opts, .size = sizeof(struct egress_conf) },
	CONF_END
};

/* Three peers: both ways, only a target, only a source. */
#define PEERS								       \
	"peers = ("							       \
	"{ name = \"pbx\"; uri = \"sip:127.0.0.5\"; from = \"127.0.0.5\"; },"   \
	"{ name = \"carrier\"; uri = \"sip:127.0.0.6\"; },"		       \
	"{ name = \"gate\"; from = \"127.0.0.7\"; } );\n"

/* In the same line, since lines are counted. */
#define EGRESS								       \
	"egress = ( { name = \"gates\"; "				       \
	"deny = ( { net = \"10.0.0.0/8\"; } ); } ); "

struct rig {
	struct file_text	 f;
	struct peers		*ps;
	struct egress		*egress;
	struct routes		*rs;
};

static void
load(struct rig *rig, const char *text)
{
	struct file file;

	rig->ps = NULL;
	rig->egress = NULL;
	rig->rs = NULL;
	if (file_text_open(&rig->f, text, file_opts, &file) != 0)
		return;
	rig->ps = peers_new(rig->f.conf, &file.peers);
	if (rig->ps == NULL)
		fail_msg("%s", rig->f.said);
	rig->egress = egress_new(rig->f.conf, &file.egress);
	if (rig->egress == NULL)
		fail_msg("%s", rig->f.said);
	rig->rs = routes_new(rig->f.conf, &file.routes,
	    &(struct routes_world){ rig->ps, rig->egress });
}

static void
unload(struct rig *rig)
{
	routes_free(rig->rs);
	egress_free(rig->egress);
	peers_free(rig->ps);
	conf_free(rig->f.conf);
}

static void
wrong_files_are_complained_about(void **state)
{
	static const struct { const char *text, *said; } cases[] = {
		{ "routes = ( { from = \"pbx\"; } );",
		    "test:2: routes: this route has neither to nor reject "
		    "nor redirect" },
		{ "routes = ( { to = \"pbx\"; reject = 403; } );",
		    "test:2: routes: of to, reject and redirect a route has "
		    "one only" },
		{ "routes = (\n{ to = \"pbxx\"; } );",
		    "test:3: routes.to: there is no peer \"pbxx\"" },
		{ "routes = ( { from = \"pbxx\"; to = \"pbx\"; } );",
		    "test:2: routes.from: there is no peer \"pbxx\"" },
		{ "routes = ( { from = [ \"pbx\",\n\"pbxx\" ]; "
		    "to = \"pbx\"; } );",
		    "test:3: routes.from: there is no peer \"pbxx\"" },
		{ "routes = ( { to = \"gate\"; } );",
		    "peer \"gate\" has no uri" },
		{ "routes = ( { from = \"carrier\"; to = \"pbx\"; } );",
		    "peer \"carrier\" has no from" },
		{ "routes = ( { to = [ \"pbx\", \"request-uri\" ]; } );",
		    "\"request-uri\" must stand alone" },
		{ "routes = ( { to = [ \"pbx\", \"pbx\" ]; } );",
		    "\"pbx\" stands there twice" },
		{ "routes = ( { to = [ \"pbx\", \"a\", \"b\", \"c\", \"d\", "
		    "\"e\", \"f\", \"g\", \"h\" ]; } );",
		    "routes.to: more than 8" },
		{ "routes = ( { to = [ ]; } );", "routes.to: is empty" },
		{ "routes = ( { from = [ ]; to = \"pbx\"; } );",
		    "routes.from: is empty" },
		{ "routes = ( { method = [ ]; to = \"pbx\"; } );",
		    "routes.method: is empty" },
		{ "routes = ( { prefix = [ ]; to = \"pbx\"; } );",
		    "routes.prefix: is empty" },
		{ "routes = ( { uri = \"sips:*\"; to = \"pbx\"; } );",
		    "write \"sip:\"" },
		{ "routes = ( { uri = \"+49*\"; to = \"pbx\"; } );",
		    "routes.uri: must start with" },
		{ "routes = ( { from_uri = \"bob@*\"; to = \"pbx\"; } );",
		    "routes.from_uri: must start with" },
		{ "routes = ( { uri_regex = \"sip:(\"; to = \"pbx\"; } );",
		    "test:2: routes.uri_regex: missing closing parenthesis, "
		    "after 5 characters" },
		{ "routes = ( { uri_regex = \"(1)(2)(3)(4)(5)(6)(7)(8)(9)"
		    "(0)\"; to = \"pbx\"; } );",
		    "routes.uri_regex: more than 9 groups" },
		{ "routes = ( { method = \"IN VITE\"; to = \"pbx\"; } );",
		    "\"IN VITE\" is no method" },
		{ "routes = ( { method = \"ACK\"; to = \"pbx\"; } );",
		    "ACK goes where its INVITE went" },
		{ "routes = ( { prefix = \"+49x\"; to = \"pbx\"; } );",
		    "routes.prefix: \"+49x\" is not digits" },
		{ "routes = ( { prefix = \"49+\"; to = \"pbx\"; } );",
		    "routes.prefix: \"49+\" is not digits" },
		{ "routes = ( { to = \"pbx\";\negress = \"gats\"; } );",
		    "test:2: routes.egress: there is no list \"gats\"" },
		{ "routes = ( { reject = 403; egress = \"gates\"; } );",
		    "routes.egress: goes with to" },
		{ "routes = ( { reject = 200; } );",
		    "routes.reject: out of range: 400 to 699" },
		{ "routes = ( { reject = 407; } );",
		    "407 is a challenge" },
		{ "routes = ( { to = \"pbx\"; phrase = \"No\"; } );",
		    "routes.phrase: goes with reject" },
		{ "routes = ( { redirect = \"http://example.com\"; } );",
		    "routes.redirect: \"http://example.com\" is not a URI" },
		{ "routes = ( { redirect = \"sip:a>b@example.com\"; } );",
		    "is not a URI" },
		{ "routes = ( { redirect = \"sip:\\\\1@example.com\"; } );",
		    "\\1 goes with a uri_regex" },
		{ "routes = ( { uri_regex = \"(.*)\"; "
		    "redirect = \"sip:\\\\2@example.com\"; } );",
		    "uri_regex has no group 2" },
		{ "routes = ( { uri_regex = \"(.*)\"; "
		    "redirect = \"sip:\\\\x@example.com\"; } );",
		    "a backslash stands before something else" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[1024];
		struct rig rig;

		snprintf(text, sizeof text, "%s%s%s", PEERS, EGRESS,
		    cases[i].text);
		load(&rig, text);
		if (rig.rs != NULL)
			fail_msg("taken: %s", cases[i].text);
		if (strstr(rig.f.said, cases[i].said) == NULL)
			fail_msg("%s\nsaid: %s", cases[i].text, rig.f.said);
		unload(&rig);
	}
}

static const char table[] = PEERS EGRESS
	"routes = (\n"						/* line 2 */
	"{ from = \"pbx\"; uri = \"sip:+*@*\"; to = \"carrier\"; },\n"
	"{ from = \"pbx\"; uri = \"sip:echo@*\"; to = \"pbx\"; },\n"
	"{ from = \"pbx\"; to = \"request-uri\"; },\n"		/* 5 */
	"{ uri = \"tel:*\"; to = \"carrier\"; },\n"
	"{ uri = \"*@relay.example\"; to = \"request-uri\"; },\n"
	"{ uri = \"*@nowhere.example\"; to = \"carrier\"; },\n"
	"{ prefix = [ \"+1900\", \"0900\" ]; reject = 603; },\n"
	"{ class = \"staff\"; prefix = \"+\"; to = \"carrier\"; "
	    "egress = \"gates\"; },\n"				/* 10 */
	"{ method = [ \"MESSAGE\", \"PUBLISH\" ]; reject = 405; "
	    "phrase = \"Not here\"; },\n"
	"{ listener = \"inside\"; to = [ \"pbx\", \"carrier\" ]; },\n"
	"{ from_uri = \"sip:door@*\"; to = [ \"carrier\", \"pbx\" ]; },\n"
	"{ uri_regex = \"(?i)sip:q([0-9]+)(x)?@.*\"; "
	    "redirect = \"sip:\\\\1@queue.example;x=\\\\2\"; },\n"
	"{ uri_regex = \"sip:(z+)+!@.*\"; to = \"carrier\"; },\n"	/* 15 */
	"{ from = [ \"gate\", \"strangers\" ]; uri = \"*@out.example\"; "
	    "to = \"request-uri\"; },\n"
	"{ from = \"strangers\"; uri = \"sip:any@*\"; "
	    "to = \"request-uri\"; egress = \"none\"; },\n"
	"{ to = \"pbx\"; } );";					/* 18 */

static const struct choice_case {
	const char		*what, *source;
	struct {
		const char	*uri, *number, *method, *from, *listener,
				*class;
		bool		 proved, foreign;
	} q;
	enum route_verdict	 want;
	int			 line;
	const char		*peers;		/* in order */
	const char		*egress;
} choices[] = {
	{ "a number of the PBX", "pbx", { .uri = "sip:+4930@example.com" },
	    ROUTE_PEER, 3, "carrier", NULL },
	{ "any other URI of the PBX", "pbx", { .uri = "sip:bob@example.com" },
	    ROUTE_REQUEST_URI, 5, "", "default" },
	{ "back to where it came from, since the route says so", "pbx",
	    { .uri = "sip:echo@example.com" }, ROUTE_PEER, 4, "pbx", NULL },
	{ "case of letters", "pbx", { .uri = "sip:ECHO@example.com" },
	    ROUTE_PEER,
	    4, "pbx", NULL },
	{ "a stranger's number", NULL, { .uri = "sip:+4930@example.com" },
	    ROUTE_PEER, 18, "pbx", NULL },
	{ "tel", NULL, { .uri = "tel:+4930" }, ROUTE_PEER, 6, "carrier", NULL },
	/* No open relay: a stranger goes past line 7, a peer not. */
	{ "a stranger to the relay", NULL, { .uri = "sip:x@relay.example",
	    .proved = true }, ROUTE_PEER, 18, "pbx", NULL },
	{ "a peer to the relay", "gate", { .uri = "sip:x@relay.example" },
	    ROUTE_REQUEST_URI, 7, "", "default" },
	{ "no from, to a peer", "gate", { .uri = "sip:x@nowhere.example" },
	    ROUTE_PEER, 8, "carrier", NULL },
	{ "a prefix", NULL, { .uri = "sip:b@e",
	    .number = "+19005" }, ROUTE_REJECT, 9, "",
	    NULL },
	{ "the second prefix", NULL, { .uri = "sip:b@e",
	    .number = "09001" }, ROUTE_REJECT, 9,
	    "", NULL },
	{ "a part of a prefix", NULL, { .uri = "sip:b@e",
	    .number = "+190" }, ROUTE_PEER, 18,
	    "pbx", NULL },
	{ "a class", NULL, { .uri = "sip:b@e",
	    .number = "+49", .class = "staff" },
	    ROUTE_PEER, 10, "carrier", "gates" },
	{ "another class", NULL, { .uri = "sip:b@e",
	    .number = "+49", .class = "guest" },
	    ROUTE_PEER, 18, "pbx", NULL },
	{ "a class, no number", NULL, { .uri = "sip:b@e", .class = "staff" },
	    ROUTE_PEER, 18, "pbx", NULL },
	{ "a method", NULL, { .uri = "sip:b@e", .method = "PUBLISH" },
	    ROUTE_REJECT, 11, "", NULL },
	{ "a method's case counts", NULL, { .uri = "sip:b@e",
	    .method = "publish" }, ROUTE_PEER, 18, "pbx", NULL },
	{ "a listener, side by side", NULL, { .uri = "sip:b@e",
	    .listener = "inside" }, ROUTE_PEER, 12, "pbx carrier", NULL },
	{ "side by side, but not back", "gate", { .uri = "sip:b@e",
	    .from = "sip:door@x" }, ROUTE_PEER, 13, "carrier pbx", NULL },
	{ "an expression", NULL, { .uri = "sip:Q12@e" }, ROUTE_REDIRECT, 14, "",
	    NULL },
	{ "an expression is for the whole", NULL, { .uri = "sip:q12y@e" },
	    ROUTE_PEER, 18, "pbx", NULL },
	{ "an expression that explodes", NULL,
	    { .uri = "sip:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz@e" },
	    ROUTE_GAVE_UP, 15, "", NULL },
	{ "a user to a foreign domain", NULL, { .uri = "sip:x@out.example",
	    .proved = true, .foreign = true }, ROUTE_REQUEST_URI, 16, "",
	    "default" },
	{ "nobody to a foreign domain", NULL, { .uri = "sip:x@out.example",
	    .foreign = true }, ROUTE_NONE, 0, "", NULL },
	{ "what is ours does not go out", NULL, { .uri = "sip:x@out.example",
	    .proved = true }, ROUTE_PEER, 18, "pbx", NULL },
	{ "another foreign domain", NULL, { .uri = "sip:x@evil.example",
	    .proved = true, .foreign = true }, ROUTE_NONE, 0, "", NULL },
	{ "no list", NULL, { .uri = "sip:any@evil.example", .proved = true,
	    .foreign = true }, ROUTE_REQUEST_URI, 17, "", NULL },
	{ "a peer that from names besides", "gate",
	    { .uri = "sip:x@out.example" },
	    ROUTE_REQUEST_URI, 16, "", "default" },
};

static struct route_query
query_of(const struct rig *rig, const struct choice_case *c)
{
	return (struct route_query){
		.source = c->source == NULL ? NULL :
		    peers_by_name(rig->ps, c->source),
		.uri = str_of(c->q.uri), .number = str_of(c->q.number),
		.digits = { str_of("7"), str_of(c->q.number) },
		.nreadings = 2,
		.method = str_of(c->q.method == NULL ? "INVITE" :
		    c->q.method),
		.from_uri = str_of(c->q.from == NULL ? "sip:a@b" :
		    c->q.from),
		.listener = c->q.listener == NULL ? "public" : c->q.listener,
		.class = c->q.class, .proved = c->q.proved,
		.foreign = c->q.foreign
	};
}

static const char *
names_of(const struct route_choice *c, char out[64])
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < c->npeers; i++)
		n += (size_t)snprintf(out + n, 64 - n, "%s%s",
		    i == 0 ? "" : " ", c->peer[i]->name);
	return out;
}

static bool
same_list(const struct egress_list *l, const char *name)
{
	return l == NULL || name == NULL ? l == NULL && name == NULL :
	    strcmp(egress_name(l), name) == 0;
}

/* What is explained must be what is done. */
static void
check_reasons(const struct rig *rig, const struct route_query *q,
    const struct route_choice *c, const char *what)
{
	size_t n = c->verdict == ROUTE_NONE ? routes_count(rig->rs) :
	    c->index;

	for (size_t i = 0; i < n; i++)
		if (routes_why_not(rig->rs, i, q) == NULL)
			fail_msg("%s: line %d fits, too", what,
			    routes_line(rig->rs, i));
	if (c->verdict != ROUTE_NONE &&
	    (routes_line(rig->rs, n) != c->line ||
	    (routes_why_not(rig->rs, n, q) == NULL) !=
	    (c->verdict != ROUTE_GAVE_UP)))
		fail_msg("%s: explained otherwise", what);
}

static void
the_first_that_fits_is_taken(void **state)
{
	struct rig rig;

	(void)state;
	load(&rig, table);
	if (rig.rs == NULL || rig.f.said[0] != '\0')
		fail_msg("%s", rig.f.said);
	for (size_t i = 0; i < COUNT(choices); i++) {
		const struct choice_case *want = &choices[i];
		struct route_query q = query_of(&rig, want);
		struct route_choice c = routes_choose(rig.rs, &q);
		char names[64];

		if (c.verdict != want->want || c.line != want->line ||
		    strcmp(names_of(&c, names), want->peers) != 0 ||
		    !same_list(c.egress, want->egress))
			fail_msg("%s: verdict %d, line %d, to \"%s\"",
			    want->what, c.verdict, c.line, names);
		check_reasons(&rig, &q, &c, want->what);
	}
	unload(&rig);
}

static void
strangers_are_let_out_by_name_only(void **state)
{
	struct rig rig;

	(void)state;
	load(&rig, table);
	assert_true(routes_let_out(rig.rs));
	unload(&rig);
	load(&rig, PEERS "routes = ( { to = \"request-uri\"; }, "
	    "{ from = \"strangers\"; to = \"pbx\"; } );");
	assert_false(routes_let_out(rig.rs));
	unload(&rig);
}

static void
what_a_route_answers(void **state)
{
	static const struct {
		const char	*uri, *number, *method;
		int		 status;
		const char	*phrase, *contact;
	} cases[] = {
		{ "sip:b@e", "0900", "INVITE", 603, NULL, NULL },
		{ "sip:b@e", "", "MESSAGE", 405, "Not here", NULL },
		{ "sip:q12@e", "", "INVITE", 0, NULL,
		    "sip:12@queue.example;x=" },
		{ "sip:Q7x@e", "", "INVITE", 0, NULL,
		    "sip:7@queue.example;x=x" },
	};
	struct rig rig;

	(void)state;
	load(&rig, table);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct route_query q = { .uri = str_of(cases[i].uri),
			.number = str_of(cases[i].number),
			.digits = { str_of(cases[i].number) },
			.nreadings = 1,
			.method = str_of(cases[i].method) };
		struct route_choice c = routes_choose(rig.rs, &q);
		char text[64];
		struct writer w = writer_on(text, sizeof text - 1);

		assert_int_equal(c.status, cases[i].status);
		if (cases[i].phrase == NULL)
			assert_null(c.phrase);
		else
			assert_string_equal(c.phrase, cases[i].phrase);
		if (cases[i].contact == NULL)
			continue;
		route_redirect(&c, &q, &w);
		text[w.len] = '\0';
		assert_string_equal(text, cases[i].contact);
	}
	unload(&rig);
}

/* Which of them are said never to fit, by their lines. */
static void
hidden_routes_are_warned_of(void **state)
{
	static const struct { const char *routes, *lines; } cases[] = {
		{ "{ to = \"pbx\"; },\n{ uri = \"sip:a@*\"; to = \"carrier\"; "
		    "}", "" },		/* the PBX's own pass the first */
		{ "{ reject = 403; },\n{ uri = \"sip:a@*\"; to = \"carrier\"; "
		    "}", "3" },
		{ "{ to = \"carrier\"; },\n{ from = \"pbx\"; to = \"pbx\"; },\n"
		    "{ from = \"strangers\"; to = \"pbx\"; }", "34" },
		{ "{ to = \"carrier\"; },\n{ from = \"strangers\"; "
		    "to = \"request-uri\"; }", "" },
		{ "{ from = \"pbx\"; to = \"carrier\"; },\n"
		    "{ from = [ \"pbx\", \"gate\" ]; to = \"pbx\"; },\n"
		    "{ from = \"gate\"; class = \"x\"; to = \"pbx\"; }",
		    "4" },
		{ "{ method = \"INVITE\"; to = \"carrier\"; },\n"
		    "{ method = \"INVITE\"; to = \"pbx\"; }", "" },
		{ "{ to = \"request-uri\"; },\n{ from = \"pbx\"; "
		    "to = \"pbx\"; },\n{ from = \"strangers\"; "
		    "to = \"pbx\"; }", "3" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[1024], want[256] = "";
		struct rig rig;

		snprintf(text, sizeof text, PEERS "routes = ( %s );",
		    cases[i].routes);
		for (const char *p = cases[i].lines; *p != '\0'; p++)
			snprintf(want + strlen(want),
			    sizeof want - strlen(want), "test:%c: routes: "
			    "warning: never fits: routes before it take "
			    "all that could\n", *p);
		load(&rig, text);
		assert_non_null(rig.rs);
		assert_string_equal(rig.f.said, want);
		unload(&rig);
	}
}

static void
no_way_back_and_no_match_is_none(void **state)
{
	struct rig rig;
	struct route_query q = { .uri = str_of("sip:a@b") };

	(void)state;
	load(&rig, PEERS "routes = ( { to = \"pbx\"; } );");
	assert_non_null(rig.rs);
	assert_int_equal(routes_choose(rig.rs, &q).verdict, ROUTE_PEER);
	q.source = peers_by_name(rig.ps, "pbx");
	assert_int_equal(routes_choose(rig.rs, &q).verdict, ROUTE_NONE);
	unload(&rig);

	load(&rig, PEERS);
	assert_non_null(rig.rs);
	q.source = NULL;
	assert_int_equal(routes_choose(rig.rs, &q).verdict, ROUTE_NONE);
	unload(&rig);
	routes_free(NULL);
}

struct filled {
	struct file_text	 f;
	struct file		 file;
};

/* From what was read before: peers, and then routes. */
static bool
build(void *arg)
{
	struct filled *in = arg;
	struct peers *ps = peers_new(in->f.conf, &in->file.peers);
	struct egress *e = egress_new(in->f.conf, &in->file.egress);
	struct routes *rs = ps == NULL || e == NULL ? NULL :
	    routes_new(in->f.conf, &in->file.routes,
	    &(struct routes_world){ ps, e });

	routes_free(rs);
	egress_free(e);
	peers_free(ps);
	return rs != NULL;
}

static void
lack_of_memory_is_said(void **state)
{
	struct filled in;

	(void)state;
	assert_int_equal(file_text_open(&in.f, PEERS EGRESS
	    "routes = ( { from = \"pbx\"; uri_regex = \"a\"; "
	    "to = \"pbx\"; } );", file_opts, &in.file), 0);
	assert_int_equal(failing_alloc_each(build, &in), 0);
	assert_non_null(strstr(in.f.said, "test: peers: no memory"));
	assert_non_null(strstr(in.f.said, "test: egress: no memory"));
	assert_non_null(strstr(in.f.said, "test: routes: no memory"));
	assert_non_null(strstr(in.f.said, "routes.uri_regex: no memory"));
	conf_free(in.f.conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_files_are_complained_about),
		cmocka_unit_test(the_first_that_fits_is_taken),
		cmocka_unit_test(strangers_are_let_out_by_name_only),
		cmocka_unit_test(what_a_route_answers),
		cmocka_unit_test(hidden_routes_are_warned_of),
		cmocka_unit_test(no_way_back_and_no_match_is_none),
		cmocka_unit_test(lack_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
