/* The split of the traffic, asked for and changed: /api/v1/traffic. */
#include "app/backend_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/record/changes.h"
#include "engine/traffic/traffic.h"

int backend_traffic_get(void *context, struct buffer *out, struct error *error)
{
    (void)error;
    struct backend *backend = context;
    struct traffic_arm arms[TRAFFIC_MAX_ARMS];
    size_t n = traffic_describe(engine_traffic(backend->engine), arms, TRAFFIC_MAX_ARMS);
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_array(&json, "traffic");
    for (size_t i = 0; i < n; i++) {
        json_object(&json, NULL);
        json_text(&json, "variant", traffic_role_name(arms[i].role));
        json_text(&json, "model", arms[i].model);
        json_text(&json, "version", arms[i].version);
        json_number(&json, "share", isnan(arms[i].share_percent) ? 100 : arms[i].share_percent);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    return 200;
}

static int find_model(const struct engine_parts *parts, const char *name, const char *version)
{
    for (int i = 0; i < parts->n_models; i++) {
        if (strcmp(parts->models[i].name, name) == 0 &&
            (!version || strcmp(parts->models[i].version, version) == 0))
            return i;
    }
    return -1;
}

static enum status read_arm(const struct engine_parts *parts, const struct json *item,
                            struct engine_arm *arm, struct error *error)
{
    const char *role = json_as_text(json_get(item, "variant"), "");
    const char *model = json_as_text(json_get(item, "model"), NULL);
    enum traffic_role parsed;
    if (!traffic_role_parse(slice_of(role), &parsed))
        return error_set(error, STATUS_INVALID, "variant: '%s' is not champion, canary or shadow",
                         role);
    if (!model)
        return error_set(error, STATUS_INVALID, "model: the name of a loaded model is needed");
    arm->variant = (enum variant)parsed;
    arm->model = find_model(parts, model, json_as_text(json_get(item, "version"), NULL));
    if (arm->model < 0)
        return error_set(error, STATUS_INVALID, "model: %s%s%s is not loaded", model,
                         json_get(item, "version") ? " version " : "",
                         json_as_text(json_get(item, "version"), ""));
    arm->share_percent = json_as_number(json_get(item, "share"), -1);
    return STATUS_OK;
}

static enum status read_arms(const struct engine_parts *parts, const struct json *document,
                             struct engine_arm *arms, int *n_arms, struct error *error)
{
    const struct json *list = json_get(document, "traffic");
    if (!list || json_kind(list) != JSON_ARRAY || json_size(list) == 0 ||
        json_size(list) > MAX_ARMS)
        return error_set(error, STATUS_INVALID,
                         "traffic: a list of 1 to %d {variant, model, version, share} is needed",
                         MAX_ARMS);
    *n_arms = 0;
    for (const struct json *item = json_first(list); item; item = json_next(item)) {
        enum status status = read_arm(parts, item, &arms[*n_arms], error);
        if (status != STATUS_OK)
            return status;
        (*n_arms)++;
    }
    return STATUS_OK;
}

/* With the role, the share and what stands between them. */
_Static_assert(CHANGE_WORDS >= TRAFFIC_MAX_ARMS * (2 * TRAFFIC_NAME_SIZE + 32),
               "a split is told and compared whole");

/* "champion fraud 1: 95 %, canary fraud 2: 5 %" */
static void describe_split(const struct traffic_arm *arms, size_t n, char out[CHANGE_WORDS])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < n && used < CHANGE_WORDS; i++) {
        double share = isnan(arms[i].share_percent) ? 100 : arms[i].share_percent;
        used += (size_t)snprintf(out + used, CHANGE_WORDS - used, "%s%s %s %s: %g %%",
                                 i > 0 ? ", " : "", traffic_role_name(arms[i].role), arms[i].model,
                                 arms[i].version, share);
    }
}

/* "fraud 2"; "": there is no champion. */
static void describe_champion(const struct traffic_arm *arms, size_t n, char out[CHANGE_WORDS])
{
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (arms[i].role == TRAFFIC_CHAMPION)
            snprintf(out, CHANGE_WORDS, "%s %s", arms[i].model, arms[i].version);
    }
}

/* Another model that decides is more than another split. */
void backend_compare_split(struct engine *engine, struct changes *changes, const char *actor,
                           const char *reason)
{
    struct traffic_arm arms[TRAFFIC_MAX_ARMS];
    size_t n = traffic_describe(engine_traffic(engine), arms, TRAFFIC_MAX_ARMS);
    int64_t now_us = clock_now_us(engine_parts(engine)->clock);
    char split[CHANGE_WORDS], champion[CHANGE_WORDS];
    describe_split(arms, n, split);
    describe_champion(arms, n, champion);
    const struct change_part parts[] = {
        {.kind = CHANGE_SPLIT, .name = "split", .words = split, .reason = reason},
        {.kind = CHANGE_MODEL, .name = "champion", .words = champion, .reason = reason},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        changes_compare(changes, now_us, actor, &parts[i]);
}

static enum status change_split(struct backend *backend, const struct engine_arm *arms, int n_arms,
                                const char *actor, const char *reason, struct error *error)
{
    lock_take(&backend->split);
    enum status status = engine_set_traffic(backend->engine, arms, n_arms, actor, reason, error);
    if (status == STATUS_OK)
        backend_compare_split(backend->engine, backend->changes, actor ? actor : "", reason);
    lock_release(&backend->split);
    return status;
}

int backend_traffic_set(void *context, struct slice body, const char *actor, struct buffer *out,
                        struct error *error)
{
    struct backend *backend = context;
    struct json *document;
    enum status status = json_parse(body, &document, error);
    if (status != STATUS_OK)
        return 400;
    struct engine_arm arms[MAX_ARMS];
    const char *reason = json_as_text(json_get(document, "reason"), "");
    int n_arms = 0;
    status = read_arms(engine_parts(backend->engine), document, arms, &n_arms, error);
    if (status == STATUS_OK)
        status = change_split(backend, arms, n_arms, actor, reason, error);
    if (status == STATUS_OK && (status = engine_settle(backend->engine, error)) != STATUS_OK)
        error_prefix(error, "the split is changed, and its row waits to be recorded");
    json_destroy(document);
    if (status != STATUS_OK)
        return status == STATUS_INVALID ? 422 : 503;
    return backend_traffic_get(context, out, error);
}
