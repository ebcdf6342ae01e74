/*
 * test_settings.c -- whole files, good and bad, and what is said of them.
 *
 * With the argument "manual" it prints the options for sipbouncer.cfg(5).
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/count.h"
#include "daemon/settings.h"
#include "failing_alloc.h"
#include "modules/registry.h"
#include "put_file.h"

#define TOP TEST_DATA "/../../"

#ifdef HAVE_REDIS
#define STORES "memory, redis"
#else
#define STORES "memory"
#endif

/* A folder, a configuration in it, and a second one. */
struct rig { char dir[64], path[96], again[96], err[96]; };

static int
set_up(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	assert_non_null(r);
	strcpy(r->dir, "/tmp/test_settings.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->path, sizeof r->path, "%s/a.cfg", r->dir);
	snprintf(r->again, sizeof r->again, "%s/b.cfg", r->dir);
	snprintf(r->err, sizeof r->err, "%s/err", r->dir);
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *r = *state;

	unlink(r->path);
	unlink(r->again);
	unlink(r->err);
	rmdir(r->dir);
	free(r);
	return 0;
}

static char *
get_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(f);
	assert_int_not_equal(getdelim(&text, &size, '\0', f), -1);
	fclose(f);
	return text;
}

/* Load a file; what is written to stderr goes to said. */
static struct settings *
load(struct rig *r, const char *path, char *said, size_t size)
{
	int was = dup(STDERR_FILENO);
	FILE *f = fopen(r->err, "w+");
	struct settings *s;

	assert_int_not_equal(was, -1);
	assert_non_null(f);
	fflush(stderr);
	dup2(fileno(f), STDERR_FILENO);
	s = settings_load(path, NULL, NULL);
	fflush(stderr);
	dup2(was, STDERR_FILENO);
	close(was);
	rewind(f);
	said[fread(said, 1, size - 1, f)] = '\0';
	fclose(f);
	return s;
}

static const char smallest[] =
    "realm  = \"example.com\";\n"
    "listen = ( { uri = \"sip:0.0.0.0:5060\"; } );\n"
    "users  = { type = \"file\"; path = \"users\"; };\n"
    "peers  = ( { name = \"pbx\"; uri = \"sip:10.0.0.5:5060\";\n"
    "             from = [ \"10.0.0.5\" ]; auth = \"ip\"; } );\n"
    "routes = ( { to = \"pbx\"; } );\n";

/* Put before a line that ends a file which is good without it. */
#define REALM "realm = \"r\"; "
#define LISTEN "listen = ( { uri = \"sip:127.0.0.1\"; } ); "
#define USERS "users = { type = \"file\"; path = \"u\"; }; "
#define ON(uri) REALM "\nlisten = ( { uri = \"" uri "\"; } );"
#define A_NAME ":2: listen.uri: the host must be an address to listen on " \
    "(1.2.3.4, [::1]), not a name"
#define A_PORT ":2: listen.uri: the port must be a number from 1 to 65535"

/* With one more option in the entry. */
#define PLAIN(option) REALM "listen = ( { uri = \"sip:1.2.3.4\"; " \
    option "; } );"
#define SECURE(option) REALM "listen = ( { uri = \"sips:1.2.3.4\"; " \
    "certificate = \"c\"; " option "; } );"
#define INSIDES "listen = ( { name = \"a\"; uri = \"sip:10.0.0.1\"; }, " \
    "{ name = \"every\"; uri = \"sip:0.0.0.0:5062\"; }, " \
    "{ name = \"hidden\"; uri = \"sip:10.0.0.2\"; " \
    "proxy_protocol = \"10.0.0.9\"; } ); "
#define NAMED REALM INSIDES "record_route = \"sip.r\"; "
#define CLUSTER(inside, member) "\ncluster = { inside = \"" inside "\";\n" \
    "members = [ \"" member "\" ]; };"
#define NEEDS_TLS(option) , ":1: listen." option ": is for TLS only (sips:, " \
    "or transport=tls)"

