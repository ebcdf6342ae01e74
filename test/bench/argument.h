/*
 * argument.h -- what stands behind an option (optarg), or an end with a
 * complaint.
 */
#ifndef BENCH_ARGUMENT_H
#define BENCH_ARGUMENT_H

#include <stdint.h>

#include "base/addr.h"

/* `option` is named in the complaint. */
uint64_t argument_number(const char *option, uint64_t min, uint64_t max);
struct addr argument_address(const char *option);	/* ADDR:PORT */

_Noreturn void argument_fail(const char *what, const char *which);

#endif
