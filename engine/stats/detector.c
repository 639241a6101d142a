/* The table of drift detectors, their parameters from text, and what all of them share: after a
 * detection the next number finds a new detector. Any thread, one a detector. */
#include "engine/stats/detector_priv.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/number.h"
#include "engine/base/yaml.h"

struct detector {
    const struct detector_class *class;
    double values[DETECTOR_MAX_PARAMETERS];
    bool fired;
    max_align_t state[];
};

static const struct detector_class *const classes[DETECTOR_COUNT] = {
    [DETECTOR_ADWIN] = &detector_adwin,
    [DETECTOR_DDM] = &detector_ddm,
    [DETECTOR_EDDM] = &detector_eddm,
    [DETECTOR_HDDM_A] = &detector_hddm_a,
    [DETECTOR_PAGE_HINKLEY] = &detector_page_hinkley,
    [DETECTOR_KSWIN] = &detector_kswin,
};

const char *detector_name(enum detector_method method)
{
    return classes[method]->name;
}

bool detector_find(const char *name, enum detector_method *method)
{
    for (int i = 0; i < DETECTOR_COUNT; i++) {
        if (strcmp(name, classes[i]->name) == 0) {
            *method = (enum detector_method)i;
            return true;
        }
    }
    return false;
}

const struct detector_parameter *detector_parameters(enum detector_method method)
{
    return classes[method]->parameters;
}

void detector_defaults(enum detector_method method, double values[DETECTOR_MAX_PARAMETERS])
{
    const struct detector_parameter *parameters = classes[method]->parameters;
    memset(values, 0, DETECTOR_MAX_PARAMETERS * sizeof *values);
    for (int i = 0; parameters[i].name; i++) {
        assert(i < DETECTOR_MAX_PARAMETERS);
        values[i] = parameters[i].fallback;
    }
}

/* ---- parameters from text ---- */

static enum status unknown_parameter(const struct detector_class *class, struct slice name,
                                     struct error *error)
{
    char text[64];
    const char *names[DETECTOR_MAX_PARAMETERS];
    size_t n = 0;
    for (const struct detector_parameter *row = class->parameters; row->name; row++)
        names[n++] = row->name;
    size_t size = name.size < sizeof text ? name.size : sizeof text - 1;
    memcpy(text, name.data, size);
    text[size] = '\0';
    const char *near = nearest_word(text, names, n);
    return near ? error_set(error, STATUS_INVALID, "%s has no parameter %s; did you mean %s?",
                            class->name, text, near)
                : error_set(error, STATUS_INVALID, "%s has no parameter %s", class->name, text);
}

static bool word_value(const char *const *words, struct slice text, double *value)
{
    for (int i = 0; words[i]; i++) {
        if (slice_is(text, words[i])) {
            *value = i;
            return true;
        }
    }
    return false;
}

static bool read_value(const struct detector_parameter *parameter, struct slice text, double *value)
{
    static const char *const bools[] = {"false", "true", NULL};
    if (parameter->kind == DETECTOR_WORD)
        return word_value(parameter->words, text, value);
    if (parameter->kind == DETECTOR_BOOL && word_value(bools, text, value))
        return true;
    if (!number_parse(text, value) || !isfinite(*value))
        return false;
    if (parameter->kind != DETECTOR_NUMBER && *value != floor(*value))
        return false;
    return *value >= parameter->minimum && *value <= parameter->maximum;
}

static enum status bad_value(const struct detector_class *class,
                             const struct detector_parameter *parameter, struct slice text,
                             struct error *error)
{
    char words[128] = "";
    for (int i = 0; parameter->words && parameter->words[i]; i++) {
        if (i)
            strncat(words, ", ", sizeof words - strlen(words) - 1);
        strncat(words, parameter->words[i], sizeof words - strlen(words) - 1);
    }
    const char *kind = parameter->kind == DETECTOR_INTEGER ? "whole number" : "number";
    if (parameter->kind == DETECTOR_WORD)
        return error_set(error, STATUS_INVALID, "%s %s=" SLICE_FORMAT ": it is one of %s",
                         class->name, parameter->name, SLICE_ARGS(text), words);
    if (parameter->kind == DETECTOR_BOOL)
        return error_set(error, STATUS_INVALID, "%s %s=" SLICE_FORMAT ": it is true or false",
                         class->name, parameter->name, SLICE_ARGS(text));
    return error_set(error, STATUS_INVALID,
                     "%s %s=" SLICE_FORMAT ": it is a %s from %.10g to %.10g", class->name,
                     parameter->name, SLICE_ARGS(text), kind, parameter->minimum,
                     parameter->maximum);
}

enum status detector_set(enum detector_method method, struct slice assignment,
                         double values[DETECTOR_MAX_PARAMETERS], struct error *error)
{
    const struct detector_class *class = classes[method];
    const char *equals = assignment.size ? memchr(assignment.data, '=', assignment.size) : NULL;
    if (!equals)
        return error_set(error, STATUS_INVALID, SLICE_FORMAT ": a parameter is given as name=value",
                         SLICE_ARGS(assignment));
    struct slice name = {assignment.data, (size_t)(equals - assignment.data)};
    struct slice text = {equals + 1, assignment.size - name.size - 1};
    for (int i = 0; class->parameters[i].name; i++) {
        if (!slice_is(name, class->parameters[i].name))
            continue;
        double value;
        if (!read_value(&class->parameters[i], text, &value))
            return bad_value(class, &class->parameters[i], text, error);
        values[i] = value;
        return STATUS_OK;
    }
    return unknown_parameter(class, name, error);
}

/* ---- the stream ---- */

enum status detector_create(enum detector_method method,
                            const double values[DETECTOR_MAX_PARAMETERS],
                            struct detector **detector, struct error *error)
{
    const struct detector_class *class = classes[method];
    const char *problem = class->contradiction ? class->contradiction(values) : NULL;
    if (problem)
        return error_set(error, STATUS_INVALID, "%s: %s", class->name, problem);
    struct detector *made = calloc(1, sizeof *made + class->size(values));
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for a drift detector");
    made->class = class;
    memcpy(made->values, values, sizeof made->values);
    class->reset(made->state, values);
    *detector = made;
    return STATUS_OK;
}

void detector_destroy(struct detector *detector)
{
    free(detector);
}

void detector_restart(struct detector *detector)
{
    detector->fired = false;
    detector->class->reset(detector->state, detector->values);
}

enum status detector_update(struct detector *detector, double number, bool *fired,
                            struct error *error)
{
    const struct detector_class *class = detector->class;
    *fired = false;
    if (!isfinite(number))
        return error_set(error, STATUS_INVALID, "a finite number is needed");
    if (class->errors_only && !(number >= 0 && number <= 1))
        return error_set(error, STATUS_INVALID,
                         "%s reads errors, 0 (right) to 1 (wrong), and this is %.9g", class->name,
                         number);
    if (detector->fired && (class->restart < 0 || detector->values[class->restart] != 0))
        class->reset(detector->state, detector->values);
    *fired = detector->fired = class->update(detector->state, detector->values, number);
    return STATUS_OK;
}
