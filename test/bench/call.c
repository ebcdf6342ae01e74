/*
 * call.c -- callers: so many calls at once.
 */
#include "config.h"

#include "call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

enum {
	T1_MS = 500, T2_MS = 4000,	/* RFC 3261 17.1.1.1 */
	GIVE_UP_MS = 8000,
	COMPLAINTS_MAX = 5,
	NAME_MAX_LEN = 32, URI_MAX = 256, TO_MAX = 512, ROUTE_MAX = 1024
};

enum step { STEP_ASK, STEP_ANSWER, STEP_HANG_UP, STEP_REST };

struct call {
	enum step	 step;
	unsigned	 user, cseq;
	bool		 acked;		/* the callee got the ACK */
	char		 id[NAME_MAX_LEN];
	char		 to[TO_MAX];	/* of the answers, with its tag */
	char		 remote[URI_MAX];
	char		 route[ROUTE_MAX];
	char		 sent[MESSAGE_MAX];	/* the last request */
	size_t		 sent_len;
	int64_t		 began_ms, again_ms, pause_ms;
};

struct calls {
	struct calls_conf conf;
	struct wire	*wire;
	struct digest	*digest;
	struct tally	 tally;
	unsigned	 serial;
	char		 callee[URI_MAX];
	struct call	 call[];	/* conf.window */
};

static const char body_of_message[] = "Are you there?\r\n";
static const char body_of_invite[] =
    "v=0\r\n"
    "o=- 1 1 IN IP4 192.0.2.1\r\n"
    "s=-\r\n"
    "c=IN IP4 192.0.2.1\r\n"
    "t=0 0\r\n"
    "m=audio 10000 RTP/AVP 8 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-16\r\n"
    "a=sendrecv\r\n";

static const char *
method_of(const struct calls *cs)
{
	return cs->conf.scenario == SCENARIO_MESSAGE ? "MESSAGE" : "INVITE";
}

static bool
keep(char *out, size_t size, struct str s)
{
	if (s.len >= size)
		return false;
	memcpy(out, s.p, s.len);
	out[s.len] = '\0';
	return true;
}

/* ---- what is sent */

/* mark tells the branches of one CSeq apart. */
static void
add_head(struct text *out, const struct calls *cs, const struct call *c,
    const char *method, const char *mark)
{
	text_add(out, "%s %s SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bK-%s-%u%s\r\n", method,
	    c->remote, wire_self(cs->wire), c->id, c->cseq, mark);
	text_add(out, "%sMax-Forwards: 70\r\n"
	    "From: <sip:u%u@%s>;tag=%s\r\nTo: %s\r\n", c->route, c->user,
	    cs->conf.realm, c->id, c->to);
	text_add(out, "Call-ID: %s\r\nCSeq: %u %s\r\n", c->id, c->cseq,
	    method);
}

static void
add_body(struct text *out, const struct calls *cs, const struct call *c,
    const char *method)
{
	const char *type = "application/sdp", *body = body_of_invite;

	if (strcmp(method, "MESSAGE") == 0) {
		type = "text/plain";
		body = body_of_message;
	} else if (strcmp(method, "INVITE") != 0) {
		text_add(out, "Content-Length: 0\r\n\r\n");
		return;
	} else
		text_add(out, "Contact: <sip:u%u@%s>\r\n"
		    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n", c->user,
		    wire_self(cs->wire));
	text_add(out, "User-Agent: load\r\nContent-Type: %s\r\n"
	    "Content-Length: %zu\r\n\r\n%s", type, strlen(body), body);
}

/* An ACK has no answer, so nobody waits for it. */
static void
send_ack(struct calls *cs, struct call *c, const char *mark)
{
	char bytes[MESSAGE_MAX];
	struct text out = { .p = bytes, .size = sizeof bytes };

	add_head(&out, cs, c, "ACK", mark);
	text_add(&out, "Content-Length: 0\r\n\r\n");
	if (!out.full)
		wire_send(cs->wire, bytes, out.len);
}

static bool
add_credentials(struct text *out, struct calls *cs, const struct call *c,
    struct str challenge)
{
	char user[NAME_MAX_LEN], password[NAME_MAX_LEN];

