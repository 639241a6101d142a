/* Reading: for each point the rows on the disk that lie in it, of the coarsest shelf that holds
 * what is asked for, and the cells that are still in memory. Which is which is told by the number
 * of the last commit: what waits is noted before the file is looked at, and left out when the file
 * has it by then. There are a few connections, each for one reading at a time. */
#include "engine/history/range.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/history/history_priv.h"

#define MAX_RUNS 1024
#define COARSE   (SECTION_BINS | SECTION_SCORES) /* by labels not kept by minute */

struct reading {
    struct history_store *history;
    const struct range *range;
    struct reader *reader;
    struct disk *disk; /* its connection; NULL: there is no file */
    const struct layout *layout;
    struct shadow_keys shadow;
    struct span *memory[MAX_WAITING * 2 + 2]; /* what is not on the disk */
    struct epoch *epochs[MAX_WAITING * 2];    /* held */
    int n_epochs, n_memory;
    int64_t memory_from_s; /* nothing in memory is older */
    struct run runs[MAX_RUNS];
    size_t n_runs;
    struct groups *groups;
    struct cell scratch; /* of another layout */
    bool failed;
};

/* ---- asked from outside ---- */

const struct layout *history_layout(struct history_store *history)
{
    lock_take(&history->lock);
    const struct layout *layout = history->layout;
    for (int i = history->layouts.n - 1; i >= 0 && layout->n_columns == 0; i--) {
        if (history->layouts.list[i]->n_columns > 0)
            layout = history->layouts.list[i];
    }
    lock_release(&history->lock);
    return layout;
}

const struct labels *history_labels(const struct history_store *history)
{
    return history->labels;
}

int64_t history_now_s(struct history_store *history)
{
    lock_take(&history->lock);
    int64_t now_us = history->run.to_us;
    lock_release(&history->lock);
    return floor_to(now_us, US_PER_S) / US_PER_S;
}

static bool by_labels(const struct range *range)
{
    return (range->by_mask | range->where_mask) != 0;
}

static int64_t round_up(int64_t step_s, int64_t width_s)
{
    return (step_s + width_s - 1) / width_s * width_s;
}

int64_t range_step_s(struct history_store *history, const struct range *range)
{
    bool recent = history->second && range->from_s >= history_now_s(history) - SECOND_SLOTS;
    if (range->step_s < 60 && recent && !(range->sections & SECTION_BINS))
        return range->step_s;
    return round_up(range->step_s, range->sections & COARSE && by_labels(range) ? SLICE_S : 60);
}

/* ---- cells ---- */

static bool is_wanted(const struct range *range, uint64_t labels)
{
    return (labels & range->where_mask) == range->where;
}

static unsigned sections_of(const struct reading *reading, uint64_t labels, unsigned sections)
{
    const struct range *range = reading->range;
    return sections_for(&reading->shadow, labels, range->by_mask | range->where_mask, sections);
}

static void add_packed(struct reading *reading, const struct packed_cell *packed, unsigned sections)
{
    const struct layout *layout = layouts_get(&reading->history->layouts, packed->layout);
    struct sums *sums = groups_find(reading->groups, packed->labels & reading->range->by_mask);
    if (!sums || !layout) {
        reading->failed = true;
        return;
    }
    if (layout == reading->layout) {
        int n_columns = reading->range->n_columns ? reading->range->n_columns : ALL_COLUMNS;
        reading->failed = !cell_unpack(&sums->cell, packed, sections, n_columns) || reading->failed;
        return;
    }
    cell_free(&reading->scratch);
    reading->scratch = (struct cell){.layout = layout};
    reading->failed = !cell_unpack(&reading->scratch, packed, sections, ALL_COLUMNS) ||
                      !sums_add(sums, &reading->scratch, sections) || reading->failed;
}

/* ---- the disk ---- */

struct visit {
    struct reading *reading;
    unsigned sections;
    uint64_t any_of; /* only cells that are told apart by one of these; 0: all */
};

