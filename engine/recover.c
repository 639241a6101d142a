/* Brings a service to where its ledger ends: windows from the newest checkpoint plus the rows after
 * it, ids from the rows within their span, counters from the rows of their longest window. Run by
 * the thread that starts the engine, before any worker exists. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/checkpoint.h"
#include "engine/recorded.h"

#define RECOVERY_ARENA_BYTES (16u << 20)

struct recovery {
    struct engine *engine;
    struct decoder *decoder;
    struct feature_scratch *scratch;
    struct arena *arena;
    uint64_t windows_from; /* rows from here on are not in the windows yet */
    uint64_t ids_from;     /* nor in the set of ids */
    int64_t ids_since_us;  /* ids older than this may come again */
    uint64_t counts_from;  /* nor in the counters */
    uint64_t history_from; /* nor, if decided since history_us, in the history */
    int64_t history_us;
    uint64_t next; /* row that is expected */
    char *damaged; /* a file before it that could not be read to its end; NULL: none */
    struct error damage;
};

/* The row's input holds pseudonyms where the event held originals: exactly what the windows are
 * keyed by, so no replacements are needed. */
static enum status recover_windows(struct recovery *recovery, const struct ledger_row *row,
                                   struct error *error)
{
    struct engine *engine = recovery->engine;
    struct event event;
    if (engine_decode_row(engine->schema, recovery->decoder, recovery->arena, row, &event) !=
        STATUS_OK)
        return error_set(error, STATUS_MEMORY, "out of memory while reading the ledger");
    /* What was accepted then is accepted now: the state is the same. */
    enum status status = feature_insert(engine->store, recovery->scratch, &event, NULL);
    return status == STATUS_INVALID ? STATUS_OK : status;
}