static const struct {
	const char	*file, *said;	/* said behind the file's name */
} bad[] = {
	{ LISTEN, ": realm: missing" },
	{ REALM, ": listen: missing" },
	{ LISTEN "\nrealm = \"a\\\"b\";", ":2: realm: may not hold \" or \\" },
	{ LISTEN REALM "\ninstance_id = 65536;",
	    ":2: instance_id: out of range: 0 to 65535" },
	{ REALM "\nlisten = ( );", ": listen: has no entry" },
	{ REALM "\nlisten = ( { name = \"x\"; } );",
	    ":2: listen.uri: missing" },
	{ ON("sip:sip.example.com"), A_NAME },
	{ ON("sip:"), A_NAME },
	{ ON("sip:::1"), A_NAME },
	{ ON("sip:[::1"), A_NAME },
	{ ON("sip:user@1.2.3.4"), A_NAME },
	{ ON("sip:1.2.3.4:0"), A_PORT },
	{ ON("sip:1.2.3.4:65536"), A_PORT },
	{ ON("sip:1.2.3.4:"), A_PORT },
	{ ON("sip:[::1]5060"), A_PORT },
	{ ON("1.2.3.4"), ":2: listen.uri: must start with sip: or sips:" },
	{ ON("sips:1.2.3.4;transport=tcp"),
	    ":2: listen.uri: sips: is TLS, and no other transport" },
	{ ON("sip:1.2.3.4;transport=sctp"),
	    ":2: listen.uri: transport must be udp, tcp or tls" },
	{ ON("sips:1.2.3.4"),
	    ":2: listen.certificate: missing; TLS needs one" },
	{ ON("sip:1.2.3.4;transport=tls"),
	    ":2: listen.certificate: missing; TLS needs one" },
	{ PLAIN("certificate = \"c\"") NEEDS_TLS("certificate") },
	{ PLAIN("key = \"k\"") NEEDS_TLS("key") },
	{ PLAIN("client_ca = \"c\"") NEEDS_TLS("client_ca") },
	{ PLAIN("client_certificate = \"none\"")
	    NEEDS_TLS("client_certificate") },
	{ PLAIN("crl = \"c\"") NEEDS_TLS("crl") },
	{ SECURE("key = [\n\"a\", \"b\" ]"),
	    ":2: listen.key: has 2 where certificate has 1" },
	{ SECURE("client_certificate = \"perhaps\""),
	    ":1: listen.client_certificate: \"perhaps\" is not one of "
	    "\"auto\", \"none\", \"optional\", \"required\"" },
	{ SECURE("client_certificate = \"required\""),
	    ":1: listen.client_certificate: \"required\" of whom?  There is "
	    "no client_ca, and no peer with a certificate" },
	{ PLAIN("proxy_protocol = [ \"10.0.0.0/8\",\n\"10.0.0.1/8\" ]"),
	    ":2: listen.proxy_protocol: \"10.0.0.1/8\" is not an address, "
	    "and not a network without host bits" },
	{ PLAIN("proxy_protocol = \"0.0.0.0/0\""),
	    ":1: listen.proxy_protocol: \"0.0.0.0/0\" would let anybody "
	    "claim any address" },
	{ PLAIN("proxy_protocol = \"::/0\""),
	    ":1: listen.proxy_protocol: \"::/0\" would let anybody "
	    "claim any address" },
	{ REALM LISTEN "\ntls = { key = \"k\"; };",
	    ":2: tls.key: goes with a certificate" },
	{ REALM LISTEN "tls = {\nmin_version = \"1.1\"; };",
	    ":2: tls.min_version: \"1.1\" is not one of \"1.2\", \"1.3\"" },
	{ REALM LISTEN "deny = [ \"10.0.0.0/8\",\n\"10.0.0.1/8\" ];",
	    ":2: deny: \"10.0.0.1/8\" is not an address, and not a network "
	    "without host bits" },
	{ REALM LISTEN "limits = {\n stun = \"off\"; };",
	    ":2: limits.stun: \"off\" is not one of \"drop\", \"answer\"" },
	{ ON("sip:1.2.3.4;lr"),
	    ":2: listen.uri: only the parameter transport may follow" },
	{ REALM "listen = ( { uri = \"sip:1.2.3.4\"; name = \"a b\"; } );",
	    ":1: listen.name: may hold letters, digits, . _ and - only" },
	{ REALM "listen = ( { uri = \"sip:1.2.3.4\"; "
	    "advertise = \"1.2.3.4:5060\"; } );",
	    ":1: listen.advertise: must be a host, without port" },
	{ REALM "listen = ( { uri = \"sip:1.2.3.4\"; name = \"a\"; },\n"
	    "{ uri = \"sip:1.2.3.5\"; name = \"a\"; } );",
	    ":2: listen.name: \"a\" is the name of the entry in line 1 too" },
	{ REALM "listen = ( { uri = \"sip:1.2.3.4\"; },\n"
	    "{ uri = \"sip:0.0.0.0:5060;transport=tcp\"; } );",
	    ":2: listen.uri: overlaps with the entry in line 1" },
	{ REALM "listen = ( { uri = \"sip:1.2.3.4\"; },\n"
	    "{ uri = \"sips:0.0.0.0:5060\"; certificate = \"c\"; } );",
	    ":2: listen.uri: overlaps with the entry in line 1" },
	{ PLAIN("advertise_to = (\n{ net = \"10.0.0.1/8\"; host = \"a\"; })"),
	    ":2: listen.advertise_to.net: \"10.0.0.1/8\" is not an address, "
	    "and not a network without host bits" },
	{ PLAIN("advertise_to = (\n{ net = \"10.0.0.0/8\"; "
	    "host = \"a:1\"; })"),
	    ":2: listen.advertise_to.host: must be a host, without port" },
	{ REALM INSIDES CLUSTER("a", "10.0.0.0/24"), ":2: cluster: needs record_route, a name of all instances: a "
	    "dialog must find any of them" },
	{ NAMED CLUSTER("b", "10.0.0.0/24"),
	    ":2: cluster.inside: no entry of listen is that" },
	{ NAMED CLUSTER("sip:10.0.0.1:5061", "10.0.0.0/24"),
	    ":2: cluster.inside: no entry of listen is that" },
	{ NAMED CLUSTER("sips:10.0.0.1:5060", "10.0.0.0/24"),
	    ":2: cluster.inside: no entry of listen is that" },
	{ NAMED CLUSTER("sip:0.0.0.0", "10.0.0.0/24"),
	    ":2: cluster.inside: the others cannot reach us at every "
	    "address" },
	{ NAMED CLUSTER("sip:10.0.0.1;lr", "10.0.0.0/24"),
	    ":2: cluster.inside: only the parameter transport may follow" },
	{ NAMED CLUSTER("every", "10.0.0.0/24"),
	    ":2: cluster.inside: that listener has every address: say which, "
	    "as in sip:10.0.0.1:5060" },
	{ NAMED CLUSTER("hidden", "10.0.0.0/24"),
	    ":2: cluster.inside: the others do not come by a balancer" },
	{ NAMED CLUSTER("a", "10.0.0.1/24"),
	    ":3: cluster.members: \"10.0.0.1/24\" is not an address, and not "
	    "a network without host bits" },
	{ NAMED CLUSTER("a", "0.0.0.0/0"),
	    ":3: cluster.members: \"0.0.0.0/0\" is everybody" },
	{ NAMED CLUSTER("a", "::/0"),
	    ":3: cluster.members: \"::/0\" is everybody" },
	{ REALM LISTEN "nonce_store = {\n type = \"disk\"; };",
	    ":1: nonce_store.type: \"disk\" is not built in; there are: "
	    STORES },
	{ REALM LISTEN "\nnonce_store = { };",
	    ":2: nonce_store.type: missing; there are: " STORES },
	{ REALM LISTEN "nonce_store = { type = \"memory\";\n sise = 500; };",
	    ":2: nonce_store.sise: unknown option; did you mean size?" },
	{ REALM LISTEN "nonce_store = { type = \"memory\";\n size = 5; };",
	    ":2: nonce_store.size: out of range: 100 to 10000000" },
	{ REALM LISTEN "users = { type = \"file\"; };",
	    ":1: users.path: missing" },
	{ REALM LISTEN "\nusers = \"file\";",
	    ":2: users: must be a group: { ... }" },
	{ REALM LISTEN USERS "peers = (\n { name = \"p\"; "
	    "from = \"127.0.0.1\"; listener = \"x\"; } );",
	    ":2: peers.listener: no entry of listen is named \"x\"" },
	{ REALM LISTEN USERS "\nroutes = ( { to = \"nobody\"; } );",
	    ":2: routes.to: there is no peer \"nobody\"" },
	{ REALM LISTEN "auth = {\n nc_max = 4097; };",
	    ":2: auth.nc_max: out of range: 1 to 4096" },
	{ REALM LISTEN "auth = {\n nonce_lifetime = \"13h\"; };",
	    ":2: auth.nonce_lifetime: out of range: 10s to 12h" },
	{ REALM LISTEN "limits = {\n requests_per_source = \"fast\"; };",
	    ":2: limits.requests_per_source: must be a rate from 1 to "
	    "1000000, like \"50/s\", \"600/m\" or \"50/s burst 200\", "
	    "or \"off\"" },
	{ REALM LISTEN "limits = { methods = {\n INVITE = \"5/h\"; }; };",
	    ":2: limits.methods.INVITE: must be a rate from 1 to "
	    "1000000, like \"50/s\", \"600/m\" or \"50/s burst 200\", "
	    "or \"off\"" },
	{ REALM LISTEN "guard = {\n scanners = \"/nowhere/to/be\"; };",
	    ":1: guard.scanners: /nowhere/to/be: No such file or "
	    "directory" },
	{ REALM LISTEN "\negress = ( { name = \"x\"; } );",
	    ":2: egress.deny: \"x\" denies nothing; an entry without options, "
	    "( { } ), denies all that allow does not name" },
	{ REALM LISTEN "\nroutes = ( { listener = \"x\"; reject = 403; } );",
	    ":2: routes.listener: no entry of listen is named \"x\"" },
	{ REALM LISTEN "\nroutes = ( { class = \"x\"; reject = 403; } );",
	    ":2: routes.class: there are no users, and so no classes" },
};

