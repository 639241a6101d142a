/* An explanation as JSON: a member of the snapshot and the answer of its own route. */
#include "engine/observe/explanation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"

bool explanation_names(const struct explanation *explanation)
{
    return explanation->n_causes > 0 && explanation->incident[0];
}

const char *explanation_action(const struct explanation *explanation)
{
    return explanation->until_us > 0 ? EXPLANATION_OVER_ACTION : explanation->action;
}

void explanation_members(const struct explanation *explanation, struct json_writer *json)
{
    json_text_or_null(json, "incident", explanation->incident);
    json_time_or_null(json, "since", explanation->since_us);
    json_time_or_null(json, "until", explanation->until_us);
    json_array(json, "causes");
    for (int i = 0; i < explanation->n_causes; i++) {
        const struct explained_cause *cause = &explanation->causes[i];
        json_object(json, NULL);
        json_text(json, "cause", cause->cause);
        json_text_or_null(json, "slice", cause->slice);
        json_number(json, "share_of_excess", cause->share_of_excess);
        json_time_or_null(json, "changed_at", cause->changed_at_us);
        json_time_or_null(json, "recovered_at", cause->recovered_at_us);
        json_text(json, "evidence", cause->evidence);
        json_object_end(json);
    }
    json_array_end(json);
    json_object(json, "impact");
    json_number(json, "requests", explanation->requests);
    json_number(json, "users", explanation->users);
    json_number(json, "errors", explanation->errors);
    json_number(json, "money", explanation->money);
    json_text_or_null(json, "money_field", explanation->money_field);
    json_number(json, "decisions_changed", explanation->decisions);
    json_object_end(json);
    json_text_or_null(json, "action", explanation->action);
}

void explanation_json(const struct explanation *explanation, struct json_writer *json,
                      const char *key)
{
    json_object(json, key);
    explanation_members(explanation, json);
    json_object_end(json);
}

void incident_json(const struct incident *incident, struct json_writer *json, const char *key)
{
    if (incident->opened_us == 0) {
        json_null(json, key);
        return;
    }
    json_object(json, key);
    json_time(json, "opened_at", incident->opened_us);
    json_time_or_null(json, "closed_at", incident->closed_us);
    json_text(json, "triggers", incident->triggers);
    explanation_members(&incident->explanation, json);
    json_object_end(json);
}

static int64_t read_time(const struct json *object, const char *key)
{
    int64_t time_us = 0;
    const char *text = json_as_text(json_get(object, key), "");
    return time_parse(slice_of(text), &time_us) ? time_us : 0;
}

static void read_text(const struct json *object, const char *key, char *out, size_t size)
{
    snprintf(out, size, "%s", json_as_text(json_get(object, key), ""));
}

static void read_cause(const struct json *from, struct explained_cause *cause)
{
    read_text(from, "cause", cause->cause, sizeof cause->cause);
    read_text(from, "slice", cause->slice, sizeof cause->slice);
    read_text(from, "evidence", cause->evidence, sizeof cause->evidence);
    cause->share_of_excess = json_as_number(json_get(from, "share_of_excess"), NAN);
    cause->changed_at_us = read_time(from, "changed_at");
    cause->recovered_at_us = read_time(from, "recovered_at");
}

void explanation_read(const struct json *from, struct explanation *explanation)
{
    const struct json *impact = json_get(from, "impact"), *list = json_get(from, "causes");
    memset(explanation, 0, sizeof *explanation);
    read_text(from, "incident", explanation->incident, sizeof explanation->incident);
    read_text(from, "action", explanation->action, sizeof explanation->action);
    read_text(impact, "money_field", explanation->money_field, sizeof explanation->money_field);
    explanation->since_us = read_time(from, "since");
    explanation->until_us = read_time(from, "until");
    for (const struct json *cause = list ? json_first(list) : NULL;
         cause && explanation->n_causes < MAX_CAUSES; cause = json_next(cause))
        read_cause(cause, &explanation->causes[explanation->n_causes++]);
    explanation->requests = json_as_number(json_get(impact, "requests"), NAN);
    explanation->users = json_as_number(json_get(impact, "users"), NAN);
    explanation->errors = json_as_number(json_get(impact, "errors"), NAN);
    explanation->money = json_as_number(json_get(impact, "money"), NAN);
    explanation->decisions = json_as_number(json_get(impact, "decisions_changed"), NAN);
}

void incident_read(const struct json *from, struct incident *incident)
{
    incident->opened_us = read_time(from, "opened_at");
    incident->closed_us = read_time(from, "closed_at");
    read_text(from, "triggers", incident->triggers, sizeof incident->triggers);
    explanation_read(from, &incident->explanation);
}
