/*
 * sofia_fixups.c -- faults of libsofia-sip-ua, cured from outside.
 *
 * Seen in Debian's 1.12.11+20110422.1+1e14eea~dfsg-6, which is upstream's last
 * state; paths and lines are those of its sources.
 *
 * su_root_yield
 *	Fault: nta's timer lets other events run in its middle, every fifth
 *	retransmission (nta/nta.c:8742).  A message that comes in then clears
 *	the agent's clock (nta.c:2770), and the rest of the timer runs at time
 *	0 (nta.c:6830): in half of all 50-day periods every completed server
 *	transaction expires at once, in the other half none does.
 *	Evidence: with a shifted clock, 809 of 2,000 server transactions were
 *	left; with this, all.
 *	Effect of the cure: other events wait until the timer is done.
 *
 * getaddrinfo
 *	Fault: the host of an answer's way, which may be any text of the
 *	sender (Via sent-by, maddr, received), is resolved by the C library,
 *	on the loop (tport/tport.c:4089 through su/su_addrinfo.c).
 *	Evidence: one datagram with "Via: ...;maddr=slow.example.org" stops the
 *	process for 10 s, before any callback of ours.
 *	Effect of the cure: what is no address fails at once.
 *
 * epoll_wait
 *	Fault: su_timer_expire() (su/su_timer.c) gives the time left until the
 *	next timer in whole milliseconds, rounded down, so in the last one the
 *	loop asks epoll_wait() for 0 again and again.
 *	Evidence: 557 us of CPU a call at 1,500 calls/s, 271 us without this.
 *	Effect of the cure: who asks for 0 and got nothing when he asked for 0
 *	the last time waits up to 1 ms; a ready descriptor still ends the wait.
 *	The first 0 stays a poll, as it is asked for when messages between
 *	tasks are waiting.
 */
#include "config.h"

#include "transport/sofia_fixups.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>

#include <sofia-sip/su.h>
#include <sofia-sip/su_wait.h>

#include "base/log.h"

typedef int getaddrinfo_f(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **res);

#if __ELF_NATIVE_CLASS == 64
#define SYMBOL_OF(info) ELF64_R_SYM(info)
#else
#define SYMBOL_OF(info) ELF32_R_SYM(info)
#endif

/* What of a loaded library's dynamic section matters here. */
struct imports {
	ElfW(Addr)	 base;
	const ElfW(Sym)	*symbols;
	const char	*names;
	const char	*plt, *rela, *rel;	/* tables of relocations */
	size_t		 plt_size, rela_size, rel_size, plt_kind;
	bool		 symbolic;
};

static _Thread_local bool polled_idle;
static _Thread_local unsigned getaddrinfo_calls;	/* for the self-test */

int
su_root_yield(su_root_t *root)
{
	(void)root;
	return 0;
}

int
getaddrinfo(const char *restrict node, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict res)
{
	static getaddrinfo_f *_Atomic known;
	getaddrinfo_f *libc = known;	/* asked for with each datagram sent */
	struct addrinfo h = { 0 };

	getaddrinfo_calls++;
	if (libc == NULL)
		libc = (getaddrinfo_f *)dlsym(RTLD_NEXT, "getaddrinfo");
	if (libc == NULL)
		return EAI_FAIL;
	known = libc;
	if (hints != NULL)
		h = *hints;
	h.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
	return libc(node, service, &h, res);
}

int
epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms)
{
	bool poll = timeout_ms == 0;
	int n;

	if (poll && polled_idle)
		timeout_ms = 1;
	n = epoll_pwait(epfd, events, max, timeout_ms, NULL);
	polled_idle = poll && n == 0;
	return n;
}

/* Some systems have addresses in the dynamic section, others offsets. */
static const void *
at(const struct imports *im, ElfW(Addr) p)
{
	return (const void *)(p < im->base ? im->base + p : p);
}

