/*
 * metrics.c -- every counter and gauge of the process, declared once.
 */
#include "config.h"

#include "base/metrics.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct family {
	struct family	*next;
	struct metric	 what;
	metrics_tell_f	*tell;		/* instead of cells */
	void		*owner;
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

static bool
is_known(const struct metrics *m, const char *name)
{
	for (const struct family *f = m->first; f != NULL; f = f->next)
		if (strcmp(f->what.name, name) == 0)
			return true;
	return false;
}

static struct family *
add_family(struct metrics *m, const struct metric *what, size_t ncells)
{
	struct family *f = calloc(1, sizeof *f + ncells * sizeof f->cell[0]);

	if (f == NULL)
		return NULL;
	f->what = *what;
	f->ncells = ncells;
	*m->last = f;
	m->last = &f->next;
	return f;
}

uint64_t *
metrics_add(struct metrics *m, const struct metric *what)
{
	size_t ncells = what->label == NULL ? 1 : what->nvalues;
	struct family *f;

	assert(ncells > 0);
	if (is_known(m, what->name))
		return NULL;
	f = add_family(m, what, ncells);
	return f == NULL ? NULL : f->cell;
}

int
metrics_add_live(struct metrics *m, const struct metric *what,
    metrics_tell_f *tell, void *owner)
{
	struct family *f;

	if (is_known(m, what->name))
		return -EEXIST;
	f = add_family(m, what, 0);
	if (f == NULL)
		return -ENOMEM;
	f->tell = tell;
	f->owner = owner;
	return 0;
}

void
metrics_each(const struct metrics *m, metrics_visit_f *visit, void *arg)
{
	for (const struct family *f = m->first; f != NULL; f = f->next) {
		if (f->tell != NULL)
			f->tell(f->owner, &f->what, visit, arg);
		for (size_t i = 0; i < f->ncells; i++)
			visit(arg, &f->what, f->what.label == NULL ? NULL :
			    f->what.values[i], f->cell[i]);
	}
}
