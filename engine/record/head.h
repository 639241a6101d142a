/* Signed tree heads: who held the signing key said at a time that the ledger had these rows. */
#ifndef BINNACLE_RECORD_HEAD_H
#define BINNACLE_RECORD_HEAD_H

#include <stdint.h>

#include "engine/base/crypto.h"
#include "engine/base/json.h"
#include "engine/base/status.h"

#define PUBLIC_KEY_SIZE 32
#define SIGNATURE_SIZE  64
#define KEY_ID_SIZE     17 /* 16 hex digits and a zero */

struct signed_head {
    uint64_t tree_size;
    int64_t timestamp_ms; /* when it was signed, by the machine's clock */
    uint8_t root[SHA256_SIZE];
    char key_id[KEY_ID_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
};

/* The private key's seed and what follows from it. Wipe with explicit_bzero(). */
struct head_key {
    uint8_t seed[KEY_SIZE];
    uint8_t public_key[PUBLIC_KEY_SIZE];
    char key_id[KEY_ID_SIZE];
};

/* All of these: any thread. */

/* keys/head.key of a ledger's folder. `create`: made when it is not there; else STATUS_NOT_FOUND
 * with a message that says what to do. */
MUST_USE enum status head_key_load(const char *dir, bool create, struct head_key *key,
                                   struct error *error);
/* The first 16 hex digits of SHA-256 of the 32 bytes of the public key. */
MUST_USE enum status head_key_id(const uint8_t public_key[PUBLIC_KEY_SIZE],
                                 char key_id[KEY_ID_SIZE]);

/* Fills key_id and signature: Ed25519 (RFC 8032) over
 * "binnacle-head-v1\n<tree_size>\n<timestamp_ms>\n<root hex>\n". */
MUST_USE enum status head_sign(const struct head_key *key, struct signed_head *head);
/* STATUS_CORRUPT: not signed by this key, or not over these values. */
MUST_USE enum status head_check(const struct signed_head *head,
                                const uint8_t public_key[PUBLIC_KEY_SIZE]);

/* {"tree_size","timestamp_ms","root","key_id","signature_b64"}; `key` as in json_object(). */
void head_json(const struct signed_head *head, struct json_writer *json, const char *key);
/* The reverse; other members are ignored. STATUS_INVALID says what is missing or malformed. */
MUST_USE enum status head_parse(const struct json *json, struct signed_head *head,
                                struct error *error);

/* A public key as PEM (RFC 8410, SubjectPublicKeyInfo), as other programs read it. Appends. */
bool public_key_pem(const uint8_t public_key[PUBLIC_KEY_SIZE], struct buffer *out);
/* The reverse. STATUS_INVALID: not an Ed25519 public key. */
MUST_USE enum status public_key_parse(struct slice pem, uint8_t public_key[PUBLIC_KEY_SIZE],
                                      struct error *error);

#endif
