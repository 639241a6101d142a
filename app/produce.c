/* `produce`: synthetic events to a file, to standard output or to a running binnacle. Kafka targets
 * go through engine/event/kafka_sink.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/commands.h"
#include "app/interrupt.h"
#include "app/output.h"
#include "app/progress.h"
#include "engine/base/clock.h"
#include "engine/base/http.h"
#include "engine/event/producer.h"

#define SEND_EVENTS 256
#define SEND_BYTES  (1u << 20)

/* Where the lines go. */
struct target {
    struct output output; /* a file or stdout */
    char *url;            /* or a running binnacle's batch route */
    struct buffer batch;
    int n_batch;
    const char *name;
};

static enum status post_batch(struct target *target, struct error *error)
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
        const struct timespec pause = {.tv_sec = retry_after_s > 0 ? retry_after_s : 1};
        nanosleep(&pause, NULL);
    }
    if (status == STATUS_OK && code != 200)
        return error_set(error, STATUS_UNAVAILABLE, "%s answered %d", target->url, code);
    buffer_reset(&target->batch);
    target->n_batch = 0;
    return status;
}

static enum status target_flush(struct target *target, struct error *error)
{
    if (target->batch.size == 0)
        return STATUS_OK;
    if (target->url)
        return post_batch(target, error);
    enum status status =
        output_write(target->output.file, target->name, buffer_slice(&target->batch), error);
    buffer_reset(&target->batch);
    target->n_batch = 0;
    return status;
}

static enum status target_open(const char *name, struct target *target, struct error *error)
{
    *target = (struct target){.name = name};
    buffer_init(&target->batch, SEND_BYTES);
    if (strncmp(name, "http://", 7) != 0 && strncmp(name, "https://", 8) != 0)
        return output_open(name, &target->output, error);
    size_t length = strlen(name);
    while (length > 0 && name[length - 1] == '/')
        length--;
    if (asprintf(&target->url, "%.*s/v1/score/batch", (int)length, name) < 0)
        return error_set(error, STATUS_MEMORY, "out of memory");
    return STATUS_OK;
}

static enum status target_close(struct target *target, enum status status, struct error *error)
{
    if (status == STATUS_OK)
        status = target_flush(target, error);
    if (status == STATUS_OK && !target->url)
        status = output_commit(&target->output, error);
    output_discard(&target->output);
    buffer_free(&target->batch);
    free(target->url);
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
        if (live || ++target->n_batch == SEND_EVENTS)
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
    /* Ends about now, so that none of it lies in the future. */
    double span_s = (double)cli_int(args, "count") / cli_number(args, "rate");
    return now_us - (int64_t)(span_s * 1.6 * 1e6) - US_PER_MIN;
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
        status = target_open(cli_text(args, "to"), &target, &error);
        if (status == STATUS_OK)
            status = produce(args, producer, &target, interrupt, &error);
        status = target_close(&target, status, &error);
    }
    interrupt_destroy(interrupt);
    producer_destroy(producer);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
