/* JSON posted to somebody's address, signed when they gave a secret: as alerts and signed heads go
 * out. */
#ifndef BINNACLE_BASE_WEBHOOK_H
#define BINNACLE_BASE_WEBHOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/crypto.h"
#include "engine/base/yaml.h"

#define WEBHOOK_URL_SIZE 2048

struct webhook {
    char url[WEBHOOK_URL_SIZE];
    int64_t timeout_us;
    bool is_signed;
    uint8_t secret[KEY_SIZE]; /* HMAC pads shorter keys with zeros, so this is the key itself */
};

/* What a configuration says of one; the rows that read it follow. */
struct webhook_entry {
    const char *url, *url_env, *url_file, *secret_file;
    int64_t timeout_us;
};
/* offsetof() takes a member, which no parentheses may enclose. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define WEBHOOK_KEYS(type, member)                                                                 \
    {"url",                                                                                        \
     CONFIG_STRING,                                                                                \
     offsetof(type, member.url),                                                                   \
     false,                                                                                        \
     0,                                                                                            \
     0,                                                                                            \
     "http:// or https:// address; better one of the next two when it is a secret"},               \
        {"url_env",                                                                                \
         CONFIG_STRING,                                                                            \
         offsetof(type, member.url_env),                                                           \
         false,                                                                                    \
         0,                                                                                        \
         0,                                                                                        \
         "environment variable that holds the address"},                                           \
        {"url_file",                                                                               \
         CONFIG_STRING,                                                                            \
         offsetof(type, member.url_file),                                                          \
         false,                                                                                    \
         0,                                                                                        \
         0,                                                                                        \
         "file that holds the address"},                                                           \
        {"secret_file",                                                                            \
         CONFIG_STRING,                                                                            \
         offsetof(type, member.secret_file),                                                       \
         false,                                                                                    \
         0,                                                                                        \
         0,                                                                                        \
         "file with up to 32 bytes: bodies are signed with HMAC-SHA256 in X-Binnacle-Signature"},  \
    {                                                                                              \
        "timeout", CONFIG_DURATION, offsetof(type, member.timeout_us), false, 0.1, 60,             \
            "how long an answer may take before the message is tried again (10s)"                  \
    }
/* NOLINTEND(bugprone-macro-parentheses) */
#define WEBHOOK_TIMEOUT_US INT64_C(10000000)

/* Looks up address and secret; `folder` is where relative files lie. `node` is the map that it was
 * read from, for places in errors. */
MUST_USE enum status webhook_read(const struct yaml_node *node, const struct webhook_entry *entry,
                                  const char *folder, struct webhook *webhook, struct error *error);

/* STATUS_OK: taken. STATUS_UNAVAILABLE: may pass (408, 429, 5xx, not reached); *retry_after_s is
 * what the peer asked for or -1. STATUS_INVALID: will not. `key` tells repeats apart from new ones.
 * Any thread. */
MUST_USE enum status webhook_post(const struct webhook *webhook, struct slice body, const char *key,
                                  int64_t *retry_after_s, struct error *error);

#endif
