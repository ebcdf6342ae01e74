/* Egress: what the file may say, and which addresses may be reached. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "file_text.h"
#include "route/egress.h"

struct file {
	struct conf_groups	peers, egress;
};

static const struct conf_opt file_opts[] = {
	{ "peers", CONF_T_GROUPS, offsetof(struct file, peers),
	    .opts = peer_opts, .size = sizeof(struct peer_conf) },
	{ "egress", CONF_T_GROUPS, offsetof(struct file, egress),
	    .opts = egress_opts, .size = sizeof(struct egress_conf) },
	CONF_END
};

#define PEERS								       \
	"peers = ( { name = \"pbx\"; uri = \"sip:198.51.100.5\"; "	       \
	"from = \"203.0.113.0/24\"; } );\n"

#define LISTS								       \
	"egress = ( { name = \"gates\";\n"				       \
	"allow = ( { net = \"10.1.0.0/16\"; port = \"5060\"; proto = \"tls\"; " \
	"} );\n"							       \
	"deny = ( { net = \"10.0.0.0/8\"; },\n"				       \
	"{ port = \"5061-5063\"; proto = \"tcp\"; },\n"			       \
	"{ uri = \"sip:+1900*@*\"; },\n"				       \
	"{ net = \"2001:db8::/32\"; port = \"7\"; } ); },\n"		       \
	"{ name = \"only\"; allow = ( { net = \"192.0.2.0/24\"; } ); "	       \
	"deny = ( { } ); } );\n"

struct rig {
	struct file_text	 f;
	struct peers		*ps;
	struct egress		*e;
};

static void
load(struct rig *rig, const char *text)
{
	struct file file;

	rig->ps = NULL;
	rig->e = NULL;
	if (file_text_open(&rig->f, text, file_opts, &file) != 0)
		return;
	rig->ps = peers_new(rig->f.conf, &file.peers);
	if (rig->ps == NULL)
		fail_msg("%s", rig->f.said);
	rig->f.said[0] = '\0';		/* about the kernel's routes */
	rig->e = egress_new(rig->f.conf, &file.egress);
}

static void
unload(struct rig *rig)
{
	egress_free(rig->e);
	peers_free(rig->ps);
	conf_free(rig->f.conf);
}

