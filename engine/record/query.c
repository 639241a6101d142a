/* Decisions by filter, in index order or against it. The list of commits, which knows the times in
 * each group, narrows the rows that are looked at; the event index finds single events; everything
 * else is compared row by row. */
#include "engine/record/reader_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/record/files_priv.h"

struct query {
    struct reader *reader;
    struct query_filter filter;
    size_t n_looked;  /* days done */
    size_t first_day; /* place in reader->days of the first that may have something */
    struct db_stmt *select;
    int64_t left; /* -1: no limit */
};

void query_filter_init(struct query_filter *filter)
{
    *filter = (struct query_filter){.from_us = INT64_MIN,
                                    .to_us = INT64_MAX,
                                    .decision = -1,
                                    .variant = -1,
                                    .min_score = NAN,
                                    .max_score = NAN,
                                    .limit = -1,
                                    .cursor = -1};
}

enum status query_open(struct reader *reader, const struct query_filter *filter,
                       struct query **query, struct error *error)
{
    enum status status = reader_look(reader, error);
    if (status != STATUS_OK)
        return status;
    struct query *opened = calloc(1, sizeof *opened);
    if (!opened)
        return error_set(error, STATUS_MEMORY, "out of memory");
    opened->reader = reader;
    opened->filter = *filter;
    opened->left = filter->limit;
    /* A row's file is never of a day before its own, so earlier files have nothing to give. */
    if (filter->from_us != INT64_MIN)
        while (opened->first_day < reader->n_days &&
               reader->days[opened->first_day] < time_day(filter->from_us))
            opened->first_day++;
    *query = opened;
    return STATUS_OK;
}

void query_close(struct query *query)
{
    if (!query)
        return;
    db_finish(query->select);
    free(query);
}

static size_t n_days(const struct query *query)
{
    return query->reader->n_days - query->first_day;
}

/* The place in reader->days of the i-th day that is looked at. */
static size_t nth_day(const struct query *query, size_t i)
{
    return query->filter.newest_first ? query->reader->n_days - 1 - i : query->first_day + i;
}

/* Rows [first, end) that the cursor leaves. */
static void cut_at_cursor(const struct query_filter *filter, int64_t *first, int64_t *end)
{
    if (filter->cursor < 0)
        return;
    if (filter->newest_first && *end > filter->cursor)
        *end = filter->cursor;
    if (!filter->newest_first && *first <= filter->cursor)
        *first = filter->cursor + 1;
}

/* The rows of the open file that may match: [*first, *end). */
static enum status narrow(struct query *query, int64_t *first, int64_t *end, struct error *error)
{
    const struct query_filter *filter = &query->filter;
    struct db_stmt *range;
    enum status status = db_prepare(query->reader->file->db,
                                    "SELECT min(first_index), max(tree_size) FROM commits"
                                    " WHERE high_us >= ?1 AND low_us < ?2 AND tree_size > ?3 + 1",
                                    &range, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(range, 1, filter->from_us);
    db_bind_int(range, 2, filter->to_us);
    db_bind_int(range, 3, filter->newest_first ? -1 : filter->cursor);
    status = db_step(range, error);
    *first = *end = 0;
    if (status == STATUS_OK && !db_is_null(range, 0)) {
        *first = db_int(range, 0);
        *end = db_int(range, 1);
    }
    db_finish(range);
    cut_at_cursor(filter, first, end);
    return status;
}

/* One condition: SQL when the filter asks for it. Parameters are numbered by their place here. */
static void put_conditions(const struct query_filter *filter, struct buffer *sql)
{
    buffer_append_text(sql, "idx >= ?1 AND idx < ?2 AND decided_us >= ?3 AND decided_us < ?4");
    const struct {
        bool wanted;
        const char *condition;
    } conditions[] = {
        {filter->entity.size > 0, " AND entity = ?5"},
        {filter->decision >= 0, " AND decision = ?6"},
        {filter->variant >= 0, " AND variant = ?7"},
        {!isnan(filter->min_score), " AND score >= ?8"},
        {!isnan(filter->max_score), " AND score <= ?9"},
    };
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        if (conditions[i].wanted)
            buffer_append_text(sql, conditions[i].condition);
}

static enum status put_event(struct query *query, struct buffer *sql, struct error *error)
{
    uint64_t indexes[MAX_SAME_EVENT];
    size_t n = 0;
    if (query->filter.event_id.size == 0)
        return STATUS_OK;
    enum status status =
        day_reader_find(query->reader->file, query->filter.event_id, indexes, &n, error);
    buffer_append_text(sql, " AND idx IN (-1");
    for (size_t i = 0; i < n; i++)
        buffer_printf(sql, ",%llu", (unsigned long long)indexes[i]);
    buffer_append_text(sql, ")");
    return status;
}

static void bind_conditions(struct query *query, int64_t first, int64_t end)
{
    const struct query_filter *filter = &query->filter;
    struct db_stmt *select = query->select;
    db_bind_int(select, 1, first);
    db_bind_int(select, 2, end);
    db_bind_int(select, 3, filter->from_us);
    db_bind_int(select, 4, filter->to_us);
    if (filter->entity.size > 0)
        db_bind_text(select, 5, filter->entity);
    if (filter->decision >= 0)
        db_bind_int(select, 6, filter->decision);
    if (filter->variant >= 0)
        db_bind_int(select, 7, filter->variant);
    /* Scores are float32: a bound is compared as what it would be as a score. */
    if (!isnan(filter->min_score))
        db_bind_double(select, 8, (double)(float)filter->min_score);
    if (!isnan(filter->max_score))
        db_bind_double(select, 9, (double)(float)filter->max_score);
}

/* Whether a day that was sealed may have something to give; what is known of it is enough to pass
 * over most. */
static enum status may_match(struct query *query, size_t i, bool *may, struct error *error)
{
    const struct query_filter *filter = &query->filter;
    const struct tier_day *day = reader_sealed(query->reader, i);
    *may = true;
    if (!day)
        return STATUS_OK;
    *may = day->high_us >= filter->from_us && day->low_us < filter->to_us &&
           (filter->newest_first || (int64_t)day->tree_size > filter->cursor + 1);
    return *may && filter->event_id.size > 0
               ? tiers_may_hold(query->reader->tiers, day->day, filter->event_id, may, error)
               : STATUS_OK;
}

/* The store is away: which other days of it the query would have needed. */
static void name_days_away(struct query *query, size_t from, struct error *error)
{
    char names[300] = "", text[TIME_TEXT_SIZE];
    struct error own;
    size_t used = 0;
    for (size_t i = from; i < n_days(query) && used < sizeof names - 16; i++) {
        const struct tier_day *day = reader_sealed(query->reader, nth_day(query, i));
        bool may = false;
        if (!day || day->tier != TIER_ARCHIVED ||
            may_match(query, nth_day(query, i), &may, &own) != STATUS_OK || !may)
            continue;
        time_format(day->day * US_PER_DAY, text);
        used +=
            (size_t)snprintf(names + used, sizeof names - used, "%s%.10s", used ? ", " : "", text);
    }
    if (used == 0)
        return;
    struct error cause = *error;
    error_set(error, cause.code, "%.190s; archived and asked for as well: %s%s", cause.message,
              names, used >= sizeof names - 16 ? " and more" : "");
}

static enum status open_next_day(struct query *query, struct error *error)
{
    int64_t first = 0, end = 0;
    struct buffer sql;
    bool may;
    size_t day = nth_day(query, query->n_looked);
    enum status status = may_match(query, day, &may, error);
    if (status == STATUS_OK && may)
        status = reader_open_day(query->reader, day, error);
    query->n_looked++;
    if (status == STATUS_UNAVAILABLE)
        name_days_away(query, query->n_looked, error);
    if (status == STATUS_OK && !may)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = narrow(query, &first, &end, error);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && first >= end))
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    buffer_init(&sql, (size_t)8 << 10);
    put_conditions(&query->filter, &sql);
    status = put_event(query, &sql, error);
    buffer_append_text(&sql, query->filter.newest_first ? " ORDER BY idx DESC" : " ORDER BY idx");
    if (status == STATUS_OK && sql.overflow)
        status = error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status =
            day_reader_select(query->reader->file, ROW_DECISION, sql.data, &query->select, error);
    if (status == STATUS_OK)
        bind_conditions(query, first, end);
    buffer_free(&sql);
    return status;
}

