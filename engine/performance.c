/* The thread that follows the ledger: every committed row once, in order, through a reader of its
 * own, so that deciding never waits for it. Decisions are counted and sampled, labels joined with
 * their decision. What it knows is written beside the ledger every minute and at the end, with the
 * root of the tree that it is of; a start goes on from there, and reads the rows since.
 *
 * The join has one lock (`performance`), held while a few hundred rows are taken or a document is
 * made; the newest figures have another (`performance_status`), held for a copy. Neither is taken
 * while another lock is held, and nothing else is taken inside them. */
#include "engine/performance.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_priv.h"
#include "engine/join.h"
#include "engine/monitor/truth_measure.h"

#define STATE_NAME       "performance.state"
#define ROWS_AT_ONCE     512
#define LOOK_EVERY_MS    500
#define MEASURE_EVERY_NS (INT64_C(2) * 1000000000)
#define LEARN_EVERY_NS   (INT64_C(30) * 1000000000)
#define SAVE_EVERY_NS    (INT64_C(60) * 1000000000)

struct performance {
    struct engine *engine;
    struct truth_options options;
    struct thread *thread;
    struct reader *scan; /* the thread's */
    uint64_t size;       /* committed rows as of the last look */
    int n_taken;         /* of this scan */
    bool complained;     /* of a ledger that cannot be read */
    bool changed;        /* since it was measured */
    bool unsaved;
    int64_t measured_ns, learned_ns, saved_ns;
    struct truth_mark mark; /* the thread's, too */
    /* Of the truth and what follows it: taken by the thread to change them and by others to read
     * them. The thread itself reads, and saves, without it: nobody else changes anything. */
    struct lock lock;
    struct join *join;   /* takes the lock itself */
    struct truth *truth; /* the join's */
    uint64_t behind;
    struct lock status_lock;
    struct performance_status status;
    struct lock stop_lock;
    pthread_cond_t stop_changed;
    bool stopping;
};

enum status performance_check(const struct yaml_node *node, const struct contract *contract,
                              struct error *error)
{
    struct truth_options options;
    return join_options(node, contract_schema(contract), &options, error);
}

/* ---- rows ---- */

static enum status take_row(void *context, const struct ledger_row *row, struct error *error)
{
    struct performance *performance = context;
    if (row->index >= performance->size || performance->n_taken == ROWS_AT_ONCE)
        return STATUS_END;
    enum status status = join_row(performance->join, row, error);
    if (status != STATUS_OK)
        return status;
    performance->changed = performance->changed || row->kind == ROW_LABEL;
    performance->mark.upto = row->index + 1;
    performance->n_taken++;
    performance->unsaved = true;
    return STATUS_OK;
}

/* The next rows; true when there are more. */
static bool follow(struct performance *performance)
{
    struct error error = {0};
    uint8_t root[sizeof performance->mark.root];
    enum status status = reader_head(performance->scan, &performance->size, root, &error);
    performance->n_taken = 0;
    if (status == STATUS_OK && performance->mark.upto < performance->size)
        status =
            reader_scan(performance->scan, performance->mark.upto, take_row, performance, &error);
    bool more = status == STATUS_OK && performance->n_taken == ROWS_AT_ONCE;
    if (status == STATUS_OK && !more) { /* what is gone by policy is not waited for */
        performance->mark.upto = performance->size;
        memcpy(performance->mark.root, root, sizeof root);
    }
    lock_take(&performance->lock);
    performance->behind = performance->size - performance->mark.upto;
    lock_release(&performance->lock);
    if (status != STATUS_OK && !performance->complained)
        log_write(performance->engine->parts.log, LOG_WARN, "performance", "ledger_unread",
                  "%s; known outcomes are not counted until it can be read", error.message);
    performance->complained = status != STATUS_OK;
    return more;
}

/* ---- figures ---- */

static enum status measure_variant(const struct performance *performance, int variant,
                                   int64_t now_us, struct performance_status *out,
                                   struct error *error)
{
    struct truth_selection selection = {now_us - performance->options.window_us, INT64_MAX, variant,
                                        -1};
    struct truth_figures figures;
    enum status status = truth_measure(performance->truth, &selection, &figures, error);
    if (status != STATUS_OK || (figures.decided == 0 && figures.result.n == 0))
        return status;
    struct variant_performance *place = &out->variants[out->n_variants++];
    *place = (struct variant_performance){.decided = figures.decided,
                                          .labelled = figures.labelled,
                                          .delay_p50_s = figures.delay_p50_s,
                                          .delay_p95_s = figures.delay_p95_s,
                                          .figures = figures.result,
                                          .precision_at_k = figures.top.precision};
    snprintf(place->variant, sizeof place->variant, "%s", variant_name((enum variant)variant));
    return STATUS_OK;
}

