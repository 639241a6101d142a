/* Questions checked, and made into ranges. Nothing here keeps state. */
#include "engine/history/question.h"

#include <string.h>

#include "engine/base/clock.h"
#include "engine/history/disk.h"

#define DEFAULT_SPAN_S (INT64_C(6) * 3600)
#define MAX_TIME_S     INT64_C(253402300800) /* the year 10000 */

struct slice question_word(struct slice *list)
{
    const char *comma = memchr(list->data, ',', list->size);
    size_t size = comma ? (size_t)(comma - list->data) : list->size;
    struct slice word = slice_trim(slice_make(list->data, size));
    size_t taken = comma ? size + 1 : size;
    *list = slice_make(list->data + taken, list->size - taken);
    return word;
}

static int find_label(const struct labels *labels, struct slice word)
{
    for (int i = 0; i < labels_count(labels); i++) {
        if (slice_is(word, labels_name(labels, i)))
            return i;
    }
    return -1;
}

static enum status no_label(struct slice word, struct error *error)
{
    return error_set(error, STATUS_INVALID,
                     "the history is not kept by \"%.*s\"; /api/v1/history/series lists the labels",
                     (int)(word.size < 60 ? word.size : 60), word.size ? word.data : "");
}

static enum status read_by(const struct labels *labels, struct slice list, struct range *range,
                           struct error *error)
{
    while (list.size > 0) {
        struct slice word = question_word(&list);
        int label = find_label(labels, word);
        if (label < 0)
            return no_label(word, error);
        range->by_mask |= label_mask(label);
    }
    return STATUS_OK;
}

/* A value that never came is no mistake: nothing has it. */
static enum status read_where(const struct labels *labels, struct slice list, struct range *range,
                              struct error *error)
{
    while (list.size > 0) {
        struct slice word = question_word(&list);
        const char *colon = memchr(word.data, ':', word.size);
        struct slice name = slice_make(word.data, colon ? (size_t)(colon - word.data) : word.size);
        int label = find_label(labels, name);
        if (!colon)
            return error_set(error, STATUS_INVALID, "where: LABEL:VALUE,... is needed");
        if (label < 0)
            return no_label(name, error);
        struct slice value = slice_make(colon + 1, word.size - name.size - 1);
        int code = labels_code(labels, label, value);
        range->where_mask |= label_mask(label);
        range->where |= (uint64_t)(code < 0 ? 0xff : code) << (8 * label);
    }
    return STATUS_OK;
}

/* A step that gives about 240 points and that a reader can name. */
static int64_t usual_step_s(int64_t span_s)
{
    static const int64_t steps[] = {1,    5,    15,   60,    120,   300,   600,
                                    1800, 3600, 7200, 21600, 43200, 86400, 604800};
    size_t n = sizeof steps / sizeof *steps;
    for (size_t i = 0; i < n; i++) {
        if (span_s / steps[i] <= 360)
            return steps[i];
    }
    return steps[n - 1];
}

static int64_t seconds_up(int64_t time_us)
{
    return -floor_to(-time_us, US_PER_S) / US_PER_S;
}

static enum status read_range(struct history_store *history,
                              const struct history_question *question, struct range *range,
                              struct error *error)
{
    range->to_s =
        question->to_us == INT64_MAX ? history_now_s(history) + 1 : seconds_up(question->to_us);
    range->from_s = question->from_us == INT64_MIN
                        ? range->to_s - DEFAULT_SPAN_S
                        : floor_to(question->from_us, US_PER_S) / US_PER_S;
    if (range->from_s > range->to_s || range->from_s < -MAX_TIME_S || range->to_s > MAX_TIME_S)
        return error_set(error, STATUS_INVALID, "from lies after to");
    if (question->step_us < 0 || question->step_us % US_PER_S != 0 ||
        question->step_us > INT64_C(366) * US_PER_DAY)
        return error_set(error, STATUS_INVALID, "step: a duration of whole seconds up to 366d");
    range->step_s = question->step_us ? question->step_us / US_PER_S
                                      : usual_step_s(range->to_s - range->from_s);
    range->step_s = range_step_s(history, range);
    return STATUS_OK;
}

enum status question_read(struct history_store *history, const struct history_question *question,
                          struct range *range, struct error *error)
{
    const struct labels *labels = history_labels(history);
    enum status status = read_by(labels, question->by, range, error);
    if (status == STATUS_OK)
        status = read_where(labels, question->where, range, error);
    return status == STATUS_OK ? read_range(history, question, range, error) : status;
}
