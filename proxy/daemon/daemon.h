/*
 * daemon.h -- the process: everything built in order, run, taken down in
 * reverse.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

/* Serve by this file until SIGTERM or SIGINT.  The exit status. */
int daemon_run(const char *path);

/* -t: check everything that can be checked without serving.  0 good. */
int daemon_check(const char *path);

/* -T: print the effective configuration. */
int daemon_print(const char *path);

/* -L: every event and reason that can stand in the log, a sentence each. */
void daemon_print_log_words(void);

/* -V */
void daemon_print_version(void);

#endif
