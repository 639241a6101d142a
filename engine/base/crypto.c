/* Cryptography by OpenSSL. SHA-256 runs twice per recorded event (leaf and tree), so it uses the
 * interface that works on the stack: OpenSSL 3 calls it deprecated because providers do not reach
 * it, and its replacement allocates and looks up the algorithm on every call. Any thread. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "engine/base/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "engine/base/folder.h"

#define NONCE_SIZE     12
#define TAG_SIZE       16
#define SIGNATURE_SIZE 64
#define DRAWN_SIZE     1024 /* random bytes at once: of so many each is cheap */

/* OpenSSL keeps what failed in a queue per thread: nobody reads it later. */
static enum status failed(enum status status)
{
    ERR_clear_error();
    return status;
}

enum status crypto_sha256(struct slice a, struct slice b, struct slice c, uint8_t out[SHA256_SIZE])
{
    SHA256_CTX context;
    if (!SHA256_Init(&context) || !SHA256_Update(&context, a.data, a.size) ||
        !SHA256_Update(&context, b.data, b.size) || !SHA256_Update(&context, c.data, c.size) ||
        !SHA256_Final(out, &context))
        return failed(STATUS_UNSUPPORTED);
    return STATUS_OK;
}

/* RFC 2104, by hand: OpenSSL's own allocates for every message. */
enum status crypto_hmac_sha256(const uint8_t key[KEY_SIZE], struct slice message,
                               uint8_t out[SHA256_SIZE])
{
    uint8_t pad[SHA256_CBLOCK], inner[SHA256_SIZE];
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] = (i < KEY_SIZE ? key[i] : 0) ^ 0x36;
    enum status status =
        crypto_sha256(slice_make(pad, sizeof pad), message, slice_make(NULL, 0), inner);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5C;
    if (status == STATUS_OK)
        status = crypto_sha256(slice_make(pad, sizeof pad), slice_make(inner, sizeof inner),
                               slice_make(NULL, 0), out);
    explicit_bzero(pad, sizeof pad);
    explicit_bzero(inner, sizeof inner);
    return status;
}

enum status crypto_sha1(struct slice a, struct slice b, uint8_t out[SHA1_SIZE])
{
    SHA_CTX context;
    if (!SHA1_Init(&context) || !SHA1_Update(&context, a.data, a.size) ||
        !SHA1_Update(&context, b.data, b.size) || !SHA1_Final(out, &context))
        return failed(STATUS_UNSUPPORTED);
    return STATUS_OK;
}

struct crypto_sum {
    SHA256_CTX context;
    bool failed;
};

struct crypto_sum *crypto_sum_begin(void)
{
    struct crypto_sum *sum = calloc(1, sizeof *sum);
    if (sum)
        sum->failed = !SHA256_Init(&sum->context);
    return sum;
}

void crypto_sum_add(struct crypto_sum *sum, const void *data, size_t size)
{
    if (sum && !SHA256_Update(&sum->context, data, size))
        sum->failed = true;
}

enum status crypto_sum_end(struct crypto_sum *sum, uint8_t out[SHA256_SIZE])
{
    if (!sum)
        return STATUS_MEMORY;
    bool done = !sum->failed && SHA256_Final(out, &sum->context);
    free(sum);
    return done ? STATUS_OK : failed(STATUS_UNSUPPORTED);
}

enum status crypto_random(void *out, size_t size)
{
    if (size > INT_MAX)
        return STATUS_INVALID;
    return RAND_bytes(out, (int)size) == 1 ? STATUS_OK : failed(STATUS_UNAVAILABLE);
}

bool crypto_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

/* A cipher that is given keys and nonces from now on. NULL: out of memory, or OpenSSL has none. */
static EVP_CIPHER_CTX *make_cipher(void)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    if (cipher && EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, NULL, NULL) == 1)
        return cipher;
    EVP_CIPHER_CTX_free(cipher);
    return NULL;
}

/* The nonce stands at `out` already. */
static bool encrypt(EVP_CIPHER_CTX *cipher, const uint8_t *key, struct slice plain,
                    struct slice context, uint8_t *out)
{
    uint8_t *text = out + NONCE_SIZE;
    int size = 0;
    return EVP_EncryptInit_ex(cipher, NULL, NULL, key, out) == 1 &&
           EVP_EncryptUpdate(cipher, NULL, &size, (const uint8_t *)context.data,
                             (int)context.size) == 1 &&
           EVP_EncryptUpdate(cipher, text, &size, (const uint8_t *)plain.data, (int)plain.size) ==
               1 &&
           EVP_EncryptFinal_ex(cipher, text + plain.size, &size) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, text + plain.size) == 1;
}

/* OpenSSL takes NULL data for "no output": an empty slice needs an address. */
static struct slice with_address(struct slice slice)
{
    return slice_make(slice.data ? slice.data : "", slice.size);
}

