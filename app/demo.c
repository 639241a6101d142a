/* The state folder of the demo and the model that is trained in place: synthetic transactions
 * through the same contract and windows as live ones. */
#include "app/demo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/dataset.h"
#include "app/embedded.h"
#include "app/output.h"
#include "app/session.h"
#include "engine/base/hash.h"
#include "engine/event/producer.h"

#define TRAINING_EVENTS 60000
#define TRAINING_RATE   8 /* events a second; as many users per event as the demo has */
#define TRAINING_USERS  80000
#define TRAINING_SEED   8420
#define BATCH_BYTES     (4u << 20)

static enum status make_folder(const char *path, struct error *error)
{
    char part[4096];
    if (strlen(path) >= sizeof part)
        return error_set(error, STATUS_INVALID, "%s: the path is too long", path);
    for (const char *slash = path; slash;) {
        slash = strchr(slash + 1, '/');
        size_t length = slash ? (size_t)(slash - path) : strlen(path);
        memcpy(part, path, length);
        part[length] = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return error_set(error, STATUS_IO, "%s: cannot be made: %s", part, strerror(errno));
    }
    return STATUS_OK;
}

static enum status name_paths(struct demo *demo, struct error *error)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (!(state && state[0] == '/') && !(home && home[0] == '/'))
        return error_set(error, STATUS_INVALID,
                         "neither HOME nor XDG_STATE_HOME says where the demo may keep its state");
    int made = state && state[0] == '/'
                   ? asprintf(&demo->folder, "%s/binnacle/demo", state)
                   : asprintf(&demo->folder, "%s/.local/state/binnacle/demo", home);
    if (made < 0 || asprintf(&demo->config, "%s/config", demo->folder) < 0 ||
        asprintf(&demo->ledger, "%s/ledger", demo->folder) < 0)
        return error_set(error, STATUS_MEMORY, "out of memory");
    return STATUS_OK;
}

/* The model belongs to the configuration it was trained under: its name says which. */
static enum status name_model(struct demo *demo, struct error *error)
{
    uint64_t digest = 0;
    for (const struct embedded_file *file = demo_files; file->name; file++)
        digest = hash64(file->data, file->size, digest);
    if (asprintf(&demo->model, "%s/model-%016llx.json", demo->folder, (unsigned long long)digest) <
        0)
        return error_set(error, STATUS_MEMORY, "out of memory");
    return STATUS_OK;
}

static enum status write_file(const char *folder, const struct embedded_file *file,
                              struct error *error)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, file->name);
    struct output output;
    enum status status = output_open(path, &output, error);
    if (status == STATUS_OK)
        status = output_write(output.file, path, slice_make(file->data, file->size), error);
    if (status == STATUS_OK)
        status = output_commit(&output, error);
    output_discard(&output);
    return status;
}

/* ---- training ---- */

struct training {
    struct worker *worker;
    struct producer *producer;
    struct dataset dataset;
    struct arena *arena;
    struct raw_event *events;
    struct answer *answers;
    int *labels;
};

static enum status produce_batch(struct training *training, struct error *error)
{
    arena_reset(training->arena);
    for (size_t i = 0; i < MAX_BATCH; i++) {
        struct producer_event event;
        producer_next(training->producer, &event);
        char *copy = arena_alloc(training->arena, event.json.size);
        if (!copy)
            return error_set(error, STATUS_MEMORY, "out of memory for a batch");
        memcpy(copy, event.json.data, event.json.size);
        training->events[i] =
            (struct raw_event){.bytes = slice_make(copy, event.json.size), .position.source = -1};
        training->labels[i] = event.label;
    }
    return STATUS_OK;
}

static enum status learn_batch(struct training *training, struct error *error)
{
    enum status status = produce_batch(training, error);
    if (status == STATUS_OK)
        status =
            worker_process(training->worker, training->events, MAX_BATCH, training->answers, error);
    for (size_t i = 0; i < MAX_BATCH && status == STATUS_OK; i++) {
        const struct answer *answer = &training->answers[i];
        if (answer->kind == ANSWER_DECIDED && training->labels[i] >= 0)
            status = dataset_add(&training->dataset, answer->outcome->features.values,
                                 training->labels[i], answer->event->time_us, 0, error);
    }
    return status;
}

static enum status start_training(struct training *training, struct session *session,
                                  struct error *error)
{
    struct worker_options options = {.wait_for_room = true};
    struct producer_options producer = {
        .seed = TRAINING_SEED,
        .start_us = 1767225600 * US_PER_S, /* 2026-01-01: the date does not matter */
        .rate_per_s = TRAINING_RATE,
        .n_users = TRAINING_USERS,
        .fraud_share = 0.02,
    };
    training->arena = arena_create(BATCH_BYTES);
    training->events = calloc(MAX_BATCH, sizeof *training->events);
    training->answers = calloc(MAX_BATCH, sizeof *training->answers);
    training->labels = calloc(MAX_BATCH, sizeof *training->labels);
    if (!training->arena || !training->events || !training->answers || !training->labels)
        return error_set(error, STATUS_MEMORY, "out of memory");
    dataset_init(&training->dataset, feature_views_schema(session->config->views));
    enum status status = producer_create(&producer, &training->producer, error);
    if (status == STATUS_OK)
        status = worker_create(session->engine, &options, &training->worker, error);
    return status;
}

static void end_training(struct training *training)
{
    worker_destroy(training->worker);
    producer_destroy(training->producer);
    dataset_free(&training->dataset);
    free(training->labels);
    free(training->answers);
    free(training->events);
    arena_destroy(training->arena);
}

static enum status train(const struct demo *demo, struct error *error)
{
    struct session_options options = {
        .config_dir = demo->config, .event_time = true, .features_only = true};
    struct session session = {0};
    struct training training = {0};
    struct train_options parameters;
    train_defaults(&parameters);
    fprintf(stderr, "binnacle: training the demo model on %d synthetic events ...\n",
            TRAINING_EVENTS);
    enum status status = session_open(&options, &session, error);
    if (status == STATUS_OK)
        status = start_training(&training, &session, error);
    for (size_t n = 0; n < TRAINING_EVENTS && status == STATUS_OK; n += MAX_BATCH)
        status = learn_batch(&training, error);
    if (status == STATUS_OK)
        status = train_options_read(session.config->train, &parameters, error);
    if (status == STATUS_OK)
        status = dataset_train(&training.dataset, session.config->views, &parameters, demo->model,
                               error);
    end_training(&training);
    session_close(&session);
    return status;
}

enum status demo_prepare(struct demo *demo, struct error *error)
{
    *demo = (struct demo){0};
    enum status status = name_paths(demo, error);
    if (status == STATUS_OK)
        status = name_model(demo, error);
    if (status == STATUS_OK)
        status = make_folder(demo->config, error);
    if (status == STATUS_OK)
        status = make_folder(demo->ledger, error);
    for (const struct embedded_file *file = demo_files; file->name && status == STATUS_OK; file++)
        status = write_file(demo->config, file, error);
    if (status == STATUS_OK && access(demo->model, R_OK) != 0)
        status = train(demo, error);
    return status;
}

void demo_free(struct demo *demo)
{
    free(demo->ledger);
    free(demo->model);
    free(demo->config);
    free(demo->folder);
    *demo = (struct demo){0};
}
