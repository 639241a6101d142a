/* The query parameters of every route, in one table: the OpenAPI document's part of them, and what
 * a request is held against, so that a slip of the pen is an answer and not a filter that filters
 * nothing. Any thread; no state. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/base/yaml.h"
#include "ui/web/web_priv.h"

/* clang-format off */
#define REASONS "{\"oneOf\":[{\"type\":\"integer\",\"minimum\":0,\"maximum\":1024},{\"const\":\"all\"}],\"default\":3}"
#define STEP    "{\"type\":[\"string\",\"integer\"]}"
#define TIME    "{\"oneOf\":[{\"type\":\"string\",\"format\":\"date-time\"},{\"type\":\"integer\"}]}"
#define TEXT_SCHEMA   "{\"type\":\"string\"}"
#define ROWS_SCHEMA   "{\"type\":\"integer\",\"minimum\":1,\"maximum\":200,\"default\":50}"
#define CURSOR_SCHEMA "{\"type\":\"integer\",\"minimum\":0,\"maximum\":9000000000000000}"

const struct web_parameter web_parameters[] = {
    {"/v1/score", "reasons", "How many reasons, largest absolute contribution first; or all.",
     REASONS},
    {"/v1/score/batch", "reasons", "As for /v1/score.",
     REASONS},
    {"/api/v1/decision", "event_id", "Which event.", "{\"type\":\"string\",\"minLength\":1}"},
    {"/api/v1/decision", "reasons", "As for /v1/score.",
     REASONS},
    {"/api/v1/decisions", "event_id", "Of this event.", TEXT_SCHEMA},
    {"/api/v1/decisions", "entity", "Of this entity, or its pseudonym.", TEXT_SCHEMA},
    {"/api/v1/decisions", "decision", "", "{\"enum\":[\"approve\",\"review\",\"decline\"]}"},
    {"/api/v1/decisions", "variant", "By this arm.", "{\"enum\":[\"champion\",\"canary\",\"shadow\"]}"},
    {"/api/v1/decisions", "reason", "With this among its reason codes.", TEXT_SCHEMA},
    {"/api/v1/decisions", "min_score", "Inclusive.", "{\"type\":\"number\"}"},
    {"/api/v1/decisions", "max_score", "Inclusive.", "{\"type\":\"number\"}"},
    {"/api/v1/decisions", "from", "Decided not before: ISO-8601, or milliseconds since 1970.", TIME},
    {"/api/v1/decisions", "to", "Decided before.", TIME},
    {"/api/v1/decisions", "order", "", "{\"enum\":[\"oldest\",\"newest\"],\"default\":\"oldest\"}"},
    {"/api/v1/decisions", "limit", "Rows at most.", ROWS_SCHEMA},
    {"/api/v1/decisions", "cursor", "next_cursor of the page before.", CURSOR_SCHEMA},
    {"/api/v1/decision/record", "event_id", "Which event.", TEXT_SCHEMA},
    {"/api/v1/quarantine", "status", "", "{\"enum\":[\"open\",\"retried\",\"resolved\",\"all\"],\"default\":\"open\"}"},
    {"/api/v1/quarantine", "reason", "With this reason.", TEXT_SCHEMA},
    {"/api/v1/quarantine", "field", "In which this field is wrong.", TEXT_SCHEMA},
    {"/api/v1/quarantine", "from", "Received not before.", TIME},
    {"/api/v1/quarantine", "to", "Received before.", TIME},
    {"/api/v1/quarantine", "limit", "Rows at most.", ROWS_SCHEMA},
    {"/api/v1/quarantine", "cursor", "next_cursor of the page before.", CURSOR_SCHEMA},
    {"/api/v1/panel", "expression", "Over series of the history.", "{\"type\":\"string\"}"},
    {"/api/v1/panel", "from", "As for /api/v1/history.", "{\"type\":\"string\"}"},
    {"/api/v1/panel", "to", "As for /api/v1/history.", "{\"type\":\"string\"}"},
    {"/api/v1/panel", "step", "As for /api/v1/history.", "{\"type\":\"string\"}"},
    {"/api/v1/logs", "level", "Lines of this level and worse.",
     "{\"enum\":[\"debug\",\"info\",\"warn\",\"error\"],\"default\":\"debug\"}"},
    {"/api/v1/logs", "from", "Not before; ISO-8601, or milliseconds since 1970.",
     TIME},
    {"/api/v1/logs", "to", "Before; likewise.", TIME},
    {"/api/v1/logs", "after", "Only lines with a larger seq.",
     "{\"type\":\"integer\",\"minimum\":0}"},
    {"/api/v1/logs", "limit", "The newest so many.",
     "{\"type\":\"integer\",\"minimum\":0,\"maximum\":1024,\"default\":200}"},
    {"/api/v1/drift", "feature", "Only this one, with its bins; score is the model's output.",
     "{\"type\":\"string\"}"},
    {"/api/v1/drift", "variant", "Of this arm; of several shadows the first of the split, which `model` names.",
     "{\"enum\":[\"champion\",\"canary\",\"shadow\"],\"default\":\"champion\"}"},
    {"/api/v1/changes", "from", "Not before this time: ISO-8601, or milliseconds since 1970.",
     TIME},
    {"/api/v1/changes", "to", "Before this time.", TIME},
    {"/api/v1/performance", "from", "Decisions not before this time: ISO-8601, or milliseconds since 1970.",
     TIME},
    {"/api/v1/performance", "to", "Before this time.", TIME},
    {"/api/v1/performance", "by", "Groups, each with its figures.",
     "{\"enum\":[\"variant\",\"cohort\",\"time\"]}"},
    {"/api/v1/history", "series", "Names, with commas between them. Percentiles may be any: latency_p75_us, score_p2.5.",
     "{\"type\":\"string\"}"},
    {"/api/v1/history", "by", "Labels to tell apart by, with commas between them.",
     "{\"type\":\"string\"}"},
    {"/api/v1/history", "from", "Not before this time: ISO-8601, or milliseconds since 1970 (six hours before the end).",
     TIME},
    {"/api/v1/history", "to", "Before this time (now).",
     TIME},
    {"/api/v1/history", "step", "A duration, or seconds: how long a point is (about 300 points).",
     STEP},
    {"/api/v1/history", "where", "Only events with these labels: LABEL:VALUE, with commas between them. Not for budget_left and burn_1h, which are of the whole service.",
     "{\"type\":\"string\"}"},
    {"/api/v1/heatmap", "of", "latency, score or a feature.",
     "{\"type\":\"string\"}"},
    {"/api/v1/heatmap", "from", "Not before this time: ISO-8601, or milliseconds since 1970 (six hours before the end).",
     TIME},
    {"/api/v1/heatmap", "to", "Before this time (now).",
     TIME},
    {"/api/v1/heatmap", "step", "A duration, or seconds: how long a point is (about 300 points).",
     STEP},
    {"/api/v1/heatmap", "where", "Only events with these labels: LABEL:VALUE, with commas between them.",
     "{\"type\":\"string\"}"},
    {NULL, NULL, NULL, NULL},
};
/* clang-format on */

