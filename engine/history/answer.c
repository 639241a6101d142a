/* A question is checked and read, and its values are written: JSON has them by series, time by
 * time.
 */
#include "engine/history/answer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/history/history_priv.h"
#include "engine/history/lines.h"
#include "engine/history/question.h"

#define MAX_SERIES 16

/* One of the names asked for. */
struct asked {
    char name[2 * NAME_SIZE];
    const char *unit;
    struct measure measure;
    int place;    /* among the measures */
    int derived;  /* index of what others make of the history; -1: the measure */
    double *made; /* by point, of a derived one */
};

struct answer {
    struct history_store *history;
    struct range range;
    struct asked series[MAX_SERIES];
    int n_series;
    size_t n_points;
    const struct measure *measures[MAX_SERIES];
    struct lines lines;
};

/* ---- the question ---- */

static bool find_derived(const struct history_derived *derived, struct slice name,
                         struct asked *series)
{
    const char *help;
    for (int i = 0; i < derived->n; i++) {
        derived->describe(derived->context, i, series->name, &series->unit, &help);
        series->derived = i;
        if (slice_is(name, series->name))
            return true;
    }
    series->derived = -1;
    return false;
}

static enum status find_series(struct answer *answer, struct slice name, struct asked *series,
                               struct error *error)
{
    if (find_derived(&answer->history->derived, name, series))
        return STATUS_OK;
    enum status status =
        measure_find(history_layout(answer->history), name, &series->measure, error);
    if (status != STATUS_OK)
        return status;
    memcpy(series->name, series->measure.name, sizeof series->name);
    series->unit = measure_unit(&series->measure);
    answer->range.sections |= measure_sections(&series->measure);
    if (series->measure.column >= answer->range.n_columns)
        answer->range.n_columns = series->measure.column + 1;
    return STATUS_OK;
}

