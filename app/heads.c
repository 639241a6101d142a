/* Signed heads into a topic and to a webhook. Each place has a thread of its own (head_post.c), on
 * which the functions here that deliver run. A producer that failed is made anew: whatever was
 * wrong with it is gone then. */
#include "app/heads.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/event/kafka_producer.h"

#define EVERY_US   (60 * US_PER_S)
#define FLUSH_MS   5000
#define MAX_PLACES 2

struct heads {
    const struct heads_config *config;
    const struct kafka_options *kafka;
    struct log *log;
    struct kafka_producer *producer; /* the topic's thread only; NULL: to be made */
    struct head_post *posts[MAX_PLACES];
    size_t n;
};

/* ---- configuration ---- */

struct heads_map {
    const char *file, *topic;
    const struct yaml_node *webhook;
    int64_t every_us;
};

static const struct config_key heads_keys[] = {
    {"file", CONFIG_STRING, offsetof(struct heads_map, file), false, 0, 0,
     "file, relative to the configuration, that every head is appended to; best where the ledger's "
     "owner can only add"},
    {"topic", CONFIG_STRING, offsetof(struct heads_map, topic), false, 0, 0,
     "topic in the cluster of `kafka`"},
    {"webhook", CONFIG_NODE, offsetof(struct heads_map, webhook), false, 0, 0,
     "http:// or https:// address, or {url, url_env, url_file, secret_file, timeout} as of a "
     "channel"},
    {"every", CONFIG_DURATION, offsetof(struct heads_map, every_us), false, 1, 86400,
     "topic and webhook: the newest head so often, and when a day or the ledger ends (60s)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

struct webhook_map {
    struct webhook_entry entry;
};

static const struct config_key webhook_keys[] = {
    WEBHOOK_KEYS(struct webhook_map, entry),
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

static enum status read_webhook(const struct yaml_node *node, const char *folder,
                                struct heads_config *config, struct error *error)
{
    struct webhook_map map = {.entry.timeout_us = WEBHOOK_TIMEOUT_US};
    enum status status = STATUS_OK;
    if (yaml_kind(node) == YAML_SCALAR)
        map.entry.url = yaml_text(node);
    else
        status = config_read(node, webhook_keys, &map, error);
    if (status == STATUS_OK)
        status = webhook_read(node, &map.entry, folder, &config->webhook, error);
    config->has_webhook = status == STATUS_OK;
    return status;
}

enum status heads_read(const struct yaml_node *node, const char *folder,
                       struct heads_config *config, struct error *error)
{
    struct heads_map map = {.every_us = EVERY_US};
    enum status status = STATUS_OK;
    if (node && yaml_kind(node) == YAML_SCALAR)
        map.file = yaml_text(node);
    else if (node)
        status = config_read(node, heads_keys, &map, error);
    if (status == STATUS_OK && map.webhook)
        status = read_webhook(map.webhook, folder, config, error);
    config->file = map.file;
    config->topic = map.topic;
    config->every_us = map.every_us;
    return status;
}

/* ---- delivering ---- */

static enum status post_head(void *context, const struct signed_head *head, struct slice json,
                             struct error *error)
{
    const struct heads *heads = context;
    char key[64];
    int64_t retry_after_s;
    snprintf(key, sizeof key, "%s-%" PRIu64, head->key_id, head->tree_size);
    return webhook_post(&heads->config->webhook, json, key, &retry_after_s, error);
}

static enum status produce_head(void *context, const struct signed_head *head, struct slice json,
                                struct error *error)
{
    struct heads *heads = context;
    const struct kafka_producer_options options = {.kafka = heads->kafka, .log = heads->log};
    const struct kafka_message message = {
        .topic = heads->config->topic, .key = slice_of(head->key_id), .value = json};
    enum status status =
        heads->producer ? STATUS_OK : kafka_producer_open(&options, &heads->producer, error);
    if (status == STATUS_OK)
        status = kafka_producer_put(heads->producer, &message, error);
    if (status == STATUS_OK)
        status = kafka_producer_flush(heads->producer, FLUSH_MS, error);
    if (status != STATUS_OK) {
        kafka_producer_close(heads->producer);
        heads->producer = NULL;
    }
    return status;
}

/* ---- opening and closing ---- */

static enum status add_place(struct heads *heads, const char *name, head_deliver *deliver,
                             struct error *error)
{
    const struct head_post_options options = {.name = name,
                                              .deliver = deliver,
                                              .context = heads,
                                              .every_ms = heads->config->every_us / 1000,
                                              .log = heads->log};
    enum status status = head_post_open(&options, &heads->posts[heads->n], error);
    heads->n += status == STATUS_OK;
    return status;
}

enum status heads_open(const struct heads_config *config, const struct kafka_options *kafka,
                       struct log *log, struct heads **heads, struct error *error)
{
    struct heads *opened = calloc(1, sizeof *opened);
    *heads = opened;
    if (!opened)
        return error_set(error, STATUS_MEMORY, "out of memory");
    *opened = (struct heads){.config = config, .kafka = kafka, .log = log};
    if (config->topic && !kafka->brokers)
        return error_set(
            error, STATUS_INVALID,
            "ledger: heads: topic is in the cluster of `kafka`: configure its brokers");
    enum status status = STATUS_OK;
    if (config->topic)
        status = add_place(opened, "topic", produce_head, error);
    if (status == STATUS_OK && config->has_webhook)
        status = add_place(opened, "webhook", post_head, error);
    return status;
}

void heads_close(struct heads *heads)
{
    if (!heads)
        return;
    for (size_t i = 0; i < heads->n; i++)
        head_post_close(heads->posts[i]);
    kafka_producer_close(heads->producer);
    free(heads);
}

struct head_post *const *heads_posts(const struct heads *heads, size_t *n)
{
    *n = heads->n;
    return heads->posts;
}

void heads_fill(const struct heads *heads, struct snapshot *snapshot)
{
    for (size_t i = 0; heads && i < heads->n; i++) {
        struct head_post_stats stats;
        struct head_place_status *place = &snapshot->head_places[snapshot->n_head_places++];
        head_post_stats(heads->posts[i], &stats);
        *place = (struct head_place_status){.sent = stats.sent,
                                            .failed = stats.failed,
                                            .rows_sent = stats.rows_sent,
                                            .rows_signed = stats.rows_signed};
        snprintf(place->name, sizeof place->name, "%s", stats.name);
    }
}
