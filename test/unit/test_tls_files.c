/* Certificates, authorities and CRLs of the settings, and of changed files. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/metrics.h"
#include "daemon/tls_files.h"
#include "failing_alloc.h"
#include "io/loop.h"
#include "io/tls.h"
#include "pki.h"

enum { DAY_S = 24 * 3600 };

/* Two authorities, a folder of files, and a log that can be read. */
struct rig {
	struct pki	 pki;
	struct pki_cert	 root, other;
	struct settings	*s;
	struct loop	*loop;
	struct metrics	*metrics;
	struct tls_files *f;
	int		 log;
};

static void
put_leaf(const struct rig *r, const struct pki_cert *by, const char *file,
    const struct pki_spec *spec)
{
	const char *path = pki_path(&r->pki, file);
	struct pki_cert leaf = pki_issue(by, spec);

	unlink(path);
	pki_put_cert(path, &leaf);
	pki_put_key(path, &leaf, NULL);
	pki_free(&leaf);
}

static void
put_name(const struct rig *r, const struct pki_cert *by, const char *file,
    const char *name)
{
	char san[80];
	const struct pki_spec spec = { .name = name, .san = san,
		.use = "serverAuth,clientAuth" };

	snprintf(san, sizeof san, "DNS:%s", name);
	put_leaf(r, by, file, &spec);
}

static int
set_up(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	assert_non_null(r);
	pki_open(&r->pki);
	r->root = pki_issue(NULL, &(struct pki_spec){ .name = "root",
		.ca = true });
	r->other = pki_issue(NULL, &(struct pki_spec){ .name = "other",
		.ca = true });
	pki_put_cert(pki_path(&r->pki, "root.pem"), &r->root);
	pki_put_cert(pki_path(&r->pki, "other.pem"), &r->other);
	put_name(r, &r->root, "a.pem", "a.example");
	put_name(r, &r->root, "b.pem", "b.example");
	pki_put_text(pki_path(&r->pki, "broken.pem"), "broken\n");
	r->log = memfd_create("log", 0);
	assert_true(r->log >= 0);
	log_open(r->log, LOG_TEXT, LEVEL_DEBUG);
	r->loop = loop_new();
	r->metrics = metrics_new();
	assert_non_null(r->loop);
	assert_non_null(r->metrics);
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *r = *state;

	metrics_free(r->metrics);
	tls_files_free(r->f);
	loop_free(r->loop);
	settings_free(r->s);
	log_open(STDERR_FILENO, LOG_TEXT, LEVEL_INFO);
	close(r->log);
	pki_free(&r->root);
	pki_free(&r->other);
	pki_close(&r->pki);
	free(r);
	return 0;
}