static void visit_cell(const struct visit *visit, const struct packed_cell *packed)
{
    bool told_apart = !visit->any_of || (packed->labels & visit->any_of);
    if (told_apart && is_wanted(visit->reading->range, packed->labels))
        add_packed(visit->reading, packed,
                   sections_of(visit->reading, packed->labels, visit->sections));
}

static enum status visit_row(void *context, struct row_cells cells, struct error *error)
{
    while (cells.n > 0) {
        struct packed_cell packed;
        if (!row_next(&cells, &packed))
            return error_set(error, STATUS_CORRUPT, "a row of the history is damaged");
        visit_cell(context, &packed);
    }
    return STATUS_OK;
}

static enum status read_shelf(struct reading *reading, enum shelf shelf, unsigned sections,
                              int64_t from_s, int64_t to_s, struct error *error)
{
    const struct range *range = reading->range;
    /* The cells of one label each have every event once for each label that there is. */
    struct visit visit = {.reading = reading,
                          .sections = sections & shelf_shapes[shelf].sections,
                          .any_of =
                              shelf == SHELF_HOUR_LABEL ? range->by_mask | range->where_mask : 0};
    struct disk *disk = reading->disk;
    if (!disk || from_s >= to_s || visit.sections == 0)
        return STATUS_OK;
    return disk_visit(disk, shelf, from_s, to_s, visit.sections, visit_row, &visit, error);
}

static bool one_label(uint64_t mask)
{
    int n = 0;
    for (int i = 0; i < MAX_LABELS; i++)
        n += (mask & label_mask(i)) != 0;
    return n == 1;
}

static enum status read_hours(struct reading *reading, int64_t from_s, int64_t to_s,
                              struct error *error)
{
    const struct range *range = reading->range;
    enum shelf shelf = SHELF_HOUR;
    if (by_labels(range))
        shelf =
            one_label(range->by_mask | range->where_mask) ? SHELF_HOUR_LABEL : SHELF_HOUR_LABELS;
    return read_shelf(reading, shelf, range->sections, from_s, to_s, error);
}

static enum status read_minutes(struct reading *reading, int64_t from_s, int64_t to_s,
                                struct error *error)
{
    const struct range *range = reading->range;
    if (!by_labels(range))
        return read_shelf(reading, SHELF_MINUTE, range->sections, from_s, to_s, error);
    enum status status =
        read_shelf(reading, SHELF_MINUTE_LABELS, range->sections, from_s, to_s, error);
    if (status == STATUS_OK)
        status = read_shelf(reading, SHELF_SLICE_LABELS, range->sections, from_s, to_s, error);
    return status;
}

/* Whole hours by the hour, what sticks out by the minute. */
static enum status read_disk(struct reading *reading, int64_t from_s, int64_t to_s,
                             struct error *error)
{
    int64_t hours_from_s = -floor_to(-from_s, 3600), hours_to_s = floor_to(to_s, 3600);
    if (hours_from_s >= hours_to_s)
        return read_minutes(reading, from_s, to_s, error);
    enum status status = read_minutes(reading, from_s, hours_from_s, error);
    if (status == STATUS_OK)
        status = read_hours(reading, hours_from_s, hours_to_s, error);
    if (status == STATUS_OK)
        status = read_minutes(reading, hours_to_s, to_s, error);
    return status;
}

/* ---- memory ---- */

static void add_cell(struct reading *reading, const struct cell *cell)
{
    if (!is_wanted(reading->range, cell->labels))
        return;
    struct sums *sums = groups_find(reading->groups, cell->labels & reading->range->by_mask);
    unsigned sections = sections_of(reading, cell->labels, reading->range->sections);
    if (!sums || !sums_add(sums, cell, sections))
        reading->failed = true;
}

static void read_memory(struct reading *reading, int64_t from_s, int64_t to_s)
{
    if (to_s <= reading->memory_from_s)
        return;
    for (int i = 0; i < reading->n_memory; i++) {
        for (size_t k = 0; k < span_size(reading->memory[i]); k++) {
            const struct cell *cell = span_at(reading->memory[i], k);
            if (cell->start_s >= from_s && cell->start_s < to_s)
                add_cell(reading, cell);
        }
    }
}

