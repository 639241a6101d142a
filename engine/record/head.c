/* Signed tree heads and their key.
 *
 * A head is signed over the four lines that are written down in head.h, so that any program with an
 * Ed25519 library can check it. A public key travels as PEM: the fixed 12 bytes that RFC 8410 puts
 * before an Ed25519 key, the key, in base64. Any thread. */
#include "engine/record/head.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/record/files_priv.h"

#define MESSAGE_SIZE 160

static const uint8_t PEM_PREFIX[12] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
static const char PEM_BEGIN[] = "-----BEGIN PUBLIC KEY-----";
static const char PEM_END[] = "-----END PUBLIC KEY-----";

enum status head_key_id(const uint8_t public_key[PUBLIC_KEY_SIZE], char key_id[KEY_ID_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    enum status status = crypto_sha256(slice_make(public_key, PUBLIC_KEY_SIZE), (struct slice){0},
                                       (struct slice){0}, digest);
    if (status == STATUS_OK)
        hex_encode(digest, (KEY_ID_SIZE - 1) / 2, key_id);
    return status;
}

enum status head_key_load(const char *dir, bool create, struct head_key *key, struct error *error)
{
    enum status status = key_load(dir, "head.key", create, key->seed, error);
    if (status != STATUS_OK)
        return status;
    status = crypto_public_key(key->seed, key->public_key);
    if (status == STATUS_OK)
        status = head_key_id(key->public_key, key->key_id);
    return status == STATUS_OK ? status : error_set(error, status, "cannot use the signing key");
}

static struct slice message_of(const struct signed_head *head, char text[MESSAGE_SIZE])
{
    char root[2 * SHA256_SIZE + 1];
    int size =
        snprintf(text, MESSAGE_SIZE, "binnacle-head-v1\n%" PRIu64 "\n%" PRId64 "\n%s\n",
                 head->tree_size, head->timestamp_ms, hex_encode(head->root, SHA256_SIZE, root));
    return slice_make(text, (size_t)size);
}

enum status head_sign(const struct head_key *key, struct signed_head *head)
{
    char text[MESSAGE_SIZE];
    memcpy(head->key_id, key->key_id, KEY_ID_SIZE);
    return crypto_sign(key->seed, message_of(head, text), head->signature);
}

enum status head_check(const struct signed_head *head, const uint8_t public_key[PUBLIC_KEY_SIZE])
{
    char text[MESSAGE_SIZE], key_id[KEY_ID_SIZE];
    enum status status = head_key_id(public_key, key_id);
    if (status == STATUS_OK && strcmp(key_id, head->key_id) != 0)
        status = STATUS_CORRUPT;
    if (status == STATUS_OK)
        status = crypto_verify(public_key, message_of(head, text), head->signature);
    return status;
}

void head_json(const struct signed_head *head, struct json_writer *json, const char *key)
{
    struct buffer signature;
    buffer_init(&signature, 128);
    base64_encode(slice_make(head->signature, SIGNATURE_SIZE), &signature);
    json_object(json, key);
    json_int(json, "tree_size", (int64_t)head->tree_size);
    json_int(json, "timestamp_ms", head->timestamp_ms);
    json_hex(json, "root", head->root, SHA256_SIZE);
    json_text(json, "key_id", head->key_id);
    json_string(json, "signature_b64", buffer_slice(&signature));
    json_object_end(json);
    buffer_free(&signature);
}

/* A whole number that a double holds exactly. */
static bool take_count(const struct json *json, const char *key, int64_t *count)
{
    double number = json_as_number(json_get(json, key), -1);
    *count = number >= 0 && number <= 9007199254740992.0 ? (int64_t)number : -1;
    return *count >= 0 && (double)*count == number;
}

static bool take_signature(const struct json *json, uint8_t signature[SIGNATURE_SIZE])
{
    struct buffer bytes;
    buffer_init(&bytes, 256);
    bool whole =
        base64_decode(slice_of(json_as_text(json_get(json, "signature_b64"), "")), &bytes) &&
        bytes.size == SIGNATURE_SIZE;
    if (whole)
        memcpy(signature, bytes.data, SIGNATURE_SIZE);
    buffer_free(&bytes);
    return whole;
}

enum status head_parse(const struct json *json, struct signed_head *head, struct error *error)
{
    int64_t tree_size = 0;
    const char *key_id = json_as_text(json_get(json, "key_id"), "");
    struct slice root = slice_of(json_as_text(json_get(json, "root"), ""));
    const char *wrong = NULL;
    if (json_kind(json) != JSON_OBJECT || !take_count(json, "tree_size", &tree_size))
        wrong = "tree_size";
    else if (!take_count(json, "timestamp_ms", &head->timestamp_ms))
        wrong = "timestamp_ms";
    else if (!hex_decode(root, head->root, SHA256_SIZE))
        wrong = "root";
    else if (strlen(key_id) != KEY_ID_SIZE - 1)
        wrong = "key_id";
    else if (!take_signature(json, head->signature))
        wrong = "signature_b64";
    if (wrong)
        return error_set(error, STATUS_INVALID, "not a signed head: %s is missing or malformed",
                         wrong);
    head->tree_size = (uint64_t)tree_size;
    memcpy(head->key_id, key_id, KEY_ID_SIZE);
    return STATUS_OK;
}

bool public_key_pem(const uint8_t public_key[PUBLIC_KEY_SIZE], struct buffer *out)
{
    uint8_t der[sizeof PEM_PREFIX + PUBLIC_KEY_SIZE];
    memcpy(der, PEM_PREFIX, sizeof PEM_PREFIX);
    memcpy(der + sizeof PEM_PREFIX, public_key, PUBLIC_KEY_SIZE);
    buffer_append_text(out, PEM_BEGIN);
    buffer_append_char(out, '\n');
    base64_encode(slice_make(der, sizeof der), out);
    buffer_append_char(out, '\n');
    buffer_append_text(out, PEM_END);
    return buffer_append_char(out, '\n');
}

enum status public_key_parse(struct slice pem, uint8_t public_key[PUBLIC_KEY_SIZE],
                             struct error *error)
{
    struct buffer der, text;
    buffer_init(&der, 256);
    buffer_init(&text, 4096);
    const char *begin = memmem(pem.data, pem.size, PEM_BEGIN, sizeof PEM_BEGIN - 1);
    const char *end = memmem(pem.data, pem.size, PEM_END, sizeof PEM_END - 1);
    for (const char *at = begin ? begin + sizeof PEM_BEGIN - 1 : NULL; at && end && at < end; at++)
        if (*at != '\n' && *at != '\r')
            buffer_append_char(&text, *at);
    bool whole = base64_decode(buffer_slice(&text), &der) &&
                 der.size == sizeof PEM_PREFIX + PUBLIC_KEY_SIZE &&
                 memcmp(der.data, PEM_PREFIX, sizeof PEM_PREFIX) == 0;
    if (whole)
        memcpy(public_key, der.data + sizeof PEM_PREFIX, PUBLIC_KEY_SIZE);
    buffer_free(&der);
    buffer_free(&text);
    return whole ? STATUS_OK
                 : error_set(error, STATUS_INVALID, "not a PEM file with an Ed25519 public key");
}
