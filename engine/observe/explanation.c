/* An explanation as JSON: a member of the snapshot and the answer of its own route. */
#include "engine/observe/explanation.h"

#include "engine/base/json.h"

static void time_or_null(struct json_writer *json, const char *key, int64_t time_us)
{
    if (time_us > 0)
        json_time(json, key, time_us);
    else
        json_null(json, key);
}

static void text_or_null(struct json_writer *json, const char *key, const char *text)
{
    json_text(json, key, text[0] ? text : NULL);
}

void explanation_json(const struct explanation *explanation, struct json_writer *json,
                      const char *key)
{
    json_object(json, key);
    text_or_null(json, "incident", explanation->incident);
    time_or_null(json, "since", explanation->since_us);
    time_or_null(json, "until", explanation->until_us);
    json_array(json, "causes");
    for (int i = 0; i < explanation->n_causes; i++) {
        const struct explained_cause *cause = &explanation->causes[i];
        json_object(json, NULL);
        json_text(json, "cause", cause->cause);
        text_or_null(json, "slice", cause->slice);
        json_number(json, "share_of_excess", cause->share_of_excess);
        time_or_null(json, "changed_at", cause->changed_at_us);
        json_text(json, "evidence", cause->evidence);
        json_object_end(json);
    }
    json_array_end(json);
    json_object(json, "impact");
    json_number(json, "requests", explanation->requests);
    json_number(json, "users", explanation->users);
    json_number(json, "errors", explanation->errors);
    json_number(json, "money", explanation->money);
    text_or_null(json, "money_field", explanation->money_field);
    json_number(json, "decisions_changed", explanation->decisions);
    json_object_end(json);
    text_or_null(json, "action", explanation->action);
    json_object_end(json);
}
