/* Passes over the ledger's days. What is due follows from their ages and from what tiers.db and the
 * folder say, so that a pass that was cut short anywhere is gone on with by the next one. The
 * thread runs at the lowest priority; all it shares with the writer is the folder and, for a row
 * now and then, the queue. */
#include "engine/record/keeper_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/record/day_reader_priv.h"
#include "engine/record/seal.h"
#include "engine/record/tier_record.h"

#define LONGEST_PAUSE_MS  60000
#define SHORTEST_PAUSE_MS 1000
#define RECORD_WAIT_MS    30000
#define KEEPER_NICE       15

enum status keeper_create(const struct keeper_options *options, struct keeper **keeper,
                          struct error *error)
{
    struct keeper *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->options = *options;
    lock_init(&made->lock, "keeper");
    condition_init(&made->changed);
    made->dir = strdup(options->dir);
    made->wall = clock_create_wall();
    enum status status = made->dir && made->wall
                             ? tiers_open(options->dir, true, &made->tiers, error)
                             : error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status = tiers_set(made->tiers, "cache_bytes", options->policy.cache_bytes, error);
    if (status == STATUS_OK && options->policy.archive.endpoint)
        status = archive_remember(made->tiers, &options->policy.archive, &made->store, error);
    if (status != STATUS_OK) {
        keeper_destroy(made);
        return status;
    }
    *keeper = made;
    return STATUS_OK;
}

void keeper_destroy(struct keeper *keeper)
{
    if (!keeper)
        return;
    lock_take(&keeper->lock);
    keeper->closing = true;
    pthread_cond_broadcast(&keeper->changed);
    lock_release(&keeper->lock);
    thread_join(keeper->thread);
    tiers_close(keeper->tiers);
    clock_destroy(keeper->wall);
    pthread_cond_destroy(&keeper->changed);
    lock_destroy(&keeper->lock);
    free(keeper->dir);
    free(keeper);
}

static bool is_closing(struct keeper *keeper)
{
    lock_take(&keeper->lock);
    bool closing = keeper->closing;
    lock_release(&keeper->lock);
    return closing;
}

/* ---- rows that say what was done ---- */

