/* Decisions are counted as they come. A label finds its decision through a reader of its own; the
 * event itself is decoded only where the options name a field of it. */
#include "engine/join.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/thread.h"
#include "engine/engine_priv.h"
#include "engine/recorded.h"

#define ARENA_BYTES (16u << 20)

struct join {
    const struct schema *schema;
    int amount_field, cohort_field; /* -1: none */
    struct truth *truth;
    struct lock *lock; /* NULL: nobody else looks at it */
    struct reader *lookup;
    struct decoder *decoder; /* NULL without fields */
    struct arena *arena;
};

/* ---- options ---- */

static enum status check_field(const struct schema *schema, const struct yaml_node *node,
                               const char *key, const char **name, struct error *error)
{
    if (*name && schema && schema_find(schema, *name) < 0)
        return yaml_error(yaml_get(node, key), error, "the contract has no field %s", *name);
    if (!schema)
        *name = NULL;
    return STATUS_OK;
}

enum status join_options(const struct yaml_node *node, const struct schema *schema,
                         struct truth_options *options, struct error *error)
{
    enum status status = truth_read(node, options, error);
    if (status == STATUS_OK)
        status = check_field(schema, node, "amount", &options->amount, error);
    if (status == STATUS_OK)
        status = check_field(schema, node, "cohort", &options->cohort, error);
    return status;
}

static enum status open_parts(struct join *join, const char *ledger_dir,
                              const struct truth_options *options, struct error *error)
{
    bool has_fields = join->amount_field >= 0 || join->cohort_field >= 0;
    enum status status = reader_open(ledger_dir, &join->lookup, error);
    if (status == STATUS_OK)
        status = truth_create(options, &join->truth, error);
    if (status == STATUS_OK && has_fields)
        status = decoder_create(join->schema, true, &join->decoder, error);
    join->arena = arena_create(ARENA_BYTES);
    if (status == STATUS_OK && !join->arena)
        status = error_set(error, STATUS_MEMORY, "out of memory");
    return status;
}

enum status join_open(const char *ledger_dir, const struct schema *schema,
                      const struct truth_options *options, struct join **join, struct error *error)
{
    *join = NULL;
    struct join *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->schema = schema;
    made->amount_field = options->amount ? schema_find(schema, options->amount) : -1;
    made->cohort_field = options->cohort ? schema_find(schema, options->cohort) : -1;
    enum status status = open_parts(made, ledger_dir, options, error);
    if (status != STATUS_OK) {
        join_close(made);
        return status;
    }
    *join = made;
    return STATUS_OK;
}

void join_close(struct join *join)
{
    if (!join)
        return;
    truth_destroy(join->truth);
    arena_destroy(join->arena);
    decoder_destroy(join->decoder);
    reader_close(join->lookup);
    free(join);
}

void join_guard(struct join *join, struct lock *lock)
{
    join->lock = lock;
}

struct truth *join_truth(struct join *join)
{
    return join->truth;
}

/* ---- rows ---- */

static struct slice field_text(const struct event *event, int field, char out[32])
{
    const struct value *value = &event->values[field];
    if (value->type == VALUE_STRING)
        return value->string;
    if (value->type == VALUE_BOOL)
        return slice_of(value->boolean ? "true" : "false");
    if (value->type == VALUE_NUMBER)
        return slice_make(out, (size_t)snprintf(out, 32, "%.15g", value->number));
    return slice_of("");
}

/* What counts of a decision; texts live until the next row. */
struct decided {
    struct truth_decision decision;
    double amount; /* NaN: not known */
    char text[32];
};

static void read_fields(struct join *join, const struct ledger_row *row, struct decided *out)
{
    struct event event;
    if (!join->decoder)
        return;
    arena_reset(join->arena);
    if (engine_decode_row(join->schema, join->decoder, join->arena, row, &event) != STATUS_OK)
        return;
    if (join->cohort_field >= 0)
        out->decision.cohort = field_text(&event, join->cohort_field, out->text);
    if (join->amount_field >= 0 && event.values[join->amount_field].type == VALUE_NUMBER)
        out->amount = event.values[join->amount_field].number;
}

static void read_decision(struct join *join, const struct ledger_row *row, bool wants_amount,
                          struct decided *out)
{
    out->decision = (struct truth_decision){.index = row->index,
                                            .at_us = row->at_us,
                                            .score = row->score,
                                            .decision = row->decision,
                                            .variant = row->variant,
                                            .cohort = slice_of("")};
    out->amount = join->amount_field >= 0 ? (double)NAN : 1;
    if (join->cohort_field >= 0 || wants_amount)
        read_fields(join, row, out);
}

static void begin_change(struct join *join)
{
    if (join->lock)
        lock_take(join->lock);
}

static void end_change(struct join *join)
{
    if (join->lock)
        lock_release(join->lock);
}

static enum status take_label(struct join *join, const struct ledger_row *row, struct error *error)
{
    struct ledger_row decision;
    struct decided decided;
    enum status status = reader_find_event(join->lookup, row->event_id, &decision, error);
    if (status == STATUS_NOT_FOUND) {
        begin_change(join);
        truth_unmatched(join->truth);
        end_change(join);
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    read_decision(join, &decision, true, &decided);
    struct truth_label label = {.decision = decided.decision,
                                .entity = hash64(decision.entity.data, decision.entity.size, 0),
                                .amount = decided.amount,
                                .observed_us = row->observed_us,
                                .arrived_us = row->at_us,
                                .label = row->label};
    begin_change(join);
    truth_labelled(join->truth, &label);
    end_change(join);
    return STATUS_OK;
}

enum status join_row(struct join *join, const struct ledger_row *row, struct error *error)
{
    struct decided decided;
    if (row->kind == ROW_LABEL)
        return take_label(join, row, error);
    if (row->kind == ROW_DECISION) {
        read_decision(join, row, false, &decided);
        begin_change(join);
        truth_decided(join->truth, &decided.decision);
        end_change(join);
    }
    return STATUS_OK;
}
