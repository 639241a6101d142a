/* A data file held against a contract, as a replay would, but only to count. One thread. */
#include "engine/contract/audit.h"

#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/contract/unique.h"
#include "engine/event/file_source.h"

#define ARENA_BYTES (4 * MAX_EVENT_BYTES + sizeof(struct value) * MAX_FIELDS)

/* What a run over one file needs. */
struct run {
    const struct contract *contract;
    struct file_source *source;
    struct decoder *decoder;
    struct arena *arena;
    struct unique *unique; /* NULL: ids are not checked */
    struct buffer json;
    struct audit *audit;
    int64_t now_us; /* the highest accepted event time */
    bool no_memory;
};

static struct audit_count *find_count(struct audit *audit, const struct violation *violation)
{
    for (size_t i = 0; i < audit->n_counts; i++) {
        struct audit_count *count = &audit->counts[i];
        if (count->code == violation->code && count->field == violation->field &&
            count->check == violation->check)
            return count;
    }
    return NULL;
}

static void count_violation(struct run *run, const struct violation *violation, int64_t line)
{
    struct audit *audit = run->audit;
    struct audit_count *count = find_count(audit, violation);
    if (!count) {
        /* At most one per field and code, so that this stays small. */
        struct audit_count *counts = realloc(audit->counts, (audit->n_counts + 1) * sizeof *counts);
        if (!counts) {
            run->no_memory = true;
            return;
        }
        audit->counts = counts;
        count = &counts[audit->n_counts++];
        *count = (struct audit_count){.field = violation->field,
                                      .code = violation->code,
                                      .check = violation->check,
                                      .first_line = line};
    }
    count->n++;
}

static void check_unique(struct run *run, struct event *event)
{
    int id = contract_schema(run->contract)->id;
    uint64_t row;
    if (!run->unique || event->n_violations > 0)
        return;
    buffer_reset(&run->json);
    event_json(event, NULL, &run->json);
    int64_t now_us = event->time_us > run->now_us ? event->time_us : run->now_us;
    uint64_t content = hash64(run->json.data, run->json.size, 0);
    switch (unique_reserve(run->unique, event->values[id].string, content, now_us, &row)) {
    case UNIQUE_SAME:
    case UNIQUE_CONFLICT:
        event_violate(event, VIOLATION_DUPLICATE_ID, id);
        break;
    case UNIQUE_FULL:
        run->no_memory = true;
        break;
    case UNIQUE_NEW:
        break;
    }
}

static void judge(struct run *run, const struct file_record *record)
{
    struct event event = {0};
    arena_reset(run->arena);
    if (file_source_format(run->source) == FORMAT_CSV)
        decoder_csv(run->decoder, record->raw, run->arena, &event);
    else
        decoder_json(run->decoder, record->raw, run->arena, &event);
    contract_check(run->contract, &event, run->now_us, CONTRACT_EVENT);
    check_unique(run, &event);
    run->audit->n_events++;
    if (event.n_violations == 0) {
        run->audit->n_accepted++;
        if (event.time_us > run->now_us)
            run->now_us = event.time_us;
    }
    for (int i = 0; i < event.n_violations; i++)
        count_violation(run, &event.violations[i], record->line);
}

static enum status prepare(struct run *run, const char *path, struct error *error)
{
    struct unique_options options = {.span_us = contract_unique_within_us(run->contract)};
    enum status status = file_source_open(path, FILE_AUTO, &run->source, error);
    if (status == STATUS_OK)
        status = decoder_create(contract_schema(run->contract),
                                contract_additional_fields(run->contract), &run->decoder, error);
    if (status == STATUS_OK && file_source_format(run->source) == FORMAT_CSV) {
        status = decoder_csv_header(run->decoder, file_source_header(run->source), error);
        if (status != STATUS_OK)
            error_prefix(error, "%s", path);
    }
    if (status == STATUS_OK && options.span_us > 0)
        status = unique_create(&options, &run->unique, error);
    if (status == STATUS_OK) {
        run->arena = arena_create(ARENA_BYTES);
        if (!run->arena)
            status = error_set(error, STATUS_MEMORY, "no memory to check %s", path);
    }
    return status;
}

static enum status read_all(struct run *run, const char *path, struct error *error)
{
    struct file_record record;
    enum status status;
    while ((status = file_source_next(run->source, NULL, &record, error)) == STATUS_OK) {
        judge(run, &record);
        if (run->no_memory)
            return error_set(error, STATUS_MEMORY, "no memory to check %s at line %lld", path,
                             (long long)record.line);
    }
    return status == STATUS_END ? STATUS_OK : status;
}

static int by_frequency(const void *a, const void *b)
{
    const struct audit_count *x = a;
    const struct audit_count *y = b;
    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return (x->first_line > y->first_line) - (x->first_line < y->first_line);
}

enum status audit_file(const struct contract *contract, const char *path, struct audit *audit,
                       struct error *error)
{
    struct run run = {.contract = contract, .audit = audit, .now_us = INT64_MIN};
    *audit = (struct audit){0};
    buffer_init(&run.json, 8 * MAX_EVENT_BYTES);
    enum status status = prepare(&run, path, error);
    if (status == STATUS_OK)
        status = read_all(&run, path, error);
    if (status == STATUS_OK && audit->n_counts > 1)
        qsort(audit->counts, audit->n_counts, sizeof *audit->counts, by_frequency);
    if (status != STATUS_OK)
        audit_free(audit);
    buffer_free(&run.json);
    unique_destroy(run.unique);
    if (run.arena)
        arena_destroy(run.arena);
    decoder_destroy(run.decoder);
    file_source_close(run.source);
    return status;
}

void audit_free(struct audit *audit)
{
    free(audit->counts);
    *audit = (struct audit){0};
}