static bool read_seconds(struct reading *reading, int64_t from_s, int64_t to_s)
{
    struct history_store *history = reading->history;
    struct visit visit = {.reading = reading,
                          .sections = reading->range->sections & SECOND_SECTION};
    bool covered = false;
    lock_take(&history->lock);
    for (int i = 0; i < SECOND_SLOTS; i++) {
        const struct second *second = &history->seconds[i];
        if (second->start_s < from_s || second->start_s >= to_s)
            continue;
        covered = true;
        struct slice cells = buffer_slice(&second->cells);
        struct packed_cell packed;
        while (cells.size > 0 && cell_next(&cells, &packed))
            visit_cell(&visit, &packed);
        reading->failed = reading->failed || cells.size > 0;
    }
    lock_release(&history->lock);
    return covered;
}

/* ---- one reading ---- */

static void hold_epochs(struct reading *reading)
{
    struct history_store *history = reading->history;
    for (struct epoch *epoch = history->first; epoch && reading->n_epochs < MAX_WAITING * 2;
         epoch = epoch->next) {
        atomic_fetch_add(&epoch->users, 1);
        reading->epochs[reading->n_epochs++] = epoch;
    }
}

static bool copy_memory(struct reading *reading)
{
    struct history_store *history = reading->history;
    lock_take(&history->lock);
    hold_epochs(reading);
    struct span *open = span_copy(history->open), *coming = span_copy(history->coming);
    if (history->running)
        reading->runs[reading->n_runs++] = history->run;
    lock_release(&history->lock);
    if (open)
        reading->memory[reading->n_memory++] = open;
    if (coming)
        reading->memory[reading->n_memory++] = coming;
    return open && coming;
}

static void add_epochs(struct reading *reading, uint64_t seq)
{
    for (int i = 0; i < reading->n_epochs; i++) {
        if (reading->epochs[i]->seq > seq)
            reading->memory[reading->n_memory++] = reading->epochs[i]->span;
    }
    reading->memory_from_s = INT64_MAX;
    for (int i = 0; i < reading->n_memory; i++) {
        for (size_t k = 0; k < span_size(reading->memory[i]); k++) {
            int64_t start_s = span_at(reading->memory[i], k)->start_s;
            if (start_s < reading->memory_from_s)
                reading->memory_from_s = start_s;
        }
    }
}

static struct reader *take_reader(struct history_store *history)
{
    int free = 0;
    lock_take(&history->reading);
    while (history->readers[free].taken) {
        free = (free + 1) % READERS;
        if (free == 0)
            (void)condition_wait(&history->returned, &history->reading, -1);
    }
    history->readers[free].taken = true;
    lock_release(&history->reading);
    return &history->readers[free];
}

static void return_reader(struct history_store *history, struct reader *reader)
{
    lock_take(&history->reading);
    reader->taken = false;
    pthread_cond_signal(&history->returned);
    lock_release(&history->reading);
}

static enum status open_reader(struct reading *reading, struct error *error)
{
    struct history_store *history = reading->history;
    enum status status = STATUS_OK;
    if (!reading->reader->disk && history->path)
        status = disk_open(history->path, false, &reading->reader->disk, error);
    reading->disk = reading->reader->disk;
    return status;
}

static enum status begin(struct reading *reading, struct error *error)
{
    uint64_t seq = 0;
    size_t n = 0;
    if (!copy_memory(reading))
        return error_set(error, STATUS_MEMORY, "out of memory for reading the history");
    enum status status = open_reader(reading, error);
    if (status == STATUS_OK && reading->disk) {
        status = disk_begin(reading->disk, false, error);
        if (status != STATUS_OK)
            return status;
        status = disk_seq(reading->disk, &seq, error);
        if (status == STATUS_OK)
            status = disk_runs(reading->disk, reading->range->from_s * US_PER_S,
                               reading->range->to_s * US_PER_S, reading->runs + reading->n_runs,
                               MAX_RUNS - reading->n_runs, &n, error);
        reading->n_runs += n;
        if (status != STATUS_OK)
            disk_rollback(reading->disk);
    }
    add_epochs(reading, seq);
    return status;
}

