/* Peers: what the file may say, and who is taken for one. */
#include "config.h"

#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/count.h"
#include "file_text.h"
#include "route/peer.h"

struct file {
	struct conf_groups	peers;
};

static const struct conf_opt file_opts[] = {
	{ "peers", CONF_T_GROUPS, offsetof(struct file, peers),
	    .opts = peer_opts, .size = sizeof(struct peer_conf) },
	CONF_END
};

static struct peers *
load(struct file_text *f, const char *text)
{
	struct file file;

	if (file_text_open(f, text, file_opts, &file) != 0)
		return NULL;
	return peers_new(f->conf, &file.peers);
}

static void
wrong_files_are_complained_about(void **state)
{
	static const struct { const char *text, *said; } cases[] = {
		{ "peers = ( { uri = \"sip:10.0.0.5\"; } );",
		    "test:1: peers.name: missing" },
		{ "peers = (\n{ name = \"p b\"; uri = \"sip:10.0.0.5\"; } );",
		    "test:2: peers.name: \"p b\" has more than letters" },
		{ "peers = ( { name = \"request-uri\"; uri = \"sip:a\"; } );",
		    "cannot be a peer's name" },
		{ "peers = ( { name = \"a\"; uri = \"sip:a\"; },\n"
		    "{ name = \"a\"; uri = \"sip:b\"; } );",
		    "test:2: peers.name: \"a\" is the name of another" },
		/* A published pair whose 32-bit FNV-1a meet. */
		{ "peers = ( { name = \"costarring\"; uri = \"sip:a\"; },\n"
		    "{ name = \"liquid\"; uri = \"sip:b\"; } );",
		    "test:2: peers.name: \"liquid\" and \"costarring\" have "
		    "the same number" },
		{ "peers = ( { name = \"a\"; } );",
		    "test:1: peers: \"a\" has neither uri nor from nor "
		    "certificate" },
		{ "peers = ( { name = \"a\";\nuri = [ \"sip:b\",\n"
		    "\"http://c\" ]; } );",
		    "test:3: peers.uri: \"http://c\" is not a SIP URI" },
		{ "peers = ( { name = \"a\"; uri = \"sip:10.0.0.256\"; } );",
		    "is not a SIP URI" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b:0\"; } );",
		    "is not a SIP URI" },
		{ "peers = ( { name = \"a\"; uri = [ \"sip:b\",\n"
		    "\"sip:b\" ]; } );", "test:2: peers.uri: \"sip:b\" "
		    "stands there twice" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; targets = "
		    "( { uri = \"sip:c\"; } ); } );",
		    "peers.targets: stands instead of uri" },
		{ "peers = ( { name = \"a\"; targets = (\n"
		    "{ priority = 1; } ); } );",
		    "test:2: peers.targets.uri: missing" },
		{ "peers = ( { name = \"a\"; targets = ( { uri = \"sip:b\"; "
		    "},\n{ uri = \"sip:b\"; } ); } );",
		    "test:2: peers.targets.uri: \"sip:b\" stands" },
		{ "peers = ( { name = \"a\"; targets = ( { uri = \"sip:b\"; "
		    "weight = 0; } ); } );",
		    "peers.targets.weight: out of range: 1 to 10000" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; "
		    "balance = \"random\"; } );", "peers.balance: \"random\"" },
		{ "peers = ( { name = \"a\"; from = \"127.0.0.1\";\n"
		    "probe = { interval = \"30s\"; }; } );",
		    "test:2: peers.probe: \"a\" has no targets" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\";\n"
		    "probe = { interval = \"1s\"; }; } );",
		    "test:2: peers.probe.timeout: must be shorter" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; probe = {\n"
		    "accept = [ \"200\", \"199\" ]; }; } );",
		    "test:2: peers.probe.accept: \"199\" is neither" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; probe = {\n"
		    "accept = \"x\"; }; } );",
		    "test:2: peers.probe.accept: \"x\" is neither" },
		{ "peers = ( { name = \"a\"; certificate = [ \"b\",\n"
		    "\"*.b.example\" ]; } );", "test:2: peers.certificate: "
		    "\"*.b.example\" is not a host name" },
		{ "peers = ( { name = \"a\"; certificate = \"sip:b\"; } );",
		    "test:1: peers.certificate: \"sip:b\" is not a host" },
		{ "peers = ( { name = \"a\"; certificate = \"\"; } );",
		    "test:1: peers.certificate: may not be empty" },
		{ "peers = ( { name = \"a\"; certificate = \"x.b\"; },\n"
		    "{ name = \"b\"; certificate = [ \"b\", \"X.B\" ]; } );",
		    "test:2: peers.certificate: \"X.B\" is already a name of "
		    "\"a\"" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\";\n"
		    "crl = \"x.pem\"; } );",
		    "test:1: peers.crl: goes with a ca" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\";\n"
		    "verify = \"name\"; } );", "test:2: peers.verify: "
		    "\"name\" is not one of \"full\", \"none\"" },
		{ "peers = ( { name = \"a\"; certificate = \"c\"; from = "
		    "[ \"127.0.0.1\",\n\"127.0.0.1\" ]; } );",
		    "test:2: peers.from: \"127.0.0.1\" is already" },
		{ "peers = ( { name = \"a\"; from = \"10.0.0.1/8\"; } );",
		    "peers.from: \"10.0.0.1/8\" is not an address" },
		{ "peers = ( { name = \"a\"; from = \"pbx.example\"; } );",
		    "is not an address" },
		{ "peers = ( { name = \"a\"; from = \"0.0.0.0/0\"; } );",
		    "would let everybody in" },
		{ "peers = ( { name = \"a\"; from = \"::/0\"; } );",
		    "would let everybody in" },
		{ "peers = ( { name = \"a\"; from = \"127.0.0.1\"; },\n"
		    "{ name = \"b\"; from = [ \"127.0.0.2\",\n"
		    "\"127.0.0.1/32\" ]; } );",
		    "test:3: peers.from: \"127.0.0.1/32\" is already a "
		    "network of \"a\"" },
		{ "peers = ( { name = \"a\"; from = \"127.0.0.1\"; "
		    "listener = \"in\"; },\n{ name = \"b\"; "
		    "from = \"127.0.0.1\"; listener = \"in\"; } );",
		    "test:2: peers.from: \"127.0.0.1\" is already" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\";\n"
		    "auth = \"tls\"; } );", "test:2: peers.auth: "
		    "\"tls\" is not one of \"ip\", \"certificate\"" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\";\n"
		    "auth = \"certificate\"; } );",
		    "\"certificate\" goes with certificate, which \"a\"" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\";\n"
		    "auth = { all = [ \"ip\", \"digest\" ]; }; } );",
		    "test:1: peers.auth: \"ip\" goes with from, which" },
		{ "peers = ( { name = \"a\"; from = \"127.0.0.5\";\n"
		    "auth = { any = [ \"ip\", \"digest\" ]; }; } );",
		    "\"digest\" alone goes with users, which \"a\" has" },
		{ "peers = ( { name = \"a\"; from = \"127.0.0.5\";\n"
		    "auth = { any = \"ip\"; all = \"ip\"; }; } );",
		    "\"a\" has both all and any" },
		{ "peers = ( { name = \"a\"; from = \"127.0.0.5\";\n"
		    "auth = { all = [ \"ip\", \"ip\" ]; }; } );",
		    "test:2: peers.auth.all: \"ip\" is named twice" },
		{ "peers = ( { name = \"a\"; from = \"0.0.0.0/0\";\n"
		    "auth = { any = [ \"ip\", \"digest\" ]; }; "
		    "users = \"u\"; } );", "would let everybody in" },
		{ "peers = ( { name = \"a\"; from = \"127.0.0.5\";\n"
		    "users = \"u\"; } );",
		    "test:2: peers.users: go with auth \"digest\"" },
		{ "peers = ( { name = \"a\"; auth = \"digest\"; "
		    "users = \"u\"; },\n{ name = \"b\"; auth = \"digest\"; "
		    "users = [ \"v\",\n\"u\" ]; } );", "test:3: peers.users: "
		    "\"u\" is already a user of \"a\"" },
		{ "peers = ( { name = \"a\"; auth = \"digest\"; "
		    "users = \"u\"; realm = \"r\"; } );",
		    "peers.realm: is asked of nobody" },
		{ "peers = ( { name = \"a\"; from = \"127.0.0.5\"; "
		    "realm = \"r\"; } );",
		    "peers.realm: is asked of nobody" },
		{ "peers = ( { name = \"a\"; from = \"127.0.0.5\"; "
		    "auth = \"digest\"; realm = \"r\\\"\"; } );",
		    "peers.realm: may not hold" },
		/* Told apart only by domains that differ. */
		{ "peers = ( { name = \"a\"; from = \"127.0.0.5\"; "
		    "domains = [ \"a.example\", \"b.example\" ]; },\n"
		    "{ name = \"b\"; from = \"127.0.0.5\"; "
		    "domains = \"B.example\"; } );",
		    "test:2: peers.from: \"127.0.0.5\" is already a network" },
		{ "peers = ( { name = \"a\"; from = \"127.0.0.5\"; "
		    "domains = \"[fd00::1]\"; },\n"
		    "{ name = \"b\"; from = \"127.0.0.5\"; "
		    "domains = \"fd00:0::1\"; } );",
		    "test:2: peers.from: \"127.0.0.5\" is already a network" },
		{ "peers = ( { name = \"a\"; certificate = \"c\"; "
		    "domains = \"a\"; },\n{ name = \"b\"; "
		    "certificate = \"c\"; domains = \"a\"; } );",
		    "\"c\" is already a name of \"a\"" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\";\n"
		    "domains = [ \"a\",\n\"sip:b\" ]; } );",
		    "test:3: peers.domains: \"sip:b\" is not a host" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; "
		    "trusted = \"yes\"; } );",
		    "\"yes\" is not one of \"auto\", \"true\", \"false\"" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; "
		    "pass = \"diversions\"; } );",
		    "\"diversions\" is not one of \"identity\"" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; "
		    "prefix = \"0@\"; } );",
		    "\"0@\" holds what the user of a URI may not" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; "
		    "strip = [ \"0\", \"<\" ]; } );", "\"<\" holds what" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; "
		    "domain = \"c d\"; } );", "\"c d\" is not a host" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; "
		    "domain = \"::1\"; } );", "\"::1\" is not a host" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\";\n"
		    "caller = { user = \"a b\"; }; } );",
		    "test:2: peers.caller: \"a b\" holds what" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; "
		    "caller = { header = \"to\"; }; } );",
		    "\"to\" is not one of \"both\"" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; "
		    "pending = 0; } );", "peers.pending: out of range" },
		{ "peers = ( { name = \"a\"; uri = \"sip:b\"; "
		    "path = \"none\"; } );", "is not one of \"rfc\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct file_text f;

		if (load(&f, cases[i].text) != NULL)
			fail_msg("taken: %s", cases[i].text);
		if (strstr(f.said, cases[i].said) == NULL)
			fail_msg("%s\nsaid: %s", cases[i].text, f.said);
		conf_free(f.conf);
	}
}

static void
right_files_are_taken(void **state)
{
	static const char text[] =
	    "peers = ("
	    "  { name = \"pbx\"; uri = \"sip:10.0.0.5:5060\";"
	    "    from = [ \"127.0.0.5\", \"127.1.0.0/16\" ]; },"
	    "  { name = \"carrier.1\"; uri = [ \"sip:sip.example.net\","
	    "    \"sip:[2001:db8::1]:5080;transport=tcp\" ];"
	    "    auth = \"digest\"; path = \"contact\"; },"
	    "  { name = \"any\"; from = \"0.0.0.0/0\"; listener = \"in\";"
	    "    auth = \"digest\"; },"
	    "  { name = \"again\"; from = \"127.0.0.5\"; listener = \"in\"; },"
	    "  { name = \"tls\"; uri = [ \"sips:b\", \"sip:b;transport=tls\" ];"
	    "    certificate = [ \"b\", \"192.0.2.7\" ]; ca = \"/ca.pem\";"
	    "    crl = \"/crl\"; verify = \"none\"; },"
	    /* Told apart by the authority, the address, or either. */
	    "  { name = \"tls2\"; certificate = \"b\"; },"
	    "  { name = \"tls3\"; certificate = \"b\"; from = \"127.0.0.5\"; },"
	    "  { name = \"tls4\"; certificate = \"c\"; from = \"0.0.0.0/0\"; }"
	    ");";
	struct file_text f;
	struct peers *ps = load(&f, text);
	const struct peer *p;

	(void)state;
	if (ps == NULL)
		fail_msg("%s", f.said);
	assert_int_equal(peers_count(ps), 8);
	p = peers_by_name(ps, "pbx");
	assert_ptr_equal(p, peers_at(ps, 0));
	assert_int_equal(p->proofs, PEER_BY_ADDRESS);
	assert_true(p->trusted);
	assert_int_equal(p->pending, -1);
	assert_int_equal(p->path, PATH_ALWAYS);
	assert_null(p->listener);
	assert_int_equal(p->nnets, 2);
	assert_int_equal(p->net_ifindex[1], if_nametoindex("lo"));
	p = peers_by_id(ps, peer_id("carrier.1"));
	assert_ptr_equal(p, peers_at(ps, 1));
	assert_int_equal(p->proofs, PEER_BY_DIGEST);
	assert_false(peer_sends(p));
	assert_int_equal(p->path, PATH_CONTACT);
	assert_int_equal(p->nuris, 2);
	assert_string_equal(p->uri[0], "sip:sip.example.net");
	assert_int_equal(p->nnets, 0);
	assert_int_equal(p->ncertificates, 0);
	assert_null(p->ca);
	assert_int_equal(p->verify, PEER_VERIFY_FULL);
	p = peers_by_name(ps, "tls");
	assert_int_equal(p->nuris, 2);
	assert_int_equal(p->ncertificates, 2);
	assert_string_equal(p->certificate[1], "192.0.2.7");
	assert_string_equal(p->ca, "/ca.pem");
	assert_string_equal(p->crl, "/crl");
	assert_int_equal(p->verify, PEER_VERIFY_NONE);
	assert_int_equal(p->line, 1);
	assert_null(peers_by_name(ps, "PBX"));
	assert_null(peers_by_id(ps, 1));
	peers_free(ps);
	conf_free(f.conf);
}

static void
no_peers_are_no_error(void **state)
{
	struct file_text f;
	struct peers *ps = load(&f, "");

	(void)state;
	assert_non_null(ps);
	assert_int_equal(peers_count(ps), 0);
	peers_free(ps);
	peers_free(NULL);
	conf_free(f.conf);
}

/* What is printed reads back to the same. */
static void
the_printed_form_reads_back(void **state)
{
	struct file_text f, again;
	struct file file;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct peers *ps;
	const struct peer *p;

	(void)state;
	assert_int_equal(file_text_open(&f, "peers = ( { name = \"pbx\"; "
	    "from = \"127.0.0.5\"; auth = { all = [ \"digest\", \"ip\" ]; };"
	    "trusted = true; pass = [ \"diversion\" ]; "
	    "caller = { user = \"+4930\"; }; } );", file_opts, &file), 0);
	conf_print(out, file_opts, &file, 0);
	fclose(out);
	ps = load(&again, text);
	if (ps == NULL)
		fail_msg("%s\n%s", text, again.said);
	p = peers_at(ps, 0);
	assert_int_equal(p->proofs, PEER_BY_ADDRESS | PEER_BY_DIGEST);
	assert_true(p->trusted);
	assert_int_equal(p->pass, PASS_DIVERSION);
	assert_string_equal(p->caller.user, "+4930");
	free(text);
	peers_free(ps);
	conf_free(f.conf);
	conf_free(again.conf);
}

static void
targets_and_their_probes(void **state)
{
	static const struct { int status; bool want; } accepted[] = {
		{ 100, false }, { 199, false }, { 200, true }, { 299, true },
		{ 300, false }, { 404, true }, { 405, false }, { 503, false },
		{ 699, false }, { 700, false }, { -1, false },
	};
	static const struct { int status; bool want; } usual[] = {
		{ 200, true }, { 302, true }, { 404, true }, { 486, true },
		{ 500, false }, { 501, true }, { 503, false }, { 603, false },
	};
	struct file_text f;
	struct peers *ps = load(&f, "peers = ( { name = \"a\"; targets = ( "
	    "{ uri = \"sip:b:5070\"; priority = 2; weight = 7; }, "
	    "{ uri = \"sip:10.0.0.5\"; } ); balance = \"weight\"; probe = { "
	    "interval = \"30s\"; accept = [ \"2xx\", \"404\" ]; }; }, "
	    "{ name = \"b\"; uri = [ \"sips:x\", \"sip:[::1]\" ]; } );");
	const struct peer *a, *b;
	struct addr at = { .port = 5060 };

	(void)state;
	if (ps == NULL)
		fail_msg("%s", f.said);
	a = peers_at(ps, 0);
	b = peers_at(ps, 1);
	assert_int_equal(a->nuris, 2);
	assert_string_equal(a->uri[1], "sip:10.0.0.5");
	assert_int_equal(a->target[0].priority, 2);
	assert_int_equal(a->target[0].weight, 7);
	assert_int_equal(a->target[1].priority, 1);
	assert_int_equal(a->balance, BALANCE_WEIGHT);
	assert_int_equal(a->probe.interval_ms, 30000);
	assert_int_equal(a->probe.timeout_ms, 2000);
	for (size_t i = 0; i < COUNT(accepted); i++)
		assert_int_equal(peer_accepts(a, accepted[i].status),
		    accepted[i].want);
	assert_int_equal(b->probe.interval_ms, -1);
	assert_int_equal(b->balance, BALANCE_ORDER);
	assert_in_range(b->target[1].priority, b->target[0].priority + 1,
	    UINT16_MAX);
	for (size_t i = 0; i < COUNT(usual); i++)
		assert_int_equal(peer_accepts(b, usual[i].status),
		    usual[i].want);
	assert_int_equal(peer_target_named(a, str_of("B"), 5070), 0);
	assert_int_equal(peer_target_named(a, str_of("b"), 5060), -1);
	assert_int_equal(peer_target_named(b, str_of("x"), 5061), 0);
	assert_int_equal(peer_target_of_port(a, 5070), 0);
	assert_int_equal(peer_target_of_port(a, 5060), 1);
	assert_int_equal(peer_target_of_port(b, 5061), 0);
	assert_int_equal(peer_target_of_port(b, 5062), -1);
	assert_true(addr_parse_host(&at, str_of("10.0.0.5")));
	at.port = 5060;
	assert_int_equal(peer_target_at(a, &at), 1);
	at.port = 5070;
	assert_int_equal(peer_target_at(a, &at), -1);
	assert_int_equal(peer_target_at(b, &at), -1);
	peers_free(ps);
	conf_free(f.conf);
}

static const char *
name_or_none(const struct peer *p)
{
	return p == NULL ? "none" : p->name;
}

static void
trust_and_what_passes(void **state)
{
	enum { FIRST_TWO = PASS_IDENTITY | PASS_SESSION_ID,
		ALL = FIRST_TWO | PASS_HISTORY_INFO | PASS_DIVERSION };
	static const struct {
		const char	*options;
		bool		 trusted;
		unsigned	 pass;
	} cases[] = {
		{ "uri = \"sip:b\";", true, ALL },
		{ "from = \"127.0.0.5\";", true, ALL },
		{ "certificate = \"c\";", true, ALL },
		{ "from = \"127.0.0.5\"; auth = \"digest\";", false,
		    FIRST_TWO },
		{ "users = \"u\"; auth = \"digest\"; trusted = true;", true,
		    ALL },
		{ "from = \"127.0.0.5\"; users = \"u\"; "
		    "auth = { any = [ \"ip\", \"digest\" ]; };", false,
		    FIRST_TWO },
		{ "uri = \"sip:b\"; trusted = false;", false, FIRST_TWO },
		{ "uri = \"sip:b\"; trusted = \"auto\";", true, ALL },
		{ "uri = \"sip:b\"; pass = [ \"session-id\" ];", true,
		    PASS_SESSION_ID },
		{ "uri = \"sip:b\"; trusted = false; pass = \"diversion\";",
		    false, PASS_DIVERSION },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[256];
		struct file_text f;
		struct peers *ps;

		snprintf(text, sizeof text, "peers = ( { name = \"a\"; %s } );",
		    cases[i].options);
		ps = load(&f, text);
		if (ps == NULL)
			fail_msg("%s\n%s", text, f.said);
		if (peers_at(ps, 0)->trusted != cases[i].trusted ||
		    peers_at(ps, 0)->pass != cases[i].pass)
			fail_msg("%s: trusted %d, pass %u", text,
			    peers_at(ps, 0)->trusted, peers_at(ps, 0)->pass);
		peers_free(ps);
		conf_free(f.conf);
	}
}

static const char placed[] =
    "peers = ("
    "  { name = \"near\"; from = \"127.0.0.5\"; },"
    "  { name = \"named\"; from = [ \"127.0.0.6\", \"10.9.0.0/16\" ];"
    "    listener = \"inside\"; },"
    "  { name = \"wide\"; from = \"127.0.0.0/24\"; },"
    "  { name = \"other\"; from = \"10.9.0.0/16\"; listener = \"dmz\"; }"
    ");";

static void
the_place_decides_over_udp(void **state)
{
	enum { LO, FAR, NONE };
	static const struct {
		const char		*source;
		enum transport		 transport;
		const char		*listener;
		int			 interface;
		enum arrival_verdict	 want;
		const char		*peer;
	} cases[] = {
		{ "127.0.0.5", TRANSPORT_UDP, "x", LO, ARRIVAL_PEER, "near" },
		{ "127.0.0.5", TRANSPORT_UDP, "x", FAR, ARRIVAL_MISPLACED,
		    NULL },
		{ "127.0.0.5", TRANSPORT_UDP, "x", NONE, ARRIVAL_MISPLACED,
		    NULL },
		{ "127.0.0.5", TRANSPORT_TCP, "x", FAR, ARRIVAL_PEER,
		    "near" },
		{ "127.0.0.7", TRANSPORT_UDP, "x", LO, ARRIVAL_PEER, "wide" },
		/* On its listener; else the wider peer by the interface. */
		{ "127.0.0.6", TRANSPORT_UDP, "inside", FAR, ARRIVAL_PEER,
		    "named" },
		{ "127.0.0.6", TRANSPORT_UDP, "x", LO, ARRIVAL_PEER, "wide" },
		{ "127.0.0.6", TRANSPORT_UDP, "x", FAR, ARRIVAL_MISPLACED,
		    NULL },
		{ "127.0.0.6", TRANSPORT_UDP, NULL, FAR, ARRIVAL_MISPLACED,
		    NULL },
		{ "10.9.1.1", TRANSPORT_UDP, "inside", LO, ARRIVAL_PEER,
		    "named" },
		{ "10.9.1.1", TRANSPORT_UDP, "dmz", LO, ARRIVAL_PEER,
		    "other" },
		{ "10.9.1.1", TRANSPORT_UDP, "public", LO, ARRIVAL_MISPLACED,
		    NULL },
		/* The right place goes before the order, also over TCP. */
		{ "10.9.1.1", TRANSPORT_TCP, "dmz", LO, ARRIVAL_PEER,
		    "other" },
		{ "10.9.1.1", TRANSPORT_TLS, "public", LO, ARRIVAL_PEER,
		    "named" },
		{ "10.8.1.1", TRANSPORT_UDP, "inside", LO, ARRIVAL_STRANGER,
		    NULL },
		{ "::1", TRANSPORT_TCP, "inside", LO, ARRIVAL_STRANGER,
		    NULL },
	};
	unsigned lo = if_nametoindex("lo");
	const unsigned index[] = { [LO] = lo, [FAR] = lo + 1000, [NONE] = 0 };
	struct file_text f;
	struct peers *ps = load(&f, placed);

	(void)state;
	assert_non_null(ps);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arrival a = {
			.transport = cases[i].transport,
			.listener = cases[i].listener,
			.ifindex = index[cases[i].interface]
		};
		const struct peer *p;
		enum arrival_verdict v;

		assert_true(addr_parse_host(&a.source,
		    str_of(cases[i].source)));
		v = peers_classify(ps, &a, &p);
		if (v != cases[i].want ||
		    p != (cases[i].peer == NULL ? NULL :
		    peers_by_name(ps, cases[i].peer)))
			fail_msg("case %zu: verdict %d, peer %s", i, v,
			    p == NULL ? "none" : p->name);
	}
	peers_free(ps);
	conf_free(f.conf);
}

/* A certificate: its name, and whose authority it leads to ("": the one for
 * all). */
struct shown { const char *name, *authority; };

static bool
has_name(const void *arg, const char *name)
{
	const struct shown *s = arg;

	return strcmp(s->name, name) == 0;
}

static bool
is_vouched(const void *arg, const struct peer *p)
{
	const struct shown *s = arg;

	return strcmp(s->authority, p->ca == NULL ? "" : p->name) == 0;
}

static const char certified[] =
    "peers = ("
    "  { name = \"address\"; from = \"127.0.0.0/24\"; },"
    "  { name = \"both\"; from = \"127.0.0.5\"; certificate = \"b\"; },"
    "  { name = \"own\"; certificate = [ \"a\", \"o\" ]; ca = \"/o\"; },"
    "  { name = \"any\"; certificate = [ \"a\", \"b\" ]; },"
    "  { name = \"far\"; from = \"10.9.0.0/16\"; certificate = \"f\";"
    "    listener = \"dmz\"; }"
    ");";

static void
a_certificate_proves_a_peer(void **state)
{
	static const struct {
		const char	*source;
		enum transport	 transport;
		struct shown	 shown;	/* name NULL: none */
		const char	*peer;	/* NULL: a stranger */
	} cases[] = {
		{ "192.0.2.1", TRANSPORT_TLS, { "a", "" }, "any" },
		{ "192.0.2.1", TRANSPORT_TLS, { "b", "" }, "any" },
		{ "192.0.2.1", TRANSPORT_TLS, { "c", "" }, NULL },
		{ "192.0.2.1", TRANSPORT_TLS, { NULL, NULL }, NULL },
		/* Each authority for its own. */
		{ "192.0.2.1", TRANSPORT_TLS, { "a", "own" }, "own" },
		{ "192.0.2.1", TRANSPORT_TLS, { "o", "own" }, "own" },
		{ "192.0.2.1", TRANSPORT_TLS, { "o", "" }, NULL },
		{ "192.0.2.1", TRANSPORT_TLS, { "b", "own" }, NULL },
		{ "192.0.2.1", TRANSPORT_TLS, { "a", "other" }, NULL },
		/* Where both are asked for, both must fit. */
		{ "127.0.0.5", TRANSPORT_TLS, { "b", "" }, "both" },
		{ "127.0.0.6", TRANSPORT_TLS, { "b", "" }, "any" },
		{ "10.9.1.1", TRANSPORT_TLS, { "f", "" }, "far" },
		{ "10.8.1.1", TRANSPORT_TLS, { "f", "" }, NULL },
		{ "10.9.1.1", TRANSPORT_TLS, { "x", "" }, NULL },
		{ "10.9.1.1", TRANSPORT_TLS, { NULL, NULL }, NULL },
		{ "10.9.1.1", TRANSPORT_TCP, { NULL, NULL }, NULL },
		{ "10.9.1.1", TRANSPORT_UDP, { NULL, NULL }, NULL },
		/* Without a certificate, or with another, by address. */
		{ "127.0.0.5", TRANSPORT_TLS, { NULL, NULL }, "address" },
		{ "127.0.0.5", TRANSPORT_TLS, { "x", "" }, "address" },
		{ "127.0.0.5", TRANSPORT_TCP, { NULL, NULL }, "address" },
		/* What is said of a certificate counts over TLS only. */
		{ "192.0.2.1", TRANSPORT_TCP, { "a", "" }, NULL },
		{ "192.0.2.1", TRANSPORT_UDP, { "a", "" }, NULL },
	};
	struct file_text f;
	struct peers *ps = load(&f, certified);

	(void)state;
	assert_non_null(ps);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arrival_certificate shown = { has_name, is_vouched,
			&cases[i].shown };
		struct arrival a = {
			.transport = cases[i].transport, .listener = "x",
			.ifindex = if_nametoindex("lo"),
			.certificate = cases[i].shown.name == NULL ? NULL :
			    &shown
		};
		const struct peer *p;
		enum arrival_verdict v;

		assert_true(addr_parse_host(&a.source,
		    str_of(cases[i].source)));
		v = peers_classify(ps, &a, &p);
		if (v != (cases[i].peer == NULL ? ARRIVAL_STRANGER :
		    ARRIVAL_PEER) || p != (cases[i].peer == NULL ? NULL :
		    peers_by_name(ps, cases[i].peer)))
			fail_msg("case %zu: verdict %d, peer %s", i, v,
			    p == NULL ? "none" : p->name);
	}
	peers_free(ps);
	conf_free(f.conf);
}

static const char several[] =
    "peers = ("
    "  { name = \"rest\"; from = \"127.0.0.5\"; },"
    "  { name = \"a\"; from = \"127.0.0.5\"; domains = \"a.example\"; },"
    "  { name = \"b\"; from = [ \"127.0.0.5\", \"127.0.0.6\" ];"
    "    domains = [ \"b.example\", \"192.0.2.1\" ]; },"
    "  { name = \"cert\"; certificate = \"c\"; domains = \"a.example\"; },"
    "  { name = \"cert2\"; certificate = \"c\"; domains = \"b.example\"; },"
    "  { name = \"either\"; certificate = \"e\"; from = \"127.0.0.7\";"
    "    auth = { any = [ \"ip\", \"certificate\" ]; }; },"
    "  { name = \"both\"; certificate = \"e\"; from = \"127.0.0.8\";"
    "    auth = { all = [ \"certificate\", \"ip\", \"digest\" ]; }; },"
    "  { name = \"cert3\"; certificate = \"x\"; from = \"127.0.0.9\";"
    "    auth = { all = [ \"certificate\" ]; }; },"
    "  { name = \"user\"; from = \"127.0.0.10\"; users = \"u\";"
    "    auth = { all = [ \"digest\" ]; }; }"
    ");";

static void
domains_and_lists_of_proofs(void **state)
{
	static const struct {
		const char	*source, *domain, *certificate;
		const char	*peer;	/* NULL: a stranger */
	} cases[] = {
		{ "127.0.0.5", "a.example", NULL, "a" },
		{ "127.0.0.5", "A.Example", NULL, "a" },
		{ "127.0.0.5", "b.example", NULL, "b" },
		{ "127.0.0.5", "192.0.2.1", NULL, "b" },
		{ "127.0.0.5", "c.example", NULL, "rest" },
		{ "127.0.0.5", "a.example.", NULL, "a" },
		{ "127.0.0.5", ".", NULL, "rest" },
		{ "127.0.0.5", "", NULL, "rest" },
		{ "127.0.0.6", "b.example", NULL, "b" },
		{ "127.0.0.6", "a.example", NULL, NULL },
		{ "127.0.0.6", "", NULL, NULL },
		{ "127.0.0.6", NULL, NULL, "b" },
		{ "192.0.2.9", "a.example", "c", "cert" },
		{ "192.0.2.9", "b.example", "c", "cert2" },
		{ "192.0.2.9", "c.example", "c", NULL },
		{ "127.0.0.7", "", NULL, "either" },
		{ "192.0.2.9", "", "e", "either" },
		{ "127.0.0.8", "", NULL, NULL },
		{ "127.0.0.8", "", "x", "cert3" },
		{ "127.0.0.9", "", NULL, NULL },
		{ "192.0.2.9", "", "x", "cert3" },
		{ "127.0.0.10", "", NULL, NULL },
	};
	struct file_text f;
	struct peers *ps = load(&f, several);

	(void)state;
	if (ps == NULL)
		fail_msg("%s", f.said);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct shown shown = { cases[i].certificate, "" };
		struct arrival_certificate c = { has_name, is_vouched,
			&shown };
		struct arrival a = {
			.transport = TRANSPORT_TLS, .listener = "x",
			.ifindex = if_nametoindex("lo"),
			.domain = str_of(cases[i].domain),
			.certificate = shown.name == NULL ? NULL : &c
		};
		const struct peer *p;

		assert_true(addr_parse_host(&a.source,
		    str_of(cases[i].source)));
		peers_classify(ps, &a, &p);
		if (strcmp(name_or_none(p), cases[i].peer == NULL ? "none" :
		    cases[i].peer) != 0)
			fail_msg("case %zu: %s", i, name_or_none(p));
	}
	peers_free(ps);
	conf_free(f.conf);
}

