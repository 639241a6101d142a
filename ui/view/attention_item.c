/* One item of what needs a person: made, and told more of. Pure functions. */
#include <stdarg.h>
#include <stdio.h>

#include "ui/view/view_priv.h"

static void say_since(int64_t since_us, int64_t now_us, char out[WORD_SIZE])
{
    out[0] = '\0';
    if (since_us <= 0)
        return;
    char at[WORD_SIZE], ago[WORD_SIZE];
    snprintf(out, WORD_SIZE, "%.20s, %.24s", words_time(since_us, now_us, false, at),
             words_duration(now_us - since_us, ago));
}

struct view_attention *view_attention_add(struct view *view, const struct snapshot *snapshot,
                                          enum health severity, int64_t since_us)
{
    if (view->n_attention == VIEW_MAX_ATTENTION)
        return NULL;
    struct view_attention *item = &view->attention[view->n_attention++];
    item->severity = severity;
    item->since_us = since_us > 0 ? since_us : 0;
    say_since(since_us, snapshot->time_us, item->since);
    return item;
}

void view_attention_say(struct view_attention *item, const char *label, const char *format, ...)
{
    if (item->n_evidence == VIEW_EVIDENCE)
        return;
    struct view_evidence *line = &item->evidence[item->n_evidence++];
    line->label = label;
    va_list args;
    va_start(args, format);
    vsnprintf(line->text, sizeof line->text, format, args);
    va_end(args);
}
