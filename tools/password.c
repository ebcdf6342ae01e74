/*
 * password.c -- ask for a password.
 */
#include "config.h"

#include "tools/password.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/count.h"
#include "base/secret.h"

enum input { INPUT_BYTE, INPUT_END, INPUT_SIGNAL };

/* One byte a call, so that what follows the line stays for who reads next.
 * signal_fd may be -1. */
static enum input
next_byte(int signal_fd, char *c)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN }
	};
	ssize_t n;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return INPUT_END;
		if (fds[1].revents != 0)
			return INPUT_SIGNAL;
		n = read(STDIN_FILENO, c, 1);
		if (n == 1)
			return INPUT_BYTE;
		if (n == 0 || errno != EINTR)
			return INPUT_END;
	}
}

static const char *
read_line(struct password *p, int signal_fd)
{
	enum input in;
	char c;

	p->len = 0;
	while ((in = next_byte(signal_fd, &c)) == INPUT_BYTE && c != '\n') {
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return "there is a control character in the password";
		if (p->len == PASSWORD_MAX)
			return "the password is longer than 512 bytes";
		p->text[p->len++] = c;
	}
	p->text[p->len] = '\0';
	if (in == INPUT_SIGNAL)
		return "interrupted";
	return p->len == 0 ? "no password was given" : NULL;
}

static const char *
take_line(struct password *p)
{
	return read_line(p, -1);
}

static const char *
ask(struct password *p, const char *prompt, int signal_fd)
{
	const char *fault;

	fputs(prompt, stderr);
	fault = read_line(p, signal_fd);
	fputc('\n', stderr);
	return fault;
}

static const char *
ask_twice(struct password *p, int signal_fd)
{
	const char *fault = ask(p, "Password: ", signal_fd);
	struct password again;

	if (fault != NULL)
		return fault;
	fault = ask(&again, "Once more: ", signal_fd);
	if (fault == NULL && !secret_eq(p->text, p->len, again.text, again.len))
		fault = "the two passwords differ";
	secret_wipe(&again, sizeof again);
	return fault;
}

static const char *
ask_without_echo(struct password *p, bool twice, int signal_fd)
{
	struct termios old, quiet;
	const char *fault;

	if (tcgetattr(STDIN_FILENO, &old) != 0)
		return strerror(errno);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) != 0)
		return strerror(errno);
	fault = twice ? ask_twice(p, signal_fd) :
	    ask(p, "Password: ", signal_fd);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	return fault;
}

/* A signal that would end or stop us waits until echo is on again. */
static const char *
ask_terminal(struct password *p, bool twice)
{
	static const int waiting[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP
	};
	sigset_t set, old;
	const char *fault;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < COUNT(waiting); i++)
		sigaddset(&set, waiting[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	fault = fd < 0 ? strerror(errno) : ask_without_echo(p, twice, fd);
	if (fd >= 0)
		close(fd);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return fault;
}

const char *
password_get(struct password *p, bool from_stdin, bool twice)
{
	if (from_stdin || !isatty(STDIN_FILENO))
		return take_line(p);
	return ask_terminal(p, twice);
}
