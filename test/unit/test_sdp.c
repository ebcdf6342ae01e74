/*
 * test_sdp.c -- session descriptions: grammar, keys, fingerprints, and what
 * becomes of them by what is asked for.
 */
#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "guard/sdp.h"

#define BYTES(s) (s), sizeof (s) - 1

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
#define PLACE "c=IN IP4 192.0.2.1\r\n"
#define SESSION HEAD PLACE "t=0 0\r\n"
#define AVP "m=audio 40000 RTP/AVP 0\r\n"
#define SAVP "m=audio 40000 RTP/SAVP 0\r\n"
#define DTLS "m=audio 40000 UDP/TLS/RTP/SAVPF 0\r\n"

/* RFC 8122 section 5 */
#define SHA_256 "a=fingerprint:SHA-256 12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:" \
    "B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD\r\n"
#define SHA_1 "a=fingerprint:SHA-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:" \
    "5D:49:6B:19:E5:7C:AB\r\n"

/* RFC 4568 sections 6.1 and 10.1 */
#define KEY "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define KEY_2 "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define SUITE "AES_CM_128_HMAC_SHA1_80 "
#define CRYPTO(rest) "a=crypto:" rest "\r\n"
#define GOOD_CRYPTO CRYPTO("1 " SUITE KEY "|2^20|1:4 FEC_ORDER=FEC_SRTP")

/* So many characters of base64. */
#define B40 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define B64 B40 "AAAAAAAAAAAAAAAAAAAAAAAA"

/* ---- lines */

