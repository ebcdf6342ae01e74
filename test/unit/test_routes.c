/* Routes: what the file may say, and which one a request takes. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_alloc.h"
#include "file_text.h"
#include "route/routes.h"

#define COUNT(a) (sizeof (a) / sizeof (a)[0])

struct file {
	struct conf_groups	peers, routes;
};

static const struct conf_opt file_opts[] = {
	{ "peers", CONF_T_GROUPS, offsetof(struct file, peers),
	    .opts = peer_opts, .size = sizeof(struct peer_conf) },
	{ "routes", CONF_T_GROUPS, offsetof(struct file, routes),
	    .opts = route_opts, .size = sizeof(struct route_conf) },
	CONF_END
};

/* Three peers: both ways, only a target, only a source. */
#define PEERS								       \
	"peers = ("							       \
	"{ name = \"pbx\"; uri = \"sip:127.0.0.5\"; from = \"127.0.0.5\"; },"   \
	"{ name = \"carrier\"; uri = \"sip:127.0.0.6\"; },"		       \
	"{ name = \"gate\"; from = \"127.0.0.7\"; } );\n"

struct rig {
	struct file_text	 f;
	struct peers		*ps;
	struct routes		*rs;
};

static void
load(struct rig *rig, const char *text)
{
	struct file file;

	rig->ps = NULL;
	rig->rs = NULL;
	if (file_text_open(&rig->f, text, file_opts, &file) != 0)
		return;
	rig->ps = peers_new(rig->f.conf, &file.peers);
	if (rig->ps == NULL)
		fail_msg("%s", rig->f.said);
	rig->rs = routes_new(rig->f.conf, &file.routes, rig->ps);
}

static void
unload(struct rig *rig)
{
	routes_free(rig->rs);
	peers_free(rig->ps);
	conf_free(rig->f.conf);
}

static void
wrong_files_are_complained_about(void **state)
{
	static const struct { const char *text, *said; } cases[] = {
		{ "routes = ( { from = \"pbx\"; } );",
		    "test:2: routes.to: missing" },
		{ "routes = (\n{ to = \"pbxx\"; } );",
		    "test:3: routes.to: there is no peer \"pbxx\"" },
		{ "routes = ( { from = \"pbxx\"; to = \"pbx\"; } );",
		    "test:2: routes.from: there is no peer \"pbxx\"" },
		{ "routes = ( { to = \"gate\"; } );",
		    "peer \"gate\" has no uri" },
		{ "routes = ( { from = \"carrier\"; to = \"pbx\"; } );",
		    "peer \"carrier\" has no from" },
		{ "routes = ( { uri = \"sips:*\"; to = \"pbx\"; } );",
		    "write \"sip:\"" },
		{ "routes = ( { uri = \"+49*\"; to = \"pbx\"; } );",
		    "must start with" },
		{ "routes = ( { to = \"pbx\";\negress = \"none\"; } );",
		    "test:3: routes.egress: not built yet" },
		{ "routes = ( { to = \"pbx\"; listener = \"a\"; } );",
		    "routes.listener: not built yet" },
		{ "routes = ( { to = \"pbx\"; method = \"INVITE\"; } );",
		    "routes.method: not built yet" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[1024];
		struct rig rig;

		snprintf(text, sizeof text, "%s%s", PEERS, cases[i].text);
		load(&rig, text);
		if (rig.rs != NULL)
			fail_msg("taken: %s", cases[i].text);
		if (strstr(rig.f.said, cases[i].said) == NULL)
			fail_msg("%s\nsaid: %s", cases[i].text, rig.f.said);
		unload(&rig);
	}
}

static void
the_first_that_matches_is_taken(void **state)
{
	static const char text[] = PEERS
	    "routes = (\n"					/* line 2 */
	    "{ from = \"pbx\"; uri = \"sip:+*@*\"; to = \"carrier\"; },\n"
	    "{ from = \"pbx\"; uri = \"sip:echo@*\"; to = \"pbx\"; },\n"
	    "{ from = \"pbx\"; to = \"request-uri\"; },\n"	/* 5 */
	    "{ uri = \"tel:*\"; to = \"carrier\"; },\n"
	    "{ uri = \"*@relay.example\"; to = \"request-uri\"; },\n"
	    "{ uri = \"*@nowhere.example\"; to = \"carrier\"; },\n"
	    "{ to = \"pbx\"; } );";				/* 9 */
	static const struct {
		const char		*source, *uri;
		enum route_verdict	 want;
		const char		*peer;
		int			 line;
	} cases[] = {
		{ "pbx", "sip:+4930@example.com", ROUTE_PEER, "carrier", 3 },
		{ "pbx", "sip:bob@example.com", ROUTE_REQUEST_URI, NULL, 5 },
		/* Back to where it came from, since the route says so. */
		{ "pbx", "sip:echo@example.com", ROUTE_PEER, "pbx", 4 },
		{ "pbx", "sip:ECHO@example.com", ROUTE_PEER, "pbx", 4 },
		{ NULL, "sip:+4930@example.com", ROUTE_PEER, "pbx", 9 },
		{ NULL, "sip:bob@example.com", ROUTE_PEER, "pbx", 9 },
		{ NULL, "tel:+4930", ROUTE_PEER, "carrier", 6 },
		/* No open relay: a stranger goes past line 7, a peer not. */
		{ NULL, "sip:x@relay.example", ROUTE_PEER, "pbx", 9 },
		{ "gate", "sip:x@relay.example", ROUTE_REQUEST_URI, NULL, 7 },
		{ "gate", "sip:x@nowhere.example", ROUTE_PEER, "carrier", 8 },
	};
	struct rig rig;

	(void)state;
	load(&rig, text);
	if (rig.rs == NULL)
		fail_msg("%s", rig.f.said);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct route_query q = {
			.source = cases[i].source == NULL ? NULL :
			    peers_by_name(rig.ps, cases[i].source),
			.uri = str_of(cases[i].uri)
		};
		struct route_choice c = routes_choose(rig.rs, &q);

		if (c.verdict != cases[i].want || c.line != cases[i].line ||
		    c.peer != (cases[i].peer == NULL ? NULL :
		    peers_by_name(rig.ps, cases[i].peer)))
			fail_msg("case %zu: verdict %d, line %d", i,
			    c.verdict, c.line);
	}
	unload(&rig);
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
	struct routes *rs = ps == NULL ? NULL :
	    routes_new(in->f.conf, &in->file.routes, ps);

	routes_free(rs);
	peers_free(ps);
	return rs != NULL;
}

static void
lack_of_memory_is_said(void **state)
{
	struct filled in;

	(void)state;
	assert_int_equal(file_text_open(&in.f, PEERS
	    "routes = ( { to = \"pbx\"; } );", file_opts, &in.file), 0);
	assert_int_equal(failing_alloc_each(build, &in), 0);
	assert_non_null(strstr(in.f.said, "test: peers: no memory"));
	assert_non_null(strstr(in.f.said, "test: routes: no memory"));
	conf_free(in.f.conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_files_are_complained_about),
		cmocka_unit_test(the_first_that_matches_is_taken),
		cmocka_unit_test(no_way_back_and_no_match_is_none),
		cmocka_unit_test(lack_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
