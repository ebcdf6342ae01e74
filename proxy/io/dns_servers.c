/*
 * dns_servers.c -- which name servers are asked, as resolv.conf(5) says.
 */
#include "config.h"

#include "io/dns_servers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Shorter than the manual's 5 s, and then doubled: a phone is waiting. */
enum {
	TIMEOUT_MS = 1000,
	ATTEMPTS = 3,
	TIMEOUT_MOST_S = 30,
	ATTEMPTS_MOST = 5,
	PORT = 53
};

static char *
next_word(char **rest)
{
	char *word = NULL;

	while (*rest != NULL && (word == NULL || *word == '\0'))
		word = strsep(rest, " \t\r\n");
	return word == NULL || *word == '\0' ? NULL : word;
}

static int
number_of(const char *text, int most, int otherwise)
{
	uint64_t n;

	if (text == NULL || !parse_uint(str_of(text), UINT32_MAX, &n) ||
	    n == 0)
		return otherwise;
	return n < (uint64_t)most ? (int)n : most;
}

static void
take_option(struct dns_servers *s, char *word)
{
	char *value = word;
	const char *name = strsep(&value, ":");

	if (strcmp(name, "timeout") == 0)
		s->timeout_ms = 1000 * number_of(value, TIMEOUT_MOST_S,
		    TIMEOUT_MS / 1000);
	else if (strcmp(name, "attempts") == 0)
		s->attempts = number_of(value, ATTEMPTS_MOST, ATTEMPTS);
	else if (strcmp(name, "rotate") == 0)
		s->rotate = true;
}

static void
take_line(struct dns_servers *s, char *line, int *port)
{
	const char *first;
	char *word;

	line[strcspn(line, "#;")] = '\0';
	first = next_word(&line);
	if (first == NULL)
		return;
	if (strcmp(first, "port") == 0)
		*port = number_of(next_word(&line), UINT16_MAX, PORT);
	else if (strcmp(first, "options") == 0)
		while ((word = next_word(&line)) != NULL)
			take_option(s, word);
}

/* Returns the port. */
static int
read_options(struct dns_servers *s, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int port = PORT;

	while (f != NULL && getline(&line, &size, f) >= 0)
		take_line(s, line, &port);
	free(line);
	if (f != NULL)
		fclose(f);
	return port;
}

/* What is set here is not looked for anywhere: search domains, sort list,
 * nsswitch.conf. */
static int
open_channel(ares_channel *channel, const char *path)
{
	char lookups[] = "b";
	struct ares_options options = {
		.lookups = lookups, .resolvconf_path = strdup(path)
	};
	int rc;

	if (options.resolvconf_path == NULL)
		return ARES_ENOMEM;
	rc = ares_init_options(channel, &options, ARES_OPT_DOMAINS |
	    ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST | ARES_OPT_RESOLVCONF);
	free(options.resolvconf_path);
	return rc;
}

static bool
read_servers(struct dns_servers *s, const char *path)
{
	struct ares_addr_port_node *all, *one;
	ares_channel channel;
	int rc;

	if (open_channel(&channel, path) != ARES_SUCCESS)
		return false;
	rc = ares_get_servers_ports(channel, &all);
	ares_destroy(channel);
	if (rc != ARES_SUCCESS)
		return false;
	for (one = all; one != NULL && s->n < DNS_SERVERS_MAX;
	    one = one->next)
		s->server[s->n++] = *one;
	ares_free_data(all);
	return s->n > 0;
}

bool
dns_servers_read(struct dns_servers *s, const char *path)
{
	struct dns_servers fresh = { .timeout_ms = TIMEOUT_MS,
		.attempts = ATTEMPTS };
	int port;

	if (!read_servers(&fresh, path))
		return false;
	port = read_options(&fresh, path);
	for (size_t i = 0; i < fresh.n; i++) {
		fresh.server[i].next = NULL;
		fresh.server[i].udp_port = fresh.server[i].tcp_port = port;
	}
	*s = fresh;
	return true;
}
