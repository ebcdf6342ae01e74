/*
 * moved.c -- callers who moved in the middle of a dialog.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/moved.h"

struct moved {
	struct timeout	 timeout;	/* first: the timer hands it back */
	UT_hash_handle	 hh;
	uint64_t	 key;
};

static struct moved *
find(struct pipeline *p, uint64_t key)
{
	struct moved *m;

	HASH_FIND(hh, p->moved, &key, sizeof key, m);
	return m;
}

/* A call and who speaks in it, as a number. */
static uint64_t
place_key(const struct request *req)
{
	const char *call_id = req->sip->sip_call_id->i_id;
	uint8_t mac[MARK_BYTES];
	uint64_t key;
	struct mac_part part[3] = {
		{ &req->source.ip, sizeof req->source.ip },
		{ &req->source.port, sizeof req->source.port },
		{ call_id, strlen(call_id) },
	};

	keys_mark(req->p->env.keys, 0, KEY_TO_TAG, 0, part, 3, mac);
	memcpy(&key, mac, sizeof key);
	return key;
}

void
moved_note(struct request *req)
{
	struct pipeline *p = req->p;
	uint64_t key;
	struct moved *m;

	if (req->method != sip_method_invite || !req->moved)
		return;
	key = place_key(req);
	if (find(p, key) != NULL)
		return;
	m = calloc(1, sizeof *m);
	if (m == NULL)
		return;
	m->key = key;
	HASH_ADD(hh, p->moved, key, sizeof m->key, m);
	if (m->hh.tbl == NULL)
		free(m);
	else
		timeouts_add(p->moved_ends, &m->timeout);
}

bool
moved_has(struct request *req)
{
	return req->p->moved != NULL && find(req->p, place_key(req)) != NULL;
}

void
moved_end(void *arg, struct timeout *t)
{
	struct pipeline *p = arg;
	struct moved *m = (struct moved *)t;

	HASH_DELETE(hh, p->moved, m);
	free(m);
}

void
moved_free(struct pipeline *p)
{
	struct timeout *t;

	while ((t = timeouts_first(p->moved_ends)) != NULL) {
		timeouts_remove(p->moved_ends, t);
		moved_end(p, t);
	}
}
