/* The digests that groups keep over what is not in leaves: quarantined events, marks, names; what
 * they are made of is read again. The thread that verifies. */
#include "engine/record/verify_priv.h"

#include <inttypes.h>

#include "engine/record/codec_priv.h"
#include "engine/record/raw_priv.h"
#include "engine/record/rest_priv.h"

static bool take_event(struct day_check *check, struct day_quarantine *event)
{
    struct db_stmt *select = check->quarantine;
    struct error error;
    int64_t part = db_int(select, 3);
    *event = (struct day_quarantine){.id = (uint64_t)db_int(select, 0),
                                     .received_us = db_int(select, 1),
                                     .part = (int32_t)part,
                                     .offset = db_int(select, 4),
                                     .violations = db_text(select, 7),
                                     .sealed = db_blob(select, 8)};
    bool typed = db_type(select, 7) == DB_TEXT && db_type(select, 8) == DB_BLOB;
    for (int i = 0; i < 7; i++)
        typed = typed && db_type(select, i) == DB_INT;
    return typed && part >= INT32_MIN && part <= INT32_MAX &&
           day_reader_name(&check->reader, db_int(select, 2), &event->source, &error) ==
               STATUS_OK &&
           day_reader_name(&check->reader, db_int(select, 5), &event->contract, &error) ==
               STATUS_OK &&
           day_reader_name(&check->reader, db_int(select, 6), &event->contract_version, &error) ==
               STATUS_OK;
}

/* An event whose bytes were deleted by policy: its digest cannot be computed from them, what stands
 * in their place can. */
static void take_gone(struct day_check *check, struct slice stored, uint8_t computed[SHA256_SIZE])
{
    uint8_t gone[RAW_GONE_SIZE];
    const struct tier_day *sealed = tiers_find(check->verify->tiers, check->reader.day);
    uint64_t id = (uint64_t)db_int(check->quarantine, 0);
    if (!sealed || sealed->raw_deleted == 0)
        NOTE(check, "%s quarantine row %" PRIu64 ": its bytes are gone, and no policy deleted them",
             check->name, id);
    bool fits = stored.size == SHA256_SIZE && raw_gone_make(check->quarantine, gone) == STATUS_OK &&
                slice_equal(db_blob(check->quarantine, 8), slice_make(gone, sizeof gone));
    if (fits)
        memcpy(computed, stored.data, SHA256_SIZE);
}

/* Digests of the group's quarantined events, as stored and as computed. `*unequal`: the first event
 * whose digests differ. */
static void take_events(struct day_check *check, uint64_t next, uint64_t *unequal)
{
    uint64_t due = check->carry.next_quarantine;
    struct error error = {.message = ""};
    enum status status;
    buffer_reset(&check->stored_digests);
    buffer_reset(&check->computed_digests);
    if (next <= due)
        return;
    db_bind_int(check->quarantine, 1, (int64_t)due);
    db_bind_int(check->quarantine, 2, (int64_t)next);
    while ((status = db_step(check->quarantine, &error)) == STATUS_OK) {
        struct day_quarantine event;
        uint8_t computed[SHA256_SIZE] = {0};
        struct slice stored = db_blob(check->quarantine, 9);
        bool whole = take_event(check, &event);
        if (whole && raw_is_gone(event.sealed))
            take_gone(check, stored, computed);
        else if (whole && quarantine_digest(&event, &check->scratch, computed) != STATUS_OK)
            memset(computed, 0, sizeof computed);
        if (event.id > due)
            NOTE(check, "%s quarantine row %" PRIu64 " is missing", check->name, due);
        if (*unequal == 0 && check->reader.version >= 2 &&
            !slice_equal(stored, slice_make(computed, sizeof computed)))
            *unequal = event.id;
        buffer_append_slice(&check->stored_digests, stored);
        buffer_append(&check->computed_digests, computed, sizeof computed);
        due = event.id + 1;
    }
    db_reset(check->quarantine);
    if (status != STATUS_END)
        NOTE(check, "%s quarantine cannot be read: %s", check->name, error.message);
    else if (due < next)
        NOTE(check, "%s quarantine row %" PRIu64 " is missing", check->name, due);
}

static void take_marks(struct day_check *check, uint64_t last)
{
    struct error error;
    buffer_reset(&check->new_marks);
    if (last <= check->n_marks)
        return;
    db_bind_int(check->marks, 1, (int64_t)check->n_marks);
    db_bind_int(check->marks, 2, (int64_t)last);
    while (db_step(check->marks, &error) == STATUS_OK) {
        for (int i = 1; i <= 3; i++)
            put_i64(&check->new_marks, db_int(check->marks, i));
        if (db_int(check->marks, 3) > check->carry.high_us)
            check->carry.high_us = db_int(check->marks, 3);
    }
    db_reset(check->marks);
}

static void take_times(struct day_check *check, uint64_t from, uint64_t to)
{
    struct error error;
    if (to <= from)
        return;
    db_bind_int(check->quarantine, 1, (int64_t)from);
    db_bind_int(check->quarantine, 2, (int64_t)to);
    while (db_step(check->quarantine, &error) == STATUS_OK)
        if (db_int(check->quarantine, 1) > check->carry.high_us)
            check->carry.high_us = db_int(check->quarantine, 1);
    db_reset(check->quarantine);
}

