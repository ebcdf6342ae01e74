/*
 * token.c -- the tokens of dialogs, in our Record-Route.
 */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "base/secret.h"
#include "route/token_inner.h"

enum {
	MAC_HALF = MAC_SHORT / 2,
	DIALOG_BYTES = 6 + 2 * SIDE_MAX + 1 + 2 * TOKEN_CALL_BYTES +
	    2 * (1 + TOKEN_USER_MAX) + MAC_SHORT
};

static_assert(BASE64URL_LEN(DIALOG_BYTES) <= TOKEN_TEXT_MAX, "dialog token");

/* What a dialog's MAC covers besides the token. */
struct dialog_names {
	struct str	call_id, tag;
	struct str	other;		/* if bound */
	bool		bound;
};

static bool
names_fit(const struct dialog_names *n)
{
	return n->call_id.len <= UINT16_MAX && n->tag.len <= UINT16_MAX &&
	    n->other.len <= UINT16_MAX;
}

/* Of a bound one the first half says whose call it is, and the other whose
 * dialog. */
static void
dialog_mac(const struct token_signer *s, unsigned which, struct str body,
    const struct dialog_names *names, uint8_t out[TOKEN_MAC_BYTES])
{
	uint8_t call_id_len[2] = { 0 }, tag_len[2] = { 0 };
	uint8_t other_len[2] = { 0 };
	uint8_t dialog[TOKEN_MAC_BYTES];
	const struct str part[] = {
		body, token_bytes(call_id_len, 2), names->call_id,
		token_bytes(tag_len, 2), names->tag,
		token_bytes(other_len, 2), names->other
	};

	put_u16(call_id_len, (uint16_t)names->call_id.len);
	put_u16(tag_len, (uint16_t)names->tag.len);
	put_u16(other_len, (uint16_t)names->other.len);
	s->mac(s->arg, which, false, part, 5, out);
	if (!names->bound)
		return;
	s->mac(s->arg, which, false, part, 7, dialog);
	memcpy(out + MAC_HALF, dialog, MAC_HALF);
}

static size_t
seal(const struct token_signer *s, const struct dialog_token *t,
    const struct dialog_names *names, char *out)
{
	uint8_t buf[DIALOG_BYTES], mac[TOKEN_MAC_BYTES];
	struct sealing w = { buf, 0 };

	if (!token_user_fits(t->user) || !token_user_fits(t->callee_user) ||
	    !names_fit(names))
		return 0;
	sealing_u8(&w, VERSION_DIALOG);
	sealing_u8(&w, 0);
	sealing_u32(&w, t->issued_s);
	sealing_side(&w, &t->caller);
	sealing_side(&w, &t->callee);
	sealing_u8(&w, t->flags);
	if (t->flags & TOKEN_COUNTED)
		sealing_bytes(&w, t->call, sizeof t->call);
	if (t->flags & TOKEN_BEHIND)
		sealing_bytes(&w, t->before, sizeof t->before);
	sealing_user(&w, t->user);
	sealing_user(&w, t->callee_user);
	dialog_mac(s, 0, token_bytes(w.p, w.n), names, mac);
	return sealing_end(&w, mac, out);
}

size_t
dialog_token_seal(const struct token_signer *s, const struct dialog_token *t,
    struct str call_id, struct str caller_tag, char *out)
{
	const struct dialog_names names = { .call_id = call_id,
		.tag = caller_tag };

	return seal(s, t, &names, out);
}

static void
read_call(struct reading *r, uint8_t out[TOKEN_CALL_BYTES])
{
	const uint8_t *p = reading_bytes(r, TOKEN_CALL_BYTES);

	if (p != NULL)
		memcpy(out, p, TOKEN_CALL_BYTES);
}

static bool
read_dialog(struct reading r, struct dialog_token *t)
{
	memset(t, 0, sizeof *t);
	if (reading_u8(&r) != VERSION_DIALOG)
		return false;
	reading_u8(&r);			/* a hint only: every master is tried */
	t->issued_s = reading_u32(&r);
	reading_side(&r, &t->caller);
	reading_side(&r, &t->callee);
	t->flags = reading_u8(&r);
	if (t->flags & TOKEN_COUNTED)
		read_call(&r, t->call);
	if (t->flags & TOKEN_BEHIND)
		read_call(&r, t->before);
	reading_text(&r, reading_u8(&r), t->user, TOKEN_USER_MAX);
	reading_text(&r, reading_u8(&r), t->callee_user, TOKEN_USER_MAX);
	return reading_is_whole(&r);
}

/* Nothing of ours; ours, of this call; of this dialog. */
enum signed_for { SIGNED_NOT, SIGNED_CALL, SIGNED_DIALOG };

static enum signed_for
signed_for(const struct token_signer *s, const struct reading *body,
    const struct dialog_names *names)
{
	const uint8_t *carried = body->p + body->left;
	uint8_t mac[TOKEN_MAC_BYTES];

	for (unsigned i = 0; i < s->nkeys; i++) {
		dialog_mac(s, i, token_bytes(body->p, body->left), names, mac);
		if (secret_eq(mac, MAC_SHORT, carried, MAC_SHORT))
			return SIGNED_DIALOG;
		if (names->bound &&
		    secret_eq(mac, MAC_HALF, carried, MAC_HALF))
			return SIGNED_CALL;
	}
	return SIGNED_NOT;
}

enum token_verdict
dialog_token_open(const struct token_signer *s, struct str text,
    const struct token_bearer *by, struct dialog_token *t,
    bool *from_is_caller)
{
	struct dialog_names by_from = { by->call_id, by->from_tag,
		by->to_tag, false };
	struct dialog_names by_to = { by->call_id, by->to_tag,
		by->from_tag, false };
	uint8_t buf[DIALOG_BYTES];
	struct reading body = reading_of(text, buf, sizeof buf);
	enum signed_for what;

	if (!names_fit(&by_from) || !read_dialog(body, t))
		return TOKEN_FOREIGN;
	by_from.bound = by_to.bound = t->flags & TOKEN_BOUND;
	what = signed_for(s, &body, &by_from);
	*from_is_caller = what != SIGNED_NOT;
	if (what == SIGNED_NOT)
		what = signed_for(s, &body, &by_to);
	if (what == SIGNED_NOT)
		return TOKEN_FOREIGN;
	if (by->now_s - (int64_t)t->issued_s > by->max_s)
		return TOKEN_EXPIRED;
	return what == SIGNED_CALL ? TOKEN_OF_CALL : TOKEN_OK;
}

bool
dialog_token_bind(const struct token_signer *s, struct str text,
    const struct dialog_tags *tags, char *out)
{
	struct dialog_names names = { tags->call_id, tags->caller,
		tags->callee, false };
	uint8_t buf[DIALOG_BYTES];
	struct reading body = reading_of(text, buf, sizeof buf);
	struct dialog_token t;

	if (!names_fit(&names) || !read_dialog(body, &t) ||
	    (t.flags & (TOKEN_CALL | TOKEN_BOUND)) != TOKEN_CALL ||
	    signed_for(s, &body, &names) == SIGNED_NOT)
		return false;
	names.bound = true;
	t.flags |= TOKEN_BOUND;
	return seal(s, &t, &names, out) > 0;
}
