/* Slices as bytes, so that a service that starts with another contract, model or rules knows what
 * was usual before: series by name with what their counters mean, rules, the amount's field, then
 * every cell that holds something, its counters as pairs of a distance and a count. What has
 * another meaning by now, or is gone, is passed over. Run by whoever saves or starts. */
#include <stdlib.h>
#include <string.h>

#include "engine/observe/slices_priv.h"
#include "engine/observe/varint.h"

#define NOWHERE (-1)
#define UNMET   (-2) /* a rule of which nothing counted was found so far */

static uint64_t series_meaning(const struct slices *slices, const struct slice_series *series)
{
    return series->kind == SERIES_FIELD ? slices->places[series->field].meaning : 0;
}

/* ---- written ---- */

static void put_series(const struct slices *slices, struct buffer *out)
{
    varint_put(out, (uint64_t)slices->n_series);
    for (int i = 0; i < slices->n_series; i++) {
        const struct slice_series *series = &slices->series[i];
        varint_put(out, (uint64_t)series->kind);
        varint_put_text(out, series->name);
        varint_put(out, (uint64_t)series->n);
        varint_put(out, series_meaning(slices, series));
    }
}

static void put_extra_fields(const struct slices *slices, struct buffer *out)
{
    varint_put(out, (uint64_t)slices->n_extras);
    varint_put(out, sizeof *slices->extras);
    for (int place = 0; place < slices->n_extras; place++) {
        size_t field = 0;
        while (slices->extra_of[field] != place)
            field++;
        varint_put_text(out, slices->schema->fields[field].name);
        varint_put(out, slices->places[field].meaning);
    }
}

static void put_head(const struct slices *slices, struct buffer *out)
{
    put_series(slices, out);
    for (int i = 0; i < RULES; i++)
        varint_put_text(out, slices->rules[i]);
    put_extra_fields(slices, out);
    varint_put_text(out, slices->amount_field);
    varint_put_signed(out, slices->newest_event_us);
    varint_put(out, (uint64_t)slices->n_away);
    for (int i = 0; i < slices->n_away; i++) {
        varint_put_signed(out, slices->away[i].from);
        varint_put_signed(out, slices->away[i].to);
    }
}

static void put_counters(const uint32_t *row, int n, struct buffer *out)
{
    int last = -1;
    for (int i = 0; i < n; i++) {
        if (row[i] == 0)
            continue;
        varint_put(out, (uint64_t)(i - last));
        varint_put(out, row[i]);
        last = i;
    }
    varint_put(out, 0);
}

static void put_cell(const struct slices *slices, int cell, struct buffer *out)
{
    varint_put_signed(out, slices->stamps[cell]);
    buffer_append(out, &slices->amounts[cell], sizeof *slices->amounts);
    buffer_append(out, &slices->declined[cell], sizeof *slices->declined);
    put_counters(slices->rows + (size_t)cell * (size_t)slices->n_counters, slices->n_counters, out);
    buffer_append(out, slices->extras + (size_t)cell * (size_t)slices->n_extras,
                  (size_t)slices->n_extras * sizeof *slices->extras);
}

void slices_encode(struct slices *slices, int64_t now_us, struct buffer *out)
{
    int64_t first = now_us / SLICE_CELL_US - SLICE_CELLS + 1;
    lock_take(&slices->lock);
    put_head(slices, out);
    lock_release(&slices->lock);
    for (int i = 0; i < SLICE_CELLS; i += CELLS_AT_ONCE) {
        lock_take(&slices->lock);
        for (int cell = i; cell < SLICE_CELLS && cell < i + CELLS_AT_ONCE; cell++) {
            if (slices->stamps[cell] < first || slices->stamps[cell] == 0)
                continue;
            varint_put(out, 1);
            put_cell(slices, cell, out);
        }
        lock_release(&slices->lock);
    }
    varint_put(out, 0);
}

/* ---- read ---- */

/* Where the counters and extras that were written belong today. */
struct mapping {
    int *to;      /* NOWHERE: they are passed over; or UNMET */
    int n, rules; /* the first counter of SERIES_RULE */
    int extras[EXTRAS];
    int n_extras;
    bool amounts;
    char rule_names[RULES][NAME_SIZE];
};