static void
read_entry(struct imports *im, const ElfW(Dyn) *d)
{
	switch (d->d_tag) {
	case DT_SYMTAB:		im->symbols = at(im, d->d_un.d_ptr); break;
	case DT_STRTAB:		im->names = at(im, d->d_un.d_ptr); break;
	case DT_JMPREL:		im->plt = at(im, d->d_un.d_ptr); break;
	case DT_PLTRELSZ:	im->plt_size = d->d_un.d_val; break;
	case DT_PLTREL:		im->plt_kind = d->d_un.d_val; break;
	case DT_RELA:		im->rela = at(im, d->d_un.d_ptr); break;
	case DT_RELASZ:		im->rela_size = d->d_un.d_val; break;
	case DT_REL:		im->rel = at(im, d->d_un.d_ptr); break;
	case DT_RELSZ:		im->rel_size = d->d_un.d_val; break;
	case DT_SYMBOLIC:	im->symbolic = true; break;
	case DT_FLAGS:
		im->symbolic |= (d->d_un.d_val & DF_SYMBOLIC) != 0;
		break;
	}
}

static bool
is_named(const struct imports *im, size_t symbol, const char *name)
{
	return symbol != 0 &&
	    strcmp(im->names + im->symbols[symbol].st_name, name) == 0;
}

static bool
rela_has(const struct imports *im, const char *table, size_t size,
    const char *name)
{
	const ElfW(Rela) *r = (const ElfW(Rela) *)table;

	for (size_t i = 0; table != NULL && i < size / sizeof *r; i++)
		if (is_named(im, SYMBOL_OF(r[i].r_info), name))
			return true;
	return false;
}

static bool
rel_has(const struct imports *im, const char *table, size_t size,
    const char *name)
{
	const ElfW(Rel) *r = (const ElfW(Rel) *)table;

	for (size_t i = 0; table != NULL && i < size / sizeof *r; i++)
		if (is_named(im, SYMBOL_OF(r[i].r_info), name))
			return true;
	return false;
}

/* Does the library leave it to the dynamic linker where this call goes? */
static bool
is_import(const struct imports *im, const char *name)
{
	if (im->symbolic || im->names == NULL || im->symbols == NULL)
		return false;
	if (rela_has(im, im->rela, im->rela_size, name) ||
	    rel_has(im, im->rel, im->rel_size, name))
		return true;
	return im->plt_kind == DT_RELA ?
	    rela_has(im, im->plt, im->plt_size, name) :
	    rel_has(im, im->plt, im->plt_size, name);
}

/* For dl_iterate_phdr(): 1 ends the search, at the library. */
static int
read_library(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct imports *im = arg;

	(void)size;
	if (strstr(info->dlpi_name, "libsofia-sip-ua.so") == NULL)
		return 0;
	im->base = info->dlpi_addr;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		const ElfW(Dyn) *d;

		if (ph->p_type != PT_DYNAMIC)
			continue;
		d = (const ElfW(Dyn) *)(info->dlpi_addr + ph->p_vaddr);
		for (; d->d_tag != DT_NULL; d++)
			read_entry(im, d);
	}
	return 1;
}

/* A name would tell as well, but not in time if the cure were missing. */
static bool
library_calls_our_getaddrinfo(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *res = NULL;
	unsigned before = getaddrinfo_calls;

	if (su_getaddrinfo("127.0.0.1", "5060", &hints, &res) == 0)
		su_freeaddrinfo(res);
	return getaddrinfo_calls == before + 1;
}

int
sofia_fixups_check(void)
{
	static const struct {
		const char	*name;
		void		*ours;
	} cures[] = {
		{ "su_root_yield", (void *)su_root_yield },
		{ "getaddrinfo", (void *)getaddrinfo },
		{ "epoll_wait", (void *)epoll_wait },
	};
	struct imports im = { 0 };
	int rc = 0;

	dl_iterate_phdr(read_library, &im);
	for (size_t i = 0; i < sizeof cures / sizeof cures[0]; i++) {
		if (dlsym(RTLD_DEFAULT, cures[i].name) == cures[i].ours &&
		    is_import(&im, cures[i].name))
			continue;
		log_event(EV_FIXUPS_FAIL, kv_str("symbol", cures[i].name));
		rc = -ENOTSUP;
	}
	if (rc == 0 && !library_calls_our_getaddrinfo()) {
		log_event(EV_FIXUPS_FAIL, kv_str("symbol", "getaddrinfo"),
		    kv_str("seen", "su_getaddrinfo"));
		rc = -ENOTSUP;
	}
	return rc;
}
