/*
 * argument.c -- what stands behind an option, or an end with a complaint.
 */
#include "config.h"

#include "argument.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
argument_fail(const char *what, const char *which)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, which,
	    what);
	exit(2);
}

uint64_t
argument_number(const char *option, uint64_t min, uint64_t max)
{
	uint64_t n;

	if (!parse_uint(str_of(optarg), max, &n) || n < min)
		argument_fail("not a number that I take", option);
	return n;
}

struct addr
argument_address(const char *option)
{
	const char *colon = strrchr(optarg, ':');
	struct addr a;
	uint64_t port = 0;

	if (colon == NULL || !addr_parse_host(&a,
	    (struct str){ optarg, (size_t)(colon - optarg) }) ||
	    !parse_uint(str_of(colon + 1), UINT16_MAX, &port))
		argument_fail("not an address with a port", option);
	a.port = (uint16_t)port;
	return a;
}