/* The same row may have been written just before a crash: it is among the newest ones then. */
static enum status find_action(struct keeper *keeper, const char *what, struct slice arguments,
                               int64_t *index, struct error *error)
{
    struct reader *reader = NULL;
    *index = -1;
    enum status status = reader_open(keeper->dir, &reader, error);
    for (size_t i = reader ? reader->n_days : 0, n = 0;
         status == STATUS_OK && i-- > 0 && n < 2 && !reader_sealed(reader, i); n++) {
        struct db_stmt *select = NULL;
        status = reader_open_day(reader, i, error);
        if (status == STATUS_OK)
            status = db_prepare(reader->file->db,
                                "SELECT idx FROM actions WHERE what = ?1 AND arguments = ?2",
                                &select, error);
        if (status == STATUS_OK) {
            db_bind_text(select, 1, slice_of(what));
            db_bind_text(select, 2, arguments);
            status = db_step(select, error);
            if (status == STATUS_OK)
                *index = db_int(select, 0);
        }
        db_finish(select);
        if (status == STATUS_END || status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    reader_close(reader);
    return status;
}

enum status keeper_record(struct keeper *keeper, const char *what, struct slice arguments,
                          int64_t *index, struct error *error)
{
    uint64_t ticket;
    enum status status = find_action(keeper, what, arguments, index, error);
    if (status != STATUS_OK || *index >= 0)
        return status;
    struct ledger_entry entry = {.kind = ENTRY_ACTION,
                                 .position.source = -1,
                                 .action = {.who = KEEPER_NAME,
                                            .what = what,
                                            .arguments = arguments,
                                            .at_us = clock_now_us(keeper->options.clock)}};
    status = ledger_submit(keeper->options.ledger, &entry, 1, SUBMIT_REFUSE, &ticket, error);
    if (status == STATUS_OK)
        status = ledger_wait(keeper->options.ledger, ticket, RECORD_WAIT_MS, error);
    if (status == STATUS_OK)
        *index = (int64_t)entry.index;
    return status;
}

static enum status record_seal(struct keeper *keeper, const struct tier_day *day,
                               struct error *error)
{
    struct tier_day told = *day;
    struct buffer arguments;
    buffer_init(&arguments, 4096);
    enum status status =
        seal_arguments(day, &arguments)
            ? keeper_record(keeper, ACTION_SEAL, buffer_slice(&arguments), &told.seal_index, error)
            : error_set(error, STATUS_MEMORY, "out of memory");
    buffer_free(&arguments);
    return status == STATUS_OK ? tiers_put(keeper->tiers, &told, NULL, error) : status;
}

/* ---- the steps of one day ---- */

void keeper_tell(const struct keeper_pass *pass, enum keeper_step step, const struct tier_day *day)
{
    if (pass->each)
        pass->each(pass->context, step, day);
}

static enum status step_seal(struct keeper *keeper, const struct keeper_pass *pass, int64_t day,
                             struct error *error)
{
    struct tier_day facts;
    char path[PATH_SIZE];
    const struct tier_day *sealed = tiers_find(keeper->tiers, day);
    if (!day_path(path, keeper->dir, day) || access(path, F_OK) != 0 || file_is_sealed(path))
        return STATUS_OK;
    if (sealed && sealed->tier != TIER_SEALED)
        return error_set(error, STATUS_CONFLICT,
                         "%s: a live file stands where the day was sealed and moved on: take it "
                         "away",
                         path);
    enum status status = seal_look(keeper->dir, day, &facts, error);
    int64_t age_us = pass->now_us - facts.ended_us;
    bool delete_raw = facts.quarantined > 0 && !keeper->options.policy.keep_raw;
    if (status != STATUS_OK || age_us < keeper->options.policy.grace_us ||
        (delete_raw && age_us < keeper->options.policy.raw_us))
        return status;
    if (!pass->dry_run)
        status = seal_day(keeper->tiers, day, delete_raw, clock_now_us(keeper->wall), error);
    if (status == STATUS_OK)
        keeper_tell(pass, KEEPER_SEAL, &facts);
    return status;
}

static enum status step_record(struct keeper *keeper, const struct keeper_pass *pass, int64_t day,
                               struct error *error)
{
    const struct tier_day *sealed = tiers_find(keeper->tiers, day);
    if (!sealed || sealed->seal_index >= 0 || pass->dry_run)
        return STATUS_OK;
    seal_tidy(keeper->tiers, day);
    return record_seal(keeper, sealed, error);
}

static enum status step_compress(struct keeper *keeper, const struct keeper_pass *pass, int64_t day,
                                 struct error *error)
{
    const struct tier_day *sealed = tiers_find(keeper->tiers, day);
    if (!sealed || sealed->tier > TIER_COMPRESSED)
        return STATUS_OK;
    bool due = sealed->tier == TIER_SEALED && sealed->seal_index >= 0 &&
               pass->now_us - sealed->ended_us >= keeper->options.policy.live_us;
    if (pass->dry_run) {
        if (due)
            keeper_tell(pass, KEEPER_COMPRESS, sealed);
        return STATUS_OK;
    }
    if (!due)
        return sealed->tier == TIER_COMPRESSED ? compress_tidy(keeper->tiers, day, error)
                                               : STATUS_OK;
    enum status status = compress_day(keeper->tiers, day, error);
    if (status == STATUS_OK)
        keeper_tell(pass, KEEPER_COMPRESS, tiers_find(keeper->tiers, day));
    return status;
}

static enum status step_move(struct keeper *keeper, const struct keeper_pass *pass, int64_t day,
                             struct error *error)
{
    const struct tier_day *packed = tiers_find(keeper->tiers, day);
    if (packed && packed->tier == TIER_ARCHIVED && !pass->dry_run)
        return archive_tidy(keeper->tiers, day, error);
    if (!packed || packed->tier != TIER_COMPRESSED || !keeper->options.policy.archive.endpoint ||
        pass->now_us - packed->ended_us < keeper->options.policy.move_us)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (!pass->dry_run)
        status = archive_move(keeper->tiers, day, keeper->store, clock_now_us(keeper->wall), error);
    if (status == STATUS_OK)
        keeper_tell(pass, KEEPER_MOVE, tiers_find(keeper->tiers, day));
    return status;
}

static const struct {
    unsigned step;
    enum status (*run)(struct keeper *keeper, const struct keeper_pass *pass, int64_t day,
                       struct error *error);
} STEPS[] = {
    {KEEPER_SEAL, step_seal}, {KEEPER_SEAL, step_record},      {KEEPER_COMPRESS, step_compress},
    {KEEPER_MOVE, step_move}, {KEEPER_DELETE, retention_step},
};

/* ---- a pass ---- */

/* The newest day that something was committed to is the writer's; those before it are over. */
static enum status days_over(struct keeper *keeper, int64_t **days, size_t *n, struct error *error)
{
    enum status status = day_list(keeper->dir, days, n, error);
    for (bool found = false; status == STATUS_OK && *n > 0 && !found; --*n) {
        struct tier_day facts;
        status = seal_look(keeper->dir, (*days)[*n - 1], &facts, error);
        found = status == STATUS_OK;
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
        if (found)
            keeper->newest = (*days)[*n - 1];
    }
    return status;
}

static void note_problem(struct keeper *keeper, int64_t day, enum status status,
                         const struct error *error, struct error *first)
{
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        return;
    if (first->code == STATUS_OK) {
        *first = *error;
        first->code = status;
    }
    keeper->failures++;
    log_write(keeper->options.log, LOG_DEBUG, "record", "day_not_kept", "day %lld: %s",
              (long long)day, error->message);
}

static void run_day(struct keeper *keeper, const struct keeper_pass *pass, int64_t day,
                    struct error *first)
{
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
        struct error error = {.message = ""};
        enum status status = STATUS_OK;
        if (pass->steps & STEPS[i].step)
            status = STEPS[i].run(keeper, pass, day, &error);
        note_problem(keeper, day, status, &error, first);
        if (status != STATUS_OK)
            return;
    }
}

static bool is_asked(const struct keeper_pass *pass, int64_t day)
{
    return pass->before_us == 0 || day * US_PER_DAY < pass->before_us;
}

static void run_days(struct keeper *keeper, const struct keeper_pass *pass, const int64_t *files,
                     size_t n_files, struct error *first)
{
    for (size_t i = 0; i < n_files && !is_closing(keeper); i++)
        if (!tiers_find(keeper->tiers, files[i]) && is_asked(pass, files[i]))
            run_day(keeper, pass, files[i], first);
    /* By place: a row is put while the list is gone through, but never taken out. */
    for (size_t i = 0; i < tiers_count(keeper->tiers) && !is_closing(keeper); i++) {
        int64_t day = tiers_at(keeper->tiers, i)->day;
        if (is_asked(pass, day))
            run_day(keeper, pass, day, first);
    }
}

enum status keeper_run(struct keeper *keeper, const struct keeper_pass *pass, struct error *error)
{
    int64_t *days = NULL;
    size_t n = 0;
    struct error first = {.code = STATUS_OK};
    enum status status = tiers_refresh(keeper->tiers, error);
    if (status == STATUS_OK)
        status = days_over(keeper, &days, &n, error);
    if (status == STATUS_OK && !pass->dry_run)
        status = retention_record_holds(keeper, error);
    if (status == STATUS_OK)
        run_days(keeper, pass, days, n, &first);
    free(days);
    if (status == STATUS_OK && first.code != STATUS_OK) {
        *error = first;
        status = first.code;
    }
    keeper_count(keeper, status == STATUS_OK ? NULL : error);
    return status;
}

/* ---- the thread ---- */

static int64_t pause_ms(const struct tier_policy *policy)
{
    const int64_t ages_us[] = {policy->grace_us, policy->raw_us, policy->live_us, policy->move_us,
                               policy->keep_us};
    int64_t pause = LONGEST_PAUSE_MS;
    for (size_t i = 0; i < sizeof ages_us / sizeof *ages_us; i++)
        if (ages_us[i] / 4000 < pause)
            pause = ages_us[i] / 4000;
    return pause < SHORTEST_PAUSE_MS ? SHORTEST_PAUSE_MS : pause;
}

static void log_outcome(struct keeper *keeper, enum status status, const struct error *error,
                        bool *failing)
{
    if (status != STATUS_OK && !*failing)
        log_write(keeper->options.log, LOG_WARN, "record", "days_wait",
                  "%s; nothing is lost, and it is tried again", error->message);
    else if (status == STATUS_OK && *failing)
        log_write(keeper->options.log, LOG_INFO, "record", "days_kept",
                  "the ledger's days are where they belong again");
    *failing = status != STATUS_OK;
}

static void keep(void *context)
{
    struct keeper *keeper = context;
    bool failing = false;
    setpriority(PRIO_PROCESS, (id_t)gettid(), KEEPER_NICE);
    while (!is_closing(keeper)) {
        struct error error = {.message = ""};
        struct keeper_pass pass = {.steps = KEEPER_ALL, .now_us = clock_now_us(keeper->wall)};
        enum status status = keeper_run(keeper, &pass, &error);
        log_outcome(keeper, status, &error, &failing);
        lock_take(&keeper->lock);
        int64_t until_ns = monotonic_ns() + pause_ms(&keeper->options.policy) * 1000000;
        for (int64_t left_ms;
             !keeper->closing && (left_ms = (until_ns - monotonic_ns()) / 1000000) > 0;)
            condition_wait(&keeper->changed, &keeper->lock, left_ms);
        lock_release(&keeper->lock);
    }
}

enum status keeper_start(struct keeper *keeper, struct error *error)
{
    return thread_start("keeper", keep, keeper, &keeper->thread, error);
}