static const struct {
	const char	*what, *p;
	size_t		 len;
	enum sdp_fault	 fault;
	unsigned	 line;
	unsigned	 streams;
	bool		 torn;
} lines[] = {
	{ "RFC 8866 section 5", BYTES("v=0\r\n"
	    "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
	    "s=Call to John Smith\r\ni=SDP Offer #1\r\n"
	    "u=http://www.jdoe.example.com/home.html\r\n"
	    "e=Jane Doe <jane@jdoe.example.com>\r\np=+1 617 555-6011\r\n"
	    "c=IN IP4 198.51.100.1\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n"
	    "m=audio 49180 RTP/AVP 0\r\nm=video 51372 RTP/AVP 99\r\n"
	    "c=IN IP6 2001:db8::2\r\na=rtpmap:99 h263-1998/90000\r\n"),
	    SDP_SOUND, 0, 3, false },
	{ "without media", BYTES(SESSION), SDP_SOUND, 0, 0, false },
	{ "without session c=", BYTES(HEAD "t=0 0\r\n" AVP PLACE),
	    SDP_SOUND, 0, 1, false },
	{ "LF alone", BYTES("v=0\no=- 1 1 IN IP4 a.b\ns=-\nt=0 0\n"),
	    SDP_SOUND, 0, 0, false },
	{ "no end of the last line", BYTES(SESSION "m=audio 1 RTP/AVP 0"),
	    SDP_SOUND, 0, 1, false },
	{ "repeats and zones", BYTES(HEAD PLACE
	    "t=3724394400 3724398000\r\nr=604800 3600 0 90000\r\n"
	    "r=7d 1h 0 25h\r\nz=3724394400 -1h 3730928400 0\r\n"
	    "t=0 0\r\nk=prompt\r\na=recvonly\r\n"), SDP_SOUND, 0, 0, false },
	{ "multicast and ports", BYTES(SESSION
	    "m=video 49170/2 RTP/AVP 31\r\nc=IN IP4 224.2.1.1/127/3\r\n"
	    "c=IN IP4 224.2.1.4/127\r\nb=AS:10\r\na=sendonly\r\n"),
	    SDP_SOUND, 0, 1, false },
	{ "no RTP", BYTES(SESSION "m=message 9 TCP/TLS/MSRP *\r\n"
	    "m=image 5000 udptl t38\r\n"), SDP_SOUND, 0, 2, false },

	{ "nothing", BYTES(""), SDP_LACKS, 0, 0, false },
	{ "no v=", BYTES("o=- 1 1 IN IP4 a\r\ns=-\r\nt=0 0\r\n"), SDP_LACKS,
	    3, 0, false },
	{ "no t=", BYTES(HEAD PLACE AVP), SDP_LACKS, 5, 1, false },
	{ "no c=", BYTES(HEAD "t=0 0\r\n" AVP), SDP_LACKS, 5, 1, false },
	{ "no c= in the second", BYTES(HEAD "t=0 0\r\n" AVP PLACE AVP),
	    SDP_LACKS, 7, 2, false },
	{ "version 1", BYTES("v=1\r\n"), SDP_VALUE, 1, 0, false },
	{ "o= without address", BYTES("v=0\r\no=- 1 1 IN IP4\r\n"),
	    SDP_VALUE, 2, 0, false },
	{ "o= with two blanks", BYTES("v=0\r\no=-  1 1 IN IP4 a\r\n"),
	    SDP_VALUE, 2, 0, false },
	{ "o= with letters", BYTES("v=0\r\no=- x 1 IN IP4 a\r\n"),
	    SDP_VALUE, 2, 0, false },
	{ "o= with more", BYTES("v=0\r\no=- 1 1 IN IP4 a b\r\n"),
	    SDP_VALUE, 2, 0, false },
	{ "empty s=", BYTES("v=0\r\no=- 1 1 IN IP4 a\r\ns=\r\n"),
	    SDP_VALUE, 3, 0, false },
	{ "t= alone", BYTES(HEAD "t=0\r\n"), SDP_VALUE, 4, 0, false },
	{ "t= of a day", BYTES(HEAD "t=86400 0\r\n"), SDP_VALUE, 4, 0,
	    false },
	{ "b= without colon", BYTES(HEAD "b=AS 10\r\n"), SDP_VALUE, 4, 0,
	    false },
	{ "a= without name", BYTES(SESSION "a=:x\r\n"), SDP_VALUE, 6, 0,
	    false },
	{ "a= without value", BYTES(SESSION "a=x:\r\n"), SDP_VALUE, 6, 0,
	    false },
	{ "t= before c=", BYTES(HEAD "t=0 0\r\n" PLACE), SDP_ORDER, 5, 0,
	    false },
	{ "two c= of the session", BYTES(HEAD PLACE PLACE "t=0 0\r\n"),
	    SDP_ORDER, 5, 0, false },
	{ "e= in a stream", BYTES(SESSION AVP "e=x\r\n"), SDP_ORDER, 7, 1,
	    false },
	{ "b= after a=", BYTES(SESSION AVP "a=sendrecv\r\nb=AS:1\r\n"),
	    SDP_ORDER, 8, 1, false },
	{ "another letter", BYTES(SESSION "x=1\r\n"), SDP_TYPE, 6, 0, false },
	{ "capital M", BYTES(SESSION "M=audio 1 RTP/AVP 0\r\n"), SDP_TYPE, 6,
	    0, false },
	{ "blank line at the end", BYTES(SESSION AVP "\r\n"), SDP_BLANK, 7, 1,
	    false },

	{ "blank line before media", BYTES(SESSION "\r\n" AVP), SDP_BLANK, 6,
	    1, true },
	{ "two descriptions", BYTES(SESSION AVP SESSION), SDP_TORN, 7, 1,
	    true },
	{ "space before the letter", BYTES(SESSION " m=audio 1 x 0\r\n"),
	    SDP_TORN, 6, 0, true },
	{ "space before =", BYTES(SESSION "m =audio 1 x 0\r\n"), SDP_TORN, 6,
	    0, true },
	{ "bare CR", BYTES(SESSION "a=x\rm=audio 1 RTP/AVP 0\r\n"), SDP_TORN,
	    6, 0, true },
	{ "NUL", BYTES(SESSION "a=x\0y\r\n"), SDP_TORN, 6, 0, true },
	{ "one letter", BYTES("v"), SDP_TORN, 1, 0, true },
	{ "m= without format", BYTES(SESSION "m=audio 1 RTP/AVP\r\n"),
	    SDP_STREAM, 6, 1, true },
	{ "m= with two blanks", BYTES(SESSION "m=audio  1 RTP/AVP 0\r\n"),
	    SDP_STREAM, 6, 1, true },
	{ "m= with a blank at the end", BYTES(SESSION
	    "m=audio 1 RTP/AVP 0 \r\n"), SDP_STREAM, 6, 1, true },
	{ "m= with a tab", BYTES(SESSION "m=audio\t1 RTP/AVP 0\r\n"),
	    SDP_STREAM, 6, 1, true },
	{ "port 65536", BYTES(SESSION "m=audio 65536 RTP/AVP 0\r\n"),
	    SDP_STREAM, 6, 1, true },
	{ "port -1", BYTES(SESSION "m=audio -1 RTP/AVP 0\r\n"), SDP_STREAM,
	    6, 1, true },
	{ "no ports", BYTES(SESSION "m=audio 1/0 RTP/AVP 0\r\n"), SDP_STREAM,
	    6, 1, true },
	{ "half a profile", BYTES(SESSION "m=audio 1 RTP/ 0\r\n"),
	    SDP_STREAM, 6, 1, true },
	{ "empty m=", BYTES(SESSION "m=\r\n"), SDP_STREAM, 6, 1, true },
	{ "rubbish", BYTES("\xff\xfe\r\n\x01"), SDP_TORN, 1, 0, true },
};

