/* Figures of a classifier as JSON. In: a result. Out: members of the object that is open. */
#include "engine/stats/classify_json.h"

#include <math.h>

static bool shows(const struct classify_result *result, int figure)
{
    return figure != CLASSIFY_COST || !isnan(result->cost_total);
}

static void write_interval(struct json_writer *writer, const char *name,
                           const struct classify_value *figure)
{
    if (isnan(figure->low) || isnan(figure->high)) {
        json_null(writer, name);
        return;
    }
    json_array(writer, name);
    json_number(writer, NULL, figure->low);
    json_number(writer, NULL, figure->high);
    json_array_end(writer);
}

void classify_json(struct json_writer *writer, const struct classify_result *result)
{
    json_int(writer, "n", (int64_t)result->n);
    json_int(writer, "positives", (int64_t)result->positives);
    for (int i = 0; i < CLASSIFY_COUNT; i++) {
        if (shows(result, i))
            json_number(writer, classify_name((enum classify_figure)i), result->figures[i].value);
    }
    if (shows(result, CLASSIFY_COST))
        json_number(writer, "cost_total", result->cost_total);
    if (result->amounts_missing > 0)
        json_int(writer, "amounts_missing", (int64_t)result->amounts_missing);
    json_object(writer, "confusion");
    json_int(writer, "true_positive", (int64_t)result->true_positives);
    json_int(writer, "false_positive", (int64_t)result->false_positives);
    json_int(writer, "false_negative", (int64_t)result->false_negatives);
    json_int(writer, "true_negative", (int64_t)result->true_negatives);
    json_object_end(writer);
    json_object(writer, "ci");
    for (int i = 0; i < CLASSIFY_COUNT; i++) {
        if (shows(result, i))
            write_interval(writer, classify_name((enum classify_figure)i), &result->figures[i]);
    }
    json_object_end(writer);
}

void classify_methods_json(struct json_writer *writer, bool has_costs)
{
    json_object(writer, "ci_method");
    for (int i = 0; i < CLASSIFY_COUNT; i++) {
        if (i != CLASSIFY_COST || has_costs)
            json_text(writer, classify_name((enum classify_figure)i),
                      classify_interval_name((enum classify_figure)i));
    }
    json_object_end(writer);
}