/* A place is one whatever domain is asked for: what a token says of it. */
static void
where_a_peer_may_send_from(void **state)
{
	struct arrival a = { .transport = TRANSPORT_UDP, .listener = "x",
		.ifindex = if_nametoindex("lo"), .domain = str_of("zz") };
	struct file_text f;
	struct peers *ps = load(&f, several);

	(void)state;
	assert_non_null(ps);
	assert_true(addr_parse_host(&a.source, str_of("127.0.0.6")));
	assert_true(peer_may_send(peers_by_name(ps, "b"), &a));
	assert_false(peer_may_send(peers_by_name(ps, "a"), &a));
	assert_false(peer_may_send(peers_by_name(ps, "user"), &a));
	a.ifindex = 0;		/* forged, perhaps */
	assert_false(peer_may_send(peers_by_name(ps, "b"), &a));
	a.transport = TRANSPORT_TCP;
	assert_true(peer_may_send(peers_by_name(ps, "b"), &a));
	peers_free(ps);
	conf_free(f.conf);
}

static void
users_that_are_peers(void **state)
{
	static const struct { const char *user, *domain, *peer; } cases[] = {
		{ "u", "x", "plain" }, { "u", NULL, "plain" },
		{ "U", "x", "none" }, { "", "x", "none" },
		{ "v", "a.example", "a" }, { "v", "b.example", "any" },
		{ "w", "b.example", "none" }, { "both", "x", "none" },
	};
	struct file_text f;
	struct peers *ps = load(&f, "peers = ("
	    "{ name = \"plain\"; auth = \"digest\"; users = \"u\"; },"
	    "{ name = \"any\"; users = [ \"v\" ]; from = \"127.0.0.5\";"
	    "  auth = { any = [ \"ip\", \"digest\" ]; }; },"
	    "{ name = \"a\"; auth = \"digest\"; users = [ \"v\", \"w\" ];"
	    "  domains = \"a.example\"; },"
	    "{ name = \"all\"; users = \"both\"; from = \"127.0.0.6\";"
	    "  auth = { all = [ \"ip\", \"digest\" ]; }; } );");

	(void)state;
	if (ps == NULL)
		fail_msg("%s", f.said);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct peer *p = peers_by_user(ps, cases[i].user,
		    str_of(cases[i].domain));

		if (strcmp(name_or_none(p), cases[i].peer) != 0)
			fail_msg("case %zu: %s", i, name_or_none(p));
	}
	assert_false(peer_asks_digest(peers_by_name(ps, "any")));
	assert_true(peer_asks_digest(peers_by_name(ps, "all")));
	peers_free(ps);
	conf_free(f.conf);
}