/* What was logged since the last question. */
static const char *
logged(const struct rig *r)
{
	static char text[8192];
	ssize_t n;

	log_flush();
	n = pread(r->log, text, sizeof text - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(ftruncate(r->log, 0), 0);
	assert_int_equal(lseek(r->log, 0, SEEK_SET), 0);
	return text;
}

/* A configuration beside the files; listen and more are pieces of it. */
static struct settings *
configure(const struct rig *r, const char *listen, const char *more)
{
	const char *path = pki_path(&r->pki, "test.cfg");
	char text[2048];
	struct settings *s;

	snprintf(text, sizeof text, "realm = \"r\";\nlisten = ( { name = "
	    "\"in\"; uri = \"sip:127.0.0.1\"; },\n{ name = \"out\"; "
	    "uri = \"sips:127.0.0.1\";\n%s } );\n%s\n", listen, more);
	unlink(path);
	pki_put_text(path, text);
	s = settings_load(path, NULL, NULL);
	assert_non_null(s);
	return s;
}

static void
open_files(struct rig *r, const char *listen, const char *more)
{
	r->s = configure(r, listen, more);
	r->f = tls_files_new(r->loop, r->metrics, r->s);
	if (r->f == NULL)
		fail_msg("%s", logged(r));
}

static int
reload(struct rig *r, const char *listen, const char *more)
{
	struct settings *s = configure(r, listen, more);

	if (tls_files_reload(r->f, s) < 0) {
		settings_free(s);
		return -1;
	}
	settings_free(r->s);
	r->s = s;
	return 0;
}

/* ---- two ends of a connection */

struct ends {
	int		 fd[2];
	struct tls	*server, *client;
	bool		 open;
};

static bool
is_over(int r)
{
	return r != -EAGAIN;
}

/* Whether hands are shaken; the caller ends it all the same. */
static void
shake(struct ends *e, struct tls_context *server, struct tls_context *client,
    const char *name)
{
	int s = -EAGAIN, c = -EAGAIN;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    e->fd), 0);
	e->server = tls_accept(server, e->fd[0]);
	e->client = tls_connect(client, e->fd[1], name);
	assert_non_null(e->server);
	assert_non_null(e->client);
	for (int i = 0; i < 100 && !(is_over(s) && is_over(c)); i++) {
		if (!is_over(c))
			c = tls_handshake(e->client);
		if (!is_over(s))
			s = tls_handshake(e->server);
		if ((is_over(c) && c != 0) || (is_over(s) && s != 0))
			break;
	}
	e->open = s == 0 && c == 0;
}

static void
end(struct ends *e)
{
	tls_free(e->server);
	tls_free(e->client);
	close(e->fd[0]);
	close(e->fd[1]);
}

static struct tls_context *
client_that_trusts(const struct rig *r, const char *ca, const char *shows)
{
	char why[TLS_WHY_MAX];
	struct tls_trust *trust = tls_trust_new(&(struct tls_trust_conf){
	    .ca = pki_path(&r->pki, ca) }, why);
	struct tls_client_conf conf = { .trust = trust, .min_version = 12,
		.certificate.chain = shows == NULL ? NULL :
		    pki_path(&r->pki, shows) };
	struct tls_context *c = tls_client_context_new(&conf, why);

	assert_non_null(c);
	tls_trust_free(trust);
	return c;
}

/* The name in the certificate that a listener shows now. */
static bool
shows(const struct rig *r, const char *name)
{
	struct tls_context *client = client_that_trusts(r, "root.pem", NULL);
	struct ends e;
	bool yes;

	shake(&e, tls_files_server(r->f, "out"), client, name);
	yes = e.open;
	end(&e);
	tls_context_free(client);
	return yes;
}

/* ---- what is handed out */

static const char peers[] =
    "tls = { ca = \"root.pem\"; certificate = \"b.pem\"; };"
    "peers = ( { name = \"plain\"; uri = \"sips:p.example\"; },"
    "{ name = \"own\"; certificate = \"o.example\"; ca = \"other.pem\";"
    "  uri = \"sips:o.example\"; },"
    "{ name = \"any\"; uri = \"sips:x.example\"; verify = \"none\"; },"
    "{ name = \"named\"; certificate = \"n.example\"; } );";

static struct tls_trust *
trust_of(const struct rig *r, const char *peer)
{
	return tls_files_trust(r->f, "out", peers_by_name(r->s->peers, peer));
}

static void
each_gets_its_own(void **state)
{
	struct rig *r = *state;
	struct tls_context *all;

	open_files(r, "certificate = \"a.pem\"; client_ca = \"root.pem\";",
	    peers);
	assert_non_null(tls_files_server(r->f, "out"));
	assert_null(tls_files_server(r->f, "in"));
	assert_null(tls_files_server(r->f, "nobody"));
	all = tls_files_client(r->f, NULL);
	assert_non_null(all);
	assert_ptr_equal(tls_files_client(r->f, "plain"), all);
	assert_ptr_equal(tls_files_client(r->f, "named"), all);
	assert_ptr_not_equal(tls_files_client(r->f, "own"), all);
	assert_ptr_not_equal(tls_files_client(r->f, "any"), all);
	assert_ptr_not_equal(tls_files_client(r->f, "any"),
	    tls_files_client(r->f, "own"));
	assert_non_null(trust_of(r, "own"));
	assert_non_null(trust_of(r, "named"));
	assert_ptr_not_equal(trust_of(r, "own"), trust_of(r, "named"));
	/* The listener has authorities of its own. */
	assert_ptr_not_equal(trust_of(r, "named"), tls_files_trust(r->f,
	    "in", peers_by_name(r->s->peers, "named")));
}

