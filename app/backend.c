/* Answers HTTP requests by running the pipeline on the request's own thread. Pipeline workers are
 * kept in a pool and made as they are needed. Any thread. A server with a loop scores through
 * gather.c instead. */
#include "app/backend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/gather.h"
#include "engine/base/json.h"
#include "engine/base/thread.h"
#include "engine/observe/metrics.h"
#include "engine/observe/observe.h"
#include "engine/pipeline.h"
#include "engine/reasons.h"
#include "engine/record/changes.h"
#include "engine/traffic/traffic.h"

struct backend {
    struct engine *engine;
    struct snapshot_board *board;
    struct worker_options options;
    struct lock lock; /* the pool */
    pthread_cond_t returned;
    struct worker **idle;
    int n_idle, n_made, n_most;
    struct gather *gather; /* the loop's */
    struct backend_about about;
    struct changes *changes;
};

/* ---- the pool ---- */

static struct worker *borrow_worker(struct backend *backend, struct error *error)
{
    struct worker *worker = NULL;
    lock_take(&backend->lock);
    while (backend->n_idle == 0 && backend->n_made == backend->n_most)
        condition_wait(&backend->returned, &backend->lock, -1);
    if (backend->n_idle > 0)
        worker = backend->idle[--backend->n_idle];
    else
        backend->n_made++;
    lock_release(&backend->lock);
    if (worker || worker_create(backend->engine, &backend->options, &worker, error) == STATUS_OK)
        return worker;
    lock_take(&backend->lock);
    backend->n_made--;
    pthread_cond_signal(&backend->returned);
    lock_release(&backend->lock);
    return NULL;
}

static void return_worker(struct backend *backend, struct worker *worker)
{
    lock_take(&backend->lock);
    backend->idle[backend->n_idle++] = worker;
    pthread_cond_signal(&backend->returned);
    lock_release(&backend->lock);
}

/* ---- scoring ---- */

static int score_one(struct backend *backend, struct worker *worker,
                     const struct web_score_request *request, struct buffer *out,
                     struct error *error)
{
    struct raw_event event = gather_event(request, request->body, monotonic_ns());
    struct answer answer;
    enum status status = worker_process(worker, &event, 1, &answer, error);
    if (status == STATUS_OK)
        status = worker_settle(worker, error);
    if (status != STATUS_OK)
        return 503;
    int code = gather_code(answer.kind);
    if (code == 503) {
        *error = *worker_refusal(worker);
        return code;
    }
    if (code != 200)
        answer_problem_json(&answer, out);
    else if (!answer_json(worker, &answer, out))
        code = 503;
    observe_answer_latency(engine_observe(backend->engine),
                           (monotonic_ns() - event.received_ns) / 1000);
    return code;
}

static int score(void *context, const struct web_score_request *request, struct buffer *out,
                 struct error *error)
{
    struct backend *backend = context;
    struct worker *worker = borrow_worker(backend, error);
    if (!worker)
        return 503;
    int code = score_one(backend, worker, request, out, error);
    return_worker(backend, worker);
    return code;
}

static void score_gathered(void *context, const struct web_score_call *calls, size_t n,
                           web_score_done *done)
{
    struct backend *backend = context;
    gather_score(backend->gather, calls, n, done);
}

static void settle_gathered(void *context)
{
    struct backend *backend = context;
    gather_settle(backend->gather);
}

static int recorded(void *context, uint64_t ledger_index, struct buffer *out, struct error *error)
{
    struct backend *backend = context;
    enum status status = engine_recorded_answer(backend->engine, ledger_index, out, error);
    return status == STATUS_OK ? 200 : 503;
}

/* Lines of a request on their way through the pipeline. A blank one is no event, but it has its
 * line among the answers, so that the callers can count. */
struct lines {
    struct raw_event events[MAX_BATCH];
    struct answer answers[MAX_BATCH];
    size_t blanks[MAX_BATCH + 1]; /* before event i, and after the last */
    size_t n;
};