static void
bad_files_are_told_why(void **state)
{
	struct rig *r = *state;
	char said[2048], want[512];

	for (size_t i = 0; i < COUNT(bad); i++) {
		put_file(r->path, bad[i].file);
		assert_null(load(r, r->path, said, sizeof said));
		snprintf(want, sizeof want, "%s%s\n", r->path, bad[i].said);
		assert_string_equal(said, want);
	}
}

static const struct {
	const char	*file, *said;
} risky[] = {
	{ REALM LISTEN "peers = ( { name = \"p\"; from = \"127.0.0.1\";\n"
	    "auth = \"digest\"; } );",
	    ":1: peers.auth: warning: peer \"p\" needs digest, but there are "
	    "no users" },
	{ REALM LISTEN "peers = ( { name = \"p\"; uri = \"sip:127.0.0.2\"; "
	    "} );\nroutes = ( { to = \"p\"; } );",
	    ":2: routes: warning: there are no users, so only peers can take "
	    "the route to \"p\"" },
	{ SECURE("client_certificate = \"none\"; client_ca = \"c\""),
	    ":1: listen.client_certificate: warning: \"none\": nobody's "
	    "certificate will be asked for" },
	{ SECURE("client_certificate = \"none\"") "peers = (\n{ name = \"p\"; "
	    "certificate = \"c\"; } );", ":2: peers.certificate: warning: no "
	    "entry of listen asks for certificates, so \"p\" is never known" },
	{ REALM LISTEN USERS "peers = ( { name = \"p\"; uri = [ \"sip:a\",\n"
	    "\"sips:a\" ]; } );", ":2: peers.uri: warning: no entry of listen "
	    "is for TLS, so \"sips:a\" cannot be reached" },
	{ REALM LISTEN "\ntimers = { c = \"180s\"; };",
	    ":2: timers.c: warning: RFC 3261 wants more than 3m" },
	{ REALM LISTEN "\nauth = { legacy = true; };",
	    ":2: auth.legacy: warning: answers without qop come in over "
	    "listener \"listen1\", which is not TLS" },
	{ REALM LISTEN "\nlimits = { ban_time = \"2d\"; };",
	    ":2: limits.ban_time: warning: is longer than ban_max, which "
	    "counts" },
};