static void
without_tls_nothing_is_read(void **state)
{
	struct rig *r = *state;

	r->s = configure(r, "certificate = \"broken.pem\";", "");
	((struct listen_conf *)r->s->listen.v)[1].tls = false;
	r->f = tls_files_new(r->loop, r->metrics, r->s);
	assert_non_null(r->f);
	assert_null(tls_files_client(r->f, NULL));
	assert_null(tls_files_server(r->f, "out"));
	tls_files_look(r->f);
	assert_string_equal(logged(r), "");
}

/* Towards servers with a certificate of this authority, for this name. */
static void
targets_are_verified(void **state)
{
	static const struct {
		const char	*peer, *shown, *name;
		bool		 open;
	} cases[] = {
		{ "plain", "good.pem", "p.example", true },
		{ "plain", "good.pem", "q.example", false },
		{ "plain", "bad.pem", "p.example", false },
		{ "own", "bad.pem", "p.example", true },
		{ "own", "good.pem", "p.example", false },
		{ "own", "bad.pem", "q.example", false },
		{ "any", "bad.pem", "q.example", true },
	};
	struct rig *r = *state;

	open_files(r, "certificate = \"a.pem\";", peers);
	put_name(r, &r->root, "good.pem", "p.example");
	put_name(r, &r->other, "bad.pem", "p.example");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tls_certificate c = {
			.chain = pki_path(&r->pki, cases[i].shown) };
		struct tls_server_conf conf = { .certificate = &c,
			.ncertificates = 1, .min_version = 12 };
		char why[TLS_WHY_MAX];
		struct tls_context *server = tls_server_context_new(&conf,
		    why);
		struct ends e;

		assert_non_null(server);
		shake(&e, server, tls_files_client(r->f, cases[i].peer),
		    cases[i].name);
		if (e.open != cases[i].open)
			fail_msg("case %zu", i);
		end(&e);
		tls_context_free(server);
	}
}

/* Who shows what, and for which peer somebody vouches then. */
static void
each_authority_vouches_for_its_own(void **state)
{
	static const struct {
		const char	*listen, *shown;
		bool		 open, own, named;
	} cases[] = {
		{ "", NULL, true, false, false },
		{ "", "root-c.pem", true, false, true },
		{ "", "other-c.pem", true, true, false },
		{ "client_ca = \"root.pem\";", "root-c.pem", true, false,
		    true },
		{ "client_ca = \"third.pem\";", "root-c.pem", false, false,
		    false },
		{ "client_certificate = \"required\";", NULL, false, false,
		    false },
		{ "client_certificate = \"none\";", "root-c.pem", true, false,
		    false },
	};
	struct rig *r = *state;
	struct pki_cert third = pki_issue(NULL, &(struct pki_spec){
	    .name = "third", .ca = true });

	pki_put_cert(pki_path(&r->pki, "third.pem"), &third);
	put_name(r, &r->root, "root-c.pem", "c.example");
	put_name(r, &r->other, "other-c.pem", "c.example");
	open_files(r, "certificate = \"a.pem\";", peers);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tls_context *client = client_that_trusts(r, "root.pem",
		    cases[i].shown);
		const struct tls_peer *who;
		struct ends e;
		char listen[128];

		snprintf(listen, sizeof listen, "certificate = \"a.pem\"; %s",
		    cases[i].listen);
		assert_int_equal(reload(r, listen, peers), 0);
		shake(&e, tls_files_server(r->f, "out"), client, NULL);
		who = e.open ? tls_peer(e.server) : NULL;
		if (e.open != cases[i].open || (who != NULL &&
		    tls_peer_vouched(who, trust_of(r, "own"))) !=
		    cases[i].own || (who != NULL &&
		    tls_peer_vouched(who, trust_of(r, "named"))) !=
		    cases[i].named)
			fail_msg("case %zu: open %d", i, e.open);
		end(&e);
		tls_context_free(client);
	}
	pki_free(&third);
}