static void
addresses_of_a_peer(void **state)
{
	static const struct { const char *ip; bool want; } cases[] = {
		{ "127.0.0.5", true }, { "127.0.0.6", false },
		{ "10.0.0.5", true }, { "10.0.0.6", false },
		{ "2001:db8::1", true }, { "2001:db8::2", false },
	};
	struct file_text f;
	struct peers *ps = load(&f, "peers = ( { name = \"a\"; "
	    "from = \"127.0.0.5\"; uri = [ \"sip:pbx.example\", "
	    "\"sip:10.0.0.5:5070\", \"sip:[2001:db8::1]\" ]; } );");

	(void)state;
	assert_non_null(ps);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr a;

		assert_true(addr_parse_host(&a, str_of(cases[i].ip)));
		a.port = 5060;
		assert_int_equal(peer_has_addr(peers_at(ps, 0), &a),
		    cases[i].want);
	}
	peers_free(ps);
	conf_free(f.conf);
}

static void
neighbours_of_a_peer(void **state)
{
	static const struct { const char *net; bool want; } cases[] = {
		{ "127.0.0.5", true }, { "127.0.0.6", false },
		{ "10.1.2.3", true }, { "10.0.0.5", true },
		{ "2001:db8::/64", true }, { "2001:db8:0:1::/64", false },
		{ "2001:db8:5::/64", true }, { "2001:db8:5:1::/64", false },
		{ "2001:db8:6:7::/64", true }, { "2001:db8:7::/64", false },
	};
	struct file_text f;
	struct peers *ps = load(&f, "peers = ( { name = \"a\"; "
	    "from = [ \"127.0.0.5\", \"10.1.0.0/16\", "
	    "\"2001:db8:5::7\", \"2001:db8:6::/48\" ]; "
	    "uri = [ \"sip:pbx.example\", \"sip:10.0.0.5:5070\", "
	    "\"sip:[2001:db8::1]\" ]; } );");

	(void)state;
	assert_non_null(ps);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct net n;

		assert_true(net_parse(&n, str_of(cases[i].net)));
		if (peer_meets_net(peers_at(ps, 0), &n) != cases[i].want)
			fail_msg("%s", cases[i].net);
	}
	peers_free(ps);
	conf_free(f.conf);
}

