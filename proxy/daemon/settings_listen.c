/*
 * settings_listen.c -- the entries of `listen`, taken apart and compared.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "daemon/settings_inner.h"

/* Why a URI is refused, or NULL. */
typedef const char *fault;

static bool
cut_prefix(struct str *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->len < n || !str_caseeq((struct str){ s->p, n }, str_of(prefix)))
		return false;
	s->p += n;
	s->len -= n;
	return true;
}

static fault
take_params(struct listen_conf *l, bool sips, struct str params)
{
	l->udp = l->tcp = params.len == 0 && !sips;
	l->tls = params.len == 0 && sips;
	if (params.len == 0)
		return NULL;
	if (!cut_prefix(&params, ";transport="))
		return "only the parameter transport may follow";
	l->udp = str_caseis(params, "udp");
	l->tcp = str_caseis(params, "tcp");
	l->tls = str_caseis(params, "tls");
	if (sips && !l->tls)
		return "sips: is TLS, and no other transport";
	return l->udp || l->tcp || l->tls ? NULL :
	    "transport must be udp, tcp or tls";
}

static fault
take_port(struct listen_conf *l, struct str text)
{
	uint64_t port = l->tls ? SIPS_PORT : SIP_PORT;

	if (text.len > 0 && (!cut_prefix(&text, ":") ||
	    !parse_uint(text, UINT16_MAX, &port) || port == 0))
		return "the port must be a number from 1 to 65535";
	l->addr.port = (uint16_t)port;
	return NULL;
}

/* How much of s is the host: up to the port, or to the end. */
static size_t
host_len(struct str s)
{
	const char *end = s.len > 0 && s.p[0] == '[' ?
	    memchr(s.p, ']', s.len) : memchr(s.p, ':', s.len);

	if (end == NULL)
		return s.len;
	return (size_t)(end - s.p) + (*end == ']');
}

fault
settings_take_uri(struct listen_conf *l)
{
	struct str rest = str_of(l->uri), host, params;
	bool sips = cut_prefix(&rest, "sips:");
	const char *semicolon;
	fault why;

	if (!sips && !cut_prefix(&rest, "sip:"))
		return "must start with sip: or sips:";
	semicolon = rest.len > 0 ? memchr(rest.p, ';', rest.len) : NULL;
	params = semicolon == NULL ? (struct str){ 0 } : str_of(semicolon);
	rest.len -= params.len;
	host = (struct str){ rest.p, rest.len > 0 ? host_len(rest) : 0 };
	if (!addr_parse_host(&l->addr, host) || (addr_is_v4(&l->addr) ?
	    host.p[0] == '[' : host.p[0] != '['))
		return "the host must be an address to listen on "
		    "(1.2.3.4, [::1]), not a name";
	why = take_params(l, sips, params);
	return why != NULL ? why : take_port(l, (struct str){
	    rest.p + host.len, rest.len - host.len });
}

static bool
is_name(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

const char *
settings_host(struct conf *c, const char *s)
{
	char text[ADDR_TEXT_MAX];
	struct addr a = { .port = 0 };

	if (addr_parse_host(&a, str_of(s)))
		return conf_strdup(c, addr_host_text(&a, text));
	return is_name(s) ? s : NULL;
}

static bool
take_balancer(struct conf *c, struct net *n, const char *text, int line)
{
	if (!net_parse(n, str_of(text))) {
		conf_error(c, line, "listen.proxy_protocol", "\"%s\" is not "
		    "an address, and not a network without host bits", text);
		return false;
	}
	if (net_is_everybody(n))
		conf_error(c, line, "listen.proxy_protocol", "\"%s\" would "
		    "let anybody claim any address", text);
	return true;
}

static void
take_balancers(struct conf *c, struct listen_conf *l)
{
	const struct conf_list *given = &l->proxy_protocol;
	struct net *n = conf_alloc(c, given->n * sizeof *n);

	l->balancer = n;
	for (size_t i = 0; n != NULL && i < given->n; i++)
		if (take_balancer(c, &n[l->nbalancers], given->v[i],
		    given->line[i]))
			l->nbalancers++;
}

static void
take_entry(struct settings *s, struct listen_conf *l, size_t number)
{
	char name[32];
	fault why = settings_take_uri(l);

	if (why != NULL)
		conf_error(s->conf, l->line, "listen.uri", "%s", why);
	if (l->advertise != NULL) {
		l->advertise = settings_host(s->conf, l->advertise);
		if (l->advertise == NULL)
			conf_error(s->conf, l->line, "listen.advertise",
			    "must be a host, without port");
	}
	if (l->name == NULL) {
		snprintf(name, sizeof name, "listen%zu", number);
		l->name = conf_strdup(s->conf, name);
	} else if (!is_name(l->name)) {
		conf_error(s->conf, l->line, "listen.name",
		    "may hold letters, digits, . _ and - only");
	}
	settings_check_listen_tls(s->conf, l);
	take_balancers(s->conf, l);
	settings_take_names(s->conf, l);
}

static bool
is_stream(const struct listen_conf *l)
{
	return l->tcp || l->tls;
}

/* Would the two ask the kernel for the same port?  The socket of [::] is one
 * for IPv6 alone. */
static bool
overlap(const struct listen_conf *a, const struct listen_conf *b)
{
	if (a->addr.port != b->addr.port ||
	    addr_is_v4(&a->addr) != addr_is_v4(&b->addr))
		return false;
	if (!(a->udp && b->udp) && !(is_stream(a) && is_stream(b)))
		return false;
	return addr_is_any(&a->addr) || addr_is_any(&b->addr) ||
	    addr_same_ip(&a->addr, &b->addr);
}

static void
compare(struct conf *c, const struct listen_conf *a,
    const struct listen_conf *b)
{
	if (strcmp(a->name, b->name) == 0)
		conf_error(c, b->line, "listen.name", "\"%s\" is the name of "
		    "the entry in line %d too", b->name,
		    conf_line_number(a->line));
	if (overlap(a, b))
		conf_error(c, b->line, "listen.uri", "overlaps with the entry "
		    "in line %d", conf_line_number(a->line));
}

void
settings_check_listen(struct settings *s)
{
	struct listen_conf *l = s->listen.v;

	if (s->listen.n == 0)
		conf_error(s->conf, 0, "listen", "has no entry");
	for (size_t i = 0; i < s->listen.n; i++)
		take_entry(s, &l[i], i + 1);
	if (conf_errors(s->conf) > 0)
		return;
	for (size_t i = 0; i < s->listen.n; i++)
		for (size_t k = 0; k < i; k++)
			compare(s->conf, &l[k], &l[i]);
	settings_check_cluster(s);
}
