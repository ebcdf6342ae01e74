/*
 * resolv_conf.c -- which name servers are asked, as resolv.conf(5) says.
 */
#include "config.h"

#include "io/resolv_conf.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Shorter than the manual's 5 s, and then doubled: a phone is waiting. */
enum {
	TIMEOUT_MS = 1000,
	ATTEMPTS = 3,
	TIMEOUT_MOST_S = 30,
	ATTEMPTS_MOST = 5
};

struct reading {
	struct resolv_conf *c;
	uint16_t	port;
};

static char *
next_word(char **rest)
{
	char *word = NULL;

	while (*rest != NULL && (word == NULL || *word == '\0'))
		word = strsep(rest, " \t\r\n");
	return word == NULL || *word == '\0' ? NULL : word;
}

/* An address, perhaps with the interface where it is to be found: fe80::1%eth0.
 * Nothing is looked up. */
static void
add_server(struct resolv_conf *c, const char *text)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM
	};
	struct addrinfo *ai;

	if (c->n == RESOLV_SERVERS_MAX ||
	    getaddrinfo(text, NULL, &hints, &ai) != 0)
		return;
	memset(&c->server[c->n], 0, sizeof c->server[c->n]);
	memcpy(&c->server[c->n++], ai->ai_addr, ai->ai_addrlen);
	freeaddrinfo(ai);
}

static uint64_t
number_of(const char *text, uint64_t most, uint64_t otherwise)
{
	uint64_t n;

	if (text == NULL || !parse_uint(str_of(text), UINT32_MAX, &n) ||
	    n == 0)
		return otherwise;
	return n < most ? n : most;
}

static void
take_option(struct resolv_conf *c, char *word)
{
	char *value = word;
	const char *name = strsep(&value, ":");

	if (strcmp(name, "timeout") == 0)
		c->timeout_ms = 1000 * (int64_t)number_of(value,
		    TIMEOUT_MOST_S, TIMEOUT_MS / 1000);
	else if (strcmp(name, "attempts") == 0)
		c->attempts = (unsigned)number_of(value, ATTEMPTS_MOST,
		    ATTEMPTS);
	else if (strcmp(name, "rotate") == 0)
		c->rotate = true;
}

static void
take_line(struct reading *r, char *line)
{
	char *word;

	line[strcspn(line, "#;")] = '\0';
	word = next_word(&line);
	if (word == NULL)
		return;
	if (strcmp(word, "nameserver") == 0) {
		word = next_word(&line);
		if (word != NULL)
			add_server(r->c, word);
	} else if (strcmp(word, "port") == 0) {
		r->port = (uint16_t)number_of(next_word(&line), UINT16_MAX,
		    53);
	} else if (strcmp(word, "options") == 0) {
		while ((word = next_word(&line)) != NULL)
			take_option(r->c, word);
	}
}

static void
add_local(struct resolv_conf *c)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&c->server[c->n++];

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

static void
set_port(struct sockaddr_storage *ss, uint16_t port)
{
	if (ss->ss_family == AF_INET)
		((struct sockaddr_in *)ss)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)ss)->sin6_port = htons(port);
}

void
resolv_conf_read(struct resolv_conf *c, const char *path)
{
	struct reading r = { .c = c, .port = 53 };
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	*c = (struct resolv_conf){ .timeout_ms = TIMEOUT_MS,
		.attempts = ATTEMPTS };
	while (f != NULL && getline(&line, &size, f) >= 0)
		take_line(&r, line);
	free(line);
	if (f != NULL)
		fclose(f);
	if (c->n == 0)
		add_local(c);
	for (size_t i = 0; i < c->n; i++)
		set_port(&c->server[i], r.port);
}
