/*
 * reason.c -- why a request ended as it did: the words of the log line, of the
 * counter requests_ended_total{reason=…} and of the manual.
 */
#include "config.h"

#include "pipeline/reason.h"

const char *const reason_words[REASON_COUNT] = {
#define R(id, word, status, phrase, help) [REASON_##id] = word,
	REASONS(R)
#undef R
};

static const struct {
	int		 status;
	const char	*phrase, *help;
} rows[REASON_COUNT] = {
#define R(id, word, status, phrase, help) \
	[REASON_##id] = { status, phrase, help },
	REASONS(R)
#undef R
};

const char *
reason_word(enum reason r)
{
	return reason_words[r];
}

int
reason_status(enum reason r)
{
	return rows[r].status;
}

const char *
reason_phrase(enum reason r)
{
	return rows[r].phrase;
}

const char *
reason_help(enum reason r)
{
	return rows[r].help;
}