static void
wrong_files_are_complained_about(void **state)
{
	static const struct { const char *text, *said; } cases[] = {
		{ "egress = ( { deny = ( { } ); } );",
		    "test:2: egress.name: missing" },
		{ "egress = ( { name = \"a\"; } );",
		    "test:2: egress.deny: \"a\" denies nothing" },
		{ "egress = ( { name = \"none\"; deny = ( { } ); } );",
		    "\"none\" is built in" },
		{ "egress = ( { name = \"default\"; deny = ( { } ); } );",
		    "\"default\" is built in" },
		{ "egress = ( { name = \"a\"; deny = ( { } ); },\n"
		    "{ name = \"a\"; deny = ( { } ); } );",
		    "test:3: egress.name: \"a\" is the name of another" },
		{ "egress = ( { name = \"a\"; allow = ( { } ); "
		    "deny = ( { } ); } );", "so nothing is denied" },
		{ "egress = ( { name = \"a\"; deny = (\n"
		    "{ net = \"10.0.0.1/8\"; } ); } );",
		    "test:3: egress.net: \"10.0.0.1/8\" is not an address" },
		{ "egress = ( { name = \"a\"; deny = ( "
		    "{ port = \"5070-5060\"; } ); } );",
		    "egress.port: \"5070-5060\" is neither" },
		{ "egress = ( { name = \"a\"; deny = ( "
		    "{ port = \"70000\"; } ); } );", "is neither a port" },
		{ "egress = ( { name = \"a\"; deny = ( "
		    "{ port = \"-\"; } ); } );", "is neither a port" },
		{ "egress = ( { name = \"a\"; deny = ( "
		    "{ proto = \"sctp\"; } ); } );", "\"sctp\" is not one" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[1024];
		struct rig rig;

		snprintf(text, sizeof text, "%s%s", PEERS, cases[i].text);
		load(&rig, text);
		if (rig.e != NULL)
			fail_msg("taken: %s", cases[i].text);
		if (strstr(rig.f.said, cases[i].said) == NULL)
			fail_msg("%s\nsaid: %s", cases[i].text, rig.f.said);
		unload(&rig);
	}
}

static void
what_comes_after_all_is_warned_of(void **state)
{
	struct rig rig;

	(void)state;
	load(&rig, PEERS "egress = ( { name = \"a\"; deny = ( { },\n"
	    "{ port = \"1\"; } ); } );");
	assert_non_null(rig.e);
	assert_non_null(strstr(rig.f.said, "test:2: egress: warning: this "
	    "entry fits all, so those after it are never asked"));
	unload(&rig);
}

static bool
judge(const struct rig *rig, const char *list, struct egress_query *q,
    const char *to)
{
	uint16_t port = q->to.port;

	if (!addr_parse_host(&q->to, str_of(to)))
		fail_msg("%s", to);
	q->to.port = port;
	q->peers = rig->ps;
	return egress_judge(egress_by_name(rig->e, list), q);
}

static void
lists_of_the_file(void **state)
{
	static const struct {
		const char	*list, *to;
		uint16_t	 port;
		enum transport	 transport;
		const char	*uri;
		bool		 want;
	} cases[] = {
		{ "gates", "192.0.2.1", 5060, TRANSPORT_UDP, "sip:a@b", true },
		{ "gates", "10.2.3.4", 5060, TRANSPORT_UDP, "sip:a@b", false },
		{ "gates", "10.1.3.4", 5060, TRANSPORT_TLS, "sip:a@b", true },
		{ "gates", "10.1.3.4", 5061, TRANSPORT_TLS, "sip:a@b", false },
		{ "gates", "10.1.3.4", 5060, TRANSPORT_TCP, "sip:a@b", false },
		{ "gates", "192.0.2.1", 5060, TRANSPORT_TCP, "sip:a@b", true },
		{ "gates", "192.0.2.1", 5061, TRANSPORT_TCP, "sip:a@b",
		    false },
		{ "gates", "192.0.2.1", 5063, TRANSPORT_TCP, "sip:a@b",
		    false },
		{ "gates", "192.0.2.1", 5064, TRANSPORT_TCP, "sip:a@b", true },
		{ "gates", "192.0.2.1", 5061, TRANSPORT_UDP, "sip:a@b", true },
		{ "gates", "192.0.2.1", 5060, TRANSPORT_UDP, "sip:+19001@b",
		    false },
		{ "gates", "2001:db8::1", 7, TRANSPORT_UDP, "sip:a@b", false },
		{ "gates", "2001:db8::1", 8, TRANSPORT_UDP, "sip:a@b", true },
		/* the same gateway through a translator or a tunnel */
		{ "gates", "64:ff9b::a02:304", 5060, TRANSPORT_UDP, "sip:a@b",
		    false },
		{ "gates", "2002:a02:304::1", 5060, TRANSPORT_UDP, "sip:a@b",
		    false },
		{ "gates", "::ffff:10.2.3.4", 5060, TRANSPORT_UDP, "sip:a@b",
		    false },
		{ "only", "192.0.2.77", 9, TRANSPORT_TLS, "sip:a@b", true },
		{ "only", "192.0.3.1", 9, TRANSPORT_TLS, "sip:a@b", false },
		{ "only", "2001:db8::1", 9, TRANSPORT_TLS, "sip:a@b", false },
	};
	struct rig rig;

	(void)state;
	load(&rig, PEERS LISTS);
	if (rig.e == NULL)
		fail_msg("%s", rig.f.said);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct egress_query q = { .to.port = cases[i].port,
			.transport = cases[i].transport,
			.uri = str_of(cases[i].uri) };

		if (judge(&rig, cases[i].list, &q, cases[i].to) !=
		    cases[i].want)
			fail_msg("case %zu: %s", i, cases[i].to);
	}
	assert_null(egress_by_name(rig.e, "gate"));
	unload(&rig);
}

/* Bits: may a stranger, a peer, a peer on loopback reach it? */
enum { STRANGER = 1, PEER = 2, LOCAL_PEER = 4, ALL = 7 };