static void
risky_files_are_warned_of(void **state)
{
	struct rig *r = *state;
	char said[2048], want[512];
	struct settings *s;

	for (size_t i = 0; i < COUNT(risky); i++) {
		put_file(r->path, risky[i].file);
		s = load(r, r->path, said, sizeof said);
		assert_non_null(s);
		snprintf(want, sizeof want, "%s%s\n", r->path,
		    risky[i].said);
		assert_string_equal(said, want);
		settings_free(s);
	}
}

static const struct {
	const char	*uri, *addr;
	bool		 udp, tcp, tls;
} listens[] = {
	{ "sip:1.2.3.4", "1.2.3.4:5060", true, true, false },
	{ "SIP:1.2.3.4:5070", "1.2.3.4:5070", true, true, false },
	{ "sip:[2001:db8::1]:5070", "[2001:db8::1]:5070", true, true, false },
	{ "sip:[::]", "[::]:5060", true, true, false },
	{ "sip:0.0.0.0:1;transport=udp", "0.0.0.0:1", true, false, false },
	{ "sip:[::1];Transport=TCP", "[::1]:5060", false, true, false },
	{ "sip:1.2.3.4;transport=TLS", "1.2.3.4:5061", false, false, true },
	{ "SIPS:[::1]", "[::1]:5061", false, false, true },
	{ "sips:1.2.3.4:5060;transport=tls", "1.2.3.4:5060", false, false,
	    true },
};

