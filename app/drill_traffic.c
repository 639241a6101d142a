/* Events of the `transactions` contract, posted as a caller posts them, good ones and spoiled ones,
 * and labels for them. A few threads, each waiting for its answer. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/drill.h"
#include "app/remote.h"
#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/number.h"
#include "engine/base/thread.h"
#include "engine/event/producer.h"

#define USERS      400000
#define BODY_BYTES (1u << 20)
#define BATCH      64

struct caller {
    struct drill *drill;
    const struct traffic_mix *mix;
    struct producer *producer;
    struct producer_event next;
    bool has_next;
    uint64_t random;
    struct buffer body, labels, reply;
    struct thread *thread;
};

static double chance_of(uint64_t *random)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (double)(*random >> 11) / 9007199254740992.0;
}

double drill_chance(struct drill *drill)
{
    return chance_of(&drill->random);
}

double drill_between(struct drill *drill, double from, double to)
{
    return from + (to - from) * drill_chance(drill);
}

void drill_pause(const struct drill *drill, int64_t ms)
{
    int64_t until_ns = monotonic_ns() + ms * 1000000;
    while (monotonic_ns() < until_ns && !atomic_load(&drill->over))
        pause_us(5000);
}

/* ---- one event ---- */

/* Where the value of `field` stands in a flat object without spaces; empty when it is not there. */
static struct slice value_of(struct slice json, const char *field)
{
    char key[80];
    int size = snprintf(key, sizeof key, "\"%s\":", field);
    const char *found = memmem(json.data, json.size, key, (size_t)size);
    if (!found)
        return slice_make(json.data, 0);
    const char *begin = found + size, *end = json.data + json.size, *at = begin;
    bool quoted = false;
    while (at < end && (quoted || (*at != ',' && *at != '}'))) {
        quoted = *at == '"' ? !quoted : quoted;
        at++;
    }
    return slice_make(begin, (size_t)(at - begin));
}

static void put_replaced(struct slice json, struct slice old, const char *with, struct buffer *out)
{
    size_t head = (size_t)(old.data - json.data);
    buffer_append_slice(out, slice_make(json.data, head));
    buffer_append_text(out, with);
    buffer_append_slice(out, slice_make(old.data + old.size, json.size - head - old.size));
}

/* Within what the contract lets pass: a change of unit that is not noticed at the door. */
static void multiplied(struct slice number, double factor, char *out, size_t size)
{
    char text[64];
    snprintf(text, sizeof text, SLICE_FORMAT, SLICE_ARGS(number));
    snprintf(out, size, "%.2f", fmin(strtod(text, NULL) * factor, 4999));
}

static void older(int64_t time_us, int64_t by_ms, char *out, size_t size)
{
    struct buffer text;
    struct json_writer json;
    buffer_init(&text, 256);
    json_begin(&json, &text);
    json_array(&json, NULL);
    json_time(&json, NULL, time_us - by_ms * 1000);
    json_array_end(&json);
    struct slice list = buffer_slice(&text);
    snprintf(out, size, "%.*s", list.size > 2 ? (int)list.size - 2 : 0, list.data + 1);
    buffer_free(&text);
}

static void put_event(struct caller *caller, struct buffer *out)
{
    const struct spoiling *spoiling = &caller->mix->spoiling;
    struct slice json = caller->next.json;
    char with[96];
    bool meant = !spoiling->only ||
                 memmem(json.data, json.size, spoiling->only, strlen(spoiling->only)) != NULL;
    bool spoil = meant && chance_of(&caller->random) < spoiling->share;
    const char *field = spoiling->older_ms > 0 ? "event_ts" : spoiling->field;
    struct slice old = spoil && field ? value_of(json, field) : slice_make(json.data, 0);
    if (old.size == 0) {
        buffer_append_slice(out, json);
    } else {
        if (spoiling->older_ms > 0)
            older(caller->next.time_us, spoiling->older_ms, with, sizeof with);
        else if (!spoiling->value)
            multiplied(old, spoiling->factor, with, sizeof with);
        put_replaced(json, old, spoiling->older_ms > 0 || !spoiling->value ? with : spoiling->value,
                     out);
    }
    buffer_append_text(out, "\n");
}