/* The next line without its end; what follows the last newline is a line unless it is empty. */
static struct slice take_line(struct slice *body)
{
    const char *end = memchr(body->data, '\n', body->size);
    size_t size = end ? (size_t)(end - body->data) : body->size;
    struct slice line = slice_trim(slice_make(body->data, size));
    size_t taken = end ? size + 1 : size;
    *body = slice_make(body->data + taken, body->size - taken);
    return line;
}

/* Takes the next lines off `body`, up to a batch of events. */
static void take_lines(struct slice *body, const struct web_score_request *request,
                       struct lines *lines)
{
    int64_t now_ns = monotonic_ns();
    lines->n = 0;
    lines->blanks[0] = 0;
    while (body->size > 0 && lines->n < MAX_BATCH) {
        struct slice line = take_line(body);
        if (line.size == 0) {
            lines->blanks[lines->n]++;
            continue;
        }
        lines->events[lines->n++] = gather_event(request, line, now_ns);
        lines->blanks[lines->n] = 0;
    }
}

static void answer_blanks(size_t n, struct buffer *out)
{
    for (size_t i = 0; i < n; i++)
        buffer_append_text(out, "{\"title\":\"Bad request body\",\"status\":400,"
                                "\"detail\":\"the line is empty\"}\n");
}

static void answer_lines(struct worker *worker, const struct lines *lines, struct buffer *out)
{
    answer_blanks(lines->blanks[0], out);
    for (size_t i = 0; i < lines->n; i++) {
        answer_json(worker, &lines->answers[i], out);
        buffer_append_char(out, '\n');
        answer_blanks(lines->blanks[i + 1], out);
    }
}

static int score_lines(struct worker *worker, const struct web_score_request *request,
                       struct lines *lines, struct buffer *out, struct error *error)
{
    struct slice body = request->body;
    bool taken = false;
    while (body.size > 0) {
        enum status status = STATUS_OK;
        take_lines(&body, request, lines);
        if (lines->n > 0)
            status = worker_process(worker, lines->events, lines->n, lines->answers, error);
        if (lines->n > 0 && status == STATUS_OK)
            status = worker_settle(worker, error);
        if (status != STATUS_OK)
            return 503;
        if (!taken && lines->n > 0 && lines->answers[0].kind == ANSWER_REFUSED) {
            *error = *worker_refusal(worker);
            return 503;
        }
        taken = taken || lines->n > 0;
        answer_lines(worker, lines, out);
    }
    return 200;
}

static int score_batch(void *context, const struct web_score_request *request, struct buffer *out,
                       struct error *error)
{
    struct backend *backend = context;
    struct lines *lines = calloc(1, sizeof *lines);
    struct worker *worker = lines ? borrow_worker(backend, error) : NULL;
    int code = 503;
    if (worker) {
        code = score_lines(worker, request, lines, out, error);
        return_worker(backend, worker);
    }
    free(lines);
    return code;
}

/* ---- why ---- */

static int explain_code(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return 200;
    case STATUS_NOT_FOUND:
        return 404;
    case STATUS_CONFLICT:
        return 409;
    case STATUS_UNSUPPORTED:
        return 501;
    default:
        return 503;
    }
}

static int decision(void *context, const char *event_id, int max_reasons, struct buffer *out,
                    struct error *error)
{
    struct backend *backend = context;
    return explain_code(
        engine_explain_event(backend->engine, slice_of(event_id), max_reasons, out, error));
}

/* ---- labels ---- */

static enum status read_label(const struct json *object, int64_t now_us, struct slice *event_id,
                              int *label, int64_t *observed_us, struct error *error)
{
    const struct json *id = json_get(object, "event_id");
    const struct json *value = json_get(object, "label");
    const char *observed = json_as_text(json_get(object, "observed_at"), NULL);
    if (!id || json_kind(id) != JSON_STRING)
        return error_set(error, STATUS_INVALID, "event_id: a string is needed");
    double number = value && json_kind(value) == JSON_NUMBER ? json_as_number(value, -1) : -1;
    if (number != 0 && number != 1)
        return error_set(error, STATUS_INVALID, "label: 0 or 1 is needed");
    *observed_us = now_us;
    if (observed && !time_parse(slice_of(observed), observed_us))
        return error_set(error, STATUS_INVALID,
                         "observed_at: a time such as 2026-01-31T12:00:00Z is needed");
    *event_id = slice_of(json_as_text(id, ""));
    *label = (int)number;
    return STATUS_OK;
}