	snprintf(user, sizeof user, "u%u", c->user);
	snprintf(password, sizeof password, "pw%u", c->user);
	return digest_answer(cs->digest, &(struct answer){
		.challenge = challenge,
		.user = user,
		.password = password,
		.method = method_of(cs),
		.uri = c->remote,
		.cnonce = c->id,
	    }, out);
}

/* The request that the step of the call asks for; false: it cannot be
 * written. */
static bool
send_request(struct calls *cs, struct call *c, struct str challenge,
    int64_t now_ms)
{
	struct text out = { .p = c->sent, .size = sizeof c->sent };
	const char *method = c->step == STEP_HANG_UP ? "BYE" : method_of(cs);

	c->cseq++;
	add_head(&out, cs, c, method, "");
	if (c->step == STEP_ANSWER && !add_credentials(&out, cs, c, challenge))
		return false;
	add_body(&out, cs, c, method);
	if (out.full)
		return false;
	c->sent_len = out.len;
	c->began_ms = now_ms;
	c->pause_ms = T1_MS;
	c->again_ms = now_ms + T1_MS;
	wire_send(cs->wire, c->sent, c->sent_len);
	return true;
}

/* ---- what happens to a call */

static void
begin(struct calls *cs, struct call *c, int64_t now_ms)
{
	unsigned slot = (unsigned)(c - cs->call);

	c->step = STEP_ASK;
	c->user = cs->serial++ % cs->conf.users;
	c->cseq = 0;
	c->acked = false;
	c->route[0] = '\0';
	snprintf(c->id, sizeof c->id, "%u-%u", slot, cs->serial);
	snprintf(c->remote, sizeof c->remote, "%s", cs->callee);
	snprintf(c->to, sizeof c->to, "<%s>", cs->callee);
	send_request(cs, c, str_of(NULL), now_ms);
}

static void
rest(struct calls *cs, struct call *c, int64_t now_ms)
{
	if (cs->conf.rest_ms == 0) {
		begin(cs, c, now_ms);
		return;
	}
	c->step = STEP_REST;
	c->began_ms = now_ms;
}

static void
done(struct calls *cs, struct call *c, int64_t now_ms)
{
	cs->tally.done++;
	rest(cs, c, now_ms);
}

static void
failed(struct calls *cs, struct call *c, const char *why, int64_t now_ms)
{
	if (cs->tally.failed++ < COMPLAINTS_MAX)
		fprintf(stderr, "call %s, CSeq %u: %s\n", c->id, c->cseq, why);
	rest(cs, c, now_ms);
}

static void
ask_again(struct calls *cs, struct call *c, const struct message *m,
    int64_t now_ms)
{
	c->step = STEP_ANSWER;
	snprintf(c->to, sizeof c->to, "<%s>", cs->callee);
	if (!send_request(cs, c, m->value[HEADER_CHALLENGE], now_ms))
		failed(cs, c, "no challenge to answer", now_ms);
}

/* RFC 3261 12.1.2: the Record-Route, from below, as Route; and whom the
 * Contact names. */
static bool
keep_dialog(struct call *c, const struct message *m)
{
	struct text route = { .p = c->route, .size = sizeof c->route };
	struct str contact = m->value[HEADER_CONTACT];
	const char *end;

	for (size_t i = m->nlines; i-- > 0;) {
		if (m->line[i].header == HEADER_RECORD_ROUTE)
			text_add(&route, "Route: %.*s\r\n",
			    (int)m->line[i].value.len, m->line[i].value.p);
	}
	if (contact.len < 2 || contact.p[0] != '<')
		return false;
	contact.p++;
	end = memchr(contact.p, '>', contact.len - 1);
	if (end == NULL)
		return false;
	contact.len = (size_t)(end - contact.p);
	return !route.full && keep(c->remote, sizeof c->remote, contact);
}

static void
hang_up(struct calls *cs, struct call *c, const struct message *m,
    int64_t now_ms)
{
	if (!keep_dialog(c, m)) {
		failed(cs, c, "no dialog", now_ms);
		return;
	}
	send_ack(cs, c, "a");
	c->step = STEP_HANG_UP;
	send_request(cs, c, str_of(NULL), now_ms);
}