static void
interfaces_of_addresses(void **state)
{
	static const struct { const char *ip; bool lo; } cases[] = {
		{ "127.0.0.1", true }, { "127.255.1.2", true },
		{ "::1", true }, { "192.0.2.200", false },
	};
	unsigned lo = if_nametoindex("lo");

	(void)state;
	assert_true(lo > 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr a;

		assert_true(addr_parse_host(&a, str_of(cases[i].ip)));
		if (cases[i].lo) {
			assert_int_equal(ifindex_to(&a), lo);
			assert_int_equal(ifindex_of_local(&a), lo);
		} else {
			assert_true(ifindex_to(&a) != lo);
			assert_int_equal(ifindex_of_local(&a), 0);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_files_are_complained_about),
		cmocka_unit_test(right_files_are_taken),
		cmocka_unit_test(no_peers_are_no_error),
		cmocka_unit_test(the_printed_form_reads_back),
		cmocka_unit_test(targets_and_their_probes),
		cmocka_unit_test(the_place_decides_over_udp),
		cmocka_unit_test(a_certificate_proves_a_peer),
		cmocka_unit_test(trust_and_what_passes),
		cmocka_unit_test(domains_and_lists_of_proofs),
		cmocka_unit_test(where_a_peer_may_send_from),
		cmocka_unit_test(users_that_are_peers),
		cmocka_unit_test(addresses_of_a_peer),
		cmocka_unit_test(neighbours_of_a_peer),
		cmocka_unit_test(interfaces_of_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
