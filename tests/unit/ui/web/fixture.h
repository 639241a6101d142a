/* What tests of the routes share: servers with a backend that says what it was asked. */
#ifndef BINNACLE_TESTS_WEB_FIXTURE_H
#define BINNACLE_TESTS_WEB_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/http.h"
#include "engine/base/json.h"
#include "ui/web/web_priv.h"

#define TOKEN "a-token-long-enough"

struct fixture {
    struct web *web;
    struct snapshot_board *board;
    struct buffer reply;
    char actor[ACCESS_NAME_SIZE];
    bool ready;
};

static inline int score(void *context, const struct web_score_request *request, struct buffer *out,
                        struct error *error)
{
    (void)context;
    if (slice_is(request->body, "conflict")) {
        error_set(error, STATUS_CONFLICT, "the id was used for other content");
        return 409;
    }
    if (slice_is(request->body, "broken")) {
        buffer_append_text(out, "{\"title\":\"Contract broken\",\"status\":422,\"errors\":[]}");
        return 422;
    }
    if (slice_is(request->body, "full")) {
        error_set(error, STATUS_FULL, "the recorder's queue is full");
        return 503;
    }
    buffer_printf(out, "{\"size\":%zu,\"reasons\":%d,\"first_byte\":%d}", request->body.size,
                  request->max_reasons, request->trace.id[0]);
    return 200;
}

static inline int traffic_set(void *context, struct slice body, const char *actor,
                              struct buffer *out, struct error *error)
{
    (void)error;
    struct fixture *fixture = context;
    snprintf(fixture->actor, sizeof fixture->actor, "%s", actor);
    buffer_append_slice(out, body);
    return 200;
}

static inline int decision(void *context, const char *event_id, int max_reasons, struct buffer *out,
                           struct error *error)
{
    (void)context;
    if (strcmp(event_id, "e 1") != 0) {
        error_set(error, STATUS_NOT_FOUND, "no decision on event %s", event_id);
        return 404;
    }
    buffer_printf(out, "{\"reasons\":%d}", max_reasons);
    return 200;
}

static inline int decisions(void *inquiry, const struct web_decision_query *query,
                            struct buffer *out, struct error *error)
{
    (void)inquiry;
    (void)error;
    buffer_printf(out, "%s|%s|%g|%d|%d|%lld|%lld", query->entity, query->decision, query->min_score,
                  query->limit, query->newest_first, (long long)query->cursor,
                  (long long)query->from_us);
    return 200;
}

static inline int alert_act(void *inquiry, enum web_alert_act act, struct slice body,
                            const char *actor, struct buffer *out, struct error *error)
{
    (void)inquiry;
    (void)error;
    buffer_printf(out, "{\"act\":%d,\"by\":\"%s\",\"size\":%zu}", (int)act, actor, body.size);
    return 200;
}

/* As `score`, but for many; a "repeat" was decided before. */
static inline void score_gathered(void *context, const struct web_score_call *calls, size_t n,
                                  web_score_done *done)
{
    for (size_t i = 0; i < n; i++) {
        struct error error = {0};
        bool repeat = slice_is(calls[i].request.body, "repeat");
        struct web_score_end end = {.recorded = repeat, .ledger_index = 41};
        if (!repeat)
            end.code = score(context, &calls[i].request, calls[i].out, &error);
        if (end.code == 409 || end.code == 503)
            end.error = &error;
        done(calls[i].asker, &end);
    }
}

static inline void settle(void *context)
{
    (void)context;
}

static inline int recorded(void *context, uint64_t ledger_index, struct buffer *out,
                           struct error *error)
{
    (void)context;
    (void)error;
    buffer_printf(out, "{\"ledger_index\":%llu}", (unsigned long long)ledger_index);
    return 200;
}

static inline void metrics(void *context, struct buffer *out)
{
    (void)context;
    buffer_append_text(out, "# HELP up u\n");
}

static inline bool ready(void *context, char *reasons, size_t size)
{
    struct fixture *fixture = context;
    if (!fixture->ready)
        snprintf(reasons, size, "no model\nkafka is not there");
    return fixture->ready;
}

static inline struct access *tokens(void)
{
    char path[] = "/tmp/binnacle-tokens-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "shift-1 " TOKEN "\n", 9 + strlen(TOKEN)),
                     (ssize_t)(9 + strlen(TOKEN)));
    close(fd);
    chmod(path, 0600);
    struct access *access = NULL;
    assert_int_equal(access_create(path, &access, NULL), STATUS_OK);
    unlink(path);
    return access;
}

static inline void start(struct fixture *fixture, const struct access *access)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->board = snapshot_board_create();
    struct web_backend backend = {.context = fixture,
                                  .board = fixture->board,
                                  .score = score,
                                  .score_batch = score,
                                  .gather = {.max_calls = 8,
                                             .score = score_gathered,
                                             .settle = settle,
                                             .fd = -1,
                                             .recorded = recorded},
                                  .decision = decision,
                                  .traffic_set = traffic_set,
                                  .decisions = decisions,
                                  .alert_act = alert_act,
                                  .metrics = metrics,
                                  .ready = ready};
    struct web_options options = {.listen = "127.0.0.1:0",
                                  .listen_score = "127.0.0.1:0",
                                  .workers = 2,
                                  .viewers = 2,
                                  .access = access};
    struct error error = {0};
    if (web_start(&options, &backend, &fixture->web, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    buffer_init(&fixture->reply, 1 << 20);
}

static inline void stop(struct fixture *fixture)
{
    web_stop(fixture->web);
    snapshot_board_destroy(fixture->board);
    buffer_free(&fixture->reply);
}

static inline int ask_at(struct fixture *fixture, int port, const char *method, const char *path,
                         const char *header, const char *body)
{
    char url[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    const char *headers[] = {header, NULL};
    struct http_call call = {.method = method,
                             .url = url,
                             .headers = header ? headers : NULL,
                             .body = slice_of(body ? body : ""),
                             .timeout_ms = 5000};
    int code = 0;
    buffer_reset(&fixture->reply);
    struct error error = {0};
    if (http_perform(&call, &code, &fixture->reply, NULL, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return code;
}

static inline int ask(struct fixture *fixture, const char *method, const char *path,
                      const char *header, const char *body)
{
    return ask_at(fixture, web_port(fixture->web), method, path, header, body);
}

#endif
