/* Reading the channels, wording a notice for each kind, and posting it. */
#include "alerts/channel.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/crypto.h"
#include "engine/base/http.h"
#include "engine/base/json.h"
#include "engine/base/secret.h"

#define URL_SIZE   2048
#define TIMEOUT_US (10 * US_PER_S)

typedef void render_notice(const struct notice *notice, struct buffer *body);

struct channel {
    char name[NAME_SIZE];
    char url[URL_SIZE];
    render_notice *render;
    int64_t timeout_us;
    bool is_signed;
    uint8_t secret[KEY_SIZE]; /* HMAC pads shorter keys with zeros, so this is the key itself */
};

struct channels {
    struct channel channels[MAX_CHANNELS];
    int n;
};

/* ---- words ---- */

static const char *state_of(const struct notice *notice)
{
    return notice->transition == TRANSITION_FIRING ? "firing" : "resolved";
}

static void render_webhook(const struct notice *notice, struct buffer *body)
{
    struct json_writer json;
    json_begin(&json, body);
    json_object(&json, NULL);
    json_int(&json, "schema", 1);
    json_text(&json, "service", notice->service);
    json_text(&json, "name", notice->name);
    json_text(&json, "state", state_of(notice));
    json_text(&json, "severity", notice->severity);
    json_text(&json, "summary", notice->summary);
    json_number(&json, "value", notice->value);
    json_time(&json, "since", notice->fired_us);
    json_time(&json, "at", notice->at_us);
    json_text(&json, "link", notice->link);
    json_text(&json, "fingerprint", notice->fingerprint);
    json_object(&json, "labels");
    json_text(&json, "service", notice->service);
    json_text(&json, "alertname", notice->name);
    json_text(&json, "severity", notice->severity);
    json_object_end(&json);
    json_object_end(&json);
}

/* Slack gives these three a meaning in text: Slack documentation, "Formatting message text" */
static void append_escaped(struct buffer *out, const char *text)
{
    for (; text && *text; text++) {
        if (*text == '&')
            buffer_append_text(out, "&amp;");
        else if (*text == '<')
            buffer_append_text(out, "&lt;");
        else if (*text == '>')
            buffer_append_text(out, "&gt;");
        else
            buffer_append_char(out, *text);
    }
}

static void slack_text(const struct notice *notice, struct buffer *out)
{
    bool firing = notice->transition == TRANSITION_FIRING;
    bool page = strcmp(notice->severity, "page") == 0;
    char since[TIME_TEXT_SIZE];
    buffer_printf(out, "%s *", !firing ? "● resolved" : page ? "▲ page" : "◆ ticket");
    append_escaped(out, notice->name);
    buffer_append_text(out, "* on ");
    append_escaped(out, notice->service);
    buffer_append_text(out, "\n");
    append_escaped(out, notice->summary);
    buffer_printf(out, "\nsince %s", time_format(notice->fired_us, since));
    if (notice->link) {
        buffer_append_text(out, " · <");
        append_escaped(out, notice->link);
        buffer_append_text(out, "|open binnacle>");
    }
}

static void render_slack(const struct notice *notice, struct buffer *body)
{
    struct buffer text;
    struct json_writer json;
    buffer_init(&text, 1u << 16);
    slack_text(notice, &text);
    json_begin(&json, body);
    json_object(&json, NULL);
    json_string(&json, "text", buffer_slice(&text));
    json_object_end(&json);
    buffer_free(&text);
}

static const struct kind {
    const char *name;
    render_notice *render;
} kinds[] = {
    {"slack", render_slack},
    {"webhook", render_webhook},
};

/* ---- reading ---- */

struct entry {
    const char *name, *type, *url, *url_env, *url_file, *secret_file;
    int64_t timeout_us;
};

