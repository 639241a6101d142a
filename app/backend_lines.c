/* Bodies of one event or one label a line: POST /v1/score/batch and /v1/labels. */
#include "app/backend_priv.h"

#include <stdlib.h>
#include <string.h>

#include "app/gather.h"
#include "engine/base/json.h"
#include "engine/record/changes.h"

/* ---- events ---- */

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
        answer_line_json(worker, &lines->answers[i], out);
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

int backend_score_batch(void *context, const struct web_score_request *request, struct buffer *out,
                        struct error *error)
{
    struct backend *backend = context;
    struct lines *lines = calloc(1, sizeof *lines);
    if (!lines) {
        error_set(error, STATUS_MEMORY, "out of memory");
        return 503;
    }
    struct worker *worker = backend_borrow(backend, error);
    int code = 503;
    if (worker) {
        code = score_lines(worker, request, lines, out, error);
        backend_return(backend, worker);
    }
    free(lines);
    return code;
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

static void refusal_json(struct json_writer *json, int64_t line, const struct error *error)
{
    json_object(json, NULL);
    json_int(json, "line", line);
    json_text(json, "reason", error->message);
    json_object_end(json);
}

/* What became of the labels of one request. */
struct labelling {
    int64_t n, accepted;
    int positives;          /* of those accepted */
    int code;               /* of the last one that was not; 200: all were */
    struct buffer refusals; /* JSON: [{line, reason}] */
};

static void apply_labels(struct backend *backend, struct slice body, struct labelling *labelling,
                         struct error *error)
{
    struct json_writer json;
    json_begin(&json, &labelling->refusals);
    json_array(&json, NULL);
    for (int64_t number = 1; body.size > 0; number++) {
        struct slice line = take_line(&body);
        if (line.size == 0)
            continue;
        labelling->n++;
        enum status status = apply_label(backend, line, &labelling->positives, error);
        labelling->accepted += status == STATUS_OK;
        if (status != STATUS_OK) {
            labelling->code = web_code(status);
            refusal_json(&json, number, error);
        }
    }
    json_array_end(&json);
}

/* The code of the whole request. */
static int settle_labels(struct backend *backend, const struct labelling *labelling,
                         struct error *error)
{
    if (labelling->n == 0) {
        error_set(error, STATUS_INVALID, "there is no label in the body");
        return 400;
    }
    changes_labels(backend->changes, clock_now_us(engine_parts(backend->engine)->clock),
                   (uint64_t)labelling->accepted, (uint64_t)labelling->positives);
    if (labelling->accepted == 0)
        return labelling->code;
    /* Not settled they are queued all the same, and will be recorded. */
    return engine_settle(backend->engine, error) == STATUS_OK ? 200 : 503;
}

/* One wrong line does not take the others with it: 200 says which were not applied. A single line
 * that is wrong is the whole request being wrong. */
int backend_labels(void *context, struct slice body, struct buffer *out, struct error *error)
{
    struct labelling labelling = {.code = 200};
    buffer_init(&labelling.refusals, 16u << 20);
    apply_labels(context, body, &labelling, error);
    int code = settle_labels(context, &labelling, error);
    bool told_line_by_line = code == 200 || (labelling.n > 1 && labelling.accepted == 0);
    if (told_line_by_line) {
        struct json_writer json;
        json_begin(&json, out);
        json_object(&json, NULL);
        json_int(&json, "accepted", labelling.accepted);
        json_raw(&json, "refused", buffer_slice(&labelling.refusals));
        json_object_end(&json);
    }
    buffer_free(&labelling.refusals);
    return code;
}
