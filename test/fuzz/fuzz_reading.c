/*
 * fuzz_reading.c -- libFuzzer target: what is judged to be sound, the parser
 * reads as whoever gets the bytes will: the same user, host, port, tag.
 *
 * The first byte says where the others stand in an otherwise plain request,
 * and whether that has a method that the parser gives up at.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/writer.h"
#include "guard/screen.h"
#include "guard/uri.h"
#include "pipeline/message.h"
#include "pipeline/pipeline.h"
#include "pipeline/sane.h"
#include "transport/mend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum place { URI, FROM, TO, CONTACT, VIA, CSEQ, CALL_ID, PLACES };

static const char *const usual[PLACES] = {
	[URI] = "sip:b@example.com", [FROM] = "<sip:a@example.com>;tag=1",
	[TO] = "<sip:b@example.com>", [CONTACT] = "<sip:a@192.0.2.1>",
	[VIA] = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", [CSEQ] = "1 ",
	[CALL_ID] = "1"
};

static void
must(bool kept)
{
	if (!kept)
		abort();
}

/* ---- what stands there, read in the simplest way */

struct uri {
	struct str	user, host, port;
};

/* Up to the first of these; *rest is from it on. */
static struct str
until(struct str s, const char *ends, struct str *rest)
{
	size_t n = 0;

	while (n < s.len && (s.p[n] == '\0' || strchr(ends, s.p[n]) == NULL))
		n++;
	*rest = str_from(s, n);
	return (struct str){ s.p, n };
}

static struct uri
read_uri(struct str s)
{
	struct uri out = { .user = { NULL, 0 } };
	struct str rest, password;

	until(s, ":", &s);
	s = str_from(s, 1);
	until(s, "@", &rest);
	if (rest.len > 0) {
		out.user = until((struct str){ s.p, s.len - rest.len }, ":",
		    &password);
		s = str_from(rest, 1);
	}
	if (s.len > 0 && *s.p == '[') {
		out.host = until(s, "]", &rest);
		out.host.len++;
		rest = str_from(rest, 1);
	} else {
		out.host = until(s, ":;?", &rest);
	}
	if (rest.len > 0 && *rest.p == ':')
		out.port = until(str_from(rest, 1), ";?", &rest);
	return out;
}

/* Past a quoted string. */
static struct str
behind_quotes(struct str s)
{
	size_t n = 1;

	while (n < s.len && s.p[n] != '"')
		n += s.p[n] == '\\' ? 2 : 1;
	must(n < s.len);
	return str_from(s, n + 1);
}

/* Up to one of these that is neither in quotes nor in brackets. */
static struct str
piece(struct str s, const char *ends, struct str *rest)
{
	const char *from = s.p;

	while (s.len > 0 && strchr(ends, *s.p) == NULL) {
		if (*s.p == '"') {
			s = behind_quotes(s);
			continue;
		}
		if (*s.p == '<')
			until(s, ">", &s);
		s = str_from(s, 1);
	}
	*rest = s;
	return (struct str){ from, (size_t)(s.p - from) };
}

/* The URI of an element of From, To or Contact. */
static struct str
uri_in(struct str party)
{
	struct str before, rest;

	before = piece(party, ";", &rest);
	for (struct str s = before; s.len > 0;) {
		if (*s.p == '"') {
			s = behind_quotes(s);
		} else if (*s.p == '<') {
			return until(str_from(s, 1), ">", &rest);
		} else {
			s = str_from(s, 1);
		}
	}
	return str_trim(before);
}

static struct str
tag_in(struct str party)
{
	struct str param, name, rest;

	piece(party, ";", &party);
	while (party.len > 0) {
		param = piece(str_from(party, 1), ";", &party);
		name = until(param, "=", &rest);
		if (str_caseis(str_trim(name), "tag"))
			return str_trim(str_from(rest, 1));
	}
	return (struct str){ NULL, 0 };
}

/* ---- the same as the parser's? */

/* But for escapes, which it undoes. */
static void
check_text(struct str ours, const char *theirs)
{
	char *a = strndup(ours.p == NULL ? "" : ours.p, ours.len);
	char *b = strdup(theirs == NULL ? "" : theirs);

	must(a != NULL && b != NULL);
	url_unescape(a, a);
	url_unescape(b, b);
	must(strcasecmp(a, b) == 0);
	free(a);
	free(b);
}

/* A line ends nowhere but where it is folded. */
static void
check_lines(const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		must(*s != '\n' || s[1] == ' ' || s[1] == '\t');
}

static void
check_uri(struct str text, const url_t *u)
{
	struct uri ours;

	for (size_t i = 0; i < 6; i++)
		check_lines((const char *const[]){ u->url_user, u->url_host,
		    u->url_port, u->url_path, u->url_params,
		    u->url_fragment }[i]);
	if (!url_names_host(u)) {
		must(strncasecmp(text.p, "sip:", 4) != 0 &&
		    strncasecmp(text.p, "sips:", 5) != 0);
		return;
	}
	ours = read_uri(text);
	must((ours.user.p == NULL) == (u->url_user == NULL));
	check_text(ours.user, u->url_user);
	check_text(ours.host, u->url_host);
	check_text(ours.port, u->url_port);
}

static void
check_params(const msg_param_t *p)
{
	for (; p != NULL && *p != NULL; p++)
		check_lines(*p);
}

static void
check_party(const msg_common_t *h, const url_t *u, const char *tag)
{
	struct str value = message_raw_value(h), ours = tag_in(value);

	check_uri(uri_in(value), u);
	must((ours.p == NULL) == (tag == NULL));
	must(tag == NULL || str_is(ours, tag));
}