static const struct slice_series *same_series(const struct slices *slices,
                                              const struct slice_series *written, uint64_t meaning)
{
    for (int i = 0; i < slices->n_series; i++) {
        const struct slice_series *series = &slices->series[i];
        if (series->kind == written->kind && series->n == written->n &&
            strcmp(series->name, written->name) == 0 && series_meaning(slices, series) == meaning)
            return series;
    }
    return NULL;
}

static bool map_series(const struct slices *slices, const struct slice_series *written,
                       uint64_t meaning, struct mapping *mapping)
{
    const struct slice_series *now = same_series(slices, written, meaning);
    size_t n = (size_t)mapping->n + (size_t)written->n;
    int *grown = reallocarray(mapping->to, n, sizeof *grown);
    if (!grown)
        return false;
    mapping->to = grown;
    if (written->kind == SERIES_RULE)
        mapping->rules = mapping->n;
    for (int i = 0; i < written->n; i++)
        mapping->to[mapping->n++] = now ? now->first + i : NOWHERE;
    return true;
}

static bool take_series(const struct slices *slices, struct slice *bytes, struct mapping *mapping)
{
    uint64_t n;
    if (!varint_take(bytes, &n) || n > MAX_SERIES)
        return false;
    for (uint64_t i = 0; i < n; i++) {
        struct slice_series written = {.field = -1};
        uint64_t kind, counters, meaning;
        if (!varint_take(bytes, &kind) || kind > SERIES_REASON ||
            !varint_take_text(bytes, written.name, sizeof written.name) ||
            !varint_take(bytes, &counters) || counters == 0 || counters > 1000 ||
            !varint_take(bytes, &meaning))
            return false;
        written.kind = (enum series_kind)kind;
        written.n = (int)counters;
        if (!map_series(slices, &written, meaning, mapping))
            return false;
    }
    return mapping->rules != NOWHERE && mapping->n >= mapping->rules + RULES;
}

/* The last place is that of all others. A counter may be of a rule that was met after the names
 * had been written. */
static bool take_rules(struct slice *bytes, struct mapping *mapping)
{
    for (int i = 0; i < RULES; i++) {
        if (!varint_take_text(bytes, mapping->rule_names[i], NAME_SIZE))
            return false;
        if (i < RULES - 1)
            mapping->to[mapping->rules + i] = mapping->rule_names[i][0] ? UNMET : NOWHERE;
    }
    return true;
}

static int find_extra(const struct slices *slices, const char *name, uint64_t meaning)
{
    for (size_t i = 0; slices->schema && i < slices->schema->n_fields; i++) {
        if (strcmp(slices->schema->fields[i].name, name) == 0 &&
            slices->places[i].meaning == meaning)
            return slices->extra_of[i];
    }
    return NOWHERE;
}

static bool take_extra_fields(const struct slices *slices, struct slice *bytes,
                              struct mapping *mapping)
{
    uint64_t n, size, meaning;
    if (!varint_take(bytes, &n) || n > EXTRAS || !varint_take(bytes, &size) ||
        size != sizeof *slices->extras)
        return false;
    for (mapping->n_extras = 0; mapping->n_extras < (int)n; mapping->n_extras++) {
        char name[NAME_SIZE];
        if (!varint_take_text(bytes, name, sizeof name) || !varint_take(bytes, &meaning))
            return false;
        mapping->extras[mapping->n_extras] = find_extra(slices, name, meaning);
    }
    return true;
}

static void add_away(struct slices *slices, int64_t from, int64_t to)
{
    if (slices->n_away == MAX_AWAYS)
        memmove(slices->away, slices->away + 1, (size_t)--slices->n_away * sizeof *slices->away);
    slices->away[slices->n_away++] = (struct away){from, to};
}

static bool take_aways(struct slices *slices, struct slice *bytes)
{
    uint64_t n;
    int64_t from, to;
    bool whole = varint_take(bytes, &n) && n <= MAX_AWAYS;
    for (uint64_t i = 0; whole && i < n; i++) {
        whole = varint_take_signed(bytes, &from) && varint_take_signed(bytes, &to);
        if (whole)
            add_away(slices, from, to);
    }
    return whole;
}