static enum status measure_estimates(const struct performance *performance,
                                     struct performance_status *out, struct error *error)
{
    struct truth_track tracks[TRUTH_ESTIMATES];
    size_t n = truth_n_periods(performance->truth);
    const struct truth_period *newest = n ? truth_period(performance->truth, n - 1) : NULL;
    enum status status = truth_track(performance->truth, tracks, error);
    out->estimate_from_us = newest ? newest->start_us : 0;
    for (int m = 0; status == STATUS_OK && m < TRUTH_ESTIMATES; m++) {
        struct truth_estimate estimate = {(double)NAN, (double)NAN, (double)NAN};
        if (newest)
            status = truth_estimate(performance->truth, &newest->sides[VARIANT_CHAMPION],
                                    (enum cbpe_metric)m, &estimate, error);
        out->estimates[m] = (struct estimate_status){
            estimate.estimated, estimate.lower, estimate.upper, tracks[m].mean_error, tracks[m].n};
    }
    return status;
}

static void measure_drift(const struct performance *performance, struct performance_status *out)
{
    struct truth_detection detections[TRUTH_DETECTIONS];
    uint64_t n_labels;
    size_t n = truth_detections(performance->truth, detections, &out->drift_detected, &n_labels);
    out->drift_at_us = n ? detections[n - 1].at_us : 0;
    snprintf(out->detector, sizeof out->detector, "%s", performance->options.detector);
}

static void measure(struct performance *performance)
{
    int64_t now_us = clock_now_us(performance->engine->parts.clock);
    struct performance_status made = {.used = true,
                                      .at_us = now_us,
                                      .window_us = performance->options.window_us,
                                      .k = performance->options.k};
    enum status status = STATUS_OK;
    const struct truth_counts *counts = truth_counts(performance->truth);
    made.joined = counts->joined;
    made.repeated = counts->repeated;
    made.corrected = counts->corrected;
    made.unmatched = counts->unmatched;
    made.behind = performance->behind;
    for (int v = 0; status == STATUS_OK && v < TRUTH_VARIANTS; v++)
        status = measure_variant(performance, v, now_us, &made, NULL);
    if (status == STATUS_OK)
        status = measure_estimates(performance, &made, NULL);
    measure_drift(performance, &made);
    if (status != STATUS_OK)
        return; /* out of memory: the figures before stay, with their time */
    lock_take(&performance->status_lock);
    performance->status = made;
    lock_release(&performance->status_lock);
}

void performance_fill(struct performance *performance, struct performance_status *status)
{
    *status = (struct performance_status){.used = false};
    if (!performance)
        return;
    lock_take(&performance->status_lock);
    *status = performance->status;
    lock_release(&performance->status_lock);
}

enum status performance_json(struct performance *performance, int64_t from_us, int64_t to_us,
                             const char *by, struct buffer *out, struct error *error)
{
    static const char *const names[] = {NULL, "variant", "cohort", "time"};
    enum truth_by choice = TRUTH_BY_NOTHING;
    for (int i = TRUTH_BY_VARIANT; by && i <= TRUTH_BY_TIME; i++) {
        if (strcmp(by, names[i]) == 0)
            choice = (enum truth_by)i;
    }
    if (by && choice == TRUTH_BY_NOTHING)
        return error_set(error, STATUS_INVALID, "by is variant, cohort or time");
    lock_take(&performance->lock);
    enum status status =
        truth_json(performance->truth, from_us, to_us, choice, performance->behind, out, error);
    lock_release(&performance->lock);
    return status;
}

/* ---- state ---- */

static char *state_path(const struct performance *performance)
{
    char *path = NULL;
    return asprintf(&path, "%s/" STATE_NAME, performance->engine->parts.ledger_dir) < 0 ? NULL
                                                                                        : path;
}

static void save(struct performance *performance)
{
    struct error error;
    char *path = state_path(performance);
    enum status status = path ? truth_save(performance->truth, path, &performance->mark, &error)
                              : error_set(&error, STATUS_MEMORY, "out of memory");
    free(path);
    if (status != STATUS_OK)
        log_write(performance->engine->parts.log, LOG_WARN, "performance", "state_unsaved",
                  "%s; the next start reads the ledger instead", error.message);
    performance->unsaved = status != STATUS_OK;
}

