/*
 * explain.h -- -r: which route would this request take?
 */
#ifndef DAEMON_EXPLAIN_H
#define DAEMON_EXPLAIN_H

struct explain_args {
	const char	*file;		/* "-": standard input */
	const char	*source;	/* ADDR[:PORT][/TRANSPORT], or NULL */
	const char	*listener;	/* or NULL */
	const char	*user;		/* or NULL */
};

enum { EXPLAIN_EXIT_NONE = 3 };	/* no route fits */

/* Nothing is sent.  The exit status. */
int daemon_explain(const char *path, const struct explain_args *args);

#endif