static bool rest_fits(struct day_check *check, const struct group_row *row,
                      const struct buffer *events)
{
    uint8_t rest[SHA256_SIZE];
    struct rest_group group = {.group = &row->group,
                               .names = row->names,
                               .next_quarantine = row->next_quarantine,
                               .marks = row->marks,
                               .new_names = buffer_slice(&check->new_names),
                               .new_quarantine = buffer_slice(events),
                               .new_marks = buffer_slice(&check->new_marks)};
    memcpy(rest, check->carry.rest, SHA256_SIZE);
    return rest_add(rest, &group, &check->scratch) == STATUS_OK &&
           memcmp(rest, row->rest, SHA256_SIZE) == 0;
}

static void check_rest(struct day_check *check, const struct group_row *row, uint64_t unequal)
{
    if (rest_fits(check, row, &check->stored_digests)) {
        if (unequal > 0)
            NOTE(check, "%s quarantine row %" PRIu64 ": a field was changed", check->name, unequal);
        return;
    }
    if (unequal > 0 && rest_fits(check, row, &check->computed_digests)) {
        NOTE(check, "%s quarantine.digest of row %" PRIu64 " was changed", check->name, unequal);
        return;
    }
    NOTE(check,
         "%s commits, id %" PRIu64
         ": committed_us, names, next_quarantine, marks or rest was changed, or a row that the "
         "group brought to names, quarantine or quarantine_marks",
         check->name, row->group.commit);
}

enum status rest_check_load(struct day_check *check, struct error *error)
{
    if (check->reader.version < 3)
        return STATUS_OK;
    enum status status = rest_head_read(check->reader.db, &check->signed_rest, error);
    check->has_signed_rest = status == STATUS_OK;
    if (status == STATUS_CORRUPT ||
        (status == STATUS_OK && check->verify->has_key &&
         rest_head_check(&check->signed_rest, check->verify->public_key) != STATUS_OK)) {
        NOTE(check, "%s rest_head does not fit its signature", check->name);
        check->has_signed_rest = false;
        check->signed_rest_met = true;
        status = STATUS_OK;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void check_signed(struct day_check *check, const struct group_row *row)
{
    check->signed_rest_met = true;
    if (!row->has_rest || memcmp(row->rest, check->signed_rest.rest, SHA256_SIZE) != 0)
        NOTE(check,
             "%s rest_head: quarantine, quarantine_marks, names or commits up to id %" PRIu64
             " are not those that were signed: they were changed, and digests computed anew",
             check->name, row->group.commit);
}

/* A signature that was taken out, or an older one, is older than the newest head beside it. */
static void check_newest(struct day_check *check)
{
    struct db_stmt *select;
    struct error error;
    int64_t head_ms = INT64_MIN;
    if (db_prepare(check->reader.db, "SELECT max(timestamp_ms) FROM heads", &select, &error) !=
        STATUS_OK)
        return;
    if (db_step(select, &error) == STATUS_OK && !db_is_null(select, 0))
        head_ms = db_int(select, 0);
    db_finish(select);
    if (head_ms > (check->has_signed_rest ? check->signed_rest.timestamp_ms : INT64_MIN))
        NOTE(check, "%s rest_head: the signature over what is not in leaves %s", check->name,
             check->has_signed_rest ? "is older than the newest head" : "is missing");
}

void rest_check_end(struct day_check *check)
{
    if (check->reader.version < 3 || !check->carry.rested)
        return;
    if (check->has_signed_rest && !check->signed_rest_met)
        NOTE(check, "%s rest_head.commits: there is no group %" PRIu64, check->name,
             check->signed_rest.commits);
    if (check->has_signed_rest || !check->signed_rest_met)
        check_newest(check);
    if (check->has_signed_rest && check->signed_rest.commits == check->last_commit &&
        memcmp(check->signed_rest.digest, check->stored_digest, SHA256_SIZE) != 0)
        NOTE(check, "%s positions or state: not those that were signed", check->name);
}

void rest_check_group(struct day_check *check, const struct group_row *row)
{
    if (check->has_signed_rest && check->signed_rest.commits == row->group.commit)
        check_signed(check, row);
    uint64_t unequal = 0, quarantine_before = check->carry.next_quarantine;
    if (check->n_groups++ == 0)
        check->first_index = row->group.first_index;
    check->last_commit = row->group.commit;
    if (!row->has_rest)
        check->carry.timed = false;
    if (!row->counted) {
        check->counted = false;
        return;
    }
    if (row->has_rest && check->counted && check->carry.quarantined) {
        buffer_reset(&check->new_names);
        for (uint64_t id = check->names + 1; id <= row->names && id <= check->reader.names.n; id++)
            put_text(&check->new_names, names_text(&check->reader.names, (int64_t)id));
        take_events(check, row->next_quarantine, &unequal);
        take_marks(check, row->marks);
        check_rest(check, row, unequal);
    }
    take_times(check, quarantine_before, row->next_quarantine);
    check->counted = true;
    check->names = row->names;
    check->n_marks = row->marks;
    check->carry.next_quarantine = row->next_quarantine;
    check->carry.quarantined = true;
    check->carry.rested = row->has_rest;
    memcpy(check->carry.rest, row->rest, SHA256_SIZE);
}
