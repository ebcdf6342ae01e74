/*
 * nft_serve.c -- addresses that the kernel drops for us: the process.
 *
 * What it tells nftables is made of bytes of addresses and of numbers; no
 * text from outside gets here.  Each work is one transaction.
 */
#include "config.h"

#include "io/nft_work.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { TCP_NUMBER = 6, UDP_NUMBER = 17, FAMILIES = 2 };

static const struct family {
	bool		 is_v4;
	const char	*banned, *here, *type;
	const char	*source;	/* as a rule looks for it */
	const char	*destination;
} families[FAMILIES] = {
	{ true, "banned4", "here4", "ipv4_addr", "ip saddr", "ip daddr" },
	/* a /64 is its first address, so that the set needs no intervals */
	{ false, "banned6", "here6", "ipv6_addr",
	    "ip6 saddr & ffff:ffff:ffff:ffff::", "ip6 daddr" },
};

struct server {
	struct nft_ctx	*nft;
	const char	*table;
	bool		 made;		/* the table */
	char		*text;		/* it, as it was made */
	uint32_t	 generation;	/* when it was that last; 0: unknown */
	int64_t		 now_ms;
	struct nft_work	 work;
	struct nft_answer answer;
};

size_t
nft_work_size(const struct nft_work *w)
{
	size_t head = offsetof(struct nft_work, u);

	switch (w->kind) {
	case NFT_MAKE:
		return head + w->n * sizeof w->u.place[0];
	case NFT_CHANGE:
		return head + w->n * sizeof w->u.change[0];
	case NFT_LOOK:
	case NFT_END:
		break;
	}
	return head;
}

/* ---- what nftables is told */

/* Without the brackets of IPv6. */
static void
put_ip(FILE *f, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	addr_host_text(a, text);
	if (addr_is_v4(a))
		fputs(text, f);
	else
		fprintf(f, "%.*s", (int)strlen(text) - 2, text + 1);
}

static void
put_sets(FILE *f, const struct server *s, const struct family *fam)
{
	const struct nft_work *w = &s->work;
	const char *between = "elements = { ";

	/* Room for those that have ended and are not gone yet, and for what
	 * one work adds twice and deletes once: that counts to its end. */
	fprintf(f, "set %s { type %s; flags timeout; size %llu; }\n",
	    fam->banned, fam->type, 2 * ((unsigned long long)w->max +
	    NFT_CHANGES_MAX));
	fprintf(f, "set %s { type %s . inet_proto . inet_service; ",
	    fam->here, fam->type);
	for (uint32_t i = 0; i < w->n; i++) {
		const struct nft_place *p = &w->u.place[i];

		if (addr_is_v4(&p->addr) != fam->is_v4)
			continue;
		fputs(between, f);
		put_ip(f, &p->addr);
		fprintf(f, " . %d . %u", p->stream ? TCP_NUMBER : UDP_NUMBER,
		    p->addr.port);
		between = ", ";
	}
	fputs(between[0] == ',' ? " } }\n" : "}\n", f);
}

static void
put_table(FILE *f, const struct server *s)
{
	/* Added, so that there is one to delete. */
	fprintf(f, "add table inet %s\ndelete table inet %s\n"
	    "table inet %s {\n", s->table, s->table, s->table);
	for (size_t i = 0; i < FAMILIES; i++)
		put_sets(f, s, &families[i]);
	fputs("chain input { type filter hook input priority -10; "
	    "policy accept;\n", f);
	for (size_t i = 0; i < FAMILIES; i++)
		fprintf(f, "%s @%s %s . meta l4proto . th dport @%s "
		    "counter drop\n", families[i].source, families[i].banned,
		    families[i].destination, families[i].here);
	fputs("}\n}\n", f);
}

/* ---- changes */

/* Of one family: named to be added or deleted, or banned for their rests. */
enum how { ADDED, DELETED, BANNED };

static bool
is_in(const struct server *s, const struct family *fam, enum how how,
    const struct nft_change *c)
{
	struct addr a = { .port = 0 };

	memcpy(a.ip, c->source, sizeof a.ip);
	return addr_is_v4(&a) == fam->is_v4 &&
	    (how != BANNED || c->until_ms > s->now_ms);
}