static enum status recover_label(struct recovery *recovery, const struct ledger_row *row,
                                 struct error *error)
{
    struct engine *engine = recovery->engine;
    struct ledger_row decision;
    enum status status = reader_find_event(engine->reader, row->event_id, &decision, error);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    struct event event;
    if (engine_decode_row(engine->schema, recovery->decoder, recovery->arena, &decision, &event) !=
        STATUS_OK)
        return error_set(error, STATUS_MEMORY, "out of memory while reading the ledger");
    status = feature_label(engine->store, recovery->scratch, &event, NULL, row->label);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status recover_id(struct recovery *recovery, const struct ledger_row *row,
                              struct error *error)
{
    struct unique *unique = recovery->engine->unique;
    if (!unique || row->index < recovery->ids_from || row->at_us < recovery->ids_since_us)
        return STATUS_OK;
    uint64_t content = hash64(row->input.data, row->input.size, 0);
    return unique_restore(unique, row->event_id, content, row->at_us, row->index) == STATUS_FULL
               ? error_set(error, STATUS_FULL, "the ids of the ledger do not fit into memory")
               : STATUS_OK;
}

/* The history is told what the event was, which the windows need not know. */
static enum status recover_counts(struct recovery *recovery, const struct ledger_row *row,
                                  struct error *error)
{
    struct engine *engine = recovery->engine;
    struct event event;
    unsigned places = row->index >= recovery->counts_from ? OBSERVE_WINDOWS : 0;
    bool for_history = row->index >= recovery->history_from && row->at_us >= recovery->history_us;
    bool needs_event = for_history || (places && engine->indicators);
    if (for_history)
        places |= OBSERVE_SINK;
    if (needs_event && engine_decode_row(engine->schema, recovery->decoder, recovery->arena, row,
                                         &event) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "out of memory while reading the ledger");
    if (places)
        engine_observe_row(engine, row, needs_event ? &event : NULL, places);
    return STATUS_OK;
}

/* Rows up to `index` were to come after a file that is damaged. */
static void tell_damage(struct recovery *recovery, uint64_t index)
{
    if (!recovery->damaged)
        return;
    uint64_t lost = index > recovery->next ? index - recovery->next : 0;
    ledger_found_damaged(recovery->engine->ledger, recovery->damaged, lost, &recovery->damage);
    free(recovery->damaged);
    recovery->damaged = NULL;
}

/* What cannot be read is not in the windows, and its ids can come again; everything else goes on.
 */
static void note_damage(void *context, const char *path, const struct error *error)
{
    struct recovery *recovery = context;
    log_write(recovery->engine->parts.log, LOG_ERROR, "engine", "rows_unreadable",
              "%s: %s; windows and ids go on without its rows: put the file back from a backup, "
              "remove the *.checkpoint files and start again",
              path, error->message);
    tell_damage(recovery, recovery->next);
    recovery->damaged = strdup(path);
    recovery->damage = *error;
}

static enum status recover_row(void *context, const struct ledger_row *row, struct error *error)
{
    struct recovery *recovery = context;
    arena_reset(recovery->arena);
    tell_damage(recovery, row->index);
    recovery->next = row->index + 1;
    if (row->kind == ROW_LABEL)
        return row->index >= recovery->windows_from ? recover_label(recovery, row, error)
                                                    : STATUS_OK;
    if (row->kind != ROW_DECISION)
        return STATUS_OK;
    enum status status = recover_id(recovery, row, error);
    if (status == STATUS_OK && row->index >= recovery->windows_from)
        status = recover_windows(recovery, row, error);
    return status == STATUS_OK ? recover_counts(recovery, row, error) : status;
}

/* ---- checkpoints ---- */

/* Whether the checkpoints are of this ledger's own past: a ledger that was put back from an older
 * copy has never held some of the rows that they count. */
static enum status check_mark(const struct engine *engine, struct checkpoint_mark *mark,
                              struct error *error)
{
    uint8_t root[SHA256_SIZE];
    enum status status = checkpoint_load_mark(engine, mark, error);
    if (status != STATUS_OK)
        return status;
    status = reader_root_at(engine->reader, mark->tree_size, root, error);
    if (status == STATUS_OK &&
        strncmp(mark->identity, ledger_identity(engine->ledger), sizeof mark->identity) == 0 &&
        memcmp(root, mark->root, sizeof root) == 0)
        return STATUS_OK;
    return error_set(error, STATUS_CORRUPT,
                     "the checkpoints of the windows are not of this ledger as it is: was it put "
                     "back from a backup?");
}

/* A checkpoint that cannot be used costs time, not truth: the ledger has it all. */
static bool usable(const struct engine *engine, enum status status, const struct error *error)
{
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        log_write(engine->parts.log, LOG_WARN, "engine", "checkpoint_unusable",
                  "%s; reading the ledger instead", error->message);
    return status == STATUS_OK;
}

static enum status load_file(struct engine *engine, enum checkpoint_file file, const char *path,
                             uint64_t *upto, struct error *error)
{
    switch (file) {
    case CHECKPOINT_WINDOWS:
        return feature_store_load(engine->store, path, upto, error);
    case CHECKPOINT_COUNTS:
        return observe_load(engine->observe, path, upto, error);
    default:
        return engine->unique ? unique_load(engine->unique, path, upto, error) : STATUS_NOT_FOUND;
    }
}

/* The row from which on the ledger has to be read for what is in this file. */
static uint64_t load(struct engine *engine, const struct checkpoint_mark *mark,
                     enum checkpoint_file file)
{
    uint64_t upto = 0;
    struct error error = {.code = STATUS_OK};
    char *path = checkpoint_path(engine, file, mark->set);
    enum status status = path ? load_file(engine, file, path, &upto, &error)
                              : error_set(&error, STATUS_MEMORY, "out of memory");
    free(path);
    return usable(engine, status, &error) ? upto : 0;
}

static void load_all(struct recovery *recovery, struct error *error)
{
    struct engine *engine = recovery->engine;
    struct checkpoint_mark mark;
    if (!usable(engine, check_mark(engine, &mark, error), error))
        return;
    atomic_store(&engine->start_us, mark.start_us);
    recovery->windows_from = load(engine, &mark, CHECKPOINT_WINDOWS);
    recovery->counts_from = load(engine, &mark, CHECKPOINT_COUNTS);
    recovery->ids_from = load(engine, &mark, CHECKPOINT_IDS);
}

/* The first decision at or after a time; UINT64_MAX: there is none. */
static enum status decided_since(struct engine *engine, int64_t from_us, uint64_t *index,
                                 struct error *error)
{
    struct query_filter filter;
    struct query *query = NULL;
    struct ledger_row row;
    query_filter_init(&filter);
    filter.from_us = from_us;
    filter.limit = 1;
    *index = UINT64_MAX;
    enum status status = query_open(engine->reader, &filter, &query, error);
    if (status == STATUS_OK)
        status = query_next(query, &row, error);
    if (status == STATUS_OK)
        *index = row.index;
    query_close(query);
    if (status == STATUS_CORRUPT) { /* it is told of when the rows are read: all of them, then */
        *index = 0;
        return STATUS_OK;
    }
    return status == STATUS_END ? STATUS_OK : status;
}

/* Lowers *first to the first decision within the span of unique ids that the set lacks. */
static enum status first_since(struct recovery *recovery, uint64_t *first, struct error *error)
{
    uint64_t index = recovery->ids_from; /* it has those before */
    enum status status = STATUS_OK;
    if (index == 0)
        status = decided_since(recovery->engine, recovery->ids_since_us, &index, error);
    if (status == STATUS_OK && index < *first)
        *first = index;
    return status;
}

/* Lowers *first to the first decision that the history lacks. A history that begins now has what
 * the counters lack, and nothing before. */
static enum status first_of_history(struct recovery *recovery, uint64_t *first, struct error *error)
{
    struct engine *engine = recovery->engine;
    recovery->history_from = UINT64_MAX;
    if (!engine->history)
        return STATUS_OK;
    recovery->history_us = history_upto_us(engine->history);
    if (recovery->history_us == INT64_MIN) {
        recovery->history_from = recovery->counts_from;
        return STATUS_OK;
    }
    enum status status =
        decided_since(engine, recovery->history_us, &recovery->history_from, error);
    if (status == STATUS_OK && recovery->history_from < *first)
        *first = recovery->history_from;
    return status;
}

/* Where the scan has to begin: at the oldest row that somebody still lacks. */
static enum status first_needed(struct recovery *recovery, uint64_t *first, struct error *error)
{
    struct engine *engine = recovery->engine;
    uint64_t size;
    uint8_t root[SHA256_SIZE];
    enum status status = reader_head(engine->reader, &size, root, error);
    if (status != STATUS_OK)
        return status;
    *first = recovery->windows_from < recovery->counts_from ? recovery->windows_from
                                                            : recovery->counts_from;
    status = first_of_history(recovery, first, error);
    if (status != STATUS_OK)
        return status;
    if (engine->unique && size > 0) {
        struct ledger_row last;
        status = reader_row(engine->reader, size - 1, &last, error);
        if (status != STATUS_OK)
            return status;
        recovery->ids_since_us = last.at_us - contract_unique_within_us(engine->parts.contract);
        return first_since(recovery, first, error);
    }
    return STATUS_OK;
}

/* The first decision of all: since then windows have been filled. */
static enum status find_begin(struct engine *engine, struct error *error)
{
    int64_t event_us;
    if (atomic_load(&engine->start_us) != 0) /* the checkpoint knew */
        return STATUS_OK;
    enum status status = reader_first_event(engine->reader, &event_us, error);
    if (status == STATUS_OK)
        atomic_store(&engine->start_us, event_us);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Not from the rows that were scanned: a checkpoint may leave none to scan. */
static void set_clock(struct engine *engine)
{
    struct ledger_stats stats;
    ledger_stats(engine->ledger, &stats);
    if (engine->parts.event_time && stats.high_us > 0)
        clock_advance(engine->parts.clock, stats.high_us);
}

static enum status scan_rows(struct recovery *recovery, struct reader *scan, uint64_t first,
                             struct error *error)
{
    struct ledger_stats stats;
    recovery->next = first;
    enum status status = reader_scan_past(scan, first, recover_row, note_damage, recovery, error);
    ledger_stats(recovery->engine->ledger, &stats);
    tell_damage(recovery, stats.tree_size);
    if (status == STATUS_OK && stats.tree_size > 0)
        log_write(recovery->engine->parts.log, LOG_INFO, "engine", "taken_up",
                  "%llu rows: the state of a checkpoint and %llu rows read",
                  (unsigned long long)stats.tree_size,
                  (unsigned long long)(stats.tree_size - first));
    return status;
}

enum status engine_recover(struct engine *engine, struct error *error)
{
    struct recovery recovery = {.engine = engine};
    struct reader *scan = NULL;
    load_all(&recovery, error);
    recovery.arena = arena_create(RECOVERY_ARENA_BYTES);
    uint64_t first = 0;
    enum status status = recovery.arena ? STATUS_OK : STATUS_MEMORY;
    if (status != STATUS_OK)
        error_set(error, status, "out of memory");
    if (status == STATUS_OK)
        status = decoder_create(engine->schema, true, &recovery.decoder, error);
    if (status == STATUS_OK)
        status = feature_scratch_create(engine->store, &recovery.scratch, error);
    if (status == STATUS_OK)
        status = find_begin(engine, error);
    if (status == STATUS_OK)
        status = first_needed(&recovery, &first, error);
    if (status == STATUS_OK)
        status = reader_open(engine->parts.ledger_dir, &scan, error);
    if (status == STATUS_OK)
        status = scan_rows(&recovery, scan, first, error);
    if (status == STATUS_OK)
        set_clock(engine);
    reader_close(scan);
    feature_scratch_destroy(recovery.scratch);
    decoder_destroy(recovery.decoder);
    arena_destroy(recovery.arena);
    if (status != STATUS_OK)
        error_prefix(error, "the ledger in %s cannot be taken up", engine->parts.ledger_dir);
    return status;
}