/* ---- when something changes */

static void
a_changed_file_is_read_again(void **state)
{
	struct rig *r = *state;
	struct tls_context *was;

	open_files(r, "certificate = \"a.pem\";", "");
	was = tls_files_server(r->f, "out");
	assert_true(shows(r, "a.example"));
	assert_non_null(strstr(logged(r), "event=tls.load listeners=1 "));
	tls_files_look(r->f);
	assert_string_equal(logged(r), "");
	put_name(r, &r->root, "a.pem", "new.example");
	tls_files_look(r->f);
	assert_non_null(strstr(logged(r), "event=tls.load "));
	assert_ptr_equal(tls_files_server(r->f, "out"), was);
	assert_true(shows(r, "new.example"));
	assert_false(shows(r, "a.example"));
}

static void
a_broken_file_changes_nothing(void **state)
{
	struct rig *r = *state;
	const char *a;

	open_files(r, "certificate = [ \"a.pem\", \"b.pem\" ];", "");
	logged(r);
	put_name(r, &r->root, "b.pem", "new.example");
	a = pki_path(&r->pki, "a.pem");
	unlink(a);
	pki_put_text(a, "half of it\n");
	tls_files_look(r->f);
	assert_non_null(strstr(logged(r), "test.cfg\" line=4 "
	    "option=\"listen.certificate\" of=\"out\" reason="));
	assert_true(shows(r, "a.example"));
	assert_true(shows(r, "b.example"));
	assert_false(shows(r, "new.example"));
	/* Said once, and tried again when there is something new. */
	tls_files_look(r->f);
	assert_string_equal(logged(r), "");
	put_name(r, &r->root, "a.pem", "a.example");
	tls_files_look(r->f);
	assert_non_null(strstr(logged(r), "event=tls.load "));
	assert_true(shows(r, "new.example"));
}

static void
other_settings_take_their_place(void **state)
{
	struct rig *r = *state;

	open_files(r, "certificate = \"a.pem\";", peers);
	logged(r);
	assert_int_equal(reload(r, "certificate = \"b.pem\";", peers), 0);
	assert_true(shows(r, "b.example"));
	assert_non_null(strstr(logged(r), "event=tls.unverified peer=\"any\""));
	assert_int_equal(reload(r, "certificate = \"broken.pem\";", peers),
	    -1);
	assert_non_null(strstr(logged(r), "event=tls.keep "));
	assert_true(shows(r, "b.example"));
	assert_int_equal(reload(r, "certificate = \"b.pem\"; "
	    "client_ca = \"nowhere.pem\";", peers), -1);
	assert_true(shows(r, "b.example"));
	/* The files are those of the settings in force. */
	put_name(r, &r->root, "b.pem", "new.example");
	tls_files_look(r->f);
	assert_true(shows(r, "new.example"));
}

/* Who was let in stays who he is. */
static void
a_session_outlives_a_reload(void **state)
{
	struct rig *r = *state;
	struct tls_context *client;
	struct tls_trust *own;
	struct ends e;

	open_files(r, "certificate = \"a.pem\";", peers);
	put_name(r, &r->other, "c.pem", "o.example");
	client = client_that_trusts(r, "root.pem", "c.pem");
	shake(&e, tls_files_server(r->f, "out"), client, "a.example");
	assert_true(e.open);
	own = trust_of(r, "own");
	assert_true(tls_peer_vouched(tls_peer(e.server), own));
	assert_int_equal(reload(r, "certificate = \"b.pem\";", peers), 0);
	assert_ptr_equal(trust_of(r, "own"), own);
	assert_true(tls_peer_vouched(tls_peer(e.server), own));
	/* Also when nobody needs that authority any more, and again. */
	assert_int_equal(reload(r, "certificate = \"b.pem\";",
	    "tls = { ca = \"root.pem\"; };"), 0);
	assert_int_equal(reload(r, "certificate = \"b.pem\";", peers), 0);
	assert_ptr_equal(trust_of(r, "own"), own);
	assert_true(tls_peer_vouched(tls_peer(e.server), own));
	end(&e);
	tls_context_free(client);
}

