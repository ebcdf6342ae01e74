#!/bin/sh
# scripts/check-includes finds what is planted for it, and only that.
check=$(cd "${srcdir:-.}" && pwd)/scripts/check-includes
tree=$(mktemp -d) || exit 99
trap 'rm -rf "$tree"' EXIT
n=0

plant()
{
	mkdir -p "$tree/${1%/*}"
	printf '%s\n' "$2" >"$tree/$1"
}

# The broken rules of the tree, by number: "2 4", or "none".
broken()
{
	found=$("$check" "$tree" | sed -n 's/^not ok \([0-9]*\) .*/\1/p' |
	    tr '\n' ' ')
	echo "${found:-none}" | sed 's/ $//'
}

# want  rules that must be found broken
# file, text  what is planted
expect()
{
	n=$((n + 1))
	rm -rf "${tree:?}"/*
	plant proxy/main.c '#include "daemon/daemon.h"'
	plant modules/registry.h 'struct registry;'
	plant modules/users_file.c 'const struct cred_ops users_file_ops = {'
	plant "$2" "$3"
	got=$(broken)
	if [ "$got" = "$1" ]; then
		echo "ok $n - $2: $3"
	else
		echo "not ok $n - $2: $3"
		echo "# broken rules: want $1, got $got"
	fi
}

echo 1..42
# what is allowed
expect none proxy/daemon/daemon.c '#include "modules/registry.h"'
expect none proxy/pipeline/pipeline.c '	{ "relay",	step_relay },'
expect none proxy/pipeline/relay.c 'step_relay(struct request *req)'
expect none proxy/pipeline/plain.c '/* As step_rate tells. */'
expect none proxy/transport/udp.c '#include "io/loop.h"'
expect none proxy/transaction/client.c '#include "transport/transport.h"'
expect none modules/users_file.h '#include "auth/cred.h"'
expect none modules/users_file.h '#include "guard/shared.h"'
expect none modules/registry.c \
    'extern const struct cred_ops users_file_ops;'
expect none modules/kinds.h 'extern const struct cred_ops users_file_ops;'
expect none proxy/auth/cred.h 'struct cred_store { const struct cred_ops *o; };'
expect none proxy/conf/conf.c '#include <libconfig.h>'
expect none proxy/base/secret.c '#include <openssl/rand.h>'
expect none proxy/transport/deliver.c '#include <sofia-sip/msg.h>'
expect none proxy/io/loop.c '#include <sofia-sip/su_wait.h>'
expect none proxy/io/dns_channel.c '#include <ares.h>'
expect none proxy/io/nft_serve.c '#include <nftables/libnftables.h>'
# rules 1 and 2: folders and layers
expect 1 proxy/base/log.c '#include "log.h"'
expect 1 proxy/base/log.c '#include "attic/log.h"'
expect 2 proxy/base/log.c '  #  include "conf/conf.h"'
expect 2 proxy/io/loop.h '#include "pipeline/pipeline.h"'
expect 2 proxy/io/loop.h '#include "transport/udp.h"'
expect 2 proxy/transport/udp.c '#include "transaction/transaction.h"'
expect 2 proxy/auth/cred.h '#include "daemon/settings.h"'
# rules 3 and 4: neighbours
expect 3 proxy/auth/cred.h '#include "route/peer.h"'
expect 3 proxy/guard/limits.h '#include "auth/cred.h"'
expect 4 proxy/pipeline/ack.c '	return step_relay(req);'
expect 4 proxy/pipeline/ack.c '	req->next = step_relay;'
# rules 5 and 6: modules
expect 5 modules/users_file.h '#include "auth/keys.h"'
expect 5 modules/users_file.h '#include "guard/limits.h"'
expect 5 modules/users_file.h '#include "daemon/settings.h"'
expect 6 proxy/daemon/daemon.c '#include "modules/users_file.h"'
expect 6 proxy/auth/cred.c '	ops = &users_file_ops;'
expect 6 modules/users_sql.c '	return &users_file_ops;'
# rules 7 to 13: doors
expect 7 proxy/daemon/settings.c '#include <libconfig.h>'
expect 8 proxy/io/loop.c '#include <hiredis/hiredis.h>'
expect 9 proxy/route/peer.c '#include <sofia-sip/sip.h>'
expect 10 proxy/route/token.c '#include <openssl/hmac.h>'
expect 10 proxy/transport/tcp.c '#include <openssl/ssl.h>'
expect 11 proxy/transport/tcp.c '#include <sofia-sip/tport.h>'
expect 12 proxy/io/resolver.c '#include <ares.h>'
expect 13 proxy/daemon/firewall.c '#include <nftables/libnftables.h>'
