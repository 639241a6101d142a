/* Hands questions of the HTTP routes to the history. Any thread. */
#include "app/history.h"

static int code_of(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return 200;
    case STATUS_INVALID:
        return 400;
    default:
        return 503;
    }
}

static int ask_series(void *context, const struct history_question *question, struct buffer *out,
                      struct error *error)
{
    return code_of(history_answer(context, question, out, error));
}

static int ask_heatmap(void *context, const struct history_question *question, struct buffer *out,
                       struct error *error)
{
    enum status status = history_heatmap(context, question, out, error);
    if (status != STATUS_OK)
        buffer_reset(out);
    return code_of(status);
}

static int ask_names(void *context, struct buffer *out, struct error *error)
{
    (void)error;
    history_names(context, out);
    return 200;
}

void history_table(struct engine *engine, struct web_history *table)
{
    struct history_store *history = engine_history(engine);
    if (history)
        *table = (struct web_history){history, ask_series, ask_names, ask_heatmap};
}