static void
a_peer_that_gives_up_its_authority_gets_that_of_all(void **state)
{
	struct rig *r = *state;

	open_files(r, "certificate = \"a.pem\"; client_ca = \"root.pem\";",
	    peers);
	assert_int_equal(reload(r, "certificate = \"a.pem\";",
	    "tls = { ca = \"root.pem\"; }; peers = ( { name = \"own\"; "
	    "uri = \"sips:o.example\"; certificate = \"o.example\"; } );"),
	    0);
	assert_ptr_equal(tls_files_client(r->f, "own"),
	    tls_files_client(r->f, NULL));
	/* The listener gave up its own, too. */
	assert_ptr_equal(trust_of(r, "own"), tls_files_trust(r->f, "in",
	    peers_by_name(r->s->peers, "own")));
}

static void
a_new_revocation_counts(void **state)
{
	struct rig *r = *state;
	struct pki_cert leaf = pki_issue(&r->root, &(struct pki_spec){
	    .name = "c", .san = "DNS:c.example", .use = "clientAuth" });
	struct tls_context *client;
	struct ends e;

	pki_put_cert(pki_path(&r->pki, "c.pem"), &leaf);
	pki_put_key(pki_path(&r->pki, "c.pem"), &leaf, NULL);
	pki_folder(&r->pki, "crl");
	pki_put_crl(pki_path(&r->pki, "crl/root.pem"), &r->root, NULL, 5);
	open_files(r, "certificate = \"a.pem\"; client_ca = \"root.pem\"; "
	    "crl = \"crl\";", "");
	client = client_that_trusts(r, "root.pem", "c.pem");
	for (int revoked = 0; revoked < 2; revoked++) {
		shake(&e, tls_files_server(r->f, "out"), client, NULL);
		assert_int_equal(e.open, !revoked);
		end(&e);
		unlink(pki_path(&r->pki, "crl/root.pem"));
		pki_put_crl(pki_path(&r->pki, "crl/root.pem"), &r->root,
		    &leaf, 5);
		tls_files_look(r->f);
	}
	tls_context_free(client);
	pki_free(&leaf);
}

/* ---- when a certificate ends */

struct found { const char *name, *value; uint64_t count; bool is; };

static void
find_metric(void *arg, const struct metric *what, const char *value,
    uint64_t count)
{
	struct found *f = arg;

	if (strcmp(what->name, f->name) != 0 || (f->value != NULL &&
	    (value == NULL || strcmp(value, f->value) != 0)))
		return;
	f->is = true;
	f->count = count;
}

static int64_t
days_of(const struct rig *r, const char *name, const char *value)
{
	struct found f = { .name = name, .value = value };

	metrics_each(r->metrics, find_metric, &f);
	assert_true(f.is);
	if (f.count == 0)
		return -1;
	return ((int64_t)f.count - clock_unix_ms() / 1000 + DAY_S / 2) / DAY_S;
}