static void end(struct reading *reading, bool begun)
{
    if (begun && reading->disk)
        disk_rollback(reading->disk);
    for (int i = 0; i < reading->n_memory && i < 2; i++)
        span_destroy(reading->memory[i]); /* the two copies */
    for (int i = 0; i < reading->n_epochs; i++)
        epoch_release(reading->epochs[i]);
    groups_destroy(reading->groups);
    cell_free(&reading->scratch);
    free(reading);
}

/* How long the service was counting between the two. Runs of a clock that was set back may overlap.
 */
static double covered_s(const struct reading *reading, int64_t from_s, int64_t to_s)
{
    int64_t from_us = from_s * US_PER_S, to_us = to_s * US_PER_S, covered_us = 0;
    for (size_t i = 0; i < reading->n_runs; i++) {
        const struct run *run = &reading->runs[i];
        int64_t begin_us = run->from_us > from_us ? run->from_us : from_us;
        int64_t end_us = run->to_us < to_us ? run->to_us : to_us;
        if (end_us > begin_us)
            covered_us += end_us - begin_us;
    }
    return (double)(covered_us < to_us - from_us ? covered_us : to_us - from_us) / US_PER_S;
}

static enum status read_point(struct reading *reading, struct point *point, struct error *error)
{
    enum status status = STATUS_OK;
    groups_begin(reading->groups);
    if (reading->range->step_s > 0 && reading->range->step_s < MINUTE_S) {
        point->covered = read_seconds(reading, point->start_s, point->end_s);
        point->covered_s = point->covered ? (double)(point->end_s - point->start_s) : 0;
    } else {
        status = read_disk(reading, point->start_s, point->end_s, error);
        read_memory(reading, point->start_s, point->end_s);
        point->covered_s = covered_s(reading, point->start_s, point->end_s);
        point->covered = point->covered_s > 0;
    }
    point->groups = groups_there(reading->groups, &point->n_groups);
    if (status != STATUS_OK || !reading->failed)
        return status;
    if (groups_refused(reading->groups))
        return error_set(error, STATUS_INVALID, "by: more than %d combinations of these labels",
                         MAX_GROUPS);
    return error_set(error, STATUS_CORRUPT,
                     "the history could not be added up: damage, or no memory");
}

static enum status read_points(struct reading *reading, range_visitor *visit, void *context,
                               struct error *error)
{
    const struct range *range = reading->range;
    bool by_arm = ((range->by_mask | range->where_mask) & reading->shadow.mask) != 0;
    int64_t step_s = range->step_s > 0 ? range->step_s : range->to_s - range->from_s;
    int64_t start_s = range->step_s > 0 ? floor_to(range->from_s, step_s) : range->from_s;
    enum status status = STATUS_OK;
    for (; start_s < range->to_s && status == STATUS_OK; start_s += step_s) {
        struct point point = {.start_s = start_s,
                              .end_s = start_s + step_s,
                              .layout = reading->layout,
                              .by_arm = by_arm};
        status = read_point(reading, &point, error);
        if (status == STATUS_OK)
            visit(context, &point);
    }
    return status;
}

static struct reading *create(struct history_store *history, const struct range *range)
{
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        return NULL;
    reading->history = history;
    reading->range = range;
    reading->layout = history_layout(history);
    reading->shadow = labels_shadow(history->labels);
    reading->groups = groups_create(reading->layout);
    if (reading->groups)
        return reading;
    free(reading);
    return NULL;
}

enum status range_read(struct history_store *history, const struct range *range,
                       range_visitor *visit, void *context, struct error *error)
{
    if (range->step_s > 0 && (range->to_s - range->from_s) / range->step_s > MAX_POINTS)
        return error_set(error, STATUS_INVALID, "more than %d points: take a larger step",
                         MAX_POINTS);
    struct reading *reading = create(history, range);
    if (!reading)
        return error_set(error, STATUS_MEMORY, "out of memory for reading the history");
    struct reader *reader = reading->reader = take_reader(history);
    enum status status = begin(reading, error);
    bool begun = status == STATUS_OK;
    if (begun)
        status = read_points(reading, visit, context, error);
    end(reading, begun);
    return_reader(history, reader);
    return status;
}