/* Of one unit nftables reads eight digits: in ms that is a day. */
static void
put_element(FILE *f, const struct server *s, enum how how,
    const struct nft_change *c)
{
	long long rest_ms = c->until_ms - s->now_ms;
	struct addr a = { .port = 0 };

	memcpy(a.ip, c->source, sizeof a.ip);
	put_ip(f, &a);
	if (how == BANNED)
		fprintf(f, " timeout %llds%lldms", rest_ms / 1000,
		    rest_ms % 1000);
}

/* "add element inet TABLE SET { A, B }", if there is any. */
static void
put_elements(FILE *f, const struct server *s, const struct family *fam,
    enum how how)
{
	const struct nft_change *v = s->work.u.change;
	size_t n = 0;

	for (uint32_t i = 0; i < s->work.n; i++) {
		if (!is_in(s, fam, how, &v[i]))
			continue;
		if (n++ > 0)
			fputs(", ", f);
		else
			fprintf(f, "%s element inet %s %s { ",
			    how == DELETED ? "delete" : "add", s->table,
			    fam->banned);
		put_element(f, s, how, &v[i]);
	}
	if (n > 0)
		fputs(" }\n", f);
}

/*
 * What is there may not be added with another timeout (before Linux 6.12),
 * and what is not there may not be deleted: so each is added, deleted, and
 * added if it is to stay.  It is one transaction.
 */
static void
put_changes(FILE *f, const struct server *s)
{
	for (size_t i = 0; i < FAMILIES; i++) {
		put_elements(f, s, &families[i], ADDED);
		put_elements(f, s, &families[i], DELETED);
		put_elements(f, s, &families[i], BANNED);
	}
}

/* ---- the work */

/* "internal:0:0-0: Error: Could not process rule: Operation not permitted",
 * and then the rule. */
static void
take_error(struct server *s)
{
	static const char word[] = "Error: ";
	const char *text = nft_ctx_get_error_buffer(s->nft), *error;
	size_t len;

	if (text == NULL || text[0] == '\0')
		text = "nftables did not say why";
	error = strstr(text, word);
	if (error != NULL)
		text = error + sizeof word - 1;
	len = strcspn(text, "\n");
	if (len > sizeof s->answer.why - 1)
		len = sizeof s->answer.why - 1;
	memcpy(s->answer.why, text, len);
}

static void
fail(struct server *s, const char *why)
{
	snprintf(s->answer.why, sizeof s->answer.why, "%s", why);
}

static void
run(struct server *s, void (*put)(FILE *f, const struct server *s))
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	bool written;

	if (f == NULL) {
		fail(s, "no memory");
		return;
	}
	put(f, s);
	written = ferror(f) == 0;
	if (fclose(f) != 0 || !written)
		fail(s, "no memory");
	else if (nft_run_cmd_from_buffer(s->nft, text) != 0)
		take_error(s);
	free(text);
}

/* Is there what a command lists?  Both buffers are taken, or the next error
 * would stand behind this one's. */
static bool
lists(struct server *s, const char *what)
{
	char command[sizeof "list set inet  banned4" + NFT_TABLE_MAX];
	bool there;

	snprintf(command, sizeof command, "list %s", what);
	there = nft_run_cmd_from_buffer(s->nft, command) == 0;
	nft_ctx_get_output_buffer(s->nft);
	nft_ctx_get_error_buffer(s->nft);
	return there;
}

static bool
has_set(struct server *s, const char *name)
{
	char set[sizeof "set inet  banned4" + NFT_TABLE_MAX];

	snprintf(set, sizeof set, "set inet %s %s", s->table, name);
	return lists(s, set);
}

/* A table of ours has all our sets, also after a crash. */
static bool
is_anothers(struct server *s)
{
	char table[sizeof "table inet " + NFT_TABLE_MAX];
	bool ours = true;

	snprintf(table, sizeof table, "table inet %s", s->table);
	if (!lists(s, table))
		return false;
	for (size_t i = 0; i < FAMILIES && ours; i++)
		ours = has_set(s, families[i].banned) &&
		    has_set(s, families[i].here);
	return !ours;
}

