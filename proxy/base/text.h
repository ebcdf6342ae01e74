/*
 * text.h -- small operations on text and bytes, none of which allocates.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lends a piece of text that need not end in NUL. */
struct str {
	const char	*p;
	size_t		 len;
};

/* From a literal or a NUL-terminated string (NULL gives an empty one). */
struct str str_of(const char *s);
bool str_eq(struct str a, struct str b);
bool str_caseeq(struct str a, struct str b);		/* ASCII */
bool str_is(struct str a, const char *s);		/* exactly s */
bool str_caseis(struct str a, const char *s);		/* ASCII */
/* Both the same, or both NULL. */
bool text_same(const char *a, const char *b);
/* Without white space (SP HT CR LF) at both ends. */
struct str str_trim(struct str s);
/* A byte below SP, or DEL: not for logs, headers and terminals. */
bool str_has_control(struct str s);
bool str_is_utf8(struct str s);

/* From that byte on. */
static inline struct str
str_from(struct str s, size_t n)
{
	return (struct str){ s.p + n, s.len - n };
}

/* tolower() follows the locale; SIP does not. */
static inline char
ascii_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* The character at the front of s (RFC 3629 section 4) and how many bytes it
 * has; 0: that is not UTF-8, or s is empty. */
size_t utf8_decode(struct str s, uint32_t *out);

/* Lower-case hex; out takes 2 * len + 1 bytes. */
void hex_encode(char *out, const uint8_t *in, size_t len);
/* Either case.  false: not exactly 2 * len hex digits. */
bool hex_decode(uint8_t *out, size_t len, struct str in);

/* base64url (RFC 4648 section 5) without padding. */
#define BASE64URL_LEN(n) (((n) * 4 + 2) / 3)
/* out takes BASE64URL_LEN(len) + 1 bytes; returns the length of the text. */
size_t base64url_encode(char *out, const uint8_t *in, size_t len);
/* Strict: no padding, no foreign byte, unused bits zero.  Returns the number
 * of bytes written, or -1 (malformed, or more than size bytes). */
int base64url_decode(uint8_t *out, size_t size, struct str in);

/* Glob: * any run (also empty), ? one byte, else literal; whole text must
 * match.  No recursion, and at most pattern.len steps for each byte of text:
 * the pattern is the operator's, so hostile text cannot make it slow. */
bool glob_match(struct str pattern, struct str text, bool ignore_case);

/* Big-endian fields. */
void put_u16(uint8_t *p, uint16_t v);
void put_u32(uint8_t *p, uint32_t v);
void put_u48(uint8_t *p, uint64_t v);
uint16_t get_u16(const uint8_t *p);
uint32_t get_u32(const uint8_t *p);
uint64_t get_u48(const uint8_t *p);

/* Digits only, no sign, no space; false on overflow of max or empty text. */
bool parse_uint(struct str s, uint64_t max, uint64_t *out);

#endif
