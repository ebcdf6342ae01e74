/*
 * sofia_vt.h -- what libsofia-sip-ua exports for transport types, but does not
 * publish in its headers.
 *
 * The table's layout and the prototypes are those of Sofia-SIP 1.12.11; they
 * are the same in the fork 1.13.  No field of the library's transport objects
 * is used anywhere: their sizes are taken over with a copy of the library's
 * own table, and a primary transport is a tport_t by its first member.
 * configure checks that the functions are there, transport_open() that the
 * table looks as it should.
 */
#ifndef TRANSPORT_SOFIA_VT_H
#define TRANSPORT_SOFIA_VT_H

#include <assert.h>

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_buffer.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/su_time.h>
#include <sofia-sip/tport.h>

struct sigcomp_compartment;
struct tport_primary;			/* opaque */

struct tport_vtable {
	const char	*vtp_name;
	enum tport_via	 vtp_public;

	size_t	  vtp_pri_size;
	int	(*vtp_init_primary)(struct tport_primary *pri, tp_name_t *tpn,
		    su_addrinfo_t *ai, tagi_t const *tags,
		    const char **culprit);
	void	(*vtp_deinit_primary)(struct tport_primary *pri);
	int	(*vtp_wakeup_pri)(struct tport_primary *pri, int events);
	tport_t *(*vtp_connect)(struct tport_primary *pri, su_addrinfo_t *ai,
		    tp_name_t const *tpn);

	size_t	  vtp_secondary_size;
	int	(*vtp_init_secondary)(tport_t *tp, int fd, int accepted,
		    const char **reason);
	void	(*vtp_deinit_secondary)(tport_t *tp);
	void	(*vtp_shutdown)(tport_t *tp, int how);
	int	(*vtp_set_events)(tport_t const *tp);
	int	(*vtp_wakeup)(tport_t *tp, int events);
	int	(*vtp_recv)(tport_t *tp);
	ssize_t	(*vtp_send)(tport_t const *tp, msg_t *msg, msg_iovec_t *iov,
		    size_t n);
	void	(*vtp_deliver)(tport_t *tp, msg_t *msg, su_time_t now);
	int	(*vtp_prepare)(tport_t *tp, msg_t *msg, tp_name_t const *tpn,
		    struct sigcomp_compartment *cc, unsigned mtu);
	int	(*vtp_keepalive)(tport_t *tp, su_addrinfo_t const *ai,
		    tagi_t const *tags);
	int	(*vtp_stun_response)(tport_t const *tp, void *msg, size_t len,
		    void *addr, socklen_t addrlen);
	int	(*vtp_next_secondary_timer)(tport_t *tp, su_time_t *when,
		    const char **why);
	void	(*vtp_secondary_timer)(tport_t *tp, su_time_t now);
};

/* 21 members, each the size of a pointer after padding. */
static_assert(sizeof(struct tport_vtable) == 21 * sizeof(void *),
    "struct tport_vtable is not laid out as Sofia-SIP 1.12.11 has it");

struct tport_vtable const *tport_vtable_by_name(const char *proto,
    enum tport_via type);
int tport_register_type(struct tport_vtable const *vtp);

int tport_stream_init_primary(struct tport_primary *pri, su_socket_t fd,
    tp_name_t *tpn, su_addrinfo_t *ai, tagi_t const *tags,
    const char **culprit);
int tport_accept(struct tport_primary *pri, int events);
int tport_tcp_init_secondary(tport_t *tp, int fd, int accepted,
    const char **reason);
int tport_set_secondary_timer(tport_t *tp);

msg_t *tport_msg_alloc(tport_t const *tp, usize_t size);
void tport_recv_bytes(tport_t *tp, ssize_t bytes, ssize_t on_line);
void tport_deliver(tport_t *tp, msg_t *msg, msg_t *next,
    tport_compressor_t *comp, su_time_t now);
void tport_base_deliver(tport_t *tp, msg_t *msg, su_time_t now);

int tport_error_event(tport_t *tp);
void tport_error_report(tport_t *tp, int errcode, su_sockaddr_t const *addr);
int tport_has_queued(tport_t const *tp);
void tport_close(tport_t *tp);

#endif
