/* The entries of one transaction: queued bytes to rows of the day file, leaves into the tree,
 * positions along with them. Nothing here is kept when the transaction fails. Writer thread only.
 */
#include "engine/record/writer_priv.h"

#include <stdlib.h>

#include "engine/record/files_priv.h"

enum status place_add(struct ledger *ledger, int source, int32_t part, int64_t committed)
{
    lock_assert_held(&ledger->lock);
    struct place *places = realloc(ledger->places, (ledger->n_places + 1) * sizeof *ledger->places);
    if (!places)
        return STATUS_MEMORY;
    ledger->places = places;
    places[ledger->n_places++] = (struct place){source, part, committed, committed};
    return STATUS_OK;
}

struct mark group_settle(struct mark at)
{
    while (at.chunk && at.item == at.chunk->n)
        at = (struct mark){at.chunk->next, 0};
    return at;
}

static bool item_is_leaf(const struct item *item)
{
    return item->kind == ENTRY_DECISION || item->kind == ENTRY_LABEL || item->kind == ENTRY_ACTION;
}

static void reach(struct writer *writer, const struct item *item, enum status *status)
{
    struct ledger *ledger = writer->ledger;
    if (item->source < 0)
        return;
    /* Only this thread changes the table, so looking needs no lock. */
    for (size_t i = 0; i < ledger->n_places; i++) {
        struct place *place = &ledger->places[i];
        if (place->source == item->source && place->part == item->part) {
            if (place->reached < item->offset)
                place->reached = item->offset;
            return;
        }
    }
    lock_take(&ledger->lock);
    *status = place_add(ledger, item->source, item->part, -1);
    lock_release(&ledger->lock);
    if (*status == STATUS_OK)
        ledger->places[ledger->n_places - 1].reached = item->offset;
}

/* The largest subtree that the leaf added last has made whole, if it is worth keeping. */
static enum status keep_node(struct writer *writer, struct error *error)
{
    const struct tree *tree = &writer->attempt.state.tree;
    int level = __builtin_ctzll(tree->size);
    if (level < NODE_LEVEL)
        return STATUS_OK;
    return day_insert_node(writer->day, level, (tree->size >> level) - 1, tree->edge[level], error);
}

static enum status write_leaf(struct writer *writer, const struct chunk *chunk,
                              const struct item *item, struct error *error)
{
    struct attempt *attempt = &writer->attempt;
    struct ledger_row row;
    enum status status =
        leaf_decode(slice_make(chunk->bytes.data + item->at, item->size), writer->storage, &row);
    if (status != STATUS_OK)
        return error_set(error, STATUS_INVALID, "a queued row is damaged in memory");
    row.index = chunk->first_index + item->ordinal;
    if (item->feature_set >= 0 && !day_has_features(writer->day, row.feature_set)) {
        const struct known_features *known = &writer->ledger->features[item->feature_set];
        status = day_insert_features(writer->day, known->digest, known->names, error);
        if (status != STATUS_OK)
            return status;
    }
    if (item->kind == ENTRY_DECISION) {
        if (row.at_us < attempt->group.low_us)
            attempt->group.low_us = row.at_us;
        if (row.at_us > attempt->group.high_us)
            attempt->group.high_us = row.at_us;
    }
    status = day_insert_row(writer->day, &row, item->hash, error);
    if (status == STATUS_OK && tree_append(&attempt->state.tree, item->hash) != STATUS_OK)
        status = error_set(error, STATUS_MEMORY, "cannot hash the ledger's tree");
    return status == STATUS_OK ? keep_node(writer, error) : status;
}

static enum status write_quarantine(struct writer *writer, const struct chunk *chunk,
                                    const struct item *item, struct error *error)
{
    struct day_quarantine event = {.id = chunk->first_quarantine + item->ordinal,
                                   .received_us = item->at_us,
                                   .part = item->part,
                                   .offset = item->offset};
    if (item->source >= 0)
        event.source = slice_of(writer->ledger->sources[item->source]);
    enum status status =
        quarantine_unpack(slice_make(chunk->bytes.data + item->at, item->size), &event);
    if (status != STATUS_OK)
        return error_set(error, STATUS_INVALID, "a queued event is damaged in memory");
    writer->attempt.state.next_quarantine = event.id + 1;
    return day_insert_quarantine(writer->day, &event, error);
}

static enum status write_item(struct writer *writer, const struct chunk *chunk,
                              const struct item *item, struct error *error)
{
    enum status status = STATUS_OK;
    if (item_is_leaf(item))
        status = write_leaf(writer, chunk, item, error);
    else if (item->kind == ENTRY_QUARANTINE)
        status = write_quarantine(writer, chunk, item, error);
    else if (item->kind == ENTRY_QUARANTINE_MARK)
        status = day_insert_mark(writer->day, item->ordinal, (enum quarantine_status)item->mark,
                                 item->at_us, error);
    if (status != STATUS_OK)
        return status;
    if (item->at_us != NO_TIME && item->at_us > writer->attempt.state.high_us)
        writer->attempt.state.high_us = item->at_us;
    reach(writer, item, &status);
    return status == STATUS_OK ? status : error_set(error, status, "out of memory for positions");
}

enum status group_write_items(struct writer *writer, struct error *error)
{
    struct attempt *attempt = &writer->attempt;
    struct mark at = group_settle((struct mark){writer->head, writer->item});
    for (; at.chunk && attempt->rows < writer->ledger->group_rows; at = group_settle(at)) {
        const struct item *item = &at.chunk->items[at.item];
        if (item->at_us != NO_TIME && time_day(item->at_us) > attempt->day)
            break;
        enum status status = write_item(writer, at.chunk, item, error);
        if (status != STATUS_OK)
            return status;
        attempt->rows++;
        attempt->bytes += item->size;
        if (++at.item < at.chunk->n)
            continue;
        attempt->ticket = at.chunk->ticket;
        if (at.chunk->ends_group) {
            at = group_settle(at);
            break;
        }
    }
    attempt->end = at;
    return day_flush_rows(writer->day, error);
}

enum status group_write_positions(struct writer *writer, bool all, struct error *error)
{
    const struct ledger *ledger = writer->ledger;
    for (size_t i = 0; i < ledger->n_places; i++) {
        const struct place *place = &ledger->places[i];
        if (place->reached < 0 || (!all && place->reached == place->committed))
            continue;
        enum status status =
            day_write_position(writer->day, slice_of(ledger->sources[place->source]), place->part,
                               place->reached, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