static bool
list_into(FILE *f, struct server *s, const char *what, const char *name)
{
	char command[sizeof "list chain inet  banned4" + NFT_TABLE_MAX];
	bool there;

	snprintf(command, sizeof command, "list %s inet %s %s", what,
	    s->table, name);
	there = nft_run_cmd_from_buffer(s->nft, command) == 0;
	fputs(nft_ctx_get_output_buffer(s->nft), f);
	nft_ctx_get_error_buffer(s->nft);
	return there;
}

/* Chain, rules and places, without what is counted or banned; NULL: they are
 * not there, or there is no memory.  One by one: of several lists in one
 * command libnftables knows only what the last one needs. */
static char *
list_table(struct server *s)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	bool there;

	if (f == NULL)
		return NULL;
	nft_ctx_output_set_flags(s->nft, NFT_CTX_OUTPUT_STATELESS |
	    NFT_CTX_OUTPUT_HANDLE);
	there = list_into(f, s, "chain", "input");
	for (size_t i = 0; i < FAMILIES; i++)
		there = list_into(f, s, "set", families[i].here) && there;
	nft_ctx_output_set_flags(s->nft, NFT_CTX_OUTPUT_TERSE);
	there = ferror(f) == 0 && there;
	if (fclose(f) == 0 && there)
		return text;
	free(text);
	return NULL;
}

static void
make(struct server *s)
{
	if (!s->made && is_anothers(s)) {
		fail(s, "there is a table of this name that is not ours");
		return;
	}
	run(s, put_table);
	if (s->answer.why[0] != '\0')
		return;
	s->made = true;
	s->generation = nft_generation();
	free(s->text);
	s->text = list_table(s);
	if (s->text == NULL)		/* somebody was faster: look again */
		s->generation = 0;
}

/* What nobody else changed meanwhile is as it was. */
static void
change(struct server *s)
{
	uint32_t before = nft_generation();

	run(s, put_changes);
	if (before != 0 && before == s->generation &&
	    nft_generation() == before + 1)
		s->generation++;
}

/* Listing costs more with each ban, so it is done when anybody changed
 * anything. */
static void
look(struct server *s)
{
	uint32_t generation = nft_generation();
	char *text;

	if (generation != 0 && generation == s->generation)
		return;
	text = list_table(s);
	if (text == NULL)
		fail(s, "the table is not there any more");
	else if (s->text == NULL || strcmp(text, s->text) != 0)
		fail(s, "somebody else changed the table");
	else
		s->generation = generation;
	free(text);
}

static void
put_end(FILE *f, const struct server *s)
{
	fprintf(f, "delete table inet %s\n", s->table);
}

static void
work(struct server *s)
{
	switch (s->work.kind) {
	case NFT_MAKE:
		make(s);
		break;
	case NFT_CHANGE:
		change(s);
		break;
	case NFT_LOOK:
		look(s);
		break;
	case NFT_END:
		if (s->made)
			run(s, put_end);
		_exit(0);
	}
}

/* NULL: nothing can be done; each work is told so. */
static struct nft_ctx *
open_nftables(void)
{
	struct nft_ctx *c = nft_ctx_new(NFT_CTX_DEFAULT);

	if (c == NULL)
		return NULL;
	/* what is listed is not read, so without the elements */
	nft_ctx_output_set_flags(c, NFT_CTX_OUTPUT_TERSE);
	if (nft_ctx_buffer_error(c) == 0 && nft_ctx_buffer_output(c) == 0)
		return c;
	nft_ctx_free(c);
	return NULL;
}

void
nft_serve(int fd, const char *table)
{
	struct server s = { .table = table };
	ssize_t got;

	prctl(PR_SET_NAME, "sipbouncer-nft");
	s.nft = open_nftables();
	while ((got = recv(fd, &s.work, sizeof s.work, 0)) > 0 ||
	    (got < 0 && errno == EINTR)) {
		if (got < 0)
			continue;
		s.answer = (struct nft_answer){ .number = s.work.number };
		s.now_ms = clock_mono_ms();
		if (s.nft == NULL)
			fail(&s, "nftables cannot be set up");
		else
			work(&s);
		if (send(fd, &s.answer, sizeof s.answer, MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}
