/*
 * nft_keep.c -- addresses that the kernel drops for us: who starts the process
 * again.
 *
 * The daemon cannot: it has given up the right by then, and has keys.
 */
#include "config.h"

#include "io/nft_work.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AGAIN_S = 1 };

/* And the three of every process: to standard error the library says why it
 * gives up. */
static int
keep_only(int fd)
{
	enum { OURS = 3 };

	if (dup2(fd, OURS) < 0 ||
	    syscall(SYS_close_range, OURS + 1, ~0U, 0) < 0)
		_exit(1);
	return OURS;
}

/* Did it end as it should? */
static bool
ended_well(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void
nft_keep(int fd, const char *table)
{
	const struct nft_answer ended = { .number = 0,
		.why = "the process for nftables has ended" };
	pid_t pid;

	setpgid(0, 0);			/* both end together */
	prctl(PR_SET_NAME, "sipbouncer-keep");
	fd = keep_only(fd);
	for (;;) {
		pid = fork();
		if (pid == 0)
			nft_serve(fd, table);
		if (pid > 0 && ended_well(pid))
			_exit(0);
		if (send(fd, &ended, sizeof ended, MSG_DONTWAIT |
		    MSG_NOSIGNAL) < 0 && errno != EAGAIN)
			_exit(0);	/* nobody is there any more */
		sleep(AGAIN_S);
	}
}
