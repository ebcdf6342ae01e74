/*
 * branch_id.c -- the branch parameter of our Via.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "pipeline/branch_id.h"

enum { COOKIE_LEN = sizeof BRANCH_COOKIE - 1 };

/* Where the fields stand: see branch_id.h. */
enum { ISSUED = 0, SEQUENCE = 4, LOOP = 10, MAC = 16 };

static struct mac_part
part_text(const char *s)
{
	/* with its NUL, so that neighbours cannot run together */
	return s == NULL ? (struct mac_part){ "", 1 } :
	    (struct mac_part){ s, strlen(s) + 1 };
}

static void
sign(struct pipeline *p, size_t master, const uint8_t *id,
    const struct mac_part rest[6], uint8_t out[MARK_BYTES])
{
	struct mac_part part[7] = { { id, MAC } };

	memcpy(part + 1, rest, 6 * sizeof rest[0]);
	keys_mark(p->env.keys, master, KEY_BRANCH, 0, part, 7, out);
}

static void
context(const sip_t *sip, const sip_via_t *below, struct mac_part out[6])
{
	out[0] = part_text(sip->sip_call_id->i_id);
	out[1] = part_text(below == NULL ? NULL : below->v_host);
	out[2] = part_text(below == NULL ? NULL : below->v_port);
	out[3] = part_text(below == NULL ? NULL : below->v_branch);
	out[4] = part_text(below == NULL ? NULL : below->v_received);
	out[5] = part_text(below == NULL ? NULL : below->v_rport);
}

enum { LOOP_PARTS = 12 };

void
loop_hash(const struct request *req, uint8_t out[6])
{
	const sip_t *sip = req->sip;
	char cseq[16];
	uint8_t mac[MARK_BYTES];
	struct mac_part part[LOOP_PARTS];
	size_t n = 0;

	snprintf(cseq, sizeof cseq, "%u", (unsigned)sip->sip_cseq->cs_seq);
	part[n++] = part_text(req->handed ? "handed" : "loop");
	part[n++] = part_text(req->peer == NULL ? "" : req->peer->name);
	part[n++] = (struct mac_part){ req->uri.p, req->uri.len };
	part[n++] = part_text(cseq);
	part[n++] = part_text(sip->sip_call_id->i_id);
	part[n++] = part_text(sip->sip_from->a_tag);
	part[n++] = part_text(sip->sip_to->a_tag);
	/* the first few Routes tell a spiral from a loop well enough */
	for (const sip_route_t *r = sip->sip_route; r != NULL && n < LOOP_PARTS;
	    r = r->r_next) {
		part[n++] = part_text(r->r_url->url_user);
		if (n < LOOP_PARTS)
			part[n++] = part_text(r->r_url->url_host);
	}
	keys_mark(req->p->env.keys, 0, KEY_BRANCH, 0, part, n, mac);
	memcpy(out, mac, 6);
}

void
branch_id_make(struct request *req, char *out)
{
	uint8_t id[BRANCH_BYTES], mac[MARK_BYTES];
	struct mac_part rest[6];

	put_u32(id + ISSUED, (uint32_t)(req->unix_ms / 1000));
	put_u48(id + SEQUENCE, req->p->sequence++ & 0xffffffffffff);
	memcpy(id + LOOP, req->loop_hash, 6);
	context(req->sip, req->sip->sip_via, rest);
	sign(req->p, 0, id, rest, mac);
	memcpy(id + MAC, mac, BRANCH_BYTES - MAC);
	memcpy(out, BRANCH_COOKIE, COOKIE_LEN);
	base64url_encode(out + COOKIE_LEN, id, sizeof id);
}

bool
branch_id_open(struct pipeline *p, const sip_t *sip, const sip_via_t *via,
    struct branch_id *out)
{
	uint8_t id[BRANCH_BYTES], mac[MARK_BYTES];
	struct mac_part rest[6];
	const char *text = via->v_branch;
	bool ours = false;

	if (text == NULL || strlen(text) != BRANCH_ID_TEXT ||
	    memcmp(text, BRANCH_COOKIE, COOKIE_LEN) != 0 ||
	    base64url_decode(id, sizeof id, str_of(text + COOKIE_LEN)) !=
	    BRANCH_BYTES)
		return false;
	context(sip, via->v_next, rest);
	for (size_t i = 0; i < keys_count(p->env.keys) && !ours; i++) {
		sign(p, i, id, rest, mac);
		ours = secret_eq(mac, BRANCH_BYTES - MAC, id + MAC,
		    BRANCH_BYTES - MAC);
	}
	if (!ours)
		return false;
	out->issued_s = get_u32(id + ISSUED);
	memcpy(out->loop_hash, id + LOOP, 6);
	return true;
}

void
branch_draw(char out[BRANCH_DRAWN_TEXT + 1])
{
	memcpy(out, BRANCH_COOKIE, COOKIE_LEN);
	random_hex(out + COOKIE_LEN, BRANCH_DRAWN_BYTES);
}

bool
branch_is_members(const struct request *req)
{
	const sip_t *sip = req->sip;
	struct branch_id id;

	return ways_are_member(req->p->env.ways, req->way, &req->source) &&
	    sip->sip_via != NULL && sip->sip_call_id != NULL &&
	    branch_id_open(req->p, sip, sip->sip_via, &id);
}

void
branch_put_place(struct writer *w, const struct way *way, const struct addr *to)
{
	put_text(w, way_host(way, to));
	put_text(w, ":");
	put_uint(w, way->port);
}

void
branch_put_via(struct writer *w, const struct way *way,
    const struct branch_asks *asks)
{
	put_text(w, "Via: SIP/2.0/");
	put_text(w, transport_via_name(way->transport));
	put_text(w, " ");
	branch_put_place(w, way, asks->to);
	put_text(w, ";rport;branch=");
	put_text(w, asks->branch);
	put_text(w, "\r\n");
}

uint64_t
branch_key(const struct pipeline *p, const struct way *way,
    const struct branch_asks *asks)
{
	char host[sizeof way->host + 8];
	struct writer w = writer_on(host, sizeof host);
	struct transaction_id t = { .branch = str_of(asks->branch),
		.call_id = str_of(asks->call_id), .cseq = asks->cseq };

	branch_put_place(&w, way, asks->to);
	t.sent_by = (struct str){ host, w.len };
	return transaction_key(p->transactions, &t);
}