struct crypto_sealer {
    EVP_CIPHER_CTX *cipher;
    uint8_t drawn[DRAWN_SIZE]; /* random bytes; the last n_left are to be used yet */
    size_t n_left;
};

struct crypto_sealer *crypto_sealer_create(void)
{
    struct crypto_sealer *sealer = calloc(1, sizeof *sealer);
    if (!sealer)
        return NULL;
    sealer->cipher = make_cipher();
    if (sealer->cipher)
        return sealer;
    (void)failed(STATUS_MEMORY);
    free(sealer);
    return NULL;
}

void crypto_sealer_destroy(struct crypto_sealer *sealer)
{
    if (!sealer)
        return;
    EVP_CIPHER_CTX_free(sealer->cipher);
    explicit_bzero(sealer, sizeof *sealer);
    free(sealer);
}

enum status crypto_sealer_random(struct crypto_sealer *sealer, void *out, size_t size)
{
    if (size > sizeof sealer->drawn)
        return crypto_random(out, size);
    if (size > sealer->n_left) {
        enum status status = crypto_random(sealer->drawn, sizeof sealer->drawn);
        if (status != STATUS_OK)
            return status;
        sealer->n_left = sizeof sealer->drawn;
    }
    uint8_t *bytes = sealer->drawn + sizeof sealer->drawn - sealer->n_left;
    memcpy(out, bytes, size);
    explicit_bzero(bytes, size);
    sealer->n_left -= size;
    return STATUS_OK;
}

static enum status seal(EVP_CIPHER_CTX *cipher, const uint8_t nonce[NONCE_SIZE], const uint8_t *key,
                        struct slice plain, struct slice context, struct buffer *out)
{
    if (plain.size > INT_MAX || context.size > INT_MAX)
        return STATUS_INVALID;
    size_t size = NONCE_SIZE + plain.size + TAG_SIZE;
    uint8_t *sealed = (uint8_t *)buffer_reserve(out, size);
    if (!sealed)
        return STATUS_FULL;
    memcpy(sealed, nonce, NONCE_SIZE);
    if (!encrypt(cipher, key, with_address(plain), with_address(context), sealed))
        return failed(STATUS_UNSUPPORTED);
    out->size += size;
    out->data[out->size] = '\0';
    return STATUS_OK;
}

enum status crypto_sealer_seal(struct crypto_sealer *sealer, const uint8_t key[KEY_SIZE],
                               struct slice plain, struct slice context, struct buffer *out)
{
    uint8_t nonce[NONCE_SIZE];
    enum status status = crypto_sealer_random(sealer, nonce, sizeof nonce);
    return status == STATUS_OK ? seal(sealer->cipher, nonce, key, plain, context, out) : status;
}

enum status crypto_seal(const uint8_t key[KEY_SIZE], struct slice plain, struct slice context,
                        struct buffer *out)
{
    uint8_t nonce[NONCE_SIZE];
    enum status status = crypto_random(nonce, sizeof nonce);
    if (status != STATUS_OK)
        return status;
    EVP_CIPHER_CTX *cipher = make_cipher();
    status = cipher ? seal(cipher, nonce, key, plain, context, out) : failed(STATUS_MEMORY);
    EVP_CIPHER_CTX_free(cipher);
    return status;
}

static bool decrypt(EVP_CIPHER_CTX *cipher, const uint8_t *key, struct slice sealed,
                    struct slice context, uint8_t *out)
{
    const uint8_t *nonce = (const uint8_t *)sealed.data;
    const uint8_t *text = nonce + NONCE_SIZE;
    int text_size = (int)sealed.size - NONCE_SIZE - TAG_SIZE;
    uint8_t tag[TAG_SIZE];
    memcpy(tag, text + text_size, TAG_SIZE);
    int size = 0;
    return EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
           EVP_DecryptUpdate(cipher, NULL, &size, (const uint8_t *)context.data,
                             (int)context.size) == 1 &&
           EVP_DecryptUpdate(cipher, out, &size, text, text_size) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
           EVP_DecryptFinal_ex(cipher, out + text_size, &size) == 1;
}

enum status crypto_open(const uint8_t key[KEY_SIZE], struct slice sealed, struct slice context,
                        struct buffer *out)
{
    if (sealed.size < NONCE_SIZE + TAG_SIZE)
        return STATUS_CORRUPT;
    if (sealed.size > INT_MAX || context.size > INT_MAX)
        return STATUS_INVALID;
    size_t size = sealed.size - NONCE_SIZE - TAG_SIZE;
    uint8_t *plain = (uint8_t *)buffer_reserve(out, size);
    if (!plain)
        return STATUS_FULL;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    if (!cipher)
        return failed(STATUS_MEMORY);
    enum status status = STATUS_OK;
    if (decrypt(cipher, key, sealed, with_address(context), plain)) {
        out->size += size;
        out->data[out->size] = '\0';
    } else {
        OPENSSL_cleanse(plain, size); /* what was decrypted is not to be believed */
        status = failed(STATUS_CORRUPT);
    }
    EVP_CIPHER_CTX_free(cipher);
    return status;
}

