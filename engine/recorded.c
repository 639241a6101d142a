/* Finds the rows of a range of offsets. Rows carry their offsets but are not indexed by them; those
 * asked for are among the newest, so the ledger is read backwards in growing steps until a row lies
 * before the range. Any thread; a reader of its own. */
#include "engine/recorded.h"

#include <stdio.h>
#include <string.h>

#include "engine/engine_priv.h"

#define FIRST_STEP_ROWS UINT64_C(16384)
#define BODY_BYTES      (4u << 20)

struct search {
    struct reader *reader;
    struct slice source;
    int32_t part;
    int64_t first, last;
    uint64_t end;      /* rows from here on were looked at before */
    bool found_before; /* a row of the part before `first` */
    recorded_visitor *each;
    void *context;
    struct buffer body;
};

static bool of_part(const struct search *search, const struct ledger_row *row)
{
    return row->kind == ROW_DECISION && row->part == search->part &&
           slice_equal(row->source, search->source);
}

static enum status look(void *context, const struct ledger_row *row, struct error *error)
{
    struct search *search = context;
    (void)error;
    if (row->index >= search->end)
        return STATUS_END;
    search->found_before =
        search->found_before || (of_part(search, row) && row->offset < search->first);
    return search->found_before ? STATUS_END : STATUS_OK;
}

/* An index with nothing of the range before it. */
static enum status find_start(struct search *search, uint64_t *start, struct error *error)
{
    uint8_t root[SHA256_SIZE];
    enum status status = reader_head(search->reader, &search->end, root, error);
    *start = search->end;
    for (uint64_t step = FIRST_STEP_ROWS; status == STATUS_OK && *start > 0; step *= 2) {
        *start = search->end > step ? search->end - step : 0;
        status = reader_scan(search->reader, *start, look, search, error);
        if (search->found_before)
            break;
        search->end = *start;
    }
    return status;
}

static enum status give_decision(void *context, const struct ledger_row *row, struct error *error)
{
    struct search *search = context;
    if (!of_part(search, row) || row->offset < search->first || row->offset > search->last)
        return STATUS_OK;
    buffer_reset(&search->body);
    row_answer_json(row, false, -1, &search->body);
    if (search->body.overflow)
        return error_set(error, STATUS_MEMORY, "ledger row %llu is too large to be sent",
                         (unsigned long long)row->index);
    struct recorded recorded = {.decided = true,
                                .offset = row->offset,
                                .entity = row->entity,
                                .body = buffer_slice(&search->body)};
    return search->each(search->context, &recorded, error);
}

static enum status give_quarantined(void *context, const struct quarantine_row *row,
                                    struct error *error)
{
    struct search *search = context;
    struct recorded recorded = {
        .offset = row->offset, .body = row->raw, .violations = row->violations};
    return search->each(search->context, &recorded, error);
}

static enum status visit(struct search *search, struct error *error)
{
    uint64_t start;
    struct quarantine_filter filter;
    quarantine_filter_init(&filter);
    filter.source = search->source;
    filter.part = search->part;
    filter.first_offset = search->first;
    filter.last_offset = search->last;
    enum status status = find_start(search, &start, error);
    if (status == STATUS_OK)
        status = reader_scan(search->reader, start, give_decision, search, error);
    if (status == STATUS_OK)
        status = quarantine_scan(search->reader, &filter, true, give_quarantined, search, error);
    return status;
}

enum status engine_recorded(struct engine *engine, int source, int32_t part, int64_t first,
                            int64_t last, recorded_visitor *each, void *context,
                            struct error *error)
{
    struct search search = {
        .source = slice_of(engine->parts.sources[source]),
        .part = part,
        .first = first,
        .last = last,
        .each = each,
        .context = context,
    };
    if (!engine->ledger || first > last)
        return STATUS_OK;
    enum status status = reader_open(engine->parts.ledger_dir, &search.reader, error);
    if (status != STATUS_OK)
        return status;
    buffer_init(&search.body, BODY_BYTES);
    status = visit(&search, error);
    buffer_free(&search.body);
    reader_close(search.reader);
    return status;
}

enum status engine_decode_row(const struct schema *schema, struct decoder *decoder,
                              struct arena *arena, const struct ledger_row *row,
                              struct event *event)
{
    size_t size = schema->n_fields * sizeof *event->values;
    *event = (struct event){.schema = schema,
                            .position.source = -1,
                            .values = arena_alloc(arena, size),
                            .received_us = row->at_us};
    if (!event->values)
        return STATUS_MEMORY;
    memset(event->values, 0, size);
    decoder_json(decoder, row->input, arena, event);
    event->time_us = row->event_us;
    return STATUS_OK;
}

/* The recorded names need an ending zero to be counted by. */
static void copy_name(struct slice name, char out[NAME_SIZE])
{
    snprintf(out, NAME_SIZE, SLICE_FORMAT, SLICE_ARGS(name));
}

void engine_recorded_outcome(const struct ledger_row *row, const struct feature_schema *features,
                             struct recorded_texts *texts, struct outcome *outcome)
{
    bool same = features && features->n_features == row->n_features;
    copy_name(row->model, texts->model);
    copy_name(row->model_version, texts->version);
    copy_name(row->rule, texts->rule);
    *outcome = (struct outcome){
        .features = {features, same ? (float *)(uintptr_t)row->features : NULL},
        .margin = row->margin,
        .score = row->score,
        .decision = row->decision,
        .rule = texts->rule,
        .model = texts->model,
        .model_version = texts->version,
        .variant = row->variant,
        .n_shadows = row->n_shadows,
        .decided_at_us = row->at_us,
        .latency_us = row->latency_us,
        .ledger_index = row->index,
    };
    for (int i = 0; i < row->n_shadows; i++) {
        copy_name(row->shadows[i].model, texts->shadow_models[i]);
        copy_name(row->shadows[i].version, texts->shadow_versions[i]);
        outcome->shadows[i] = (struct shadow_score){
            texts->shadow_models[i], texts->shadow_versions[i], row->shadows[i].score};
    }
}