static void
refused(struct calls *cs, struct call *c, const struct message *m,
    int64_t now_ms)
{
	char why[NAME_MAX_LEN];

	if (str_is(m->method, "INVITE"))
		send_ack(cs, c, "");	/* RFC 3261 17.1.1.3 */
	if (c->step == STEP_ASK && m->status == 407) {
		if (cs->conf.scenario == SCENARIO_STRANGERS)
			done(cs, c, now_ms);
		else
			ask_again(cs, c, m, now_ms);
		return;
	}
	snprintf(why, sizeof why, "answered %d", m->status);
	failed(cs, c, why, now_ms);
}

static void
accepted(struct calls *cs, struct call *c, const struct message *m,
    int64_t now_ms)
{
	if (c->step == STEP_ASK)
		failed(cs, c, "let in without a password", now_ms);
	else if (c->step == STEP_ANSWER && cs->conf.scenario == SCENARIO_CALL)
		hang_up(cs, c, m, now_ms);
	else if (c->step == STEP_HANG_UP && !c->acked)
		failed(cs, c, "the ACK was lost", now_ms);
	else
		done(cs, c, now_ms);
}

/* "slot-serial"; NULL: not a call that is under way. */
static struct call *
find(struct calls *cs, const struct message *m)
{
	struct str id = m->value[HEADER_CALL_ID], slot = id;
	const char *dash = id.len > 0 ? memchr(id.p, '-', id.len) : NULL;
	uint64_t n;

	if (dash == NULL)
		return NULL;
	slot.len = (size_t)(dash - id.p);
	if (!parse_uint(slot, cs->conf.window - 1, &n))
		return NULL;
	return str_is(id, cs->call[n].id) ? &cs->call[n] : NULL;
}

void
calls_on_response(struct calls *cs, const struct message *m, int64_t now_ms)
{
	struct call *c = find(cs, m);

	if (c == NULL || c->step == STEP_REST || m->status < 200 ||
	    m->cseq != c->cseq)
		return;
	if (!keep(c->to, sizeof c->to, m->value[HEADER_TO]))
		failed(cs, c, "a long To", now_ms);
	else if (m->status < 300)
		accepted(cs, c, m, now_ms);
	else
		refused(cs, c, m, now_ms);
}

void
calls_on_ack(struct calls *cs, const struct message *m)
{
	struct call *c = find(cs, m);

	if (c != NULL)
		c->acked = true;
}

void
calls_tick(struct calls *cs, int64_t now_ms)
{
	for (unsigned i = 0; i < cs->conf.window; i++) {
		struct call *c = &cs->call[i];

		if (c->step == STEP_REST) {
			if (now_ms - c->began_ms >= cs->conf.rest_ms)
				begin(cs, c, now_ms);
		} else if (now_ms - c->began_ms > GIVE_UP_MS)
			failed(cs, c, "no answer", now_ms);
		else if (now_ms >= c->again_ms) {
			c->pause_ms = 2 * c->pause_ms < T2_MS ?
			    2 * c->pause_ms : T2_MS;
			c->again_ms = now_ms + c->pause_ms;
			cs->tally.sent_again++;
			wire_send(cs->wire, c->sent, c->sent_len);
		}
	}
}

void
calls_begin(struct calls *cs, int64_t now_ms)
{
	for (unsigned i = 0; i < cs->conf.window; i++)
		begin(cs, &cs->call[i], now_ms);
}

struct tally
calls_tally(const struct calls *cs)
{
	return cs->tally;
}

struct calls *
calls_new(const struct calls_conf *conf, struct wire *w)
{
	struct calls *cs = calloc(1, sizeof *cs +
	    conf->window * sizeof cs->call[0]);

	if (cs == NULL)
		return NULL;
	cs->conf = *conf;
	cs->wire = w;
	cs->digest = digest_new();
	snprintf(cs->callee, sizeof cs->callee, "sip:callee@%s", conf->realm);
	if (cs->digest != NULL)
		return cs;
	calls_free(cs);
	return NULL;
}

void
calls_free(struct calls *cs)
{
	if (cs == NULL)
		return;
	digest_free(cs->digest);
	free(cs);
}
