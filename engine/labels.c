/* The truth that arrives after the decision: found by the event's id, applied to the windows that
 * look at labels, counted, and recorded. Any thread; one at a time. */
#include "engine/engine_priv.h"
#include "engine/recorded.h"

static enum status submit_label(struct engine *engine, struct slice event_id, int label,
                                int64_t observed_us, struct error *error)
{
    struct ledger_entry entry = {
        .kind = ENTRY_LABEL,
        .position.source = -1,
        .label = {.event_id = event_id,
                  .label = label,
                  .observed_us = observed_us,
                  .at_us = clock_now_us(engine->parts.clock)},
    };
    enum status status = ledger_reserve(engine->ledger, 1, error);
    if (status != STATUS_OK)
        return status;
    status = ledger_submit(engine->ledger, &entry, 1, SUBMIT_RESERVED, NULL, error);
    if (status != STATUS_OK)
        ledger_unreserve(engine->ledger, 1);
    return status;
}

static enum status apply_label(struct engine *engine, struct slice event_id, int label,
                               int64_t observed_us, struct error *error)
{
    struct ledger_row row;
    enum status status = reader_find_event(engine->reader, event_id, &row, error);
    if (status == STATUS_NOT_FOUND)
        return error_set(error, status, "no decision on event " SLICE_FORMAT " is in the ledger",
                         SLICE_ARGS(event_id));
    if (status != STATUS_OK)
        return status;
    struct event event;
    arena_reset(engine->arena);
    if (engine_decode_row(engine->schema, engine->decoder, engine->arena, &row, &event) !=
        STATUS_OK)
        return error_set(error, STATUS_MEMORY, "out of memory for a label");
    gate_enter(&engine->gate);
    status = submit_label(engine, event_id, label, observed_us, error);
    if (status == STATUS_OK) {
        int64_t now_us = clock_now_us(engine->parts.clock);
        observe_label(engine->observe, now_us, label, now_us - row.at_us);
        status = feature_label(engine->store, engine->scratch, &event, NULL, label);
        if (status == STATUS_NOT_FOUND) /* recorded; no window looks there */
            status = STATUS_OK;
    }
    gate_leave(&engine->gate);
    return status;
}

/* By the rule of the events' own times. Before the first event of a replay no time is known. */
static bool is_ahead(const struct engine *engine, int64_t observed_us)
{
    const struct engine_parts *parts = &engine->parts;
    int64_t now_us = clock_now_us(parts->clock);
    if (parts->event_time && now_us == 0)
        now_us = INT64_MIN;
    return contract_is_ahead(parts->contract, observed_us, now_us,
                             parts->event_time ? CONTRACT_EVENT : CONTRACT_WALL);
}

enum status engine_label(struct engine *engine, struct slice event_id, int label,
                         int64_t observed_us, struct error *error)
{
    if (label != 0 && label != 1)
        return error_set(error, STATUS_INVALID, "label is 0 or 1");
    if (!engine->ledger)
        return error_set(error, STATUS_UNSUPPORTED,
                         "labels need a ledger; start with --ledger DIR");
    if (is_ahead(engine, observed_us))
        return error_set(error, STATUS_INVALID,
                         "observed_at lies in the future, further than events of this contract may "
                         "(%s)",
                         engine->parts.event_time ? "max_step after the newest event"
                                                  : "max_future of its time field");
    lock_take(&engine->reader_lock);
    enum status status = apply_label(engine, event_id, label, observed_us, error);
    lock_release(&engine->reader_lock);
    return status;
}
