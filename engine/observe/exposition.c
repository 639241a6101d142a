/* The text of /metrics, sample by sample: label values with \\, \" and \n escaped, numbers with as
 * many digits as they take. In: names and numbers; out: a buffer. Any thread. */
#include "engine/observe/exposition.h"

#include <math.h>

#include "engine/base/number.h"

static void label_value(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            buffer_append_text(out, "\\n");
        else if (*text == '\\' || *text == '"')
            buffer_printf(out, "\\%c", *text);
        else
            buffer_append_char(out, *text);
    }
}

static void number(struct buffer *out, double value)
{
    char text[NUMBER_TEXT_SIZE];
    buffer_append(out, text, number_format(value, text));
}

void exposition_sample(struct buffer *out, const char *name, const char *suffix,
                       const char *const *labels, double value)
{
    if (!isfinite(value))
        return;
    buffer_append_text(out, name);
    buffer_append_text(out, suffix);
    for (int i = 0; labels && labels[i]; i += 2) {
        buffer_printf(out, "%c%s=\"", i == 0 ? '{' : ',', labels[i]);
        label_value(out, labels[i + 1]);
        buffer_append_char(out, '"');
    }
    if (labels && labels[0])
        buffer_append_char(out, '}');
    buffer_append_char(out, ' ');
    number(out, value);
    buffer_append_char(out, '\n');
}

void exposition_latency(struct buffer *out, const char *name, const struct latency_counts *counts)
{
    for (int i = 0; i < LATENCY_BOUNDS; i++) {
        char bound[NUMBER_TEXT_SIZE];
        number_format((double)(INT64_C(16) << i) / 1e6, bound);
        exposition_sample(out, name, "_bucket", (const char *[]){"le", bound, NULL},
                          (double)counts->under[i]);
    }
    exposition_sample(out, name, "_bucket", (const char *[]){"le", "+Inf", NULL},
                      (double)counts->n);
    exposition_sample(out, name, "_sum", NULL, (double)counts->sum_us / 1e6);
    exposition_sample(out, name, "_count", NULL, (double)counts->n);
}

void exposition_head(struct buffer *out, const char *name, enum metric_type type, const char *help)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}