static enum status apply_label(struct backend *backend, struct slice line, int *positives,
                               struct error *error)
{
    struct json *object;
    enum status status = json_parse(line, &object, error);
    if (status != STATUS_OK)
        return status;
    struct slice event_id = {NULL, 0};
    int label = 0;
    int64_t observed_us = 0;
    int64_t now_us = clock_now_us(engine_parts(backend->engine)->clock);
    status = read_label(object, now_us, &event_id, &label, &observed_us, error);
    if (status == STATUS_OK)
        status = engine_label(backend->engine, event_id, label, observed_us, error);
    *positives += status == STATUS_OK && label == 1;
    json_destroy(object);
    return status;
}

static int label_code(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return 200;
    case STATUS_INVALID:
        return 422;
    case STATUS_NOT_FOUND:
        return 404;
    case STATUS_UNSUPPORTED:
        return 501;
    default:
        return 503;
    }
}

static void refusal_json(struct json_writer *json, int64_t line, const struct error *error)
{
    json_object(json, NULL);
    json_int(json, "line", line);
    json_text(json, "reason", error->message);
    json_object_end(json);
}

/* One wrong line does not take the others with it: 200 says which were not applied. A single line
 * that is wrong is the whole request being wrong. */
static int labels(void *context, struct slice body, struct buffer *out, struct error *error)
{
    struct backend *backend = context;
    struct buffer refusals;
    struct json_writer json;
    int64_t number = 0, n = 0, accepted = 0;
    int code = 200, positives = 0;
    buffer_init(&refusals, 16u << 20);
    json_begin(&json, &refusals);
    json_array(&json, NULL);
    while (body.size > 0) {
        struct slice line = take_line(&body);
        number++;
        if (line.size == 0)
            continue;
        n++;
        enum status status = apply_label(backend, line, &positives, error);
        accepted += status == STATUS_OK;
        if (status != STATUS_OK) {
            code = label_code(status);
            refusal_json(&json, number, error);
        }
    }
    json_array_end(&json);
    if (n == 0) {
        buffer_free(&refusals);
        error_set(error, STATUS_INVALID, "there is no label in the body");
        return 400;
    }
    changes_labels(backend->changes, clock_now_us(engine_parts(backend->engine)->clock),
                   (uint64_t)accepted, (uint64_t)positives);
    if (accepted > 0 && engine_settle(backend->engine, error) != STATUS_OK) {
        buffer_free(&refusals); /* they are queued and will be recorded */
        return 503;
    }
    if (n == 1 && code != 200) {
        buffer_free(&refusals);
        return code;
    }
    json_begin(&json, out);
    json_object(&json, NULL);
    json_int(&json, "accepted", accepted);
    json_raw(&json, "refused", buffer_slice(&refusals));
    json_object_end(&json);
    buffer_free(&refusals);
    return n > 0 && accepted == 0 ? code : 200;
}

/* ---- the split ---- */

static int traffic_get(void *context, struct buffer *out, struct error *error)
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

/* "canary fraud 2: 5 %, champion fraud 1: 95 %" */
static void list_split(struct backend *backend, const char *actor, const char *reason)
{
    struct traffic_arm arms[TRAFFIC_MAX_ARMS];
    size_t n = traffic_describe(engine_traffic(backend->engine), arms, TRAFFIC_MAX_ARMS);
    struct change change = {.at_us = clock_now_us(engine_parts(backend->engine)->clock),
                            .kind = CHANGE_SPLIT};
    size_t used = 0;
    for (size_t i = 0; i < n && used < sizeof change.what; i++) {
        double share = isnan(arms[i].share_percent) ? 100 : arms[i].share_percent;
        used += (size_t)snprintf(change.what + used, sizeof change.what - used, "%s%s %s %s: %g %%",
                                 i > 0 ? ", " : "", traffic_role_name(arms[i].role), arms[i].model,
                                 arms[i].version, share);
    }
    snprintf(change.who, sizeof change.who, "%s", actor ? actor : "");
    snprintf(change.reason, sizeof change.reason, "%s", reason);
    changes_add(backend->changes, &change);
}

