/* Entries to bytes, in the thread of whoever submits them: leaves are encoded and hashed here and
 * quarantined events sealed, so that the writer only copies. */
#include "engine/base/array.h"
#include "engine/record/ledger_priv.h"

#include <stdlib.h>

#include "engine/base/json.h"
#include "engine/record/codec_priv.h"
#include "engine/record/files_priv.h"

/* A batch of 1024 events of the largest size still fits. */
#define MAX_CHUNK_BYTES ((size_t)256 << 20)

void chunk_destroy(struct chunk *chunk)
{
    if (!chunk)
        return;
    buffer_free(&chunk->bytes);
    free(chunk->items);
    free(chunk);
}

void chunk_clear(struct chunk *chunk)
{
    if (!chunk->bytes.maximum)
        buffer_init(&chunk->bytes, MAX_CHUNK_BYTES);
    buffer_reset(&chunk->bytes);
    chunk->n = chunk->n_leaves = chunk->n_quarantined = 0;
    chunk->ends_group = false;
    chunk->next = NULL;
}

static struct item *next_item(struct chunk *chunk)
{
    struct item *items = array_grow(chunk->items, chunk->n, &chunk->capacity, sizeof *items);
    if (!items)
        return NULL;
    chunk->items = items;
    struct item *item = &items[chunk->n];
    *item = (struct item){.source = -1, .at_us = NO_TIME, .feature_set = -1};
    return item;
}

static enum status take_position(const struct ledger *ledger, struct item *item,
                                 const struct position *position, struct error *error)
{
    item->source = position->source;
    item->part = position->part;
    item->offset = position->offset;
    if (position->source < -1 || position->source >= MAX_SOURCES ||
        (position->source >= 0 && !ledger->sources[position->source]))
        return error_set(error, STATUS_INVALID,
                         "position of source %d, which the ledger was not "
                         "told of",
                         position->source);
    return STATUS_OK;
}

static void set_place(const struct ledger *ledger, const struct item *item, struct ledger_row *row)
{
    if (item->source < 0)
        return;
    row->source = slice_of(ledger->sources[item->source]);
    row->part = item->part;
    row->offset = item->offset;
}

static int find_features(struct ledger *ledger, const struct feature_schema *names)
{
    size_t n = atomic_load_explicit(&ledger->n_features, memory_order_acquire);
    for (size_t i = n; i-- > 0;)
        if (ledger->features[i].names == names)
            return (int)i;
    return -1;
}

static enum status add_leaf(struct chunk *chunk, struct item *item, const struct ledger_row *row,
                            struct error *error)
{
    if (!leaf_encode(row, &chunk->bytes))
        return error_set(error, STATUS_INVALID, "a batch is too large for the ledger's queue");
    item->size = chunk->bytes.size - item->at;
    item->ordinal = chunk->n_leaves;
    enum status status =
        tree_leaf_hash(slice_make(chunk->bytes.data + item->at, item->size), item->hash);
    if (status != STATUS_OK)
        return error_set(error, status, "cannot hash a ledger row");
    chunk->n_leaves++;
    return STATUS_OK;
}

static void outcome_to_row(const struct outcome *outcome, struct row_reason *reasons,
                           struct row_shadow *shadows, struct ledger_row *row)
{
    row->event_us = outcome->event->time_us;
    row->contract = slice_of(outcome->event->schema->name);
    row->contract_version = slice_of(outcome->event->schema->version);
    row->features = outcome->features.values;
    row->score = outcome->score;
    row->margin = outcome->margin;
    row->decision = outcome->decision;
    row->rule = slice_of(outcome->rule);
    for (int i = 0; i < outcome->n_reasons; i++)
        reasons[i] =
            (struct row_reason){slice_of(outcome->reasons[i].code), outcome->reasons[i].feature,
                                outcome->reasons[i].value, outcome->reasons[i].contribution};
    row->reasons = reasons;
    row->n_reasons = outcome->n_reasons;
    row->model = slice_of(outcome->model);
    row->model_version = slice_of(outcome->model_version);
    row->variant = outcome->variant;
    for (int i = 0; i < outcome->n_shadows; i++)
        shadows[i] =
            (struct row_shadow){slice_of(outcome->shadows[i].model),
                                slice_of(outcome->shadows[i].version), outcome->shadows[i].score};
    row->shadows = shadows;
    row->n_shadows = outcome->n_shadows;
    memcpy(row->trace_id, outcome->trace_id, sizeof row->trace_id);
    row->latency_us = outcome->latency_us;
}

static enum status add_decision(struct chunk *chunk, struct ledger *ledger, struct item *item,
                                const struct ledger_entry *entry, struct error *error)
{
    const struct outcome *outcome = entry->decision.outcome;
    enum status status = take_position(ledger, item, &outcome->event->position, error);
    if (status != STATUS_OK)
        return status;
    struct ledger_row row = {.kind = ROW_DECISION, .at_us = outcome->decided_at_us};
    struct row_reason reasons[MAX_FEATURES];
    struct row_shadow shadows[MAX_SHADOWS];
    if (outcome->n_reasons < 0 || outcome->n_reasons > MAX_FEATURES || outcome->n_shadows < 0 ||
        outcome->n_shadows > MAX_SHADOWS)
        return error_set(error, STATUS_INVALID, "an outcome with too many reasons or shadows");
    if (outcome->features.schema) {
        item->feature_set = find_features(ledger, outcome->features.schema);
        if (item->feature_set < 0)
            return error_set(error, STATUS_INVALID,
                             "an outcome with features that the ledger was not told of");
        memcpy(row.feature_set, ledger->features[item->feature_set].digest, FEATURE_SET_SIZE);
        row.n_features = outcome->features.schema->n_features;
    }
    outcome_to_row(outcome, reasons, shadows, &row);
    row.event_id = entry->decision.event_id;
    row.entity = entry->decision.entity;
    row.input = entry->decision.input;
    set_place(ledger, item, &row);
    item->at_us = row.at_us;
    return add_leaf(chunk, item, &row, error);
}

