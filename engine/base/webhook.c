/* Address and secret looked up, bodies posted and signed. Pure but for the network: any thread. */
#include "engine/base/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/http.h"
#include "engine/base/secret.h"

static enum status read_url(const struct yaml_node *node, const struct webhook_entry *entry,
                            const char *folder, char *url, struct error *error)
{
    int given = !!entry->url + !!entry->url_env + !!entry->url_file;
    if (given != 1)
        return yaml_error(node, error, "one of url, url_env and url_file is needed");
    const char *text = entry->url ? entry->url : entry->url_env ? getenv(entry->url_env) : NULL;
    if (entry->url_env && !text)
        return yaml_error(yaml_get(node, "url_env"), error, "the environment has no %s",
                          entry->url_env);
    if (entry->url_file) {
        struct error problem;
        if (secret_read(folder, entry->url_file, false, url, WEBHOOK_URL_SIZE, &problem) !=
            STATUS_OK)
            return yaml_error(yaml_get(node, "url_file"), error, "%s", problem.message);
    } else if (snprintf(url, WEBHOOK_URL_SIZE, "%s", text) >= WEBHOOK_URL_SIZE) {
        return yaml_error(node, error, "the address is longer than %d characters",
                          WEBHOOK_URL_SIZE - 1);
    }
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return yaml_error(node, error, "the address must begin with http:// or https://");
    return STATUS_OK;
}

static enum status read_secret(const struct yaml_node *node, const struct webhook_entry *entry,
                               const char *folder, struct webhook *webhook, struct error *error)
{
    char line[KEY_SIZE + 1];
    struct error problem;
    if (!entry->secret_file)
        return STATUS_OK;
    if (secret_read(folder, entry->secret_file, false, line, sizeof line, &problem) != STATUS_OK)
        return yaml_error(yaml_get(node, "secret_file"), error, "%s", problem.message);
    memcpy(webhook->secret, line, strlen(line));
    webhook->is_signed = true;
    return STATUS_OK;
}

enum status webhook_read(const struct yaml_node *node, const struct webhook_entry *entry,
                         const char *folder, struct webhook *webhook, struct error *error)
{
    *webhook = (struct webhook){.timeout_us = entry->timeout_us};
    enum status status = read_url(node, entry, folder, webhook->url, error);
    return status == STATUS_OK ? read_secret(node, entry, folder, webhook, error) : status;
}

/* 408, 429 and every 5xx may pass; other answers will be the same next time. */
static enum status judge(int code, struct error *error)
{
    if (code >= 200 && code < 300)
        return STATUS_OK;
    enum status status =
        code == 408 || code == 429 || code >= 500 ? STATUS_UNAVAILABLE : STATUS_INVALID;
    return error_set(error, status, "answered %d", code);
}

enum status webhook_post(const struct webhook *webhook, struct slice body, const char *key,
                         int64_t *retry_after_s, struct error *error)
{
    char idempotency[128], signature[128] = "";
    uint8_t mac[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    snprintf(idempotency, sizeof idempotency, "Idempotency-Key: %s", key);
    if (webhook->is_signed) {
        if (crypto_hmac_sha256(webhook->secret, body, mac) != STATUS_OK)
            return error_set(error, STATUS_INVALID, "the body cannot be signed");
        snprintf(signature, sizeof signature, "X-Binnacle-Signature: sha256=%s",
                 hex_encode(mac, sizeof mac, hex));
    }
    const char *const headers[] = {"Content-Type: application/json", idempotency,
                                   signature[0] ? signature : NULL, NULL};
    struct http_call call = {.method = "POST",
                             .url = webhook->url,
                             .headers = headers,
                             .body = body,
                             .timeout_ms = webhook->timeout_us / 1000};
    int code = 0;
    *retry_after_s = -1;
    enum status status = http_perform(&call, &code, NULL, retry_after_s, error);
    return status == STATUS_OK ? judge(code, error) : status;
}
