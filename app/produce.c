/* `produce`: synthetic events to a file, to standard output, to a running binnacle or to a topic.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/config.h"
#include "app/interrupt.h"
#include "app/output.h"
#include "app/progress.h"
#include "engine/base/clock.h"
#include "engine/base/http.h"
#include "engine/event/kafka_producer.h"
#include "engine/event/producer.h"

#define SEND_EVENTS      256
#define FLUSH_TIMEOUT_MS 120000
#define SEND_BYTES       (1u << 20)
#define MOST_WAIT_S      3600 /* whatever Retry-After says */

struct target;

/* One way to bring a line somewhere. */
struct target_kind {
    const char *prefix; /* of the target's name; "" is a file or standard output */
    enum status (*open)(const struct cli_args *args, struct target *target, struct error *error);
    /* Gives away what is in the batch; called when it is full or its events are due. */
    enum status (*send)(struct target *target, struct error *error);
    enum status (*finish)(struct target *target, struct error *error);
    void (*release)(struct target *target);
    bool every_event; /* no batches: the key is the event's */
};

struct target {
    const struct target_kind *kind;
    const char *name;
    struct buffer batch;
    int n_batch;
    int64_t user; /* of the event in the batch */
    struct output output;
    char *url; /* a running binnacle's batch route */
    struct kafka_options kafka;
    struct config *config; /* with --config: how to reach the cluster */
    char brokers[512];
    struct kafka_producer *producer;
};

/* ---- a file, or standard output ---- */

static enum status open_file(const struct cli_args *args, struct target *target,
                             struct error *error)
{
    (void)args;
    return output_open(target->name, &target->output, error);
}

static enum status write_lines(struct target *target, struct error *error)
{
    return output_write(target->output.file, target->name, buffer_slice(&target->batch), error);
}

static enum status commit_file(struct target *target, struct error *error)
{
    return output_commit(&target->output, error);
}

static void discard_file(struct target *target)
{
    output_discard(&target->output);
}

/* ---- a running binnacle ---- */

static enum status open_url(const struct cli_args *args, struct target *target, struct error *error)
{
    (void)args;
    size_t length = strlen(target->name);
    while (length > 0 && target->name[length - 1] == '/')
        length--;
    if (asprintf(&target->url, "%.*s/v1/score/batch", (int)length, target->name) < 0)
        return error_set(error, STATUS_MEMORY, "out of memory");
    return STATUS_OK;
}

static enum status post_lines(struct target *target, struct error *error)
{
    const char *const headers[] = {"Content-Type: application/x-ndjson", NULL};
    struct http_call call = {.method = "POST",
                             .url = target->url,
                             .headers = headers,
                             .body = buffer_slice(&target->batch),
                             .timeout_ms = 30000};
    int code;
    int64_t retry_after_s = -1;
    enum status status;
    for (int tries = 0;; tries++) {
        status = http_perform(&call, &code, NULL, &retry_after_s, error);
        if (status != STATUS_OK || code != 503 || tries == 20)
            break;
        int64_t wait_s = retry_after_s < 1             ? 1
                         : retry_after_s < MOST_WAIT_S ? retry_after_s
                                                       : MOST_WAIT_S;
        pause_us(wait_s * US_PER_S);
    }
    if (status == STATUS_OK && code != 200)
        return error_set(error, STATUS_UNAVAILABLE, "%s answered %d", target->url, code);
    return status;
}

static enum status nothing_left(struct target *target, struct error *error)
{
    (void)target;
    (void)error;
    return STATUS_OK;
}

static void free_url(struct target *target)
{
    free(target->url);
}

/* ---- a topic ---- */

static enum status open_topic(const struct cli_args *args, struct target *target,
                              struct error *error)
{
    const char *folder = cli_text(args, "config");
    const char *topic;
    kafka_options_init(&target->kafka);
    enum status status = folder ? config_load(folder, &target->config, error) : STATUS_OK;
    if (status == STATUS_OK && target->config && target->config->kafka.brokers)
        target->kafka = target->config->kafka;
    if (status == STATUS_OK)
        status =
            kafka_address(target->name, target->brokers, sizeof target->brokers, &topic, error);
    if (status != STATUS_OK)
        return status;
    target->kafka.brokers = target->brokers;
    target->kafka.topic = topic;
    const struct kafka_producer_options options = {.kafka = &target->kafka};
    return kafka_producer_open(&options, &target->producer, error);
}

/* Keyed by user, so that a user's events share a partition and keep their order. */
static enum status send_message(struct target *target, struct error *error)
{
    char key[32];
    int size = snprintf(key, sizeof key, "user-%lld", (long long)target->user);
    struct slice line = buffer_slice(&target->batch);
    const struct kafka_message message = {
        .topic = target->kafka.topic,
        .key = slice_make(key, (size_t)size),
        .value = slice_make(line.data, line.size - 1), /* without the line's end */
    };
    return kafka_producer_put(target->producer, &message, error);
}

static enum status flush_topic(struct target *target, struct error *error)
{
    return kafka_producer_flush(target->producer, FLUSH_TIMEOUT_MS, error);
}

static void close_topic(struct target *target)
{
    kafka_producer_close(target->producer);
    config_destroy(target->config);
}

