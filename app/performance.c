/* What the API answers about decisions whose truth is known. Any thread. */
#include "app/performance.h"

static int answer(void *known, int64_t from_us, int64_t to_us, const char *by, struct buffer *out,
                  struct error *error)
{
    switch (performance_json(known, from_us, to_us, by, out, error)) {
    case STATUS_OK:
        return 200;
    case STATUS_INVALID:
        return 400;
    default:
        return 500;
    }
}

void performance_table(struct performance *performance, struct web_backend *table)
{
    if (!performance)
        return;
    table->known = performance;
    table->performance = answer;
}
