/* The built-in producer, files and Kafka as sources of a running service. Each has a thread and a
 * worker of its own. What goes wrong is logged; serving goes on. */
#include "app/source.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "app/kafka_source.h"
#include "app/late_labels.h"
#include "app/pace.h"
#include "engine/base/clock.h"
#include "engine/base/thread.h"
#include "engine/event/producer.h"

/* Truths on their way; beyond that the oldest are given up, and counted. */
#define LABEL_QUEUE 262144
#define DEMO_BATCH  256
#define ARENA_BYTES (4u << 20)
/* So long labels must be taken before their trouble is over: a slow disk takes some in between. */
#define LABELS_WELL_NS ((int64_t)5 * 1000000000)

struct source {
    struct source_options options;
    struct worker *worker;
    struct thread *thread;
    atomic_bool stopping;
    /* demo */
    struct producer *producer;
    struct producer_event next;
    bool has_next;
    struct late_labels *labels;
    int64_t labels_refused_ns; /* when one was last; 0: none is since that was told to be over */
    size_t labels_waited;      /* the most at once since then */
    struct arena *arena;
    struct raw_event *events;
    struct answer *answers;
    /* file */
    struct pace pace;
    struct kafka_source *kafka;
};

static struct log *log_of(const struct source *source)
{
    return source->options.session->log;
}

/* ---- demo ---- */

static void keep_label(struct source *source, const struct producer_event *event)
{
    if (event->label < 0)
        return;
    struct late_label label = {
        .due_us = event->time_us + source->options.session->config->source.label_delay_us,
        .label = (int8_t)event->label,
    };
    memcpy(label.event_id, event->event_id, sizeof label.event_id);
    late_labels_put(source->labels, &label);
}

static size_t take_due_events(struct source *source, int64_t now_us)
{
    size_t n = 0;
    arena_reset(source->arena);
    while (n < DEMO_BATCH) {
        if (!source->has_next)
            producer_next(source->producer, &source->next);
        source->has_next = true;
        if (source->next.time_us > now_us)
            break;
        char *copy = arena_alloc(source->arena, source->next.json.size);
        if (!copy)
            break;
        memcpy(copy, source->next.json.data, source->next.json.size);
        source->events[n++] = (struct raw_event){
            .bytes = slice_make(copy, source->next.json.size),
            .position.source = -1,
            .received_ns = monotonic_ns(),
        };
        keep_label(source, &source->next);
        source->has_next = false;
    }
    return n;
}

