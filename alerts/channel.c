/* Reading the channels, wording a notice for each kind, and posting it. */
#include "alerts/channel.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/webhook.h"

/* Appends it; body->overflow says that it did not fit. */
typedef void render_notice(const struct notice *notice, struct buffer *body);

struct channel {
    char name[NAME_SIZE];
    render_notice *render;
    struct webhook webhook;
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
    if (notice->explanation)
        explanation_json(notice->explanation, &json, "explanation");
    else
        json_null(&json, "explanation");
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

static void slack_explanation(const struct explanation *explanation, struct buffer *out)
{
    const struct explained_cause *cause = &explanation->causes[0];
    buffer_append_text(out, "\nlikely cause: ");
    append_escaped(out, cause->cause);
    buffer_append_text(out, cause->slice[0] ? " " : "");
    append_escaped(out, cause->slice);
    buffer_append_text(out, ": ");
    append_escaped(out, cause->evidence);
    const char *action = explanation_action(explanation);
    if (action[0]) {
        buffer_append_text(out, "\nto do: ");
        append_escaped(out, action);
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
    if (notice->explanation)
        slack_explanation(notice->explanation, out);
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
    buffer_init(&text, body->maximum);
    slack_text(notice, &text);
    json_begin(&json, body);
    json_object(&json, NULL);
    json_string(&json, "text", buffer_slice(&text));
    json_object_end(&json);
    body->overflow |= text.overflow;
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
    const char *name, *type;
    struct webhook_entry webhook;
};

static const struct config_key entry_keys[] = {
    {"name", CONFIG_STRING, offsetof(struct entry, name), true, 0, 0, "what rules call it"},
    {"type", CONFIG_STRING, offsetof(struct entry, type), true, 0, 0, "slack or webhook"},
    WEBHOOK_KEYS(struct entry, webhook),
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

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
    struct entry entry = {.webhook.timeout_us = WEBHOOK_TIMEOUT_US};
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
    status = read_kind(node, &entry, channel, error);
    if (status == STATUS_OK)
        status = webhook_read(node, &entry.webhook, folder, &channel->webhook, error);
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

enum status channel_render(const struct channels *channels, int index, const struct notice *notice,
                           struct buffer *body, struct error *error)
{
    buffer_reset(body);
    channels->channels[index].render(notice, body);
    return body->overflow
               ? error_set(error, STATUS_FULL,
                           "the message does not fit in %zu bytes, or in memory", body->maximum)
               : STATUS_OK;
}

enum status channel_post(const struct channels *channels, int index, struct slice body,
                         const char *key, int64_t *retry_after_s, struct error *error)
{
    return webhook_post(&channels->channels[index].webhook, body, key, retry_after_s, error);
}
