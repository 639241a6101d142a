/* The few cryptographic operations binnacle needs, all by OpenSSL. Any thread. */
#ifndef BINNACLE_BASE_CRYPTO_H
#define BINNACLE_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/encoding.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

#define SHA256_SIZE 32
#define SHA1_SIZE   20
#define KEY_SIZE    32 /* AES-256, HMAC and Ed25519 seeds */

/* SHA-256 of up to three parts one after another; unused parts are {NULL, 0}. */
MUST_USE enum status crypto_sha256(struct slice a, struct slice b, struct slice c,
                                   uint8_t out[SHA256_SIZE]);
MUST_USE enum status crypto_hmac_sha256(const uint8_t key[KEY_SIZE], struct slice message,
                                        uint8_t out[SHA256_SIZE]);
/* SHA-1 of two parts: for what a protocol demands it, never to protect anything. */
MUST_USE enum status crypto_sha1(struct slice a, struct slice b, uint8_t out[SHA1_SIZE]);
/* SHA-256 of what comes piece by piece. NULL: out of memory. Ending frees it; NULL gives
 * STATUS_MEMORY. One thread. */
struct crypto_sum;
struct crypto_sum *crypto_sum_begin(void);
void crypto_sum_add(struct crypto_sum *sum, const void *data, size_t size);
MUST_USE enum status crypto_sum_end(struct crypto_sum *sum, uint8_t out[SHA256_SIZE]);

/* Bytes from the system's generator. */
MUST_USE enum status crypto_random(void *out, size_t size);
bool crypto_equal(const void *a, const void *b, size_t size); /* constant time */

/* AES-256-GCM with a fresh random nonce: appends nonce (12), ciphertext, tag (16). `context` is
 * authenticated and not stored; opening needs the same one, and what was not sealed with this key
 * and context is STATUS_CORRUPT and appends nothing. */
MUST_USE enum status crypto_seal(const uint8_t key[KEY_SIZE], struct slice plain,
                                 struct slice context, struct buffer *out);
MUST_USE enum status crypto_open(const uint8_t key[KEY_SIZE], struct slice sealed,
                                 struct slice context, struct buffer *out);

/* The same for who seals much: what sealing needs is set up once, and random bytes are drawn many
 * at a time. NULL: out of memory. One thread at a time, and never in a process forked meanwhile,
 * which would seal with the same nonces. */
struct crypto_sealer;
struct crypto_sealer *crypto_sealer_create(void);
void crypto_sealer_destroy(struct crypto_sealer *sealer); /* NULL is ignored */
MUST_USE enum status crypto_sealer_seal(struct crypto_sealer *sealer, const uint8_t key[KEY_SIZE],
                                        struct slice plain, struct slice context,
                                        struct buffer *out);
MUST_USE enum status crypto_sealer_random(struct crypto_sealer *sealer, void *out, size_t size);

/* A key of 32 bytes kept as they are in a file of mode 0600; made when the file is not there and
 * `create` is true (of several processes that do so at once, one wins and all get its key), else
 * STATUS_NOT_FOUND. A file that others may read is refused (STATUS_DENIED). */
MUST_USE enum status crypto_key_file(const char *path, bool create, uint8_t key[KEY_SIZE],
                                     struct error *error);

/* Ed25519 (RFC 8032): signatures of 64 bytes; `seed` is the private key's 32 bytes. A
 * signature that does not fit is STATUS_CORRUPT. */
MUST_USE enum status crypto_sign(const uint8_t seed[KEY_SIZE], struct slice message,
                                 uint8_t signature[64]);
MUST_USE enum status crypto_verify(const uint8_t public_key[32], struct slice message,
                                   const uint8_t signature[64]);
MUST_USE enum status crypto_public_key(const uint8_t seed[KEY_SIZE], uint8_t public_key[32]);

#endif
