/* Reads quarantined events and takes them through a worker of its own, one by one: each is on the
 * disk before it is marked as retried. */
#include "app/retry.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/record/ledger.h"

#define LINE_BYTES ((size_t)16 << 20)
#define MOST_BYTES ((size_t)1 << 30)

struct kept_row {
    uint64_t id;
    struct slice raw;
};

struct retry {
    const uint64_t *ids; /* those asked for, while reading; none: all */
    size_t n_ids;
    struct arena *arena;
    struct kept_row *rows;
    size_t n, capacity;
};

/* ---- reading ---- */

static bool is_wanted(const struct retry *retry, uint64_t id)
{
    for (size_t i = 0; i < retry->n_ids; i++) {
        if (retry->ids[i] == id)
            return true;
    }
    return retry->n_ids == 0;
}

static bool was_read(const struct retry *retry, uint64_t id)
{
    for (size_t i = 0; i < retry->n; i++) {
        if (retry->rows[i].id == id)
            return true;
    }
    return false;
}

static enum status keep_row(void *context, const struct quarantine_row *row, struct error *error)
{
    struct retry *retry = context;
    if (!is_wanted(retry, row->id))
        return STATUS_OK;
    if (row->raw_deleted && retry->n_ids == 0)
        return STATUS_OK; /* of all that are open, those that can be */
    if (row->raw_deleted)
        return error_set(error, STATUS_INVALID,
                         "the bytes of quarantined event %llu were deleted by policy: it cannot be "
                         "tried again",
                         (unsigned long long)row->id);
    struct kept_row *rows = array_grow(retry->rows, retry->n, &retry->capacity, sizeof *rows);
    if (!rows)
        return error_set(error, STATUS_MEMORY, "out of memory");
    retry->rows = rows;
    char *copy = arena_alloc(retry->arena, row->raw.size + 1);
    if (!copy)
        return error_set(error, STATUS_FULL,
                         "more than 1 GiB is quarantined; choose with --reason or --field");
    memcpy(copy, row->raw.data, row->raw.size);
    retry->rows[retry->n++] = (struct kept_row){row->id, slice_make(copy, row->raw.size)};
    return STATUS_OK;
}

static enum status read_rows(struct retry *retry, const char *ledger_dir,
                             const struct quarantine_filter *filter, struct error *error)
{
    struct reader *reader = NULL;
    enum status status = reader_open(ledger_dir, &reader, error);
    if (status == STATUS_OK)
        status = quarantine_scan(reader, filter, true, keep_row, retry, error);
    reader_close(reader);
    for (size_t i = 0; i < retry->n_ids && status == STATUS_OK; i++) {
        if (!was_read(retry, retry->ids[i]))
            status = error_set(error, STATUS_NOT_FOUND,
                               "no open event %llu is in quarantine; `binnacle quarantine list` "
                               "shows those that are",
                               (unsigned long long)retry->ids[i]);
    }
    return status;
}

enum status retry_read(const char *ledger_dir, const struct quarantine_filter *filter,
                       const uint64_t *ids, size_t n_ids, struct retry **retry, struct error *error)
{
    struct retry *made = calloc(1, sizeof *made);
    *retry = NULL;
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->ids = ids;
    made->n_ids = n_ids;
    made->arena = arena_create(MOST_BYTES);
    enum status status = made->arena ? read_rows(made, ledger_dir, filter, error)
                                     : error_set(error, STATUS_MEMORY, "out of memory");
    if (status != STATUS_OK) {
        retry_destroy(made);
        return status;
    }
    *retry = made;
    return STATUS_OK;
}

void retry_destroy(struct retry *retry)
{
    if (!retry)
        return;
    free(retry->rows);
    arena_destroy(retry->arena);
    free(retry);
}

size_t retry_size(const struct retry *retry)
{
    return retry->n;
}

/* ---- trying ---- */

static enum status mark_retried(struct engine *engine, uint64_t id, struct error *error)
{
    struct ledger_entry entry = {
        .kind = ENTRY_QUARANTINE_MARK,
        .position.source = -1,
        .mark = {.id = id,
                 .status = QUARANTINE_RETRIED,
                 .at_us = clock_now_us(engine_parts(engine)->clock)},
    };
    return ledger_submit(engine_ledger(engine), &entry, 1, SUBMIT_WAIT, NULL, error);
}

static enum status try_row(struct worker *worker, const struct kept_row *row, struct answer *answer,
                           struct error *error)
{
    struct raw_event event = {.bytes = row->raw, .document = true, .position.source = -1};
    enum status status = worker_process(worker, &event, 1, answer, error);
    if (status == STATUS_OK)
        status = worker_wait(worker, error);
    if (status == STATUS_OK && answer->kind == ANSWER_REFUSED) {
        *error = *worker_refusal(worker);
        return STATUS_UNAVAILABLE;
    }
    return status;
}

enum status retry_run(struct retry *retry, struct engine *engine,
                      const struct worker_options *options, retry_visitor *each, void *context,
                      struct retry_count *count, struct error *error)
{
    struct worker *worker = NULL;
    struct answer answer;
    struct buffer line;
    buffer_init(&line, LINE_BYTES);
    enum status status = worker_create(engine, options, &worker, error);
    for (size_t i = 0; i < retry->n && status == STATUS_OK; i++) {
        status = try_row(worker, &retry->rows[i], &answer, error);
        if (status == STATUS_OK)
            status = mark_retried(engine, retry->rows[i].id, error);
        if (status != STATUS_OK)
            break;
        bool accepted = answer.kind == ANSWER_DECIDED || answer.kind == ANSWER_DUPLICATE;
        count->accepted += accepted;
        count->quarantined += !accepted;
        buffer_reset(&line);
        answer_json(worker, &answer, &line);
        status = each(context, buffer_slice(&line), error);
    }
    worker_destroy(worker);
    buffer_free(&line);
    return status;
}