static void put_label(struct caller *caller)
{
    const struct traffic_mix *mix = caller->mix;
    if (isnan(mix->positive_labels))
        return;
    buffer_printf(&caller->labels, "{\"event_id\":\"%s\",\"label\":%d}\n", caller->next.event_id,
                  chance_of(&caller->random) < mix->positive_labels);
}

/* ---- a caller ---- */

/* The events that are due by now, in one body. */
static int take_due(struct caller *caller)
{
    int n = 0;
    int64_t now_us = clock_now_us(caller->drill->clock);
    buffer_reset(&caller->body);
    buffer_reset(&caller->labels);
    while (n < BATCH) {
        if (!caller->has_next)
            producer_next(caller->producer, &caller->next);
        caller->has_next = true;
        if (caller->next.time_us > now_us)
            break;
        put_event(caller, &caller->body);
        put_label(caller);
        caller->has_next = false;
        n++;
    }
    return n;
}

static void post(struct caller *caller, const char *path, struct slice body)
{
    struct error error;
    int code;
    const char *authorization = caller->drill->authorization;
    buffer_reset(&caller->reply);
    /* What a service in trouble answers is for the service to tell. */
    (void)!remote_call(caller->drill->url, "POST", path, authorization[0] ? authorization : NULL,
                       body, &code, &caller->reply, &error);
}

static void call_on(void *context)
{
    struct caller *caller = context;
    while (!atomic_load(&caller->drill->over)) {
        if (take_due(caller) == 0) {
            drill_pause(caller->drill, 20);
            continue;
        }
        post(caller, "/v1/score/batch", buffer_slice(&caller->body));
        if (caller->labels.size > 0)
            post(caller, "/v1/labels", buffer_slice(&caller->labels));
    }
}

static enum status caller_start(struct drill *drill, const struct traffic_mix *mix,
                                struct caller *caller, struct error *error)
{
    *caller = (struct caller){.drill = drill, .mix = mix};
    caller->random = drill->random ^ (uint64_t)(drill_chance(drill) * 1e15);
    buffer_init(&caller->body, BODY_BYTES);
    buffer_init(&caller->labels, BODY_BYTES);
    buffer_init(&caller->reply, REMOTE_REPLY_BYTES);
    struct producer_options options = {.seed =
                                           caller->random ^ (uint64_t)clock_now_us(drill->clock),
                                       .start_us = clock_now_us(drill->clock),
                                       .rate_per_s = mix->rate_per_s / mix->callers,
                                       .steady = true, /* a fault is as strong at night */
                                       .n_users = USERS,
                                       .fraud_share = 0.02};
    enum status status = producer_create(&options, &caller->producer, error);
    if (status == STATUS_OK)
        status = thread_start("drill-caller", call_on, caller, &caller->thread, error);
    return status;
}

static void caller_stop(struct caller *caller)
{
    thread_join(caller->thread);
    producer_destroy(caller->producer);
    buffer_free(&caller->reply);
    buffer_free(&caller->labels);
    buffer_free(&caller->body);
}

enum status drill_post(struct drill *drill, const struct traffic_mix *mix, struct error *error)
{
    struct caller callers[DRILL_CALLERS];
    enum status status = STATUS_OK;
    int n = 0;
    while (n < mix->callers && status == STATUS_OK)
        status = caller_start(drill, mix, &callers[n++], error);
    if (status == STATUS_OK)
        drill_pause(drill, drill->for_ms);
    atomic_store(&drill->over, true);
    for (int i = 0; i < n; i++)
        caller_stop(&callers[i]);
    return status;
}