static void
listen_uris_are_taken_apart(void **state)
{
	struct rig *r = *state;
	char file[256], said[512], text[ADDR_TEXT_MAX];
	const struct listen_conf *l;
	struct settings *s;

	for (size_t i = 0; i < COUNT(listens); i++) {
		snprintf(file, sizeof file, REALM
		    "listen = ( { uri = \"%s\"; %s } );", listens[i].uri,
		    listens[i].tls ? "certificate = \"c\";" : "");
		put_file(r->path, file);
		s = load(r, r->path, said, sizeof said);
		assert_string_equal(said, "");
		assert_non_null(s);
		l = s->listen.v;
		assert_string_equal(addr_text(&l->addr, text),
		    listens[i].addr);
		assert_int_equal(l->udp, listens[i].udp);
		assert_int_equal(l->tcp, listens[i].tcp);
		assert_int_equal(l->tls, listens[i].tls);
		assert_string_equal(l->name, "listen1");
		settings_free(s);
	}
}

/* Other transport, other family, other port or other address: no overlap. */
static void
listeners_stand_side_by_side(void **state)
{
	struct rig *r = *state;
	char said[512];
	struct settings *s;

	put_file(r->path, REALM "listen = ("
	    "{ uri = \"sip:0.0.0.0;transport=udp\"; },"
	    "{ uri = \"sip:1.2.3.4;transport=tcp\"; },"
	    "{ uri = \"sip:1.2.3.5;transport=tcp\"; },"
	    "{ uri = \"sip:1.2.3.4:5061\"; }, { uri = \"sip:[::]\"; },"
	    "{ uri = \"sips:1.2.3.5\"; certificate = \"c\"; } );");
	s = load(r, r->path, said, sizeof said);
	assert_string_equal(said, "");
	assert_non_null(s);
	assert_string_equal(((struct listen_conf *)s->listen.v)[4].name,
	    "listen5");
	settings_free(s);
}

static void
tls_options_are_taken(void **state)
{
	struct rig *r = *state;
	const struct listen_conf *l;
	char said[512], want[128];
	struct settings *s;
	struct addr a;

	put_file(r->path, REALM "listen = ( { uri = \"sips:127.0.0.1\";"
	    "certificate = [ \"a.pem\", \"/b.pem\" ]; key = [ \"/a\", \"/b\" ];"
	    "client_ca = \"/ca\"; client_certificate = \"required\";"
	    "crl = \"/crl\"; crl_expired = \"accept\";"
	    "proxy_protocol = [ \"10.0.0.0/8\", \"127.0.0.1\" ]; },"
	    "{ uri = \"sips:127.0.0.2\"; certificate = \"/a.pem\"; } );"
	    "tls = { certificate = \"/c\"; key = \"/k\"; ca = \"/ca2\";"
	    "crl = \"/crl2\"; min_version = \"1.3\"; ciphers = \"HIGH\"; };"
	    "deny = [ \"192.0.2.0/24\" ];"
	    "limits = { handshake = \"3s\"; unsent_bytes = 70000;"
	    "stun = \"answer\"; };");
	s = load(r, r->path, said, sizeof said);
	assert_string_equal(said, "");
	assert_non_null(s);
	l = s->listen.v;
	snprintf(want, sizeof want, "%s/a.pem", r->dir);
	assert_int_equal(l->certificate.n, 2);
	assert_string_equal(l->certificate.v[0], want);
	assert_string_equal(l->certificate.v[1], "/b.pem");
	assert_string_equal(l->key.v[1], "/b");
	assert_string_equal(l->client_ca, "/ca");
	assert_int_equal(l->client_certificate, CLIENT_CERT_REQUIRED);
	assert_string_equal(l->crl, "/crl");
	assert_int_equal(l->crl_expired, CRL_EXPIRED_ACCEPT);
	assert_int_equal(l->nbalancers, 2);
	assert_true(addr_parse_host(&a, str_of("10.1.2.3")));
	assert_true(net_has(&l->balancer[0], &a));
	assert_false(net_has(&l->balancer[1], &a));
	assert_int_equal(l[1].key.n, 0);
	assert_int_equal(l[1].client_certificate, CLIENT_CERT_AUTO);
	assert_int_equal(l[1].crl_expired, CRL_EXPIRED_REFUSE);
	assert_int_equal(l[1].nbalancers, 0);
	assert_string_equal(s->tls.certificate, "/c");
	assert_string_equal(s->tls.key, "/k");
	assert_string_equal(s->tls.ca, "/ca2");
	assert_string_equal(s->tls.crl, "/crl2");
	assert_int_equal(s->tls.min_version, TLS_VERSION_13);
	assert_string_equal(s->tls.ciphers, "HIGH");
	assert_true(addr_parse_host(&a, str_of("192.0.2.9")));
	assert_true(deny_has(s->deny, &a));
	assert_int_equal(s->limits.handshake_ms, 3000);
	assert_int_equal(s->limits.unsent_bytes, 70000);
	assert_int_equal(s->limits.stun, STUN_ANSWER);
	settings_free(s);
}

