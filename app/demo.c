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

#define TRAINING_SEED     8420
#define TRAINING_START_US (1767225600 * US_PER_S) /* 2026-01-01: the date does not matter */
#define CANARY_ROUNDS     20
#define CANARY_WEIGHT     15
#define BATCH_BYTES       (4u << 20)

/* The demo starts with empty windows, at any hour of any day, and fills them over a week; the model
 * has to have seen all of that. Everything has as many events per user and day as the demo, so that
 * full windows look alike. */
static const struct phase {
    double rate_per_s;
    int64_t n_users;
    size_t n_events;
    int starts;            /* this often, with empty windows and STAGGER_US apart */
    int64_t warm_after_us; /* from here on rows are what drift is measured against */
} phases[] = {
    {8, 80000, (size_t)5 * MAX_BATCH, 12, INT64_MAX}, /* the first ten minutes */
    {0.07, 700, (size_t)80 * MAX_BATCH, 1,
     7 * US_PER_DAY}, /* two weeks; the longest window is one */
};
#define N_PHASES   (sizeof phases / sizeof phases[0])
#define STAGGER_US (29 * US_PER_HOUR) /* so that twelve starts meet many hours and all weekdays */

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

/* The model belongs to the configuration and the events it was trained on: its name says which. */
static enum status name_model(struct demo *demo, struct error *error)
{
    uint64_t digest = hash64(phases, sizeof phases, TRAINING_SEED);
    for (const struct embedded_file *file = demo_files; file->name; file++)
        digest = hash64(file->data, file->size, digest);
    if (asprintf(&demo->model, "%s/model-%016llx.json", demo->folder, (unsigned long long)digest) <
            0 ||
        asprintf(&demo->canary, "%s/canary-%016llx.json", demo->folder,
                 (unsigned long long)digest) < 0)
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

enum status demo_write_config(const char *folder, struct error *error)
{
    enum status status = STATUS_OK;
    for (const struct embedded_file *file = demo_files; file->name && status == STATUS_OK; file++)
        status = write_file(folder, file, error);
    return status;
}

/* ---- training ---- */

struct training {
    const struct demo *demo;
    struct session session; /* whose views the dataset is by */
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

static enum status learn_batch(struct training *training, int64_t warm_us, struct error *error)
{
    enum status status = produce_batch(training, error);
    if (status == STATUS_OK)
        status =
            worker_process(training->worker, training->events, MAX_BATCH, training->answers, error);
    for (size_t i = 0; i < MAX_BATCH && status == STATUS_OK; i++) {
        const struct answer *answer = &training->answers[i];
        if (answer->kind != ANSWER_DECIDED || training->labels[i] < 0)
            continue;
        if (answer->event->time_us < warm_us)
            training->dataset.n_warming = training->dataset.n + 1;
        status = dataset_add(&training->dataset, answer->outcome->features.values,
                             training->labels[i], answer->event->time_us, 0, error);
    }
    return status;
}

static enum status open_session(const struct demo *demo, struct session *session,
                                struct error *error)
{
    struct session_options options = {
        .config_dir = demo->config, .event_time = true, .features_only = true};
    return session_open(&options, session, error);
}

/* From empty windows on. */
static enum status learn_start(struct training *training, const struct phase *phase, int start,
                               struct error *error)
{
    struct worker_options options = {.wait_for_room = true};
    struct producer_options producer = {
        .seed = TRAINING_SEED + (uint64_t)start,
        .start_us = TRAINING_START_US + start * STAGGER_US,
        .rate_per_s = phase->rate_per_s,
        .n_users = phase->n_users,
        .fraud_share = 0.02,
    };
    int64_t warm_us =
        phase->warm_after_us < INT64_MAX ? producer.start_us + phase->warm_after_us : INT64_MAX;
    struct session session = {0};
    enum status status = open_session(training->demo, &session, error);
    if (status == STATUS_OK)
        status = producer_create(&producer, &training->producer, error);
    if (status == STATUS_OK)
        status = worker_create(session.engine, &options, &training->worker, error);
    for (size_t n = 0; n < phase->n_events && status == STATUS_OK; n += MAX_BATCH)
        status = learn_batch(training, warm_us, error);
    worker_destroy(training->worker);
    producer_destroy(training->producer);
    training->worker = NULL;
    training->producer = NULL;
    session_close(&session);
    return status;
}

static enum status start_training(struct training *training, struct error *error)
{
    training->arena = arena_create(BATCH_BYTES);
    training->events = calloc(MAX_BATCH, sizeof *training->events);
    training->answers = calloc(MAX_BATCH, sizeof *training->answers);
    training->labels = calloc(MAX_BATCH, sizeof *training->labels);
    if (!training->arena || !training->events || !training->answers || !training->labels)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = open_session(training->demo, &training->session, error);
    if (status == STATUS_OK)
        dataset_init(&training->dataset, feature_views_schema(training->session.config->views));
    return status;
}

static void end_training(struct training *training)
{
    dataset_free(&training->dataset);
    session_close(&training->session);
    free(training->labels);
    free(training->answers);
    free(training->events);
    arena_destroy(training->arena);
}

/* A canary as they come: trained with frauds weighed up and never calibrated again, so that what
 * the rules take for a probability is none. */
static enum status train_canary(const struct demo *demo, const struct dataset *dataset,
                                const struct feature_views *views, struct train_options parameters,
                                struct error *error)
{
    parameters.rounds = CANARY_ROUNDS;
    parameters.scale_pos_weight = CANARY_WEIGHT;
    return dataset_train(dataset, views, &parameters, demo->canary, error);
}

static enum status train(const struct demo *demo, struct error *error)
{
    struct training training = {.demo = demo};
    struct train_options parameters;
    train_defaults(&parameters);
    fputs("binnacle: training the demo model on synthetic events ...\n", stderr);
    enum status status = start_training(&training, error);
    for (size_t i = 0; i < N_PHASES; i++) {
        for (int start = 0; start < phases[i].starts && status == STATUS_OK; start++)
            status = learn_start(&training, &phases[i], start, error);
    }
    const struct config *config = training.session.config;
    if (status == STATUS_OK)
        status = train_options_read(config->train, &parameters, error);
    if (status == STATUS_OK)
        status = dataset_train(&training.dataset, config->views, &parameters, demo->model, error);
    if (status == STATUS_OK)
        status = train_canary(demo, &training.dataset, config->views, parameters, error);
    end_training(&training);
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
    if (status == STATUS_OK)
        status = demo_write_config(demo->config, error);
    if (status == STATUS_OK && (access(demo->model, R_OK) != 0 || access(demo->canary, R_OK) != 0))
        status = train(demo, error);
    return status;
}

void demo_free(struct demo *demo)
{
    free(demo->ledger);
    free(demo->model);
    free(demo->canary);
    free(demo->config);
    free(demo->folder);
    *demo = (struct demo){0};
}
