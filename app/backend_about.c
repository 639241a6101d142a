/* What the service says of itself: its settings, its views, the newest lines of its log. */
#include "app/backend_priv.h"

#include <stdlib.h>

#include "engine/base/json.h"

int backend_settings(void *context, struct buffer *out, struct error *error)
{
    (void)error;
    const struct backend *backend = context;
    settings_json(backend->about.config, backend->about.given, out);
    return 200;
}

int backend_views(void *context, struct buffer *out, struct error *error)
{
    (void)error;
    const struct backend *backend = context;
    own_views_json(&backend->about.config->own_views, out);
    return 200;
}

static void line_json(struct json_writer *json, const struct log_line *line)
{
    json_object(json, NULL);
    json_int(json, "seq", (int64_t)line->seq);
    json_time(json, "time", line->time_us);
    json_text(json, "level", log_level_name(line->level));
    json_text(json, "component", line->component);
    json_text(json, "event", line->event);
    json_text(json, "message", line->message);
    json_object_end(json);
}

int backend_logs(void *context, const struct web_log_query *query, struct buffer *out,
                 struct error *error)
{
    const struct backend *backend = context;
    struct log_filter filter = {
        .from_us = query->from_us, .to_us = query->to_us, .after = query->after};
    struct log_line *lines = calloc((size_t)query->limit + 1, sizeof *lines);
    struct json_writer json;
    uint64_t newest = 0;
    if (!lines) {
        error_set(error, STATUS_MEMORY, "out of memory");
        return 503;
    }
    (void)log_level_parse(query->level, &filter.level);
    size_t n = log_lines(backend->about.log, &filter, lines, (size_t)query->limit, &newest);
    json_begin(&json, out);
    json_object(&json, NULL);
    json_int(&json, "newest", (int64_t)newest);
    json_array(&json, "lines");
    for (size_t i = 0; i < n; i++)
        line_json(&json, &lines[i]);
    json_array_end(&json);
    json_object_end(&json);
    free(lines);
    return 200;
}