static void
the_end_is_shown_and_warned_of(void **state)
{
	struct rig *r = *state;
	const char *said;

	put_leaf(r, &r->root, "a.pem", &(struct pki_spec){ .name = "a",
	    .san = "DNS:a.example", .from_days = -1, .to_days = 13 });
	open_files(r, "certificate = [ \"a.pem\", \"b.pem\" ];", "");
	assert_int_equal(days_of(r, "tls_certificate_expires_seconds", "out"),
	    13);
	assert_int_equal(days_of(r, "tls_client_certificate_expires_seconds",
	    NULL), -1);
	said = logged(r);
	assert_non_null(strstr(said, "event=tls.expires of=\"out\" "
	    "days_left=1"));
	/* Once a day. */
	tls_files_look(r->f);
	assert_string_equal(logged(r), "");
	put_leaf(r, &r->root, "a.pem", &(struct pki_spec){ .name = "a",
	    .san = "DNS:a.example", .from_days = -1, .to_days = 20 });
	assert_int_equal(reload(r, "certificate = \"a.pem\";",
	    "tls = { certificate = \"a.pem\"; };"), 0);
	assert_int_equal(days_of(r, "tls_certificate_expires_seconds", "out"),
	    20);
	assert_int_equal(days_of(r, "tls_client_certificate_expires_seconds",
	    NULL), 20);
	tls_files_look(r->f);
	assert_null(strstr(logged(r), "tls.expires"));
}

/* ---- -t */

static const char *
said_by_check(struct rig *r, const struct settings *s, int *rc)
{
	static char text[4096];
	FILE *f = tmpfile();
	int was = dup(STDERR_FILENO);

	(void)r;
	assert_non_null(f);
	assert_true(was >= 0);
	fflush(stderr);
	dup2(fileno(f), STDERR_FILENO);
	*rc = tls_files_check(s);
	fflush(stderr);
	dup2(was, STDERR_FILENO);
	close(was);
	rewind(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	return text;
}

static void
the_check_says_what_is_wrong(void **state)
{
	static const struct {
		const char	*listen, *more;
		const char	*said;	/* "": nothing */
		int		 rc;
	} cases[] = {
		{ "certificate = \"a.pem\";", "", "", 0 },
		{ "certificate = \"a.pem\"; key = \"b.pem\";", "",
		    ".cfg:4: listen.certificate: ", -1 },
		{ "certificate = [ \"a.pem\",\n\"broken.pem\" ];", "",
		    "broken.pem", -1 },
		{ "certificate = \"nowhere.pem\";", "", "nowhere.pem", -1 },
		{ "certificate = \"a.pem\"; client_ca = \"broken.pem\";", "",
		    ".cfg:3: listen.client_ca: ", -1 },
		{ "certificate = \"a.pem\"; client_ca = \"root.pem\"; "
		    "crl = \"broken.pem\";", "", "broken.pem", -1 },
		{ "certificate = \"a.pem\";", "tls = { ca = \"broken.pem\"; };",
		    ".cfg:5: tls.ca: ", -1 },
		{ "certificate = \"a.pem\";",
		    "tls = { certificate = \"broken.pem\"; };",
		    ".cfg:5: tls.certificate: ", -1 },
		{ "certificate = \"a.pem\";",
		    "tls = { ciphers = \"nonsense\"; };", "nonsense", -1 },
		{ "certificate = \"a.pem\";",
		    "peers = ( { name = \"p\"; uri = \"sips:p\"; "
		    "ca = \"broken.pem\"; } );", ".cfg:5: peers.ca: ", -1 },
		{ "certificate = \"a.pem\";",
		    "peers = ( { name = \"p\"; uri = \"sips:p\"; "
		    "verify = \"none\"; } );", ".cfg:5: peers.verify: "
		    "warning: anybody on the way to \"p\" can stand in for "
		    "it\n", 0 },
		{ "certificate = \"soon.pem\";", "", ".cfg:4: "
		    "listen.certificate: warning: expires in ", 0 },
		{ "certificate = \"over.pem\";", "", ".cfg:4: "
		    "listen.certificate: warning: has expired\n", 0 },
		{ "certificate = \"a.pem\";",
		    "tls = { certificate = \"soon.pem\"; };",
		    ".cfg:5: tls.certificate: warning: expires in ", 0 },
		{ "certificate = \"open.pem\";", "", "listen.key: warning: "
		    "everybody on this machine can read or write ", 0 },
	};
	struct rig *r = *state;

	put_leaf(r, &r->root, "soon.pem", &(struct pki_spec){ .name = "a",
	    .from_days = -1, .to_days = 5 });
	put_leaf(r, &r->root, "over.pem", &(struct pki_spec){ .name = "a",
	    .from_days = -3, .to_days = -1 });
	put_name(r, &r->root, "open.pem", "a.example");
	chmod(pki_path(&r->pki, "a.pem"), 0600);
	chmod(pki_path(&r->pki, "soon.pem"), 0600);
	chmod(pki_path(&r->pki, "over.pem"), 0600);
	chmod(pki_path(&r->pki, "open.pem"), 0644);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct settings *s = configure(r, cases[i].listen,
		    cases[i].more);
		const char *said;
		int rc;

		said = said_by_check(r, s, &rc);
		if (rc != cases[i].rc || strstr(said, cases[i].said) == NULL ||
		    (*cases[i].said == '\0' && *said != '\0'))
			fail_msg("case %zu: %d, %s", i, rc, said);
		settings_free(s);
	}
}