static enum status check_mark(const struct performance *performance, const struct truth_mark *mark,
                              struct error *error)
{
    uint8_t root[sizeof mark->root];
    if (strncmp(mark->identity, ledger_identity(performance->engine->ledger),
                sizeof mark->identity) == 0 &&
        (mark->upto == 0 ||
         (reader_root_at(performance->scan, mark->upto, root, error) == STATUS_OK &&
          memcmp(root, mark->root, sizeof root) == 0)))
        return STATUS_OK;
    return error_set(error, STATUS_CORRUPT, STATE_NAME " is not of this ledger as it is");
}

/* Without a usable state the record is read, as far back as it lies here: known outcomes are of
 * recent weeks, and nobody fetches years from a store for them. */
static void take_up(struct performance *performance, struct error *error)
{
    struct truth_mark mark = {0};
    char *path = state_path(performance);
    enum status status = path ? truth_load(performance->truth, path, &mark, error)
                              : error_set(error, STATUS_MEMORY, "out of memory");
    free(path);
    if (status == STATUS_OK) {
        status = check_mark(performance, &mark, error);
        if (status != STATUS_OK)
            truth_reset(performance->truth);
    }
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        log_write(performance->engine->parts.log, LOG_INFO, "performance", "state_unusable",
                  "%s; reading the ledger instead", error->message);
    if (status == STATUS_OK)
        performance->mark = mark;
    else if (reader_first_here(performance->scan, &performance->mark.upto, error) != STATUS_OK)
        performance->mark.upto = 0;
    snprintf(performance->mark.identity, sizeof performance->mark.identity, "%s",
             ledger_identity(performance->engine->ledger));
}

/* ---- the thread ---- */

static bool pause_or_stop(struct performance *performance, bool more)
{
    lock_take(&performance->stop_lock);
    if (!performance->stopping && !more)
        condition_wait(&performance->stop_changed, &performance->stop_lock, LOOK_EVERY_MS);
    bool stopping = performance->stopping;
    lock_release(&performance->stop_lock);
    return stopping;
}

static bool is_due(int64_t *last_ns, int64_t every_ns)
{
    int64_t now_ns = monotonic_ns();
    if (*last_ns && now_ns - *last_ns < every_ns)
        return false;
    *last_ns = now_ns;
    return true;
}

static void run(void *context)
{
    struct performance *performance = context;
    bool more;
    do {
        more = follow(performance);
        if (!more && is_due(&performance->learned_ns, LEARN_EVERY_NS)) {
            lock_take(&performance->lock);
            truth_learn(performance->truth);
            lock_release(&performance->lock);
        }
        if (is_due(&performance->measured_ns,
                   performance->changed ? MEASURE_EVERY_NS : 5 * MEASURE_EVERY_NS)) {
            performance->changed = false;
            measure(performance);
        }
        if (!more && performance->behind == 0 && performance->unsaved &&
            is_due(&performance->saved_ns, SAVE_EVERY_NS))
            save(performance);
    } while (!pause_or_stop(performance, more));
}

static void release(struct performance *performance)
{
    join_close(performance->join);
    reader_close(performance->scan);
    pthread_cond_destroy(&performance->stop_changed);
    lock_destroy(&performance->stop_lock);
    lock_destroy(&performance->status_lock);
    lock_destroy(&performance->lock);
    free(performance);
}

enum status performance_start(struct engine *engine, const struct yaml_node *node,
                              struct performance **performance, struct error *error)
{
    struct performance *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->engine = engine;
    made->status.used = true;
    lock_init(&made->lock, "performance");
    lock_init(&made->status_lock, "performance_status");
    lock_init(&made->stop_lock, "performance_stop");
    condition_init(&made->stop_changed);
    enum status status = join_options(node, engine->schema, &made->options, error);
    if (status == STATUS_OK)
        status = reader_open(engine->parts.ledger_dir, &made->scan, error);
    if (status == STATUS_OK)
        status =
            join_open(engine->parts.ledger_dir, engine->schema, &made->options, &made->join, error);
    if (status == STATUS_OK) {
        join_guard(made->join, &made->lock);
        made->truth = join_truth(made->join);
        take_up(made, error);
        status = thread_start("performance", run, made, &made->thread, error);
    }
    if (status == STATUS_OK)
        *performance = made;
    else
        release(made);
    return status;
}

void performance_stop(struct performance *performance)
{
    if (!performance)
        return;
    lock_take(&performance->stop_lock);
    performance->stopping = true;
    pthread_cond_signal(&performance->stop_changed);
    lock_release(&performance->stop_lock);
    thread_join(performance->thread);
    if (performance->unsaved && performance->behind == 0)
        save(performance);
    release(performance);
}