/* Rows recorded with all reasons also hold the features that moved nothing. */
static bool has_reason(const struct ledger_row *row, struct slice code)
{
    for (int i = 0; i < row->n_reasons; i++)
        if (row->reasons[i].contribution != 0 && slice_equal(row->reasons[i].code, code))
            return true;
    return code.size == 0;
}

enum status query_next(struct query *query, struct ledger_row *row, struct error *error)
{
    if (query->left == 0)
        return STATUS_END;
    for (;;) {
        while (!query->select) {
            if (query->n_looked >= n_days(query))
                return STATUS_END;
            enum status status = open_next_day(query, error);
            if (status != STATUS_OK)
                return status;
        }
        enum status status = db_step(query->select, error);
        if (status == STATUS_END) {
            db_finish(query->select);
            query->select = NULL;
            continue;
        }
        if (status == STATUS_OK)
            status = day_reader_row(query->reader->file, ROW_DECISION, query->select, row, error);
        if (status != STATUS_OK)
            return status;
        if (!has_reason(row, query->filter.reason))
            continue;
        if (query->left > 0)
            query->left--;
        return STATUS_OK;
    }
}

static enum status first_of_file(struct day_reader *file, int64_t *event_us, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(file->db, "SELECT event_us FROM decisions ORDER BY idx LIMIT 1", &select, error);
    if (status != STATUS_OK)
        return status;
    status = db_step(select, error);
    if (status == STATUS_OK)
        *event_us = db_int(select, 0);
    db_finish(select);
    return status == STATUS_END ? STATUS_NOT_FOUND : status;
}

enum status reader_first_here(struct reader *reader, uint64_t *index, struct error *error)
{
    struct deleted_rows deleted;
    enum status status = reader_look(reader, error);
    if (status != STATUS_OK)
        return status;
    *index = reader_deleted(reader, &deleted) ? deleted.n : 0;
    for (size_t i = 0; i < reader->n_days; i++) {
        const struct tier_day *sealed = reader_sealed(reader, i);
        if (sealed && sealed->tier == TIER_ARCHIVED)
            *index = sealed->tree_size;
    }
    return STATUS_OK;
}

enum status reader_first_event(struct reader *reader, int64_t *event_us, struct error *error)
{
    enum status status = reader_look(reader, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < reader->n_days; i++) {
        const struct tier_day *sealed = reader_sealed(reader, i);
        if (sealed && sealed->first_event_us == INT64_MIN)
            continue;
        *event_us = sealed ? sealed->first_event_us : 0;
        status = sealed ? STATUS_OK : reader_open_day(reader, i, error);
        if (status == STATUS_OK && !sealed)
            status = first_of_file(reader->file, event_us, error);
        if (status != STATUS_NOT_FOUND && status != STATUS_CORRUPT)
            return status;
    }
    return error_set(error, STATUS_NOT_FOUND, "the ledger %s has no decision", reader->dir);
}