static enum status add_label(struct chunk *chunk, struct ledger *ledger, struct item *item,
                             const struct ledger_entry *entry, struct error *error)
{
    if (entry->label.label != 0 && entry->label.label != 1)
        return error_set(error, STATUS_INVALID, "label %d: must be 0 or 1", entry->label.label);
    enum status status = take_position(ledger, item, &entry->position, error);
    if (status != STATUS_OK)
        return status;
    struct ledger_row row = {.kind = ROW_LABEL,
                             .at_us = entry->label.at_us,
                             .event_id = entry->label.event_id,
                             .label = entry->label.label,
                             .observed_us = entry->label.observed_us};
    set_place(ledger, item, &row);
    item->at_us = row.at_us;
    return add_leaf(chunk, item, &row, error);
}

static enum status add_action(struct chunk *chunk, struct ledger *ledger, struct item *item,
                              const struct ledger_entry *entry, struct error *error)
{
    enum status status = take_position(ledger, item, &entry->position, error);
    if (status != STATUS_OK)
        return status;
    struct ledger_row row = {.kind = ROW_ACTION,
                             .at_us = entry->action.at_us,
                             .who = slice_of(entry->action.who),
                             .what = slice_of(entry->action.what),
                             .arguments = entry->action.arguments};
    set_place(ledger, item, &row);
    item->at_us = row.at_us;
    return add_leaf(chunk, item, &row, error);
}

/* Contract, version, violations, sealed bytes: each length-prefixed. */
static enum status pack_quarantine(struct chunk *chunk, const struct ledger *ledger,
                                   const struct event *event, struct slice document)
{
    struct buffer text, sealed;
    buffer_init(&text, (size_t)1 << 20);
    buffer_init(&sealed, document.size + 64);
    struct json_writer json;
    json_begin(&json, &text);
    event_violations_json(event, &json, NULL);
    enum status status =
        crypto_seal(ledger->quarantine_key, document, slice_of(QUARANTINE_CONTEXT), &sealed);
    if (status == STATUS_OK) {
        put_text(&chunk->bytes, slice_of(event->schema->name));
        put_text(&chunk->bytes, slice_of(event->schema->version));
        put_text(&chunk->bytes, buffer_slice(&text));
        put_text(&chunk->bytes, buffer_slice(&sealed));
        if (text.overflow || chunk->bytes.overflow)
            status = STATUS_MEMORY;
    }
    buffer_free(&text);
    buffer_free(&sealed);
    return status;
}

enum status quarantine_unpack(struct slice bytes, struct day_quarantine *event)
{
    struct cursor in = cursor_of(bytes);
    event->contract = get_text(&in);
    event->contract_version = get_text(&in);
    event->violations = get_text(&in);
    event->sealed = get_text(&in);
    return in.bad ? STATUS_CORRUPT : STATUS_OK;
}

static enum status add_quarantine(struct chunk *chunk, struct ledger *ledger, struct item *item,
                                  const struct ledger_entry *entry, struct error *error)
{
    const struct event *event = entry->quarantine.event;
    enum status status = take_position(ledger, item, &event->position, error);
    if (status != STATUS_OK)
        return status;
    struct slice document = entry->quarantine.document;
    status = pack_quarantine(chunk, ledger, event, document.size > 0 ? document : event->raw);
    if (status != STATUS_OK)
        return error_set(error, status, "cannot seal a quarantined event");
    item->size = chunk->bytes.size - item->at;
    item->ordinal = chunk->n_quarantined++;
    item->at_us = event->received_us;
    return STATUS_OK;
}

static enum status add_mark(struct chunk *chunk, struct ledger *ledger, struct item *item,
                            const struct ledger_entry *entry, struct error *error)
{
    (void)chunk;
    item->ordinal = entry->mark.id;
    item->mark = (int)entry->mark.status;
    item->at_us = entry->mark.at_us;
    return take_position(ledger, item, &entry->position, error);
}

static enum status add_position(struct chunk *chunk, struct ledger *ledger, struct item *item,
                                const struct ledger_entry *entry, struct error *error)
{
    (void)chunk;
    return take_position(ledger, item, &entry->position, error);
}

enum status chunk_add(struct chunk *chunk, struct ledger *ledger, const struct ledger_entry *entry,
                      struct error *error)
{
    static enum status (*const add[])(struct chunk *, struct ledger *, struct item *,
                                      const struct ledger_entry *, struct error *) = {
        [ENTRY_DECISION] = add_decision,    [ENTRY_LABEL] = add_label,
        [ENTRY_ACTION] = add_action,        [ENTRY_QUARANTINE] = add_quarantine,
        [ENTRY_QUARANTINE_MARK] = add_mark, [ENTRY_POSITION] = add_position,
    };
    if ((size_t)entry->kind >= sizeof add / sizeof *add)
        return error_set(error, STATUS_INVALID, "an entry of no known kind");
    struct item *item = next_item(chunk);
    if (!item)
        return error_set(error, STATUS_MEMORY, "out of memory");
    item->kind = entry->kind;
    item->at = chunk->bytes.size;
    enum status status = add[entry->kind](chunk, ledger, item, entry, error);
    if (status == STATUS_OK)
        chunk->n++;
    return status;
}