static int traffic_put(void *context, struct slice body, const char *actor, struct buffer *out,
                       struct error *error)
{
    struct backend *backend = context;
    struct json *document;
    enum status status = json_parse(body, &document, error);
    if (status != STATUS_OK)
        return 400;
    struct engine_arm arms[MAX_ARMS];
    int n_arms = 0;
    status = read_arms(engine_parts(backend->engine), document, arms, &n_arms, error);
    if (status == STATUS_OK)
        status = engine_set_traffic(backend->engine, arms, n_arms, actor,
                                    json_as_text(json_get(document, "reason"), ""), error);
    if (status == STATUS_OK)
        list_split(backend, actor, json_as_text(json_get(document, "reason"), ""));
    if (status == STATUS_OK && (status = engine_settle(backend->engine, error)) != STATUS_OK)
        error_prefix(error, "the split is changed, and its row waits to be recorded");
    json_destroy(document);
    if (status != STATUS_OK)
        return status == STATUS_INVALID ? 422 : 503;
    return traffic_get(context, out, error);
}

static void metrics(void *context, struct buffer *out)
{
    struct backend *backend = context;
    const struct snapshot *snapshot = snapshot_acquire(backend->board);
    if (!snapshot)
        return;
    metrics_text(snapshot, out);
    snapshot_release(snapshot);
}

/* ---- what the service says of itself ---- */

static int settings(void *context, struct buffer *out, struct error *error)
{
    (void)error;
    const struct backend *backend = context;
    settings_json(backend->about.config, backend->about.given, out);
    return 200;
}

static int views(void *context, struct buffer *out, struct error *error)
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

static int logs(void *context, const struct web_log_query *query, struct buffer *out,
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

/* ---- making and ending ---- */

enum status backend_create(struct engine *engine, struct snapshot_board *board, int max_workers,
                           const struct worker_options *options, struct backend **backend,
                           struct error *error)
{
    struct backend *made = calloc(1, sizeof *made);
    if (made)
        made->idle = calloc((size_t)max_workers, sizeof *made->idle);
    if (!made || !made->idle) {
        free(made);
        return error_set(error, STATUS_MEMORY, "out of memory");
    }
    made->engine = engine;
    made->options = *options;
    made->board = board;
    made->n_most = max_workers;
    lock_init(&made->lock, "backend.pool");
    condition_init(&made->returned);
    enum status status = gather_create(engine, options, &made->gather, error);
    if (status != STATUS_OK) {
        backend_destroy(made);
        return status;
    }
    *backend = made;
    return STATUS_OK;
}

void backend_list_changes(struct backend *backend, struct changes *changes)
{
    backend->changes = changes;
}

void backend_destroy(struct backend *backend)
{
    if (!backend)
        return;
    gather_destroy(backend->gather);
    for (int i = 0; i < backend->n_idle; i++)
        worker_destroy(backend->idle[i]);
    pthread_cond_destroy(&backend->returned);
    lock_destroy(&backend->lock);
    free(backend->idle);
    free(backend);
}

void backend_tell(struct backend *backend, const struct backend_about *about)
{
    backend->about = *about;
}

void backend_table(struct backend *backend, struct web_backend *table)
{
    *table = (struct web_backend){
        .context = backend,
        .board = backend->board,
        .score = score,
        .gather = {.max_calls = GATHER_CALLS,
                   .score = score_gathered,
                   .settle = settle_gathered,
                   .fd = gather_fd(backend->gather),
                   .recorded = recorded},
        .score_batch = score_batch,
        .decision = decision,
        .labels = labels,
        .traffic_get = traffic_get,
        .traffic_set = traffic_put,
        .settings = backend->about.config ? settings : NULL,
        .views = backend->about.config ? views : NULL,
        .logs = backend->about.log ? logs : NULL,
        .metrics = metrics,
    };
}