static void
the_smallest_file_is_filled_up(void **state)
{
	struct rig *r = *state;
	char said[512];
	struct settings *s;

	put_file(r->path, smallest);
	s = load(r, r->path, said, sizeof said);
	assert_string_equal(said, "");
	assert_non_null(s);
	assert_string_equal(s->realm, "example.com");
	assert_string_equal(s->state_dir, LOCALSTATEDIR "/lib/sipbouncer");
	assert_string_equal(s->auth.key_file,
	    LOCALSTATEDIR "/lib/sipbouncer/nonce.key");
	assert_int_equal(s->auth.algorithms.n, 2);
	assert_int_equal(s->auth.algorithms.v[0], DIGEST_SHA256);
	assert_int_equal(s->auth.algorithms.v[1], DIGEST_MD5);
	assert_int_equal(s->auth.nonce_lifetime_ms, 120 * 1000);
	assert_int_equal(s->auth.nc_max, 1024);
	assert_int_equal(s->auth.dialog_max_ms, 12 * 3600 * 1000);
	assert_int_equal(s->limits.pending, 20000);
	assert_int_equal(s->limits.idle_ms, 3600 * 1000);
	assert_int_equal(s->limits.handshake_ms, 5000);
	assert_int_equal(s->limits.unsent_bytes, 1000000);
	assert_int_equal(s->limits.stun, STUN_DROP);
	assert_int_equal(s->tls.line, 0);
	assert_null(s->tls.ca);
	assert_int_equal(s->tls.min_version, TLS_VERSION_12);
	assert_non_null(s->deny);
	assert_int_equal(s->timers.t1_ms, 500);
	assert_int_equal(s->timers.c_ms, 185 * 1000);
	assert_int_equal(s->log.level, LEVEL_INFO);
	assert_int_equal(s->log.format, LOG_TEXT);
	assert_string_equal(s->nonce_store->name, "memory");
	assert_non_null(s->nonce_store_conf);
	assert_string_equal(s->users->name, "file");
	assert_int_equal(peers_count(s->peers), 1);
	assert_non_null(s->routes);
	settings_free(s);
	settings_free(NULL);
}

static void
limits_may_be_off(void **state)
{
	struct rig *r = *state;
	char said[512];
	struct settings *s;

	put_file(r->path, REALM LISTEN "limits = { pending = \"off\"; "
	    "idle = \"off\"; handshake = \"off\"; unsent_bytes = \"off\"; "
	    "requests_per_source = \"off\"; "
	    "ban_after = \"off\"; };");
	s = load(r, r->path, said, sizeof said);
	assert_string_equal(said, "");
	assert_non_null(s);
	assert_int_equal(s->limits.pending, -1);
	assert_int_equal(s->limits.idle_ms, -1);
	assert_int_equal(s->limits.handshake_ms, -1);
	assert_int_equal(s->limits.unsent_bytes, -1);
	assert_int_equal(s->limits.requests_per_source.count, 0);
	assert_int_equal(s->limits.ban_after, -1);
	settings_free(s);
}

