/* The few cryptographic operations binnacle needs, all by OpenSSL. Any thread. */
#ifndef BINNACLE_BASE_CRYPTO_H
#define BINNACLE_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

#define SHA256_SIZE 32
#define KEY_SIZE 32 /* AES-256, HMAC and Ed25519 seeds */

/* SHA-256 of up to three parts one after another; unused parts are {NULL, 0}. */
MUST_USE enum status crypto_sha256(struct slice a, struct slice b, struct slice c,
                                   uint8_t out[SHA256_SIZE]);
MUST_USE enum status crypto_hmac_sha256(const uint8_t key[KEY_SIZE], struct slice message,
                                        uint8_t out[SHA256_SIZE]);
/* Bytes from the system's generator. */
MUST_USE enum status crypto_random(void *out, size_t size);
bool crypto_equal(const void *a, const void *b, size_t size); /* constant time */

/* AES-256-GCM with a fresh random nonce: appends nonce (12), ciphertext, tag (16). `context` is
 * authenticated and not stored; opening needs the same one. */
MUST_USE enum status crypto_seal(const uint8_t key[KEY_SIZE], struct slice plain,
                                 struct slice context, struct buffer *out);
MUST_USE enum status crypto_open(const uint8_t key[KEY_SIZE], struct slice sealed,
                                 struct slice context, struct buffer *out);

/* A 32-byte key kept in a file of mode 0600; made when the file is not there and `create` is
 * true. A file that others may read is refused. */
MUST_USE enum status crypto_key_file(const char *path, bool create, uint8_t key[KEY_SIZE],
                                     struct error *error);

/* Ed25519 (RFC 8032): signatures of 64 bytes; `seed` is the private key's 32 bytes. */
MUST_USE enum status crypto_sign(const uint8_t seed[KEY_SIZE], struct slice message,
                                 uint8_t signature[64]);
MUST_USE enum status crypto_verify(const uint8_t public_key[32], struct slice message,
                                   const uint8_t signature[64]);
MUST_USE enum status crypto_public_key(const uint8_t seed[KEY_SIZE], uint8_t public_key[32]);

/* Lower-case hex, zero-terminated: out holds 2*size + 1. */
char *hex_encode(const void *data, size_t size, char *out);
bool hex_decode(struct slice text, void *out, size_t size); /* text of exactly 2*size digits */
bool base64_encode(struct slice data, struct buffer *out);
bool base64_decode(struct slice text, struct buffer *out);

#endif