static enum status file_error(struct error *error, const char *path, const char *what)
{
    return error_set(error, STATUS_IO, "%s: %s: %s", path, what, strerror(errno));
}

static bool write_synced(int file, const uint8_t key[KEY_SIZE])
{
    return write(file, key, KEY_SIZE) == KEY_SIZE && fsync(file) == 0;
}

/* Written whole under another name first, then linked: nobody ever sees half a key, and a key
 * that is there already is never replaced. */
static enum status make_key_file(const char *path, struct error *error)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.new-XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof temporary)
        return error_set(error, STATUS_INVALID, "%s: the path is too long", path);
    uint8_t key[KEY_SIZE];
    if (crypto_random(key, sizeof key))
        return error_set(error, STATUS_UNAVAILABLE, "%s: no random bytes from the system", path);
    int file = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
    if (file < 0)
        return file_error(error, path, "cannot be made");
    enum status status = STATUS_OK;
    if (!write_synced(file, key))
        status = file_error(error, path, "cannot be written");
    else if (link(temporary, path) != 0 && errno != EEXIST)
        status = file_error(error, path, "cannot be made");
    OPENSSL_cleanse(key, sizeof key);
    close(file);
    unlink(temporary);
    return status;
}

static enum status read_key(int file, const char *path, uint8_t key[KEY_SIZE], struct error *error)
{
    struct stat about;
    if (fstat(file, &about) != 0)
        return file_error(error, path, "cannot be read");
    if (about.st_mode & 077)
        return error_set(error, STATUS_DENIED,
                         "%s: others may read this key (mode %04o); chmod 600 it", path,
                         (unsigned)about.st_mode & 07777);
    uint8_t content[KEY_SIZE + 1];
    ssize_t size = read(file, content, sizeof content);
    if (size < 0)
        return file_error(error, path, "cannot be read");
    if (size != KEY_SIZE)
        return error_set(error, STATUS_CORRUPT, "%s: a key has %d bytes, this file does not", path,
                         KEY_SIZE);
    memcpy(key, content, KEY_SIZE);
    OPENSSL_cleanse(content, sizeof content);
    return STATUS_OK;
}

enum status crypto_key_file(const char *path, bool create, uint8_t key[KEY_SIZE],
                            struct error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT && create) {
        enum status status = make_key_file(path, error);
        if (status)
            return status;
        file = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (file < 0)
        return errno == ENOENT ? error_set(error, STATUS_NOT_FOUND, "%s: no such key file", path)
                               : file_error(error, path, "cannot be opened");
    enum status status = read_key(file, path, key, error);
    close(file);
    /* Also one that was there: whoever made it may have been killed before this. */
    if (!status && create)
        status = folder_sync_of(path, error);
    return status;
}

enum status crypto_sign(const uint8_t seed[KEY_SIZE], struct slice message,
                        uint8_t signature[SIGNATURE_SIZE])
{
    enum status status = STATUS_UNSUPPORTED;
    size_t size = SIGNATURE_SIZE;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, KEY_SIZE);
    if (context && pair && EVP_DigestSignInit(context, NULL, NULL, NULL, pair) == 1 &&
        EVP_DigestSign(context, signature, &size, (const uint8_t *)with_address(message).data,
                       message.size) == 1)
        status = STATUS_OK;
    EVP_PKEY_free(pair);
    EVP_MD_CTX_free(context);
    return status ? failed(status) : STATUS_OK;
}

enum status crypto_verify(const uint8_t public_key[32], struct slice message,
                          const uint8_t signature[SIGNATURE_SIZE])
{
    enum status status = STATUS_CORRUPT;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, KEY_SIZE);
    if (context && key && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
        EVP_DigestVerify(context, signature, SIGNATURE_SIZE,
                         (const uint8_t *)with_address(message).data, message.size) == 1)
        status = STATUS_OK;
    EVP_PKEY_free(key);
    EVP_MD_CTX_free(context);
    return status ? failed(status) : STATUS_OK;
}

enum status crypto_public_key(const uint8_t seed[KEY_SIZE], uint8_t public_key[32])
{
    size_t size = 32;
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, KEY_SIZE);
    bool ok = pair && EVP_PKEY_get_raw_public_key(pair, public_key, &size) == 1 && size == 32;
    EVP_PKEY_free(pair);
    return ok ? STATUS_OK : failed(STATUS_UNSUPPORTED);
}