static char *
print(const struct settings *s)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	settings_print(f, s);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* The samples are good, and what -T prints of them loads to the same. */
static void
samples_load_and_read_back(void **state)
{
	static const char *const sample[] = {
		TOP "etc/sipbouncer.cfg", TOP "etc/sipbouncer-full.cfg"
	};
	struct rig *r = *state;
	struct settings *s;
	char said[512], *text[2];

	for (size_t i = 0; i < COUNT(sample); i++) {
		s = load(r, sample[i], said, sizeof said);
		assert_string_equal(said, "");
		assert_non_null(s);
		text[0] = print(s);
		settings_free(s);
		put_file(r->again, text[0]);
		s = load(r, r->again, said, sizeof said);
		assert_string_equal(said, "");
		assert_non_null(s);
		text[1] = print(s);
		settings_free(s);
		assert_string_equal(text[0], text[1]);
		free(text[0]);
		free(text[1]);
	}
}

static char *
print_manual(void)
{
	char *text = NULL;
	size_t size;
	FILE *f;

	/* The manual has all modules but those that exist for the tests; the
	 * build that is like this holds it. */
	if (cred_ops_by_name("slow") != NULL ||
	    nonce_store_ops_by_name("redis") == NULL)
		return NULL;
	f = open_memstream(&text, &size);
	assert_non_null(f);
	settings_print_manual(f);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* A failure here wants `make update-man`. */
static void
the_manual_has_every_option(void **state)
{
	char *want = print_manual(), *page, *from, *to;

	(void)state;
	if (want == NULL)
		return;
	page = get_file(TOP "man/sipbouncer.cfg.5");
	from = strstr(page, ".\\\" options begin");
	assert_non_null(from);
	from = strchr(from, '\n') + 1;
	to = strstr(from, ".\\\" options end");
	assert_non_null(to);
	*to = '\0';
	assert_string_equal(from, want);
	free(want);
	free(page);
}

/* The option's own name: "nc_max" of ".It Ic auth.nc_max". */
static void
name_of(const char *it, char *out, size_t size)
{
	size_t n = strcspn(it, " \n");
	const char *dot = memrchr(it, '.', n);
	const char *start = dot == NULL ? it : dot + 1;

	snprintf(out, size, "%.*s =", (int)(it + n - start), start);
}

static void
the_full_sample_has_every_option(void **state)
{
	static const char head[] = "\n.It Ic ";
	char *manual = print_manual(), *sample, name[80];
	unsigned n = 0;

	(void)state;
	if (manual == NULL)
		return;
	sample = get_file(TOP "etc/sipbouncer-full.cfg");
	for (const char *p = strstr(manual, head); p != NULL;
	    p = strstr(p, head), n++) {
		p += strlen(head);
		name_of(p, name, sizeof name);
		/* The long form of a peer's auth = "ip". */
		if (strncmp(p, "peers.auth.is\n", 14) != 0 &&
		    strstr(sample, name) == NULL)
			fail_msg("%s is not in the sample", name);
	}
	assert_true(n > 50);
	free(sample);
	free(manual);
}

static bool
load_and_free(void *arg)
{
	struct settings *s = settings_load(arg, NULL, NULL);
	bool ok = s != NULL;

	settings_free(s);
	return ok;
}

static void
lack_of_memory_is_an_error(void **state)
{
	struct rig *r = *state;
	int was = dup(STDERR_FILENO);
	FILE *f = fopen(r->err, "w");
	unsigned coped;

	put_file(r->path, smallest);
	assert_int_not_equal(was, -1);
	assert_non_null(f);
	dup2(fileno(f), STDERR_FILENO);
	coped = failing_alloc_each(load_and_free, r->path);
	dup2(was, STDERR_FILENO);
	close(was);
	fclose(f);
	assert_int_equal(coped, 0);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	IN_FOLDER(bad_files_are_told_why),
	IN_FOLDER(risky_files_are_warned_of),
	IN_FOLDER(listen_uris_are_taken_apart),
	IN_FOLDER(listeners_stand_side_by_side),
	IN_FOLDER(tls_options_are_taken),
	IN_FOLDER(the_smallest_file_is_filled_up),
	IN_FOLDER(limits_may_be_off),
	IN_FOLDER(samples_load_and_read_back),
	cmocka_unit_test(the_manual_has_every_option),
	cmocka_unit_test(the_full_sample_has_every_option),
	IN_FOLDER(lack_of_memory_is_an_error),
};

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "manual") == 0) {
		settings_print_manual(stdout);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
