/*
 * nft.c -- addresses that the kernel drops for us: our side.
 */
#include "config.h"

#include "io/nft.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/loop.h"
#include "io/nft_work.h"

enum { END_MS = 3000 };			/* for its last work */

struct nft {
	int		 fd;		/* -1: the process has ended */
	pid_t		 pid;		/* it keeps another one: nft_keep.c */
	uint32_t	 number;	/* of the last work */
	bool		 waiting;	/* for its answer */
	struct loop_fd	*watch;
	nft_done_f	*done;
	void		*arg;
	struct nft_work	 work;
};

/* ---- rights */

struct rights {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct	data[_LINUX_CAPABILITY_U32S_3];
};

/* 0 or -errno. */
static int
read_rights(struct rights *r)
{
	*r = (struct rights){ .head.version = _LINUX_CAPABILITY_VERSION_3 };
	return syscall(SYS_capget, &r->head, r->data) == 0 ? 0 : -errno;
}

bool
nft_is_there(void)
{
	return true;
}

bool
nft_is_allowed(void)
{
	struct rights r;

	return read_rights(&r) == 0 &&
	    (r.data[0].effective & CAP_TO_MASK(CAP_NET_ADMIN)) != 0;
}

int
nft_give_up_right(void)
{
	const uint32_t others = ~(uint32_t)CAP_TO_MASK(CAP_NET_ADMIN);
	struct rights r;
	int rc = read_rights(&r);

	if (rc < 0 || ((r.data[0].permitted | r.data[0].inheritable) &
	    ~others) == 0)
		return rc;
	r.data[0].effective &= others;
	r.data[0].permitted &= others;
	r.data[0].inheritable &= others;
	return syscall(SYS_capset, &r.head, r.data) == 0 ? 0 : -errno;
}

/* ---- the process */

/* If it has ended; it may be about to. */
static void
bury(struct nft *n)
{
	if (n->pid > 0 && waitpid(n->pid, NULL, WNOHANG) == n->pid)
		n->pid = -1;
}

static void
forget_process(struct nft *n)
{
	loop_fd_free(n->watch);
	n->watch = NULL;
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

static void
on_answer(void *arg, unsigned events)
{
	struct nft *n = arg;
	struct nft_answer a;
	ssize_t got = recv(n->fd, &a, sizeof a, MSG_DONTWAIT);

	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got != (ssize_t)sizeof a) {
		forget_process(n);
		bury(n);
		n->done(n->arg, "the process for nftables has ended");
		return;
	}
	/* of a work that was given up when the process ended */
	if (a.number != 0 && (!n->waiting || a.number != n->number))
		return;
	n->waiting = false;
	a.why[sizeof a.why - 1] = '\0';
	n->done(n->arg, a.why[0] == '\0' ? NULL : a.why);
}

/* Signals are for the daemon alone, so they stay blocked there. */
static pid_t
start_process(int fd, const char *table)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		nft_keep(fd, table);
	if (pid > 0)
		setpgid(pid, pid);	/* it does so, too: who is first? */
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

struct nft *
nft_new(struct loop *l, const char *table, nft_done_f *done, void *arg)
{
	struct nft *n = calloc(1, sizeof *n);
	int fd[2] = { -1, -1 };

	if (n == NULL)
		return NULL;
	*n = (struct nft){ .fd = -1, .pid = -1, .done = done, .arg = arg };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
		goto fail;
	n->fd = fd[0];
	n->watch = loop_fd_new(l, fd[0], LOOP_IN, on_answer, n);
	if (n->watch == NULL)
		goto fail;
	n->pid = start_process(fd[1], table);
	if (n->pid < 0)
		goto fail;
	close(fd[1]);
	return n;
fail:
	if (fd[1] >= 0)
		close(fd[1]);
	nft_free(n);
	return NULL;
}

static int
hand_over(struct nft *n, enum nft_kind kind, size_t count)
{
	size_t size;
	ssize_t sent;

	n->work.kind = kind;
	n->work.n = (uint32_t)count;
	n->work.number = ++n->number == 0 ? ++n->number : n->number;
	size = nft_work_size(&n->work);

	if (n->fd < 0) {
		bury(n);
		return -EPIPE;
	}
	sent = send(n->fd, &n->work, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent != (ssize_t)size)
		return -errno;
	n->waiting = true;
	return 0;
}

int
nft_make(struct nft *n, const struct nft_place *place, size_t nplaces,
    size_t max)
{
	if (nplaces > NFT_PLACES_MAX)
		return -E2BIG;
	n->work.max = max;
	memcpy(n->work.u.place, place, nplaces * sizeof place[0]);
	return hand_over(n, NFT_MAKE, nplaces);
}

int
nft_change(struct nft *n, const struct nft_change *change, size_t nchanges)
{
	if (nchanges > NFT_CHANGES_MAX)
		return -E2BIG;
	memcpy(n->work.u.change, change, nchanges * sizeof change[0]);
	return hand_over(n, NFT_CHANGE, nchanges);
}

int
nft_look(struct nft *n)
{
	return hand_over(n, NFT_LOOK, 0);
}

/* It closes its end when all is done. */
static void
wait_for_end(const struct nft *n)
{
	struct pollfd p = { .fd = n->fd, .events = 0 };

	while (n->fd >= 0 && poll(&p, 1, END_MS) < 0 && errno == EINTR)
		;
	if (n->fd >= 0 && (p.revents & POLLHUP) == 0)
		kill(-n->pid, SIGKILL);	/* and what it keeps */
	while (waitpid(n->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void
nft_free(struct nft *n)
{
	if (n == NULL)
		return;
	loop_fd_free(n->watch);
	n->watch = NULL;
	if (n->pid > 0) {
		hand_over(n, NFT_END, 0);
		wait_for_end(n);
	}
	forget_process(n);
	free(n);
}
