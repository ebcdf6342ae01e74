/*
 * descriptors.c -- are there as many as the connections need?
 */
#include "config.h"

#include "daemon/descriptors.h"

#include <sys/resource.h>

/* DNS, files, listeners; not more than a part of what there is. */
enum { BESIDES = 500, BESIDES_PART = 8 };

void
descriptors_raise(const struct settings *s)
{
	/* accepted, and to targets */
	rlim_t wanted = 2 * (rlim_t)s->limits.connections + BESIDES;
	struct rlimit have;

	if (getrlimit(RLIMIT_NOFILE, &have) == -1)
		return;
	have.rlim_cur = have.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &have) == -1)
		return;
	if (s->limits.connections > 0 && have.rlim_cur < wanted)
		log_event(EV_DESCRIPTORS,
		    kv_uint("have", (uint64_t)have.rlim_cur),
		    kv_uint("wanted", (uint64_t)wanted));
}

int64_t
descriptors_allow(int64_t connections)
{
	struct rlimit have;
	rlim_t besides = BESIDES;
	int64_t each;

	if (getrlimit(RLIMIT_NOFILE, &have) == -1)
		return connections;
	if (besides > have.rlim_cur / BESIDES_PART)
		besides = have.rlim_cur / BESIDES_PART;
	each = (int64_t)((have.rlim_cur - besides) / 2);
	return connections < 1 || connections > each ? each : connections;
}