static enum status read_series(struct slice list, struct answer *answer, struct error *error)
{
    if (list.size == 0)
        return error_set(error, STATUS_INVALID, "series: one name or more are needed");
    while (list.size > 0) {
        if (answer->n_series == MAX_SERIES)
            return error_set(error, STATUS_INVALID, "series: at most %d at once", MAX_SERIES);
        struct asked *series = &answer->series[answer->n_series++];
        enum status status = find_series(answer, question_word(&list), series, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static size_t count_points(const struct range *range)
{
    int64_t from_s = floor_to(range->from_s, range->step_s);
    return range->to_s > from_s ? (size_t)((range->to_s - from_s - 1) / range->step_s) + 1 : 0;
}

/* ---- the values ---- */

/* The measures among the names, in their order; read_lines() numbers them. */
static enum status read_lines(struct answer *answer, struct error *error)
{
    for (int k = 0; k < answer->n_series; k++) {
        struct asked *series = &answer->series[k];
        series->place = answer->lines.n_measures;
        if (series->derived < 0)
            answer->measures[answer->lines.n_measures++] = &series->measure;
    }
    answer->lines.measures = answer->measures;
    answer->lines.n_points = answer->n_points;
    return lines_read(answer->history, &answer->range, &answer->lines, error);
}

/* They are counted over everything: an answer would be one to another question. */
static enum status refuse_where(const struct answer *answer, struct error *error)
{
    for (int k = 0; k < answer->n_series && answer->range.where_mask != 0; k++)
        if (answer->series[k].derived >= 0)
            return error_set(error, STATUS_INVALID,
                             "where: %s is of the whole service and cannot be narrowed; ask for it "
                             "without",
                             answer->series[k].name);
    return STATUS_OK;
}

static enum status make_derived(struct answer *answer, struct error *error)
{
    const struct history_derived *derived = &answer->history->derived;
    struct history_line lines[MAX_SERIES];
    int n = 0;
    for (int k = 0; k < answer->n_series; k++) {
        struct asked *series = &answer->series[k];
        if (series->derived < 0)
            continue;
        series->made = calloc(answer->n_points + 1, sizeof *series->made);
        if (!series->made)
            return error_set(error, STATUS_MEMORY, "out of memory");
        lines[n++] = (struct history_line){series->derived, series->made};
    }
    if (n == 0)
        return STATUS_OK;
    return derived->values(derived->context, lines, n,
                           floor_to(answer->range.from_s, answer->range.step_s),
                           answer->range.step_s, answer->n_points, error);
}

/* ---- JSON ---- */

static void put_labels(const struct answer *answer, uint64_t key, struct json_writer *json)
{
    const struct labels *labels = history_labels(answer->history);
    json_object(json, "labels");
    for (int i = 0; i < labels_count(labels); i++) {
        if (answer->range.by_mask & label_mask(i))
            json_text(json, labels_name(labels, i), labels_value(labels, i, label_byte(key, i)));
    }
    json_object_end(json);
}

static void put_point(struct json_writer *json, int64_t start_s, double value)
{
    json_array(json, NULL);
    json_int(json, NULL, start_s * 1000);
    json_number(json, NULL, value);
    json_array_end(json);
}

static bool is_nameless(const struct answer *answer, const struct line *line)
{
    for (int i = 0; i < labels_count(history_labels(answer->history)); i++)
        if ((answer->range.by_mask & label_mask(i)) && label_byte(line->labels, i) == LABEL_NONE)
            return true;
    return false;
}

/* By arms, shadows decide nothing, and no other arm is a shadow. */
static bool is_of_another_arm(const struct answer *answer, const struct line *line, int series)
{
    struct shadow_keys shadow = labels_shadow(history_labels(answer->history));
    return (answer->range.by_mask & shadow.mask) != 0 &&
           !measure_told_of(&answer->series[series].measure, shadow_is(&shadow, line->labels));
}

/* Quarantined events have no arm: what is not said of them is no series. */
static bool says_nothing(const struct answer *answer, const struct line *line, int series)
{
    const double *values = line->values + answer->series[series].place;
    bool nothing = is_nameless(answer, line) || is_of_another_arm(answer, line, series);
    for (size_t i = 0; i < answer->n_points && nothing; i++) {
        double value = values[i * (size_t)answer->lines.n_measures];
        nothing = isnan(value) || value == 0;
    }
    return nothing;
}

/* `values`: one each `stride`. */
static void put_values(const struct answer *answer, const double *values, size_t stride,
                       struct json_writer *json)
{
    int64_t start_s = floor_to(answer->range.from_s, answer->range.step_s);
    json_array(json, "points");
    for (size_t i = 0; i < answer->n_points; i++, start_s += answer->range.step_s)
        put_point(json, start_s, values[i * stride]);
    json_array_end(json);
}

static void put_line(const struct answer *answer, const struct line *line, int series,
                     struct json_writer *json)
{
    json_object(json, NULL);
    json_text(json, "name", answer->series[series].name);
    json_text(json, "unit", answer->series[series].unit);
    put_labels(answer, line->labels, json);
    put_values(answer, line->values + answer->series[series].place,
               (size_t)answer->lines.n_measures, json);
    json_object_end(json);
}

static void put_derived(const struct answer *answer, const struct asked *series,
                        struct json_writer *json)
{
    json_object(json, NULL);
    json_text(json, "name", series->name);
    json_text(json, "unit", series->unit);
    json_object(json, "labels");
    json_object_end(json);
    put_values(answer, series->made, 1, json);
    json_object_end(json);
}

static void put_head(const struct range *range, struct json_writer *json)
{
    json_time(json, "from", range->from_s * US_PER_S);
    json_time(json, "to", range->to_s * US_PER_S);
    json_int(json, "step_s", range->step_s);
}

static void put_answer(const struct answer *answer, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    put_head(&answer->range, &json);
    json_array(&json, "series");
    for (int k = 0; k < answer->n_series; k++) {
        if (answer->series[k].derived >= 0)
            put_derived(answer, &answer->series[k], &json);
        for (int i = 0; i < answer->lines.n && answer->series[k].derived < 0; i++) {
            if (!says_nothing(answer, &answer->lines.list[i], k))
                put_line(answer, &answer->lines.list[i], k, &json);
        }
    }
    json_array_end(&json);
    json_object_end(&json);
}

static void answer_free(struct answer *answer)
{
    lines_free(&answer->lines);
    for (int i = 0; i < answer->n_series; i++)
        free(answer->series[i].made);
    free(answer);
}

enum status history_answer(struct history_store *history, const struct history_question *question,
                           struct buffer *out, struct error *error)
{
    struct answer *answer = calloc(1, sizeof *answer);
    if (!answer)
        return error_set(error, STATUS_MEMORY, "out of memory");
    answer->history = history;
    enum status status = read_series(question->series, answer, error);
    if (status == STATUS_OK)
        status = question_read(history, question, &answer->range, error);
    if (status == STATUS_OK)
        status = refuse_where(answer, error);
    answer->n_points = status == STATUS_OK ? count_points(&answer->range) : 0;
    if (status == STATUS_OK && answer->n_points > MAX_POINTS)
        status =
            error_set(error, STATUS_INVALID, "more than %d points: take a larger step", MAX_POINTS);
    if (status == STATUS_OK)
        status = read_lines(answer, error);
    if (status == STATUS_OK)
        status = make_derived(answer, error);
    if (status == STATUS_OK)
        put_answer(answer, out);
    answer_free(answer);
    return status;
}

static void put_name(void *context, const char *name, const char *unit, const char *help)
{
    struct json_writer *json = context;
    json_object(json, NULL);
    json_text(json, "name", name);
    json_text(json, "unit", unit);
    json_text(json, "help", help);
    json_object_end(json);
}

static void put_derived_names(const struct history_derived *derived, struct json_writer *json)
{
    char name[2 * NAME_SIZE];
    const char *unit, *help;
    for (int i = 0; i < derived->n; i++) {
        derived->describe(derived->context, i, name, &unit, &help);
        put_name(json, name, unit, help);
    }
}

void history_set_derived(struct history_store *history, const struct history_derived *derived)
{
    history->derived = *derived;
}

void history_names(struct history_store *history, struct buffer *out)
{
    const struct labels *labels = history_labels(history);
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_object(&json, "labels");
    for (int i = 0; i < labels_count(labels); i++) {
        json_array(&json, labels_name(labels, i));
        for (int code = LABEL_FIRST; code < labels_values(labels, i); code++)
            json_text(&json, NULL, labels_value(labels, i, code));
        json_array_end(&json);
    }
    json_object_end(&json);
    json_array(&json, "series");
    measure_list(history_layout(history), put_name, &json);
    put_derived_names(&history->derived, &json);
    json_array_end(&json);
    json_object_end(&json);
}