#define HELD_AGAINST    "/api/v1/"
#define MOST_PARAMETERS 16

static size_t known_of(const char *path, const char **names)
{
    size_t n = 0;
    for (const struct web_parameter *parameter = web_parameters; parameter->path; parameter++)
        if (n < MOST_PARAMETERS && strcmp(parameter->path, path) == 0)
            names[n++] = parameter->name;
    return n;
}

/* Names are read whatever their case, as http_query() does. */
static bool is_known(const char *const *names, size_t n, const char *word, size_t size)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(names[i]) == size && strncasecmp(names[i], word, size) == 0)
            return true;
    return false;
}

static void refuse(struct http_response *response, const char *path, const char *const *names,
                   size_t n, struct slice word)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)word.size, word.data);
    http_problem(response, 400, "Not understood", "%s has no parameter \"%s\"%s", path, name,
                 did_you_mean(nearest_word(name, names, n)).text);
}

bool web_knows_parameters(void *context, const struct http_request *request,
                          struct http_response *response)
{
    (void)context;
    const char *names[MOST_PARAMETERS];
    if (strncmp(request->path, HELD_AGAINST, strlen(HELD_AGAINST)) != 0)
        return true;
    size_t n = known_of(request->path, names);
    for (const char *part = request->query; *part; part += strspn(part, "&")) {
        size_t whole = strcspn(part, "&"), size = strcspn(part, "=&");
        if (whole > 0 && !is_known(names, n, part, size)) {
            refuse(response, request->path, names, n, slice_make(part, size));
            return false;
        }
        part += whole;
    }
    return true;
}