/* All at once: a line for each. */
static void
the_check_says_everything(void **state)
{
	struct rig *r = *state;
	struct settings *s = configure(r, "certificate = \"nowhere.pem\"; "
	    "client_ca = \"broken.pem\";", "tls = { certificate = "
	    "\"elsewhere.pem\"; }; peers = ( { name = \"p\"; uri = \"sips:p\"; "
	    "ca = \"gone.pem\"; } );");
	const char *said;
	int rc;

	said = said_by_check(r, s, &rc);
	assert_int_equal(rc, -1);
	assert_non_null(strstr(said, "nowhere.pem"));
	assert_non_null(strstr(said, "broken.pem"));
	assert_non_null(strstr(said, "elsewhere.pem"));
	assert_non_null(strstr(said, "gone.pem"));
	settings_free(s);
}

/* ---- and when there is no memory */

static bool
open_and_close(void *arg)
{
	struct rig *r = arg;
	struct metrics *m = metrics_new();
	struct tls_files *f = m == NULL ? NULL : tls_files_new(r->loop, m,
	    r->s);
	bool ok = f != NULL;

	metrics_free(m);
	tls_files_free(f);
	return ok;
}

static void
lack_of_memory_is_an_error(void **state)
{
	struct rig *r = *state;

	r->s = configure(r, "certificate = [ \"a.pem\", \"b.pem\" ]; "
	    "client_ca = \"root.pem\";", peers);
	assert_int_equal(failing_alloc_each(open_and_close, r), 0);
}

static bool
reload_again(void *arg)
{
	struct rig *r = arg;

	return tls_files_reload(r->f, r->s) == 0;
}

static void
lack_of_memory_keeps_what_was(void **state)
{
	struct rig *r = *state;

	open_files(r, "certificate = \"a.pem\"; client_ca = \"root.pem\";",
	    peers);
	assert_int_equal(failing_alloc_each(reload_again, r), 0);
	assert_true(shows(r, "a.example"));
}

#define IN_RIG(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_RIG(each_gets_its_own),
		IN_RIG(without_tls_nothing_is_read),
		IN_RIG(targets_are_verified),
		IN_RIG(each_authority_vouches_for_its_own),
		IN_RIG(a_changed_file_is_read_again),
		IN_RIG(a_broken_file_changes_nothing),
		IN_RIG(other_settings_take_their_place),
		IN_RIG(a_session_outlives_a_reload),
		IN_RIG(a_peer_that_gives_up_its_authority_gets_that_of_all),
		IN_RIG(a_new_revocation_counts),
		IN_RIG(the_end_is_shown_and_warned_of),
		IN_RIG(the_check_says_what_is_wrong),
		IN_RIG(the_check_says_everything),
		IN_RIG(lack_of_memory_is_an_error),
		IN_RIG(lack_of_memory_keeps_what_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