/* The truth about an event that was quarantined is not found: no matter. */
static enum status take_label(void *context, const struct late_label *label, struct error *error)
{
    const struct session *session = context;
    enum status status = engine_label(session->engine, slice_of(label->event_id), label->label,
                                      clock_now_us(session->clock), error);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* A line when labels begin to be refused and one when that is over, whatever lies between. */
static void tell_labels(struct source *source, int64_t now_us, enum status status,
                        const struct error *error)
{
    size_t due = late_labels_due(source->labels, now_us);
    if (status != STATUS_OK) {
        if (source->labels_refused_ns == 0)
            log_write(log_of(source), LOG_WARN, "source", "labels_wait",
                      "%s; labels are kept and tried again", error->message);
        source->labels_refused_ns = monotonic_ns();
        source->labels_waited = due > source->labels_waited ? due : source->labels_waited;
    } else if (source->labels_refused_ns > 0 && due == 0 &&
               monotonic_ns() - source->labels_refused_ns >= LABELS_WELL_NS) {
        log_write(log_of(source), LOG_INFO, "source", "labels_recorded",
                  "labels are recorded again: %zu waited, %llu were given up since start",
                  source->labels_waited, (unsigned long long)late_labels_given_up(source->labels));
        source->labels_refused_ns = 0;
        source->labels_waited = 0;
    }
}

static void apply_due_labels(struct source *source, int64_t now_us)
{
    struct error error;
    enum status status = late_labels_give(source->labels, now_us, DEMO_BATCH, take_label,
                                          source->options.session, &error);
    tell_labels(source, now_us, status, &error);
}

/* After the ledger stood still, events are found by their labels once all that waited is there. */
static void await_ledger(struct source *source)
{
    struct error error;
    if (session_await_writing(source->options.session) &&
        worker_wait(source->worker, &error) != STATUS_OK && !atomic_load(&source->stopping))
        pause_us(20000); /* it stands again */
}

static void run_demo(void *context)
{
    struct source *source = context;
    struct error error;
    while (!atomic_load(&source->stopping)) {
        await_ledger(source);
        int64_t now_us = clock_now_us(source->options.session->clock);
        size_t n = take_due_events(source, now_us);
        if (n > 0 &&
            worker_process(source->worker, source->events, n, source->answers, &error) !=
                STATUS_OK &&
            !atomic_load(&source->stopping))
            log_write(log_of(source), LOG_ERROR, "source", "batch_failed", "%s", error.message);
        if (source->options.session->engine && engine_ledger(source->options.session->engine))
            apply_due_labels(source, now_us);
        if (n < DEMO_BATCH)
            pause_us(20000);
    }
}

static enum status prepare_demo(struct source *source, struct error *error)
{
    const struct config_source *config = &source->options.session->config->source;
    int64_t now_us = clock_now_us(source->options.session->clock);
    struct producer_options options = {
        .seed = (uint64_t)config->seed + (uint64_t)(now_us / US_PER_S),
        .start_us = now_us,
        .rate_per_s = config->rate,
        .steady = config->steady,
        .n_users = config->users,
        .fraud_share = config->fraud,
        .bad_share = config->bad,
    };
    source->labels = late_labels_create(LABEL_QUEUE);
    source->arena = arena_create(ARENA_BYTES);
    source->events = calloc(DEMO_BATCH, sizeof *source->events);
    source->answers = calloc(DEMO_BATCH, sizeof *source->answers);
    if (!source->labels || !source->arena || !source->events || !source->answers)
        return error_set(error, STATUS_MEMORY, "out of memory");
    return producer_create(&options, &source->producer, error);
}

/* ---- file ---- */

static enum status keep_pace(void *context, struct worker *worker, const struct answer *answers,
                             size_t n, const struct file_source *file, struct error *error)
{
    (void)worker;
    (void)answers;
    (void)n;
    (void)file;
    struct source *source = context;
    if (source->options.moved)
        source->options.moved(source->options.context);
    while (pace_left_ms(&source->pace, source->options.session->clock) > 0 &&
           !atomic_load(&source->stopping))
        pause_us(pace_left_ms(&source->pace, source->options.session->clock) > 50 ? 50000 : 1000);
    return atomic_load(&source->stopping) ? error_set(error, STATUS_END, "stopped") : STATUS_OK;
}

static void run_file(void *context)
{
    struct source *source = context;
    struct error error;
    enum status status = session_run_file(source->options.session, source->worker,
                                          source->options.path, 0, NULL, keep_pace, source, &error);
    if (status == STATUS_OK)
        log_write(log_of(source), LOG_INFO, "source", "file_done", "%s is read to its end",
                  source->options.path);
    else if (status != STATUS_END)
        log_write(log_of(source), LOG_ERROR, "source", "file_failed", "%s", error.message);
}

static enum status prepare_file(struct source *source, struct error *error)
{
    const char *speed = source->options.speed;
    if (!source->options.path)
        return error_set(error, STATUS_INVALID, "source: a file needs its path");
    if (!pace_parse(speed, &source->pace))
        return error_set(error, STATUS_INVALID, "source: speed is max or a factor, not '%s'",
                         speed);
    return STATUS_OK;
}

/* ---- kafka ---- */

static enum status prepare_kafka(struct source *source, struct error *error)
{
    return kafka_source_create(source->options.session, &source->kafka, error);
}

static void run_kafka(void *context)
{
    struct source *source = context;
    kafka_source_run(source->kafka, source->worker, &source->stopping);
}

/* ---- which one ---- */

static const struct source_kind {
    const char *name;
    enum status (*prepare)(struct source *source, struct error *error);
    void (*run)(void *context);
} kinds[] = {
    {"demo", prepare_demo, run_demo},
    {"file", prepare_file, run_file},
    {"kafka", prepare_kafka, run_kafka},
};

static const struct source_kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

enum status source_start(const struct source_options *options, struct source **source,
                         struct error *error)
{
    *source = NULL;
    const char *type = options->path ? "file" : options->session->config->source.type;
    if (strcmp(type, "http") == 0)
        return STATUS_OK;
    const struct source_kind *kind = find_kind(type);
    if (!kind)
        return error_set(error, STATUS_INVALID,
                         "source: type is http, demo, file or kafka, not '%s'", type);
    struct source *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->options = *options;
    struct worker_options worker = session_worker_options(options->session);
    worker.wait_for_room = true;
    enum status status = kind->prepare(made, error);
    if (status == STATUS_OK)
        status = worker_create(options->session->engine, &worker, &made->worker, error);
    if (status == STATUS_OK)
        status = thread_start("source", kind->run, made, &made->thread, error);
    if (status != STATUS_OK) {
        source_stop(made);
        return status;
    }
    *source = made;
    return STATUS_OK;
}

void source_fill(const struct source *source, struct snapshot *snapshot)
{
    if (source && source->kafka)
        kafka_source_fill(source->kafka, snapshot);
    if (source && source->labels)
        queues_add(&snapshot->queues, "demo_labels", late_labels_waiting(source->labels),
                   LABEL_QUEUE, late_labels_given_up(source->labels));
}

void source_stop(struct source *source)
{
    if (!source)
        return;
    atomic_store(&source->stopping, true);
    thread_join(source->thread);
    worker_destroy(source->worker);
    kafka_source_destroy(source->kafka);
    producer_destroy(source->producer);
    arena_destroy(source->arena);
    free(source->answers);
    free(source->events);
    late_labels_destroy(source->labels);
    free(source);
}