static void
the_built_in_list(void **state)
{
	static const struct { const char *to; unsigned who; } cases[] = {
		{ "192.0.2.1", ALL }, { "2001:db8::1", ALL },
		{ "8.8.8.8", ALL }, { "2a00:1450::8", ALL },
		{ "127.0.0.1", LOCAL_PEER }, { "127.9.9.9", LOCAL_PEER },
		{ "::1", LOCAL_PEER },
		{ "0.0.0.0", 0 }, { "0.1.2.3", 0 }, { "::", 0 },
		{ "169.254.1.1", 0 }, { "fe80::1", 0 }, { "febf::1", 0 },
		{ "224.0.1.75", 0 }, { "239.1.1.1", 0 }, { "ff02::1", 0 },
		{ "255.255.255.255", 0 },
		{ "10.0.0.1", PEER | LOCAL_PEER },
		{ "172.16.0.1", PEER | LOCAL_PEER },
		{ "172.31.255.255", PEER | LOCAL_PEER },
		{ "172.32.0.1", ALL }, { "172.15.0.1", ALL },
		{ "192.168.1.1", PEER | LOCAL_PEER },
		{ "100.64.0.1", PEER | LOCAL_PEER }, { "100.128.0.1", ALL },
		{ "fd00::1", PEER | LOCAL_PEER },
		{ "fec0::1", PEER | LOCAL_PEER },
		/* of a peer: a numeric target, and its network */
		{ "198.51.100.5", PEER | LOCAL_PEER },
		{ "198.51.100.6", ALL },
		{ "203.0.113.77", PEER | LOCAL_PEER },
		/* IPv4 in IPv6 */
		{ "::ffff:127.0.0.1", LOCAL_PEER },
		{ "::ffff:10.0.0.1", PEER | LOCAL_PEER },
		{ "64:ff9b::7f00:1", LOCAL_PEER },
		{ "64:ff9b::a00:1", PEER | LOCAL_PEER },
		{ "64:ff9b::808:808", ALL },
		{ "64:ff9b::c633:6405", PEER | LOCAL_PEER },
		{ "2002:a00:1::1", PEER | LOCAL_PEER },
		{ "2002:a9fe:101::1", 0 }, { "2002:808:808::1", ALL },
		{ "::10.0.0.1", PEER | LOCAL_PEER },
		{ "64:ff9b:1::a9fe:101", PEER | LOCAL_PEER },
	};
	struct rig rig;

	(void)state;
	load(&rig, PEERS);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct egress_query q = { .to.port = 5060 };
		unsigned who = 0;

		who |= judge(&rig, "default", &q, cases[i].to) ? STRANGER : 0;
		q.of_peer = true;
		addr_parse_host(&q.source, str_of("203.0.113.1"));
		who |= judge(&rig, "default", &q, cases[i].to) ? PEER : 0;
		addr_parse_host(&q.source, str_of("127.0.0.5"));
		who |= judge(&rig, "default", &q, cases[i].to) ? LOCAL_PEER :
		    0;
		if (who != cases[i].who)
			fail_msg("%s: %u", cases[i].to, who);
		q.is_ours = true;
		if (judge(&rig, "default", &q, cases[i].to))
			fail_msg("%s: our own", cases[i].to);
	}
	unload(&rig);
}

struct filled {
	struct file_text	 f;
	struct file		 file;
};

static bool
build(void *arg)
{
	struct filled *in = arg;
	struct egress *e = egress_new(in->f.conf, &in->file.egress);

	egress_free(e);
	return e != NULL;
}

static void
lack_of_memory_is_said(void **state)
{
	struct filled in;

	(void)state;
	assert_int_equal(file_text_open(&in.f, PEERS LISTS, file_opts,
	    &in.file), 0);
	assert_int_equal(failing_alloc_each(build, &in), 0);
	assert_non_null(strstr(in.f.said, "test: egress: no memory"));
	conf_free(in.f.conf);
	egress_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_files_are_complained_about),
		cmocka_unit_test(what_comes_after_all_is_warned_of),
		cmocka_unit_test(lists_of_the_file),
		cmocka_unit_test(the_built_in_list),
		cmocka_unit_test(lack_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