static bool take_head(struct slices *slices, struct slice *bytes, struct mapping *mapping)
{
    char amount[NAME_SIZE];
    if (!take_series(slices, bytes, mapping) || !take_rules(bytes, mapping) ||
        !take_extra_fields(slices, bytes, mapping) ||
        !varint_take_text(bytes, amount, sizeof amount) ||
        !varint_take_signed(bytes, &slices->newest_event_us))
        return false;
    mapping->amounts = strcmp(amount, slices->amount_field) == 0;
    return take_aways(slices, bytes);
}

/* A rule gets a counter of today with the first count of it: one that is gone takes no place. */
static int counter_today(struct slices *slices, struct mapping *mapping, int written)
{
    int *to = &mapping->to[written];
    if (*to == UNMET)
        *to = slices->fixed[SERIES_RULE] +
              slices_rule(slices, mapping->rule_names[written - mapping->rules]);
    return *to;
}

/* `row` NULL: the cell is too long ago. */
static bool take_counters(struct slices *slices, struct slice *bytes, struct mapping *mapping,
                          uint32_t *row)
{
    uint64_t step, count, at = 0; /* one beyond the counter before */
    while (varint_take(bytes, &step)) {
        if (step == 0)
            return true;
        if (step > (uint64_t)mapping->n - at || !varint_take(bytes, &count) || count > UINT32_MAX)
            return false;
        at += step;
        int to = row ? counter_today(slices, mapping, (int)at - 1) : NOWHERE;
        if (to != NOWHERE)
            row[to] += (uint32_t)count;
    }
    return false;
}

static bool take_cell(struct slices *slices, struct slice *bytes, struct mapping *mapping,
                      int64_t now_us)
{
    int64_t stamp, newest = now_us / SLICE_CELL_US;
    double amount, declined;
    int cell = 0;
    if (!varint_take_signed(bytes, &stamp) || !varint_take_bytes(bytes, &amount, sizeof amount) ||
        !varint_take_bytes(bytes, &declined, sizeof declined))
        return false;
    bool recent = stamp > newest - SLICE_CELLS && stamp <= newest;
    uint32_t *row = recent ? slices_row(slices, stamp, &cell) : NULL;
    if (row && mapping->amounts) {
        slices->amounts[cell] = amount;
        slices->declined[cell] = declined;
    }
    if (row && stamp < slices->first_stamp)
        slices->first_stamp = stamp;
    if (!take_counters(slices, bytes, mapping, row))
        return false;
    for (int i = 0; i < mapping->n_extras; i++) {
        struct cell_extra extra;
        if (!varint_take_bytes(bytes, &extra, sizeof extra))
            return false;
        if (row && mapping->extras[i] != NOWHERE)
            slices->extras[(size_t)cell * (size_t)slices->n_extras + (size_t)mapping->extras[i]] =
                extra;
    }
    return true;
}

static int64_t newest_stamp(const struct slices *slices)
{
    int64_t newest = 0;
    for (int i = 0; i < SLICE_CELLS; i++)
        newest = slices->stamps[i] > newest ? slices->stamps[i] : newest;
    return newest;
}

static bool take_all(struct slices *slices, struct slice *bytes, int64_t now_us)
{
    struct mapping mapping = {.rules = NOWHERE};
    uint64_t more = 1;
    bool whole = take_head(slices, bytes, &mapping);
    while (whole && (whole = varint_take(bytes, &more)) && more)
        whole = take_cell(slices, bytes, &mapping, now_us);
    free(mapping.to);
    int64_t newest = newest_stamp(slices);
    if (newest > 0)
        add_away(slices, newest + 1, now_us / SLICE_CELL_US + CELLS_OF_A_START);
    return whole;
}

/* Rows are cleared when their time comes. */
static void forget(struct slices *slices)
{
    memset(slices->stamps, 0, sizeof slices->stamps);
    memset(slices->rules, 0, sizeof slices->rules);
    slices->first_stamp = slices->newest_event_us = 0;
    slices->n_away = 0;
}

bool slices_decode(struct slices *slices, struct slice *bytes, int64_t now_us)
{
    lock_take(&slices->lock);
    bool whole = take_all(slices, bytes, now_us);
    if (!whole)
        forget(slices);
    lock_release(&slices->lock);
    return whole;
}