/* ---- any of them ---- */

static const struct target_kind kinds[] = {
    {"http://", open_url, post_lines, nothing_left, free_url, false},
    {"https://", open_url, post_lines, nothing_left, free_url, false},
    {"kafka://", open_topic, send_message, flush_topic, close_topic, true},
    {"", open_file, write_lines, commit_file, discard_file, false},
};

static enum status target_flush(struct target *target, struct error *error)
{
    if (target->batch.size == 0)
        return STATUS_OK;
    enum status status = target->kind->send(target, error);
    buffer_reset(&target->batch);
    target->n_batch = 0;
    return status;
}

static enum status target_open(const struct cli_args *args, struct target *target,
                               struct error *error)
{
    *target = (struct target){.name = cli_text(args, "to"), .kind = kinds};
    buffer_init(&target->batch, SEND_BYTES);
    while (strncmp(target->name, target->kind->prefix, strlen(target->kind->prefix)) != 0)
        target->kind++;
    return target->kind->open(args, target, error);
}

static enum status target_close(struct target *target, enum status status, struct error *error)
{
    if (status == STATUS_OK)
        status = target_flush(target, error);
    if (status == STATUS_OK)
        status = target->kind->finish(target, error);
    target->kind->release(target);
    buffer_free(&target->batch);
    return status;
}

/* The producer leaves `"label":null` in every event, as the live stream does; with the truth asked
 * for, the null is replaced. */
static bool append_event(struct buffer *out, const struct producer_event *event, bool with_label)
{
    static const char null_label[] = "\"label\":null";
    const char *at = with_label && event->label >= 0 ? memmem(event->json.data, event->json.size,
                                                              null_label, sizeof null_label - 1)
                                                     : NULL;
    if (!at) {
        buffer_append_slice(out, event->json);
    } else {
        size_t before = (size_t)(at - event->json.data);
        buffer_append(out, event->json.data, before);
        buffer_printf(out, "\"label\":%d", event->label);
        size_t after = before + sizeof null_label - 1;
        buffer_append(out, event->json.data + after, event->json.size - after);
    }
    return buffer_append_char(out, '\n');
}

static void wait_until(int64_t time_us, struct interrupt *interrupt)
{
    struct clock *clock = clock_create_wall();
    while (clock && !interrupt_came(interrupt)) {
        int64_t left_ms = (time_us - clock_now_us(clock)) / 1000;
        if (left_ms <= 0)
            break;
        interrupt_wait(interrupt, left_ms > 1000 ? 1000 : (int)left_ms);
    }
    clock_destroy(clock);
}

static enum status produce(const struct cli_args *args, struct producer *producer,
                           struct target *target, struct interrupt *interrupt, struct error *error)
{
    bool live = strcmp(cli_text(args, "pace"), "live") == 0;
    int64_t count = cli_int(args, "count");
    struct progress progress;
    progress_begin(&progress, "produce", "events");
    enum status status = STATUS_OK;
    for (int64_t i = 0; (count == 0 || i < count) && status == STATUS_OK; i++) {
        struct producer_event event;
        producer_next(producer, &event);
        if (live)
            wait_until(event.time_us, interrupt);
        if (interrupt_came(interrupt))
            break;
        append_event(&target->batch, &event, cli_flag(args, "with-labels"));
        target->user = event.user;
        if (live || target->kind->every_event || ++target->n_batch == SEND_EVENTS)
            status = target_flush(target, error);
        progress_update(&progress, count > 0 ? (double)i / (double)count : -1, i);
    }
    progress_end(&progress);
    return status;
}

static int64_t start_time(const struct cli_args *args)
{
    if (cli_has(args, "start"))
        return cli_time_us(args, "start");
    struct clock *clock = clock_create_wall();
    int64_t now_us = clock ? clock_now_us(clock) : 0;
    clock_destroy(clock);
    if (strcmp(cli_text(args, "pace"), "live") == 0 || cli_int(args, "count") == 0)
        return now_us;
    /* None of it lies in the future. */
    return now_us - producer_longest_us(cli_int(args, "count"), cli_number(args, "rate"));
}

int command_produce(const struct cli_args *args)
{
    const char *pace = cli_text(args, "pace");
    if (strcmp(pace, "live") != 0 && strcmp(pace, "max") != 0)
        return cli_usage(args, "--pace is live or max, not '%s'", pace);
    struct producer_options options = {
        .seed = (uint64_t)cli_int(args, "seed"),
        .start_us = start_time(args),
        .rate_per_s = cli_number(args, "rate"),
        .n_users = cli_int(args, "users"),
        .fraud_share = cli_number(args, "fraud"),
        .bad_share = cli_number(args, "bad"),
    };
    struct producer *producer = NULL;
    struct interrupt *interrupt = NULL;
    struct target target;
    struct error error;
    enum status status = producer_create(&options, &producer, &error);
    if (status == STATUS_OK)
        status = interrupt_create(&interrupt, &error);
    if (status == STATUS_OK) {
        status = target_open(args, &target, &error);
        if (status == STATUS_OK)
            status = produce(args, producer, &target, interrupt, &error);
        status = target_close(&target, status, &error);
    }
    interrupt_destroy(interrupt);
    producer_destroy(producer);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