static void
grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct sdp_facts f = { 0 };

		sdp_read(&f, (struct str){ lines[i].p, lines[i].len });
		if (f.fault != lines[i].fault || f.line != lines[i].line ||
		    f.streams != lines[i].streams || f.torn != lines[i].torn)
			fail_msg("%s: %s in line %u, %u streams, %d",
			    lines[i].what, sdp_fault_words[f.fault], f.line,
			    f.streams, f.torn);
		assert_int_equal(f.bytes, lines[i].len);
	}
}

/* Copied to where nothing is behind them: every prefix is read. */
static void
prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		for (size_t n = 0; n <= lines[i].len; n++) {
			struct sdp_facts f = { 0 };
			char *p = malloc(n + 1);

			assert_non_null(p);
			memcpy(p, lines[i].p, n);
			sdp_read(&f, (struct str){ p, n });
			assert_int_equal(f.descriptions, 1);
			free(p);
		}
}

/* ---- protection */

static const struct {
	const char	*what, *media;		/* behind SESSION */
	enum sdp_hole	 hole;
	bool		 keys;
} protection[] = {
	{ "no media", "", SDP_SAFE, false },
	{ "RTP", AVP, SDP_CLEAR, false },
	{ "RTP that was refused", "m=audio 0 RTP/AVP 0\r\n", SDP_SAFE, false },
	{ "RTP in a bundle", "m=audio 0 RTP/AVP 0\r\na=bundle-only\r\n",
	    SDP_CLEAR, false },
	{ "RTP with keys", AVP GOOD_CRYPTO, SDP_OPTIONAL, true },
	{ "RTP with a fingerprint", AVP SHA_256, SDP_OPTIONAL, false },
	{ "the second stream", SAVP GOOD_CRYPTO AVP, SDP_CLEAR, true },
	{ "keys of the first only", SAVP GOOD_CRYPTO SAVP, SDP_NO_KEYS,
	    true },
	{ "another profile", "m=audio 1 RTP/XAVP 0\r\n", SDP_UNKNOWN, false },
	{ "small letters", "m=audio 1 rtp/avp 0\r\n", SDP_CLEAR, false },
	{ "fax", "m=image 1 udptl t38\r\n", SDP_CLEAR, false },
	{ "fax over DTLS", "m=image 1 UDP/TLS/UDPTL t38\r\n" SHA_256,
	    SDP_SAFE, false },
	{ "MSRP", "m=message 1 TCP/MSRP *\r\n", SDP_CLEAR, false },
	{ "MSRP over TLS", "m=message 1 TCP/TLS/MSRP *\r\n", SDP_SAFE,
	    false },
	{ "MSRP over TLS, weak", "m=message 1 TCP/TLS/MSRP *\r\n" SHA_1,
	    SDP_WEAK_FINGERPRINT, false },
	{ "BFCP", "m=application 1 UDP/BFCP *\r\n", SDP_CLEAR, false },
	{ "a data channel", "m=application 1 UDP/DTLS/SCTP "
	    "webrtc-datachannel\r\n" SHA_256, SDP_SAFE, false },

	{ "SRTP without keys", SAVP, SDP_NO_KEYS, false },
	{ "RFC 4568 section 6.1", SAVP GOOD_CRYPTO, SDP_SAFE, true },
	{ "RFC 4568 section 6.1, two keys", SAVP CRYPTO("1 " SUITE KEY
	    "|2^20|1:4;" KEY_2 "|2^20|2:4 FEC_ORDER=FEC_SRTP"), SDP_SAFE,
	    true },
	{ "two keys without MKI", SAVP CRYPTO("1 " SUITE KEY ";" KEY_2),
	    SDP_BAD_CRYPTO, true },
	{ "MKI alone", SAVP CRYPTO("1 " SUITE KEY "|1:32"), SDP_SAFE, true },
	{ "blanks and tabs", SAVP CRYPTO("1   " SUITE "\t" KEY " "), SDP_SAFE,
	    true },
	{ "lifetime in packets", SAVP CRYPTO("1 " SUITE KEY "|1000"),
	    SDP_SAFE, true },
	{ "32 bits", SAVP CRYPTO("1 AES_CM_128_HMAC_SHA1_32 " KEY), SDP_SAFE,
	    true },
	{ "f8", SAVP CRYPTO("1 F8_128_HMAC_SHA1_80 " KEY), SDP_SAFE, true },
	{ "RFC 6188, 192", SAVP CRYPTO("1 AES_192_CM_HMAC_SHA1_80 inline:"
	    B40 "AAAAAAAAAAA="), SDP_SAFE, true },
	{ "RFC 6188, 256", SAVP CRYPTO("1 AES_256_CM_HMAC_SHA1_32 inline:"
	    B40 "AAAAAAAAAAAAAAAAAAAAAA=="), SDP_SAFE, true },
	{ "without padding", SAVP CRYPTO("1 AES_256_CM_HMAC_SHA1_80 inline:"
	    B40 "AAAAAAAAAAAAAAAAAAAAAA"), SDP_SAFE, true },
	{ "RFC 7714, 128", SAVP CRYPTO("1 AEAD_AES_128_GCM inline:"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="), SDP_SAFE, true },
	{ "RFC 7714, 256", SAVP CRYPTO("1 AEAD_AES_256_GCM inline:"
	    B40 "AAAAAAAAAAAAAAAAAAA="), SDP_SAFE, true },
	{ "another suite first", SAVP CRYPTO("1 NEW_SUITE inline:x")
	    CRYPTO("2 " SUITE KEY), SDP_SAFE, true },
	{ "another suite alone", SAVP CRYPTO("1 NEW_SUITE inline:x"),
	    SDP_NO_KEYS, true },
	{ "suite in small letters", SAVP CRYPTO("1 aes_cm_128_hmac_sha1_80 "
	    KEY), SDP_NO_KEYS, true },
	{ "a key too short", SAVP CRYPTO("1 AES_256_CM_HMAC_SHA1_80 " KEY),
	    SDP_BAD_CRYPTO, true },
	{ "a key too long", SAVP CRYPTO("1 " SUITE "inline:" B64),
	    SDP_BAD_CRYPTO, true },
	{ "a key cut short", SAVP CRYPTO("1 " SUITE
	    "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubG"), SDP_BAD_CRYPTO,
	    true },
	{ "padding where none is", SAVP CRYPTO("1 " SUITE KEY "=="),
	    SDP_BAD_CRYPTO, true },
	{ "padding in the key", SAVP CRYPTO("1 AEAD_AES_128_GCM inline:"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=A"), SDP_BAD_CRYPTO,
	    true },
	{ "one = of two", SAVP CRYPTO("1 AEAD_AES_128_GCM inline:"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), SDP_BAD_CRYPTO,
	    true },
	{ "no base64", SAVP CRYPTO("1 " SUITE
	    "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVub*Vz"),
	    SDP_BAD_CRYPTO, true },
	{ "base64url", SAVP CRYPTO("1 " SUITE
	    "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVub_Vz"),
	    SDP_BAD_CRYPTO, true },
	{ "another method", SAVP CRYPTO("1 " SUITE "uri:https://x/y"),
	    SDP_BAD_CRYPTO, true },
	{ "no method", SAVP CRYPTO("1 " SUITE B40), SDP_BAD_CRYPTO, true },
	{ "no key", SAVP CRYPTO("1 AES_CM_128_HMAC_SHA1_80"), SDP_BAD_CRYPTO,
	    true },
	{ "no suite", SAVP CRYPTO("1"), SDP_BAD_CRYPTO, true },
	{ "nothing", SAVP "a=crypto:\r\n", SDP_BAD_CRYPTO, true },
	{ "not even a colon", SAVP "a=crypto\r\n", SDP_BAD_CRYPTO, true },
	{ "no tag", SAVP CRYPTO(SUITE KEY), SDP_BAD_CRYPTO, true },
	{ "a long tag", SAVP CRYPTO("1234567890 " SUITE KEY), SDP_BAD_CRYPTO,
	    true },
	{ "one tag twice", SAVP CRYPTO("1 " SUITE KEY) CRYPTO("1 " SUITE
	    KEY_2), SDP_BAD_CRYPTO, true },
	{ "one tag twice, spelt otherwise", SAVP CRYPTO("1 " SUITE KEY)
	    CRYPTO("01 " SUITE KEY_2), SDP_BAD_CRYPTO, true },
	{ "one tag in two streams", SAVP CRYPTO("1 " SUITE KEY) SAVP
	    CRYPTO("1 " SUITE KEY_2), SDP_SAFE, true },
	{ "lifetime 2^49", SAVP CRYPTO("1 " SUITE KEY "|2^49"),
	    SDP_BAD_CRYPTO, true },
	{ "lifetime 0", SAVP CRYPTO("1 " SUITE KEY "|0"), SDP_BAD_CRYPTO,
	    true },
	{ "MKI before lifetime", SAVP CRYPTO("1 " SUITE KEY "|1:4|2^20"),
	    SDP_BAD_CRYPTO, true },
	{ "MKI of 129 bytes", SAVP CRYPTO("1 " SUITE KEY "|2^20|1:129"),
	    SDP_BAD_CRYPTO, true },
	{ "MKI of none", SAVP CRYPTO("1 " SUITE KEY "|1:0"), SDP_BAD_CRYPTO,
	    true },
	{ "MKI without number", SAVP CRYPTO("1 " SUITE KEY "|:4"),
	    SDP_BAD_CRYPTO, true },
	{ "an empty field", SAVP CRYPTO("1 " SUITE KEY "|"), SDP_BAD_CRYPTO,
	    true },
	{ "KDR", SAVP CRYPTO("1 " SUITE KEY " KDR=24 WSH=64"), SDP_SAFE,
	    true },
	{ "KDR of 25", SAVP CRYPTO("1 " SUITE KEY " KDR=25"), SDP_BAD_CRYPTO,
	    true },
	{ "WSH of 63", SAVP CRYPTO("1 " SUITE KEY " WSH=63"), SDP_BAD_CRYPTO,
	    true },
	{ "an extension that may be ignored", SAVP CRYPTO("1 " SUITE KEY
	    " -x=1"), SDP_SAFE, true },
	{ "one that may not", SAVP CRYPTO("1 " SUITE KEY " x=1"),
	    SDP_NO_KEYS, true },
	{ "not encrypted", SAVP CRYPTO("1 " SUITE KEY " UNENCRYPTED_SRTP"),
	    SDP_UNENCRYPTED, true },
	{ "nor authenticated", SAVP CRYPTO("1 " SUITE KEY
	    " KDR=1 UNAUTHENTICATED_SRTP x=1"), SDP_UNENCRYPTED, true },
	{ "one of two not encrypted", SAVP CRYPTO("1 " SUITE KEY)
	    CRYPTO("2 " SUITE KEY_2 " UNENCRYPTED_SRTCP"), SDP_UNENCRYPTED,
	    true },
	{ "in small letters", SAVP CRYPTO("1 " SUITE KEY)
	    CRYPTO("2 " SUITE KEY_2 " unencrypted_srtp"), SDP_UNENCRYPTED,
	    true },
	{ "of a suite that is not known", SAVP CRYPTO("1 " SUITE KEY)
	    CRYPTO("2 NEW_SUITE " KEY_2 " UNENCRYPTED_SRTP"),
	    SDP_UNENCRYPTED, true },
	{ "a suite that does nothing", SAVP CRYPTO("1 " SUITE KEY)
	    CRYPTO("2 NULL inline:x"), SDP_UNENCRYPTED, true },
	{ "one that does not authenticate", SAVP CRYPTO("1 " SUITE KEY)
	    CRYPTO("2 AES_CM_128_NULL_AUTH " KEY_2), SDP_UNENCRYPTED,
	    true },
	/* RFC 5939: what is offered besides, and preferred */
	{ "RTP perhaps", SAVP GOOD_CRYPTO "a=tcap:1 RTP/SAVPF RTP/AVP\r\n"
	    "a=pcfg:1 t=2\r\n", SDP_OPTIONAL, true },
	{ "RTP perhaps, by the session", "a=tcap:1 rtp/avp\r\n" DTLS SHA_256
	    "a=pcfg:1 t=1\r\n", SDP_OPTIONAL, false },
	{ "SRTP perhaps", DTLS SHA_256 "a=tcap:1 RTP/SAVP RTP/SAVPF\r\n",
	    SDP_SAFE, false },
	{ "the next stream has no capabilities", SAVP GOOD_CRYPTO
	    "a=tcap:1 RTP/SAVP\r\n" DTLS SHA_256, SDP_SAFE, true },
	{ "keys of the session", "a=crypto:1 " SUITE KEY "\r\n" SAVP,
	    SDP_NO_KEYS, true },
	{ "keys to be used perhaps", "a=acap:1 crypto:1 " SUITE KEY "\r\n",
	    SDP_SAFE, true },
	{ "k= of old", "k=clear:secret\r\n", SDP_SAFE, true },
	{ "keys of what was refused", "m=audio 0 RTP/SAVP 0\r\n" GOOD_CRYPTO,
	    SDP_SAFE, false },

	{ "DTLS without fingerprint", DTLS, SDP_NO_FINGERPRINT, false },
	{ "DTLS with keys instead", DTLS GOOD_CRYPTO, SDP_NO_FINGERPRINT,
	    false },
	{ "RFC 8122 section 5", DTLS SHA_256 SHA_1, SDP_SAFE, false },
	{ "of the session", SHA_256 "a=setup:actpass\r\n" DTLS, SDP_SAFE,
	    false },
	{ "the stream's own counts", SHA_256 DTLS SHA_1,
	    SDP_WEAK_FINGERPRINT, false },
	{ "the next stream has the session's", SHA_256 DTLS SHA_256 DTLS,
	    SDP_SAFE, false },
	{ "the next stream has none", DTLS SHA_256 DTLS, SDP_NO_FINGERPRINT,
	    false },
	{ "SAVP with a fingerprint", SAVP SHA_256, SDP_SAFE, false },
	{ "both", SAVP GOOD_CRYPTO SHA_256, SDP_SAFE, true },
	{ "SHA-1 alone", DTLS SHA_1, SDP_WEAK_FINGERPRINT, false },
	{ "MD5", DTLS "a=fingerprint:md5 00:11:22:33:44:55:66:77:88:99:AA:"
	    "BB:CC:DD:EE:FF\r\n", SDP_WEAK_FINGERPRINT, false },
	{ "one pair missing", DTLS "a=fingerprint:sha-1 AD:B9:B1:3F:82:18:3B:"
	    "54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n", SDP_BAD_FINGERPRINT,
	    false },
	{ "dashes", DTLS "a=fingerprint:md5 00-11-22-33-44-55-66-77-88-99-AA-"
	    "BB-CC-DD-EE-FF\r\n", SDP_BAD_FINGERPRINT, false },
	{ "no hash", DTLS "a=fingerprint:sha-256\r\n", SDP_BAD_FINGERPRINT,
	    false },
	{ "nothing at all", DTLS "a=fingerprint\r\n", SDP_BAD_FINGERPRINT,
	    false },
	{ "a hash of later days", DTLS "a=fingerprint:sha3-256 AA\r\n",
	    SDP_BAD_FINGERPRINT, false },
	{ "the same beside a known one", DTLS "a=fingerprint:sha3-256 AA\r\n"
	    SHA_256, SDP_SAFE, false },
	{ "a bad one beside a good one", DTLS SHA_256
	    "a=fingerprint:sha-512 00\r\n", SDP_BAD_FINGERPRINT, false },
	{ "setup", DTLS SHA_256 "a=setup:passive\r\n", SDP_SAFE, false },
	{ "setup on hold", DTLS SHA_256 "a=setup:holdconn\r\n",
	    SDP_BAD_SETUP, false },
	{ "setup of the session", SHA_256 "a=setup:x\r\n" DTLS,
	    SDP_BAD_SETUP, false },
};

static void
holes(void **state)
{
	char text[2048];

	(void)state;
	for (size_t i = 0; i < COUNT(protection); i++) {
		struct sdp_facts f = { 0 };

		snprintf(text, sizeof text, SESSION "%s",
		    protection[i].media);
		sdp_read(&f, str_of(text));
		if (f.hole != protection[i].hole ||
		    f.keys != protection[i].keys || f.torn)
			fail_msg("%s: %s, %d", protection[i].what,
			    sdp_hole_words[f.hole], f.keys);
	}
}

/* So many crypto attributes that nobody could tell their tags apart. */
static void
too_many_keys(void **state)
{
	static char text[65536];
	int n = snprintf(text, sizeof text, "%s", SESSION SAVP);
	struct sdp_facts f = { 0 };

	(void)state;
	for (int i = 1; i <= 33; i++) {
		n += snprintf(text + n, sizeof text - (size_t)n,
		    "a=crypto:%d " SUITE KEY "\r\n", i);
		memset(&f, 0, sizeof f);
		sdp_read(&f, str_of(text));
		assert_int_equal(f.hole, i <= 32 ? SDP_SAFE : SDP_BAD_CRYPTO);
	}
}

static void
which_stream(void **state)
{
	struct sdp_facts f = { 0 };

	(void)state;
	sdp_read(&f, str_of(SESSION SAVP GOOD_CRYPTO SAVP AVP));
	assert_int_equal(f.hole, SDP_NO_KEYS);
	assert_int_equal(f.stream, 2);
}

/* ---- what is asked for */

static void
several(void **state)
{
	struct sdp_facts f = { 0 };

	(void)state;
	sdp_read(&f, str_of(SESSION DTLS SHA_256 DTLS SHA_256));
	sdp_read(&f, str_of(HEAD "t=0 0\r\n" AVP));
	sdp_read(&f, str_of(SESSION SAVP GOOD_CRYPTO));
	assert_int_equal(f.descriptions, 3);
	assert_int_equal(f.streams, 2);
	assert_int_equal(f.hole, SDP_CLEAR);
	assert_int_equal(f.fault, SDP_LACKS);
	assert_true(f.keys);
	assert_int_equal(f.bytes, strlen(SESSION DTLS SHA_256 DTLS SHA_256));
}

#define NOTHING -1, -1, false
static const struct {
	const char	*what, *text;
	struct sdp_terms terms;
	bool		 opaque, secret;
	enum sdp_verdict verdict;
	bool		 refused;
} judgements[] = {
	{ "nothing is asked", SESSION AVP, { NOTHING, SDP_ANY }, false,
	    false, SDP_OK, false },
	{ "in the clear, preferred", SESSION AVP, { NOTHING, SDP_PREFERRED },
	    false, true, SDP_UNSAFE, false },
	{ "in the clear, required", SESSION AVP, { NOTHING, SDP_REQUIRED },
	    false, true, SDP_UNSAFE, true },
	{ "keys over TLS", SESSION SAVP GOOD_CRYPTO, { NOTHING,
	    SDP_REQUIRED }, false, true, SDP_OK, false },
	{ "keys in the clear", SESSION SAVP GOOD_CRYPTO, { NOTHING,
	    SDP_REQUIRED }, false, false, SDP_UNSAFE, true },
	{ "the same, preferred", SESSION SAVP GOOD_CRYPTO, { NOTHING,
	    SDP_PREFERRED }, false, false, SDP_UNSAFE, false },
	{ "DTLS over UDP", SESSION DTLS SHA_256, { NOTHING, SDP_REQUIRED },
	    false, false, SDP_OK, false },
	{ "DTLS, with keys nobody uses", SESSION DTLS GOOD_CRYPTO SHA_256,
	    { NOTHING, SDP_REQUIRED }, false, false, SDP_OK, false },
	{ "torn, nothing asked of it", SESSION "\r\n" AVP, { 1000, 10, false,
	    SDP_ANY }, false, false, SDP_OK, false },
	{ "torn, required", SESSION " \r\n", { NOTHING, SDP_REQUIRED },
	    false, true, SDP_MALFORMED, true },
	{ "torn, preferred", SESSION " \r\n", { NOTHING, SDP_PREFERRED },
	    false, true, SDP_MALFORMED, false },
	{ "out of order, required", HEAD "t=0 0\r\n" PLACE DTLS SHA_256,
	    { NOTHING, SDP_REQUIRED }, false, false, SDP_OK, false },
	{ "out of order, by grammar", HEAD "t=0 0\r\n" PLACE, { -1, -1, true,
	    SDP_ANY }, false, false, SDP_MALFORMED, true },
	{ "as long as may be", HEAD, { (int64_t)sizeof HEAD - 1, -1, false,
	    SDP_ANY }, false, false, SDP_OK, false },
	{ "a byte more", HEAD, { (int64_t)sizeof HEAD - 2, -1, false,
	    SDP_PREFERRED }, false, false, SDP_TOO_LARGE, true },
	{ "two streams", SESSION AVP AVP, { -1, 2, false, SDP_ANY }, false,
	    false, SDP_OK, false },
	{ "three", SESSION AVP AVP AVP, { -1, 2, false, SDP_ANY }, false,
	    false, SDP_TOO_MANY, true },
	{ "sealed, required", SESSION, { NOTHING, SDP_REQUIRED }, true,
	    true, SDP_OPAQUE, true },
	{ "sealed, preferred", SESSION, { NOTHING, SDP_PREFERRED }, true,
	    true, SDP_OPAQUE, false },
	{ "sealed, bounded", SESSION, { 1000, -1, false, SDP_PREFERRED },
	    true, true, SDP_OPAQUE, true },
};

static void
verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(judgements); i++) {
		struct sdp_facts f = { .opaque = judgements[i].opaque };
		struct sdp_judged j;

		sdp_read(&f, str_of(judgements[i].text));
		j = sdp_judge(&judgements[i].terms, &f,
		    judgements[i].secret);
		if (j.verdict != judgements[i].verdict ||
		    j.refused != judgements[i].refused)
			fail_msg("%s: %s, %d", judgements[i].what,
			    sdp_verdict_words[j.verdict], j.refused);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(holes),
		cmocka_unit_test(too_many_keys),
		cmocka_unit_test(which_stream),
		cmocka_unit_test(several),
		cmocka_unit_test(verdicts),
	};

	return cmocka_run_group_tests_name("sdp", tests, NULL, NULL);
}
