/*
 * auth_conf.h -- the group `auth` of the configuration.
 */
#ifndef AUTH_AUTH_CONF_H
#define AUTH_AUTH_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"

enum auth_bind { BIND_NONE, BIND_SOURCE };
enum auth_in_dialog { IN_DIALOG_CHALLENGE, IN_DIALOG_TOKEN };
enum auth_wrong_password { WRONG_PASSWORD_CHALLENGE, WRONG_PASSWORD_FORBID };
enum auth_register { REGISTER_PROXY, REGISTER_WWW };

struct auth_conf {
	int		 line;
	struct conf_choices algorithms;	/* enum digest_alg, in order */
	struct conf_choices qop;	/* 0 auth, 1 auth-int */
	int64_t		 nonce_lifetime_ms;
	int64_t		 nc_max;
	int		 bind;		/* enum auth_bind */
	const char	*key_file;
	const char	*second_key_file;	/* accepted, never signs */
	int		 in_dialog;	/* enum auth_in_dialog */
	int64_t		 dialog_max_ms;
	int		 wrong_password;	/* enum auth_wrong_password */
	int		 register_challenge;	/* enum auth_register */
	bool		 legacy;	/* RFC 2069 answers, one-time */
	int64_t		 lookup_timeout_ms;	/* of a credential store */
	struct conf_list methods;	/* of who is no peer; none: all */
};

extern const struct conf_opt auth_opts[];

#endif
