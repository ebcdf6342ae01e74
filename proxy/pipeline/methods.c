/*
 * methods.c -- the methods that a sender may use: peers.methods, or
 * auth.methods of who is no peer.
 */
#include "config.h"

#include "pipeline/branch_id.h"
#include "pipeline/methods.h"

static const struct conf_list *
list_of(const struct request *req)
{
	return req->peer != NULL ? &req->peer->methods :
	    &req->policy->auth->methods;
}

bool
methods_allow(const struct request *req)
{
	/* what another instance hands over was judged there */
	return conf_list_takes(list_of(req), req->method_name) ||
	    branch_is_members(req);
}

bool
methods_is_misspelt(struct str method)
{
	for (int m = sip_method_invite; m <= sip_method_publish; m++) {
		const char *name = sip_method_name((sip_method_t)m, "");

		if (str_caseis(method, name))
			return !str_is(method, name);
	}
	return false;
}

void
methods_put(const struct request *req, struct writer *w)
{
	const struct conf_list *list = list_of(req);

	for (size_t i = 0; i < list->n; i++) {
		put_text(w, i == 0 ? "Allow: " : ", ");
		put_text(w, list->v[i]);
	}
	put_text(w, "\r\n");
}
