/* Cryptography against the vectors of its standards, encodings, and key files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "engine/base/crypto.h"
#include "tests/unit/folder.h"

static void assert_hex(const uint8_t *data, size_t size, const char *expected)
{
    char text[256];
    assert_string_equal(hex_encode(data, size, text), expected);
}

/* FIPS 180-2, appendix B. */
static void hashes_as_fips_180(void **state)
{
    (void)state;
    uint8_t hash[SHA256_SIZE];
    struct slice none = {NULL, 0};
    assert_int_equal(crypto_sha256(slice_of("abc"), none, none, hash), STATUS_OK);
    assert_hex(hash, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(crypto_sha256(slice_of("abcdbcdecdef"), slice_of("defgefghfghighijhijk"),
                                   slice_of("ijkljklmklmnlmnomnopnopq"), hash),
                     STATUS_OK);
    assert_hex(hash, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_int_equal(crypto_sha256(none, none, none, hash), STATUS_OK);
    assert_hex(hash, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, test cases 1 and 2: keys shorter than the block are padded with zeros, so the same
 * key in 32 bytes gives the same code. */
static void authenticates_as_rfc_4231(void **state)
{
    (void)state;
    uint8_t key[KEY_SIZE] = {0}, code[SHA256_SIZE];
    memset(key, 0x0b, 20);
    assert_int_equal(crypto_hmac_sha256(key, slice_of("Hi There"), code), STATUS_OK);
    assert_hex(code, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    memset(key, 0, sizeof key);
    memcpy(key, "Jefe", 4);
    assert_int_equal(crypto_hmac_sha256(key, slice_of("what do ya want for nothing?"), code),
                     STATUS_OK);
    assert_hex(code, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* RFC 8032, section 7.1, tests 1 and 2. */
static void signs_as_rfc_8032(void **state)
{
    (void)state;
    static const struct {
        const char *seed, *public_key, *message, *signature;
    } table[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "cf9b"
         "46bd25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
         "0f11"
         "d8c387b2eaeb4302aeeb00d291612bb0c00"},
    };
    for (size_t i = 0; i < 2; i++) {
        uint8_t seed[KEY_SIZE], public_key[32], expected[64], signature[64], message[4];
        size_t size = strlen(table[i].message) / 2;
        assert_true(hex_decode(slice_of(table[i].seed), seed, 32));
        assert_true(hex_decode(slice_of(table[i].signature), expected, 64));
        assert_true(hex_decode(slice_of(table[i].message), message, size));
        assert_int_equal(crypto_public_key(seed, public_key), STATUS_OK);
        assert_hex(public_key, 32, table[i].public_key);
        struct slice text = slice_make(message, size);
        assert_int_equal(crypto_sign(seed, text, signature), STATUS_OK);
        assert_memory_equal(signature, expected, 64);
        assert_int_equal(crypto_verify(public_key, text, signature), STATUS_OK);
        for (size_t byte = 0; byte < 64; byte += 7) {
            signature[byte] ^= 1;
            assert_int_equal(crypto_verify(public_key, text, signature), STATUS_CORRUPT);
            signature[byte] ^= 1;
        }
        assert_int_equal(crypto_verify(public_key, slice_of("other"), signature), STATUS_CORRUPT);
    }
}

static void opens_only_what_was_sealed(void **state)
{
    (void)state;
    uint8_t key[KEY_SIZE], other[KEY_SIZE];
    assert_int_equal(crypto_random(key, sizeof key), STATUS_OK);
    assert_int_equal(crypto_random(other, sizeof other), STATUS_OK);
    struct buffer sealed, again, plain;
    buffer_init(&sealed, 1000);
    buffer_init(&again, 1000);
    buffer_init(&plain, 1000);
    static const char *const texts[] = {"", "x", "user-17", "a text longer than one AES block"};
    for (size_t i = 0; i < 4; i++) {
        struct slice text = slice_of(texts[i]), context = slice_of("field user_id");
        buffer_reset(&sealed);
        buffer_reset(&again);
        buffer_reset(&plain);
        buffer_append_text(&plain, "before ");
        assert_int_equal(crypto_seal(key, text, context, &sealed), STATUS_OK);
        assert_int_equal(sealed.size, text.size + 28);
        assert_int_equal(crypto_seal(key, text, context, &again), STATUS_OK);
        assert_memory_not_equal(sealed.data, again.data, 12); /* a fresh nonce each time */
        assert_int_equal(crypto_open(key, buffer_slice(&sealed), context, &plain), STATUS_OK);
        assert_string_equal(plain.data + 7, texts[i]);
        size_t size = plain.size;
        assert_int_equal(crypto_open(other, buffer_slice(&sealed), context, &plain),
                         STATUS_CORRUPT);
        assert_int_equal(crypto_open(key, buffer_slice(&sealed), slice_of("field x"), &plain),
                         STATUS_CORRUPT);
        for (size_t byte = 0; byte < sealed.size; byte++) {
            sealed.data[byte] ^= 1;
            assert_int_equal(crypto_open(key, buffer_slice(&sealed), context, &plain),
                             STATUS_CORRUPT);
            sealed.data[byte] ^= 1;
        }
        for (size_t cut = 0; cut < sealed.size; cut++)
            assert_int_equal(crypto_open(key, slice_make(sealed.data, cut), context, &plain),
                             STATUS_CORRUPT);
        assert_int_equal(plain.size, size);
    }
    buffer_free(&sealed);
    buffer_free(&again);
    buffer_free(&plain);
}

static void seals_only_into_room(void **state)
{
    (void)state;
    uint8_t key[KEY_SIZE] = {0};
    struct buffer out;
    buffer_init(&out, 30);
    assert_int_equal(crypto_seal(key, slice_of("123"), slice_of(""), &out), STATUS_FULL);
    assert_int_equal(out.size, 0);
    buffer_free(&out);
}

#define SEALED 300 /* more than random bytes are drawn for at once */

static void seals_one_after_another_each_with_a_nonce_of_its_own(void **state)
{
    (void)state;
    uint8_t keys[2][KEY_SIZE], nonces[SEALED][12];
    struct crypto_sealer *sealer = crypto_sealer_create();
    struct buffer sealed, plain, full;
    assert_non_null(sealer);
    buffer_init(&sealed, 1000);
    buffer_init(&plain, 1000);
    buffer_init(&full, 20);
    for (size_t i = 0; i < SEALED; i++) {
        uint8_t *key = keys[i % 2];
        struct slice context = slice_of(i % 3 ? "one" : "another");
        assert_int_equal(crypto_sealer_random(sealer, key, KEY_SIZE), STATUS_OK);
        assert_memory_not_equal(keys[0], keys[1], KEY_SIZE);
        assert_int_equal(crypto_sealer_seal(sealer, key, slice_of("no room"), context, &full),
                         STATUS_FULL);
        buffer_reset(&sealed);
        buffer_reset(&plain);
        assert_int_equal(crypto_sealer_seal(sealer, key, slice_of("user-17"), context, &sealed),
                         STATUS_OK);
        assert_int_equal(crypto_open(key, buffer_slice(&sealed), context, &plain), STATUS_OK);
        assert_string_equal(plain.data, "user-17");
        memcpy(nonces[i], sealed.data, sizeof *nonces);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(nonces[i], nonces[j], sizeof *nonces);
    }
    crypto_sealer_destroy(sealer);
    buffer_free(&full);
    buffer_free(&plain);
    buffer_free(&sealed);
}

static void gives_more_random_bytes_than_are_drawn_at_once(void **state)
{
    (void)state;
    uint8_t bytes[5000], zeros[5000] = {0};
    struct crypto_sealer *sealer = crypto_sealer_create();
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crypto_sealer_random(sealer, bytes, sizeof bytes), STATUS_OK);
    assert_memory_not_equal(bytes, zeros, 1000);
    assert_memory_not_equal(bytes + 4000, zeros, 1000);
    crypto_sealer_destroy(sealer);
}

static void compares_in_constant_time(void **state)
{
    (void)state;
    assert_true(crypto_equal("abc", "abc", 3));
    assert_false(crypto_equal("abc", "abd", 3));
    assert_true(crypto_equal("", "", 0));
}

static void keeps_a_key_in_a_private_file(void **state)
{
    (void)state;
    char path[FOLDER_PATH];
    folder_path("key", path);
    uint8_t key[KEY_SIZE], again[KEY_SIZE];
    struct error error = {0};
    assert_int_equal(crypto_key_file(path, false, key, &error), STATUS_NOT_FOUND);
    assert_int_equal(crypto_key_file(path, true, key, &error), STATUS_OK);
    assert_int_equal(crypto_key_file(path, true, again, &error), STATUS_OK);
    assert_memory_equal(key, again, KEY_SIZE);
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(about.st_size, KEY_SIZE);
    chmod(path, 0640);
    assert_int_equal(crypto_key_file(path, true, again, &error), STATUS_DENIED);
    assert_non_null(strstr(error.message, "chmod 600"));
    chmod(path, 0600);
    assert_int_equal(truncate(path, 31), 0);
    assert_int_equal(crypto_key_file(path, true, again, &error), STATUS_CORRUPT);
    assert_int_equal(crypto_key_file("/nonexistent/key", true, again, &error), STATUS_IO);
}

static void reads_and_writes_hex(void **state)
{
    (void)state;
    uint8_t bytes[2];
    assert_true(hex_decode(slice_of("aBfF"), bytes, 2));
    assert_hex(bytes, 2, "abff");
    assert_false(hex_decode(slice_of("abf"), bytes, 2));
    assert_false(hex_decode(slice_of("abcdef"), bytes, 2));
    assert_false(hex_decode(slice_of("abgf"), bytes, 2));
    assert_true(hex_decode(slice_of(""), bytes, 0));
}

/* RFC 4648, section 10. */
static void encodes_as_rfc_4648(void **state)
{
    (void)state;
    static const struct {
        const char *text, *encoded;
    } table[] = {{"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy"},
                 {"\xfb\xff", "+/8="}};
    struct buffer out;
    buffer_init(&out, 100);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        buffer_reset(&out);
        assert_true(base64_encode(slice_of(table[i].text), &out));
        assert_true(slice_is(buffer_slice(&out), table[i].encoded));
        buffer_reset(&out);
        assert_true(base64_decode(slice_of(table[i].encoded), &out));
        assert_true(slice_is(buffer_slice(&out), table[i].text));
    }
    static const char *const bad[] = {"Z",    "Zg",   "Zg=",  "Zg===",    "Zh==",   "Zm9=",
                                      "Z===", "====", "Zm 9", "Zg==Zg==", "Zm9v\n", "Zm-v"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        buffer_reset(&out);
        assert_false(base64_decode(slice_of(bad[i]), &out));
        assert_int_equal(out.size, 0);
    }
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_fips_180),
        cmocka_unit_test(authenticates_as_rfc_4231),
        cmocka_unit_test(signs_as_rfc_8032),
        cmocka_unit_test(opens_only_what_was_sealed),
        cmocka_unit_test(seals_only_into_room),
        cmocka_unit_test(seals_one_after_another_each_with_a_nonce_of_its_own),
        cmocka_unit_test(gives_more_random_bytes_than_are_drawn_at_once),
        cmocka_unit_test(compares_in_constant_time),
        cmocka_unit_test(keeps_a_key_in_a_private_file),
        cmocka_unit_test(reads_and_writes_hex),
        cmocka_unit_test(encodes_as_rfc_4648),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
