/* A long range is cut in two: one half is read by a thread of its own, with a connection of its
 * own, and its lines are put behind those of the other half. What happened is in one half only, so
 * it does not matter that they may see different commits. */
#include "engine/history/lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/thread.h"
#include "engine/history/disk.h"

#define LONG_RANGE_S (INT64_C(3) * 86400)

void lines_free(struct lines *lines)
{
    for (int i = 0; i < lines->n; i++)
        free(lines->list[i].values);
    free(lines->nothing);
    lines->n = 0;
    lines->nothing = NULL;
}

static size_t n_values(const struct lines *lines)
{
    return lines->n_points * (size_t)lines->n_measures;
}

/* Until its group was first met it had nothing. */
static struct line *add_line(struct lines *lines, uint64_t labels)
{
    size_t n = n_values(lines);
    lines->too_many = (size_t)(lines->n + 1) * n > MAX_VALUES || lines->n == MAX_GROUPS;
    double *values = lines->too_many ? NULL : malloc((n + 1) * sizeof *values);
    lines->no_memory = !values && !lines->too_many;
    if (!values)
        return NULL;
    memcpy(values, lines->nothing, n * sizeof *values);
    lines->list[lines->n] = (struct line){labels, values};
    return &lines->list[lines->n++];
}

/* ---- one part ---- */

static void take_values(const struct lines *lines, const struct point *point,
                        const struct sums *sums, double *values)
{
    double *at = values + lines->point * (size_t)lines->n_measures;
    for (int k = 0; k < lines->n_measures; k++)
        at[k] = measure_value(lines->measures[k], point, sums);
}

/* A group that has nothing at this point still has its zeros. */
static void take_nothing(const struct lines *lines, const struct point *point)
{
    size_t first = lines->point * (size_t)lines->n_measures;
    take_values(lines, point, NULL, lines->nothing);
    for (int i = 0; i < lines->n; i++)
        memcpy(lines->list[i].values + first, lines->nothing + first,
               (size_t)lines->n_measures * sizeof *lines->nothing);
}

static void take_point(void *context, const struct point *point)
{
    struct lines *lines = context;
    take_nothing(lines, point);
    for (int i = 0; i < point->n_groups && !lines->too_many && !lines->no_memory; i++) {
        const struct sums *sums = point->groups[i];
        const struct line *line =
            sums->index < lines->n ? &lines->list[sums->index] : add_line(lines, sums->labels);
        if (line)
            take_values(lines, point, sums, line->values);
    }
    lines->point++;
}

static bool begin(struct lines *lines, uint64_t by_mask)
{
    size_t n = n_values(lines);
    lines->nothing = malloc((n + 1) * sizeof *lines->nothing);
    for (size_t i = 0; lines->nothing && i < n; i++)
        lines->nothing[i] = (double)NAN;
    /* Of everything together there is a line even where nothing happened. */
    return lines->nothing && (by_mask != 0 || add_line(lines, 0));
}

static enum status say_failed(const struct lines *lines, struct error *error)
{
    if (lines->too_many)
        return error_set(error, STATUS_INVALID,
                         "by: lines of %zu points of more than %d groups are too much at once: "
                         "take a larger step, or fewer labels",
                         lines->n_points, lines->n);
    return lines->no_memory ? error_set(error, STATUS_MEMORY, "out of memory") : STATUS_OK;
}

static enum status read_part(struct history_store *history, const struct range *range,
                             struct lines *lines, struct error *error)
{
    if (!begin(lines, range->by_mask))
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = range_read(history, range, take_point, lines, error);
    return status == STATUS_OK ? say_failed(lines, error) : status;
}

/* ---- two of them ---- */

struct part {
    struct history_store *history;
    struct range range;
    struct lines *lines;
    enum status status;
    struct error error;
};

static void run_part(void *context)
{
    struct part *part = context;
    part->status = read_part(part->history, &part->range, part->lines, &part->error);
}

static struct line *find_line(struct lines *lines, uint64_t labels)
{
    for (int i = 0; i < lines->n; i++) {
        if (lines->list[i].labels == labels)
            return &lines->list[i];
    }
    return NULL;
}

static void put_part(struct lines *lines, const struct lines *part, size_t first_point)
{
    size_t first = first_point * (size_t)lines->n_measures;
    size_t size = n_values(part) * sizeof(double);
    memcpy(lines->nothing + first, part->nothing, size);
    for (int i = 0; i < lines->n; i++)
        memcpy(lines->list[i].values + first, part->nothing, size);
    for (int i = 0; i < part->n && !lines->too_many && !lines->no_memory; i++) {
        uint64_t labels = part->list[i].labels;
        struct line *line = find_line(lines, labels);
        line = line ? line : add_line(lines, labels);
        if (line)
            memcpy(line->values + first, part->list[i].values, size);
    }
}

static enum status read_both(struct part parts[2], struct error *error)
{
    struct thread *thread = NULL;
    if (thread_start("history.part", run_part, &parts[1], &thread, error) != STATUS_OK)
        run_part(&parts[1]);
    run_part(&parts[0]);
    thread_join(thread);
    for (int i = 0; i < 2; i++) {
        if (parts[i].status != STATUS_OK) {
            *error = parts[i].error;
            return parts[i].status;
        }
    }
    return STATUS_OK;
}

static enum status read_in_two(struct history_store *history, const struct range *range,
                               struct lines *halves, struct lines *lines, struct error *error)
{
    struct part parts[2];
    size_t first_points[2] = {0, lines->n_points / 2};
    for (int i = 0; i < 2; i++) {
        halves[i].n_points = i ? lines->n_points - first_points[1] : first_points[1];
        halves[i].n_measures = lines->n_measures;
        halves[i].measures = lines->measures;
        parts[i] = (struct part){.history = history, .range = *range, .lines = &halves[i]};
    }
    int64_t from_s = floor_to(range->from_s, range->step_s);
    parts[0].range.to_s = from_s + (int64_t)first_points[1] * range->step_s;
    parts[1].range.from_s = parts[0].range.to_s;
    enum status status = read_both(parts, error);
    if (status == STATUS_OK && !begin(lines, range->by_mask))
        return error_set(error, STATUS_MEMORY, "out of memory");
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        put_part(lines, &halves[i], first_points[i]);
        status = say_failed(lines, error);
    }
    return status;
}

enum status lines_read(struct history_store *history, const struct range *range,
                       struct lines *lines, struct error *error)
{
    if (lines->n_points < 2 || range->to_s - range->from_s < LONG_RANGE_S)
        return read_part(history, range, lines, error);
    struct lines *halves = calloc(2, sizeof *halves);
    if (!halves)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = read_in_two(history, range, halves, lines, error);
    lines_free(&halves[0]);
    lines_free(&halves[1]);
    free(halves);
    return status;
}