static const struct config_key entry_keys[] = {
    {"name", CONFIG_STRING, offsetof(struct entry, name), true, 0, 0, "what rules call it"},
    {"type", CONFIG_STRING, offsetof(struct entry, type), true, 0, 0, "slack or webhook"},
    {"url", CONFIG_STRING, offsetof(struct entry, url), false, 0, 0,
     "http:// or https:// address; better one of the next two when it is a secret"},
    {"url_env", CONFIG_STRING, offsetof(struct entry, url_env), false, 0, 0,
     "environment variable that holds the address"},
    {"url_file", CONFIG_STRING, offsetof(struct entry, url_file), false, 0, 0,
     "file that holds the address"},
    {"secret_file", CONFIG_STRING, offsetof(struct entry, secret_file), false, 0, 0,
     "file with up to 32 bytes: bodies are signed with HMAC-SHA256 in X-Binnacle-Signature"},
    {"timeout", CONFIG_DURATION, offsetof(struct entry, timeout_us), false, 0.1, 60,
     "how long an answer may take before the message is tried again (10s)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

static enum status read_url(const struct yaml_node *node, const struct entry *entry,
                            const char *folder, char *url, struct error *error)
{
    int given = !!entry->url + !!entry->url_env + !!entry->url_file;
    if (given != 1)
        return yaml_error(node, error, "a channel needs one of url, url_env and url_file");
    const char *text = entry->url ? entry->url : entry->url_env ? getenv(entry->url_env) : NULL;
    if (entry->url_env && !text)
        return yaml_error(yaml_get(node, "url_env"), error, "the environment has no %s",
                          entry->url_env);
    if (entry->url_file) {
        struct error problem;
        if (secret_read(folder, entry->url_file, false, url, URL_SIZE, &problem) != STATUS_OK)
            return yaml_error(yaml_get(node, "url_file"), error, "%s", problem.message);
    } else if (snprintf(url, URL_SIZE, "%s", text) >= URL_SIZE) {
        return yaml_error(node, error, "the address is longer than %d characters", URL_SIZE - 1);
    }
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return yaml_error(node, error, "the address must begin with http:// or https://");
    return STATUS_OK;
}

static enum status read_secret(const struct yaml_node *node, const struct entry *entry,
                               const char *folder, struct channel *channel, struct error *error)
{
    char line[KEY_SIZE + 1];
    struct error problem;
    if (!entry->secret_file)
        return STATUS_OK;
    if (secret_read(folder, entry->secret_file, false, line, sizeof line, &problem) != STATUS_OK)
        return yaml_error(yaml_get(node, "secret_file"), error, "%s", problem.message);
    memcpy(channel->secret, line, strlen(line));
    channel->is_signed = true;
    return STATUS_OK;
}

static enum status read_kind(const struct yaml_node *node, const struct entry *entry,
                             struct channel *channel, struct error *error)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, entry->type) == 0)
            channel->render = kinds[i].render;
    }
    if (!channel->render)
        return yaml_error(yaml_get(node, "type"), error, "'%s' is not slack or webhook",
                          entry->type);
    return STATUS_OK;
}

static enum status read_channel(struct channels *channels, const struct yaml_node *node,
                                const char *folder, struct error *error)
{
    struct entry entry = {.timeout_us = TIMEOUT_US};
    struct channel *channel = &channels->channels[channels->n];
    enum status status = config_read(node, entry_keys, &entry, error);
    if (status != STATUS_OK)
        return status;
    if (!entry.name[0] || strlen(entry.name) >= sizeof channel->name ||
        channels_find(channels, entry.name) >= 0)
        return yaml_error(yaml_get(node, "name"), error,
                          "a name of up to %d characters that no other channel has is needed",
                          NAME_SIZE - 1);
    snprintf(channel->name, sizeof channel->name, "%s", entry.name);
    channel->timeout_us = entry.timeout_us;
    status = read_kind(node, &entry, channel, error);
    if (status == STATUS_OK)
        status = read_url(node, &entry, folder, channel->url, error);
    if (status == STATUS_OK)
        status = read_secret(node, &entry, folder, channel, error);
    if (status == STATUS_OK)
        channels->n++;
    return status;
}

enum status channels_read(const struct yaml_node *node, const char *folder,
                          struct channels **channels, struct error *error)
{
    *channels = NULL;
    if (node && (yaml_kind(node) != YAML_LIST || yaml_size(node) > MAX_CHANNELS))
        return yaml_error(node, error, "channels is a list of up to %d {name, type, url}",
                          MAX_CHANNELS);
    struct channels *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = STATUS_OK;
    for (size_t i = 0; node && i < yaml_size(node) && status == STATUS_OK; i++)
        status = read_channel(made, yaml_item(node, i), folder ? folder : ".", error);
    if (status != STATUS_OK) {
        channels_destroy(made);
        return status;
    }
    *channels = made;
    return STATUS_OK;
}

void channels_destroy(struct channels *channels)
{
    free(channels);
}

int channels_count(const struct channels *channels)
{
    return channels->n;
}

const char *channels_name(const struct channels *channels, int index)
{
    return channels->channels[index].name;
}

int channels_find(const struct channels *channels, const char *name)
{
    for (int i = 0; i < channels->n; i++) {
        if (strcmp(channels->channels[i].name, name) == 0)
            return i;
    }
    return -1;
}

/* ---- posting ---- */

void channel_render(const struct channels *channels, int index, const struct notice *notice,
                    struct buffer *body)
{
    channels->channels[index].render(notice, body);
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

enum status channel_post(const struct channels *channels, int index, struct slice body,
                         const char *key, int64_t *retry_after_s, struct error *error)
{
    const struct channel *channel = &channels->channels[index];
    char idempotency[128], signature[128] = "";
    uint8_t mac[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    snprintf(idempotency, sizeof idempotency, "Idempotency-Key: %s", key);
    if (channel->is_signed) {
        if (crypto_hmac_sha256(channel->secret, body, mac) != STATUS_OK)
            return error_set(error, STATUS_INVALID, "the body cannot be signed");
        snprintf(signature, sizeof signature, "X-Binnacle-Signature: sha256=%s",
                 hex_encode(mac, sizeof mac, hex));
    }
    const char *const headers[] = {"Content-Type: application/json", idempotency,
                                   signature[0] ? signature : NULL, NULL};
    struct http_call call = {.method = "POST",
                             .url = channel->url,
                             .headers = headers,
                             .body = body,
                             .timeout_ms = channel->timeout_us / 1000};
    int code = 0;
    *retry_after_s = -1;
    enum status status = http_perform(&call, &code, NULL, retry_after_s, error);
    return status == STATUS_OK ? judge(code, error) : status;
}