/* Those of one line, whose bytes are the first one's; returns the next. */
static const sip_contact_t *
check_contact_line(const sip_contact_t *m)
{
	struct str one, rest = message_raw_value(m->m_common);

	for (;; rest = str_from(rest, 1)) {
		must(m != NULL);
		check_params(m->m_params);
		one = piece(rest, ",", &rest);
		check_uri(uri_in(one), m->m_url);
		m = m->m_next;
		if (rest.len == 0)
			break;
	}
	must(m == NULL || m->m_common->h_len > 0);
	return m;
}

static void
check_contacts(const sip_contact_t *m)
{
	if (m == NULL || m->m_url->url_type == url_any)
		return;
	while (m != NULL)
		m = check_contact_line(m);
}

static void
check_others(const sip_t *sip)
{
	struct str rest, cseq = message_raw_value(sip->sip_cseq->cs_common);
	struct str id = message_raw_value(sip->sip_call_id->i_common);
	struct str digits = until(cseq, " \t\r\n", &rest);
	uint64_t n;

	must(parse_uint(digits, UINT32_MAX, &n) &&
	    n == sip->sip_cseq->cs_seq);
	must(str_is(str_trim(rest), sip->sip_cseq->cs_method_name));
	must(str_is(id, sip->sip_call_id->i_id));
}

static void
check(const sip_t *sip, struct str bytes)
{
	struct str uri = message_raw_uri(sip);

	must(memcmp(sip->sip_request->rq_common->h_data, bytes.p,
	    bytes.len) == 0);
	if (uri_judge(uri, URI_REQUEST) == URI_GOOD)
		check_uri(uri, sip->sip_request->rq_url);
	if (uri_judge(uri, URI_REQUEST) == URI_SERVICE)
		must(url_is_service(sip->sip_request->rq_url));
	check_party(sip->sip_from->a_common, sip->sip_from->a_url,
	    sip->sip_from->a_tag);
	check_party(sip->sip_to->a_common, sip->sip_to->a_url,
	    sip->sip_to->a_tag);
	check_params(sip->sip_from->a_params);
	check_params(sip->sip_to->a_params);
	check_params(sip->sip_via->v_params);
	check_contacts(sip->sip_contact);
	check_others(sip);
}

/* ---- a message, parsed as the transport does it */

static void
write_message(struct writer *w, uint8_t how, struct str value)
{
	static const char *const before[PLACES] = {
		[URI] = " ", [FROM] = " SIP/2.0\r\nFrom: ",
		[TO] = "\r\nTo: ", [CONTACT] = "\r\nContact: ",
		[VIA] = "\r\nVia: ", [CSEQ] = "\r\nCSeq: ",
		[CALL_ID] = "\r\nCall-ID: "
	};
	const char *method = how / PLACES % 2 == 0 ? "OPTIONS" : "SERVICE";
	int place = how % PLACES;

	put_text(w, method);
	for (int i = 0; i < PLACES; i++) {
		put_text(w, before[i]);
		put_str(w, i == place ? value : str_of(usual[i]));
		if (i == CSEQ && i != place)
			put_text(w, method);
	}
	put_text(w, "\r\n\r\n");
}

static msg_t *
parse(struct str bytes, enum mend mend)
{
	static msg_mclass_t *mclass;
	msg_iovec_t iov[msg_n_fragments] = { { 0 } };
	msg_t *msg;

	if (mclass == NULL)
		mclass = pipeline_message_class();
	msg = msg_create(mclass, MSG_DO_EXTRACT_COPY);
	must(msg != NULL && msg_recv_iovec(msg, iov, msg_n_fragments,
	    bytes.len, 1) == 1);
	memcpy(iov[0].mv_base, bytes.p, bytes.len);
	mend_bytes(mend, iov[0].mv_base, bytes.len);
	msg_recv_commit(msg, (usize_t)bytes.len, 1);
	if (msg_extract(msg) <= 0)
		msg_mark_as_complete(msg, MSG_FLG_ERROR);
	mend_undo(mend, msg, bytes.p, bytes.len);
	if (mend == MEND_URI || mend == MEND_VIA)	/* only answered */
		msg_set_flags(msg, MSG_FLG_ERROR);
	return msg;
}

static msg_t *
message_of(struct str bytes)
{
	msg_t *msg = parse(bytes, MEND_NOTHING);
	enum mend mend = mend_wanted(sip_object(msg), bytes.p, bytes.len);

	if (mend == MEND_NOTHING)
		return msg;
	msg_destroy(msg);
	return parse(bytes, mend);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[8192];
	struct writer w = writer_on(text, sizeof text);
	struct head head = { .max_bytes = sizeof text, .max_lines = 100 };
	const sip_t *sip;
	msg_t *msg;

	if (size == 0)
		return 0;
	write_message(&w, data[0],
	    (struct str){ (const char *)data + 1, size - 1 });
	if (w.full || screen_head(&head, w.p, w.len) != HEAD_WHOLE ||
	    head.start > 0)
		return 0;
	msg = message_of((struct str){ w.p, w.len });
	sip = sip_object(msg);
	if (sip != NULL && sip->sip_request != NULL && sip->sip_via != NULL &&
	    message_raw_uri(sip).p != NULL &&
	    (sip->sip_flags & MSG_FLG_ERROR) == 0 &&
	    sane_request(sip).why == REASON_COUNT)
		check(sip, (struct str){ w.p, w.len });
	msg_destroy(msg);
	return 0;
}
