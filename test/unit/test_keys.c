/* HMAC and HKDF against their RFCs, keys apart from each other, key files. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/keys.h"
#include "base/count.h"
#include "base/text.h"

enum { FILL = 256, OKM_MAX = 82 };

static void
same_hex(const char *what, const uint8_t *got, const char *want)
{
	char hex[2 * OKM_MAX + 1];

	hex_encode(hex, got, strlen(want) / 2);
	if (strcmp(hex, want) != 0)
		fail_msg("%s: %s", what, hex);
}

/* len bytes from first on, each step more than the one before. */
static void
fill(uint8_t out[FILL], uint8_t first, uint8_t step, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(first + i * step);
}

static void
hmac_follows_rfc4231(void **state)
{
	static const struct {
		const char	*what;
		uint8_t		 first, step;
		size_t		 key_len;
		const char	*text;		/* NULL: 50 times dd or cd */
		uint8_t		 data;
		const char	*mac;
	} cases[] = {
		{ "4.2", 0x0b, 0, 20, "Hi There", 0,
		    "b0344c61d8db38535ca8afceaf0bf12b"
		    "881dc200c9833da726e9376c2e32cff7" },
		{ "4.4", 0xaa, 0, 20, NULL, 0xdd,
		    "773ea91e36800e46854db8ebd09181a7"
		    "2959098b3ef8c122d9635514ced565fe" },
		{ "4.5", 0x01, 1, 25, NULL, 0xcd,
		    "82558a389a443c0ea4cc819899f2083a"
		    "85f0faa3e578f8077a2e3ff46729665b" },
		{ "4.6", 0x0c, 0, 20, "Test With Truncation", 0,
		    "a3b6167473100ee06e0c796c2955552b" },
		/* a key of one block, made with Python's hmac */
		{ "64", 0xaa, 0, 64, "Hi There", 0,
		    "ebef34e13d0a0fe04593d043bc7a8651"
		    "06db0604211d404c18206d862e5d7852" },
		{ "4.7", 0xaa, 0, 131, "Test Using Larger Than Block-Size "
		    "Key - Hash Key First", 0,
		    "60e431591ee0b67f0d8a26aacbf5b77f"
		    "8e0bc6213728c5140546040f0ee37f54" },
		{ "4.8", 0xaa, 0, 131, "This is a test using a larger than "
		    "block-size key and a larger than block-size data. The "
		    "key needs to be hashed before being used by the HMAC "
		    "algorithm.", 0,
		    "9b09ffa71b942fcb27635fbcd5b0e944"
		    "bfdc63644f0713938a7f51535c3a35e2" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t key[FILL], data[FILL], mac[MAC_BYTES];
		struct mac_part part = { data, 50 };

		fill(key, cases[i].first, cases[i].step, cases[i].key_len);
		fill(data, cases[i].data, 0, 50);
		if (cases[i].text != NULL)
			part = (struct mac_part){ cases[i].text,
			    strlen(cases[i].text) };
		hmac_sha256((struct mac_part){ key, cases[i].key_len }, &part,
		    1, mac);
		same_hex(cases[i].what, mac, cases[i].mac);
	}
}

/* RFC 4231 section 4.3, its message in pieces, one of them empty. */
static void
hmac_joins_its_parts(void **state)
{
	const struct mac_part part[] = {
		{ "what do ya", 10 }, { NULL, 0 }, { " want for nothing?", 18 }
	};
	uint8_t mac[MAC_BYTES];

	(void)state;
	hmac_sha256((struct mac_part){ "Jefe", 4 }, part, 3, mac);
	same_hex("4.3", mac, "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
}

static void
hkdf_follows_rfc5869(void **state)
{
	static const struct {
		const char	*what;
		uint8_t		 ikm_first, ikm_step;
		size_t		 ikm_len, salt_len, info_len, len;
		uint8_t		 salt_first, info_first;
		const char	*prk, *okm;
	} cases[] = {
		{ "A.1", 0x0b, 0, 22, 13, 10, 42, 0x00, 0xf0,
		    "077709362c2e32df0ddc3f0dc47bba63"
		    "90b6c73bb50f9c3122ec844ad7c2b3e5",
		    "3cb25f25faacd57a90434f64d0362f2a"
		    "2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		    "34007208d5b887185865" },
		{ "A.2", 0x00, 1, 80, 80, 80, 82, 0x60, 0xb0,
		    "06a6b88c5853361a06104c9ceb35b45c"
		    "ef760014904671014a193f40c15fc244",
		    "b11e398dc80327a1c8e7f78c596a4934"
		    "4f012eda2d4efad8a050cc4c19afa97c"
		    "59045a99cac7827271cb41c65e590e09"
		    "da3275600c2f09b8367793a9aca3db71"
		    "cc30c58179ec3e87c14c01d5c1f3434f"
		    "1d87" },
		{ "A.3", 0x0b, 0, 22, 0, 0, 42, 0, 0,
		    "19ef24a32c717b167f33a91d6f648bdf"
		    "96596776afdb6377ac434c1c293ccb04",
		    "8da4e775a563c18f715f802a063c5a31"
		    "b8a11f5c5ee1879ec3454e5f3c738d2d"
		    "9d201395faa4b61a96c8" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t ikm[FILL], salt[FILL], info[FILL];
		uint8_t prk[MAC_BYTES], okm[OKM_MAX];

		fill(ikm, cases[i].ikm_first, cases[i].ikm_step,
		    cases[i].ikm_len);
		fill(salt, cases[i].salt_first, 1, cases[i].salt_len);
		fill(info, cases[i].info_first, 1, cases[i].info_len);
		hkdf_extract((struct mac_part){ salt, cases[i].salt_len },
		    (struct mac_part){ ikm, cases[i].ikm_len }, prk);
		same_hex(cases[i].what, prk, cases[i].prk);
		hkdf_expand(prk, (struct mac_part){ info, cases[i].info_len },
		    okm, cases[i].len);
		same_hex(cases[i].what, okm, cases[i].okm);
	}
}

/* Masters 00..1f and 20..3f. */
static struct keys *
two_keys(void)
{
	uint8_t master[2][MASTER_KEY_BYTES];
	struct keys *k;

	for (uint8_t i = 0; i < MASTER_KEY_BYTES; i++) {
		master[0][i] = i;
		master[1][i] = (uint8_t)(i + MASTER_KEY_BYTES);
	}
	k = keys_new(master, 2);
	assert_non_null(k);
	assert_int_equal(keys_count(k), 2);
	return k;
}

static void
mac_abc(struct keys *k, size_t which, enum key_label label, uint32_t epoch,
    uint8_t out[MAC_BYTES])
{
	keys_mac(k, which, label, epoch, &(struct mac_part){ "abc", 3 }, 1,
	    out);
}

/* What every instance must agree on; sums made with Python's hmac. */
static void
derivation_is_the_documented_one(void **state)
{
	static const char *const want[KEY_LABELS] = {
		[KEY_NONCE] = "26d19f7fd734a02e96ba2446d4d600fc"
		    "8dc07d815a5658f81fefc2fb0e144b06",
		[KEY_SOURCE] = "141eb8107ade2513764a029fe81a4f97"
		    "59918f015f26d3dcbddc1d19005b5504",
		[KEY_OPAQUE] = "bc915c9e1fd15420927b2cac21132738"
		    "519c8b3fd107ad6df2f57a35edb76e71",
		[KEY_TO_TAG] = "ad99fefa70ef4deafbe9e639f04be452"
		    "b76352867d2c647b5214c4e01c48a5e0",
		[KEY_DIALOG] = "c64612daa198b9e76d2245c4cfdf5d19"
		    "116802f4570c0b350ff951ec98ec70ea",
		[KEY_PATH] = "69612e7a943a12982c4952e0628278d7"
		    "d26cbaa7b290f457f2d5766445efbb9d",
		[KEY_BRANCH] = "b5c7ac293431db8482b565b2202f8ffc"
		    "6e15d8db14715a10e6fd407ce636e8e1",
		[KEY_DATAGRAM] = "c8a391a3e111ff42a6273392362c53c7"
		    "529476a19029904512045dce75589883",
		[KEY_LINE] = "0b41005d3957fe427660a40fc61cbf83"
		    "9af5d1f6c80807bd90d9245d60fe3b17",
		[KEY_CALLS] = "45520a40adf8cd499f96d2a73c2af07c"
		    "5f2da5c0713c0bd97decaaabb8feb3cf",
	};
	struct keys *k = two_keys();
	uint8_t mac[MAC_BYTES];
	char print[17];

	(void)state;
	for (int i = 0; i < KEY_LABELS; i++) {
		mac_abc(k, 0, (enum key_label)i, 0, mac);
		same_hex("label", mac, want[i]);
	}
	mac_abc(k, 1, KEY_NONCE, 500000, mac);
	same_hex("epoch", mac, "b659f402c7cb0d58d3421128fba67da6"
	    "75105cd94de985f569ad58cb0abb769c");
	keys_fingerprint(k, 0, print);
	assert_string_equal(print, "db359fb3f4cb7e7c");
	keys_free(k);
}

/* More epochs than are kept, there and back. */
static void
forgotten_epochs_are_derived_again(void **state)
{
	enum { EPOCHS = 100 };
	struct keys *k = two_keys();
	uint8_t first[EPOCHS][MAC_BYTES], again[MAC_BYTES];

	(void)state;
	for (uint32_t e = 0; e < EPOCHS; e++)
		mac_abc(k, 0, KEY_NONCE, e * 8 + UINT32_MAX - 300, first[e]);
	for (uint32_t e = EPOCHS; e-- > 0; ) {
		mac_abc(k, 0, KEY_NONCE, e * 8 + UINT32_MAX - 300, again);
		assert_memory_equal(again, first[e], MAC_BYTES);
		for (uint32_t f = 0; f < e; f++)
			assert_memory_not_equal(first[f], first[e],
			    MAC_BYTES);
	}
	keys_free(k);
}

static void
fingerprint_is_of_the_first_master(void **state)
{
	uint8_t a[2][MASTER_KEY_BYTES] = { { 1 }, { 2 } };
	uint8_t b[2][MASTER_KEY_BYTES] = { { 1 }, { 3 } };
	uint8_t c[2][MASTER_KEY_BYTES] = { { 2 }, { 1 } };
	char print[3][17];

	(void)state;
	struct keys *k[] = { keys_new(a, 2), keys_new(b, 1), keys_new(c, 2) };
	for (size_t i = 0; i < COUNT(k); i++) {
		keys_fingerprint(k[i], 0, print[i]);
		keys_free(k[i]);
	}
	keys_free(NULL);
	assert_string_equal(print[0], print[1]);
	assert_string_not_equal(print[0], print[2]);
}

struct folder {
	char	path[64];
	char	file[96], other[96];
};

static int
folder_new(void **state)
{
	struct folder *f = calloc(1, sizeof *f);

	assert_non_null(f);
	strcpy(f->path, "/tmp/test_keys.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	snprintf(f->file, sizeof f->file, "%s/key", f->path);
	snprintf(f->other, sizeof f->other, "%s/other", f->path);
	*state = f;
	return 0;
}

static int
folder_free(void **state)
{
	struct folder *f = *state;

	unlink(f->file);
	unlink(f->other);
	rmdir(f->path);
	free(f);
	return 0;
}

static void
write_file(const char *path, size_t len, mode_t mode)
{
	static const uint8_t zeros[64];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, zeros, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
made_key_is_private_and_never_made_over(void **state)
{
	struct folder *f = *state;
	uint8_t first[MASTER_KEY_BYTES], again[MASTER_KEY_BYTES];
	mode_t old = umask(0777);
	struct stat st;

	assert_int_equal(key_file_read(f->file, first), KEY_FILE_ABSENT);
	assert_int_equal(key_file_make(f->file), 0);
	umask(old);
	assert_int_equal(stat(f->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(key_file_read(f->file, first), KEY_FILE_OK);
	assert_int_equal(key_file_make(f->file), -EEXIST);
	assert_int_equal(key_file_read(f->file, again), KEY_FILE_OK);
	assert_memory_equal(first, again, sizeof first);
	assert_int_equal(key_file_make(f->other), 0);
	assert_int_equal(key_file_read(f->other, again), KEY_FILE_OK);
	assert_memory_not_equal(first, again, sizeof first);
}

static void
unfit_files_are_refused(void **state)
{
	static const struct {
		size_t			 len;
		mode_t			 mode;
		enum key_file_result	 want;
	} cases[] = {
		{ 32, 0400, KEY_FILE_OK },
		{ 32, 0600, KEY_FILE_OK },
		{ 0, 0400, KEY_FILE_SHORT },
		{ 31, 0400, KEY_FILE_SHORT },
		{ 33, 0400, KEY_FILE_SHORT },
		{ 32, 0440, KEY_FILE_OPEN_TO_OTHERS },
		{ 32, 0420, KEY_FILE_OPEN_TO_OTHERS },
		{ 32, 0404, KEY_FILE_OPEN_TO_OTHERS },
		{ 32, 0402, KEY_FILE_OPEN_TO_OTHERS },
	};
	struct folder *f = *state;
	uint8_t key[MASTER_KEY_BYTES];

	for (size_t i = 0; i < COUNT(cases); i++) {
		write_file(f->file, cases[i].len, cases[i].mode);
		if (key_file_read(f->file, key) != cases[i].want)
			fail_msg("%zu bytes, mode %o", cases[i].len,
			    (unsigned)cases[i].mode);
		unlink(f->file);
	}
}

static void
links_are_followed_and_their_target_judged(void **state)
{
	struct folder *f = *state;
	uint8_t key[MASTER_KEY_BYTES];

	assert_int_equal(symlink("other", f->file), 0);
	assert_int_equal(key_file_read(f->file, key), KEY_FILE_ABSENT);
	assert_int_equal(key_file_make(f->file), -EEXIST);
	write_file(f->other, 32, 0400);
	assert_int_equal(key_file_read(f->file, key), KEY_FILE_OK);
	assert_int_equal(chmod(f->other, 0444), 0);
	assert_int_equal(key_file_read(f->file, key),
	    KEY_FILE_OPEN_TO_OTHERS);
}

static void
what_is_no_file_is_an_error(void **state)
{
	struct folder *f = *state;
	uint8_t key[MASTER_KEY_BYTES];
	char deep[128];

	assert_int_equal(key_file_read(f->path, key), KEY_FILE_ERROR);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(mkfifo(f->file, 0400), 0);
	assert_int_equal(key_file_read(f->file, key), KEY_FILE_ERROR);
	assert_int_equal(errno, EINVAL);
	snprintf(deep, sizeof deep, "%s/none/key", f->path);
	assert_int_equal(key_file_make(deep), -ENOENT);
	for (int i = KEY_FILE_OK; i <= KEY_FILE_ERROR; i++)
		for (int j = KEY_FILE_OK; j < i; j++)
			assert_string_not_equal(
			    key_file_text((enum key_file_result)i),
			    key_file_text((enum key_file_result)j));
}

#define FILE_TEST(t) cmocka_unit_test_setup_teardown(t, folder_new, folder_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_follows_rfc4231),
		cmocka_unit_test(hmac_joins_its_parts),
		cmocka_unit_test(hkdf_follows_rfc5869),
		cmocka_unit_test(derivation_is_the_documented_one),
		cmocka_unit_test(forgotten_epochs_are_derived_again),
		cmocka_unit_test(fingerprint_is_of_the_first_master),
		FILE_TEST(made_key_is_private_and_never_made_over),
		FILE_TEST(unfit_files_are_refused),
		FILE_TEST(links_are_followed_and_their_target_judged),
		FILE_TEST(what_is_no_file_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
