/*
 * nft_generation.c -- did anybody change the kernel's tables?
 *
 * libnftables knows it and does not say it.
 */
#include "config.h"

#include "io/nft_work.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 512 };

struct question {
	struct nlmsghdr	 head;
	struct nfgenmsg	 body;
};

/* The attribute of this kind; 0: there is none. */
static uint32_t
number_in(const char *p, size_t len, unsigned kind)
{
	struct nlattr a;
	uint32_t n;

	while (len >= sizeof a) {
		memcpy(&a, p, sizeof a);
		if (a.nla_len < sizeof a || a.nla_len > len)
			return 0;
		if (a.nla_type == kind && a.nla_len == sizeof a + sizeof n) {
			memcpy(&n, p + sizeof a, sizeof n);
			return ntohl(n);
		}
		if ((size_t)NLA_ALIGN(a.nla_len) >= len)
			return 0;
		p += NLA_ALIGN(a.nla_len);
		len -= NLA_ALIGN(a.nla_len);
	}
	return 0;
}

static uint32_t
read_answer(const char *p, size_t len)
{
	struct nlmsghdr head;

	if (len < sizeof(struct question))
		return 0;
	memcpy(&head, p, sizeof head);
	if (head.nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN))
		return 0;
	return number_in(p + sizeof(struct question),
	    len - sizeof(struct question), NFTA_GEN_ID);
}

/* The kernel answers before send() returns. */
uint32_t
nft_generation(void)
{
	const struct question q = {
		.head = { .nlmsg_len = sizeof q, .nlmsg_flags = NLM_F_REQUEST,
		    .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN },
		.body = { .version = NFNETLINK_V0 }
	};
	char answer[ANSWER_MAX];
	ssize_t got = -1;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
	    NETLINK_NETFILTER);

	if (fd < 0)
		return 0;
	if (send(fd, &q, sizeof q, 0) == (ssize_t)sizeof q)
		got = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
	close(fd);
	return got < 0 ? 0 : read_answer(answer, (size_t)got);
}
