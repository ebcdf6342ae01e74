/* SIP URIs as strangers write them: what is taken is fit to be asked of DNS
 * or is an address. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "io/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
promise(bool kept)
{
	if (!kept)
		abort();
}

static void
check_taken(const struct target_uri *t)
{
	char copy[TARGET_HOST_MAX + 1];

	promise(t->transport >= TRANSPORT_UDP && t->transport <= TARGET_OPEN);
	promise(!t->sips || t->transport == TRANSPORT_TLS);
	if (t->numeric)
		return;
	promise(strlen(t->host) > 0 && strlen(t->host) <= TARGET_HOST_MAX);
	promise(target_host_copy(copy, str_of(t->host)));
	promise(strcmp(copy, t->host) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target_uri t;

	memset(&t, 0xa5, sizeof t);
	if (target_parse(&t, (struct str){ (const char *)data, size }))
		check_taken(&t);
	return 0;
}
