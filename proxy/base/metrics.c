/*
 * metrics.c -- every counter and gauge of the process, declared once.
 */
#include "config.h"

#include "base/metrics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct family {
	struct family	*next;
	struct metric	 what;
	size_t		 ncells;
	uint64_t	 cell[];
};

struct metrics {
	struct family	*first, **last;		/* in order of registration */
};

struct metrics *
metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof *m);

	if (m != NULL)
		m->last = &m->first;
	return m;
}

void
metrics_free(struct metrics *m)
{
	struct family *f, *next;

	if (m == NULL)
		return;
	for (f = m->first; f != NULL; f = next) {
		next = f->next;
		free(f);
	}
	free(m);
}

uint64_t *
metrics_add(struct metrics *m, const struct metric *what)
{
	size_t ncells = what->label == NULL ? 1 : what->nvalues;
	struct family *f;

	assert(ncells > 0);
	for (f = m->first; f != NULL; f = f->next)
		if (strcmp(f->what.name, what->name) == 0)
			return NULL;
	f = calloc(1, sizeof *f + ncells * sizeof f->cell[0]);
	if (f == NULL)
		return NULL;
	f->what = *what;
	f->ncells = ncells;
	*m->last = f;
	m->last = &f->next;
	return f->cell;
}

void
metrics_each(const struct metrics *m,
    void (*visit)(void *arg, const struct metric *what, const char *value,
	uint64_t count), void *arg)
{
	const struct family *f;

	for (f = m->first; f != NULL; f = f->next)
		for (size_t i = 0; i < f->ncells; i++)
			visit(arg, &f->what,
			    f->what.label == NULL ? NULL : f->what.values[i],
			    f->cell[i]);
}
