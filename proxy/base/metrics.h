/*
 * metrics.h -- every counter and gauge of the process, declared once.
 *
 * Whoever counts registers a metric and keeps the cells it gets back; to
 * count is then one addition.  A family has one label with a fixed list of
 * values, one cell each; or its values come and go, and its owner tells them
 * when he is asked.  Names follow Prometheus (…_total for counters).
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metrics;			/* the registry */

struct metric {
	const char		*name;	/* without the prefix "sipbouncer_" */
	const char		*help;
	enum metric_kind	 kind;
	const char		*label;	/* NULL: a single cell */
	const char *const	*values;	/* of the label */
	size_t			 nvalues;
};

struct metrics *metrics_new(void);		/* NULL: no memory */
void metrics_free(struct metrics *m);		/* NULL is allowed */

/*
 * Register a metric; strings and the values array must outlive the registry.
 * Returns its cells (one, or one a label value, all 0), owned by the
 * registry and valid until metrics_free(); NULL: no memory, or the name is
 * registered already.
 */
uint64_t *metrics_add(struct metrics *m, const struct metric *what);

/* value is the label's value, or NULL. */
typedef void metrics_visit_f(void *arg, const struct metric *what,
    const char *value, uint64_t count);

/* A family whose values come and go: when it is asked for, tell() calls
 * visit() for each.  -ENOMEM, or -EEXIST: the name is registered already. */
typedef void metrics_tell_f(void *owner, const struct metric *what,
    metrics_visit_f *visit, void *arg);
int metrics_add_live(struct metrics *m, const struct metric *what,
    metrics_tell_f *tell, void *owner);

/* Call visit() for every cell in order of registration. */
void metrics_each(const struct metrics *m, metrics_visit_f *visit, void *arg);

#endif
