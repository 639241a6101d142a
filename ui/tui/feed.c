/* Documents by target. A slot for each that is read; the one that nobody read for longest gives way
 * to a new one. The asking thread takes a copy of the target of whichever is due, asks without the
 * lock, and leaves the reply in the slot's `arrived`, which the screen's thread takes in when it
 * likes: what it draws from never changes under its hands. */
#include "ui/tui/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/thread.h"

#define N_SLOTS     24
#define REPLY_BYTES ((size_t)64 << 20)
#define UNREAD_NS   INT64_C(3000000000) /* so long after it was last read it is still asked for */
#define LOOK_MS     1000

struct reply {
    struct buffer text;
    struct json *json;
    int code;
    int64_t at_us;
    char why[240];
};

struct slot {
    char target[FEED_TARGET_SIZE];
    int64_t every_ns, due_ns, read_ns;
    bool asked;       /* an answer is under way */
    bool held;        /* what there is stays as it is */
    struct reply now; /* the screen's thread's */
    enum feed_state state;
    int code;
    uint64_t version;
    struct reply arrived; /* code -1: nothing did */
};

struct order {
    enum feed_order_state state;
    char method[8], target[FEED_TARGET_SIZE];
    struct buffer body;
    char why[240];
};

struct feed {
    struct feed_source source;
    struct lock lock;
    pthread_cond_t wake;
    struct thread *thread;
    int fd;
    bool ending;
    int64_t now_us;
    struct slot slots[N_SLOTS];
    struct order order;
};

static void reply_init(struct reply *reply)
{
    memset(reply, 0, sizeof *reply);
    buffer_init(&reply->text, REPLY_BYTES);
    reply->code = -1;
}

static void reply_free(struct reply *reply)
{
    json_destroy(reply->json);
    buffer_free(&reply->text);
}

/* ---- asking ---- */

/* `{now}` and `{now-S}` as milliseconds. */
static void expand(const char *target, int64_t now_us, char out[FEED_TARGET_SIZE])
{
    size_t size = 0;
    while (*target && size + 24 < FEED_TARGET_SIZE) {
        if (strncmp(target, "{now", 4) != 0) {
            out[size++] = *target++;
            continue;
        }
        int64_t back_s = target[4] == '-' ? strtoll(target + 5, NULL, 10) : 0;
        size +=
            (size_t)snprintf(out + size, 24, "%lld", (long long)(now_us / 1000 - back_s * 1000));
        target += strcspn(target, "}");
        target += *target == '}';
    }
    out[size] = '\0';
}

/* What a problem document says, else the status. */
static void say_problem(const struct reply *reply, char why[240])
{
    const char *detail = json_as_text(json_get(reply->json, "detail"), NULL);
    const char *title = json_as_text(json_get(reply->json, "title"), NULL);
    if (detail || title)
        snprintf(why, 240, "%.230s", detail ? detail : title);
    else
        snprintf(why, 240, "it answered %d", reply->code);
}

static void ask(struct feed *feed, const char *method, const char *target, struct slice body,
                int64_t now_us, struct reply *reply)
{
    char expanded[FEED_TARGET_SIZE];
    struct error error = {.message = ""};
    expand(target, feed->source.fixed ? 0 : now_us, expanded);
    reply->code =
        feed->source.ask(feed->source.context, method, feed->source.fixed ? target : expanded, body,
                         &reply->text, &error);
    reply->at_us = wall_us();
    if (reply->code == 0) {
        snprintf(reply->why, sizeof reply->why, "%.230s", error.message);
        return;
    }
    bool snapshot = strcmp(target, FEED_SNAPSHOT) == 0 && reply->code == 200;
    if (!snapshot && json_parse(buffer_slice(&reply->text), &reply->json, &error) != STATUS_OK) {
        reply->json = NULL;
        if (reply->code == 200) {
            reply->code = 502;
            snprintf(reply->why, sizeof reply->why, "no JSON: %.200s", error.message);
            return;
        }
    }
    if (reply->code >= 300)
        say_problem(reply, reply->why);
}

static enum feed_state state_of(int code)
{
    return code == 0                    ? FEED_AWAY
           : code < 300                 ? FEED_READY
           : code == 401 || code == 403 ? FEED_REFUSED
           : code == 404 || code == 501 ? FEED_NOT_OFFERED
                                        : FEED_FAILED;
}

/* A reply without a document leaves the one before in place. */
static void take_in(struct slot *slot, struct reply *reply)
{
    slot->state = state_of(reply->code);
    slot->code = reply->code;
    if (slot->state == FEED_READY || !slot->now.json) {
        reply_free(&slot->now);
        slot->now = *reply;
        if (slot->state != FEED_READY) {
            json_destroy(slot->now.json);
            slot->now.json = NULL;
        }
        slot->version++;
    } else {
        memcpy(slot->now.why, reply->why, sizeof slot->now.why);
        reply_free(reply);
    }
    reply_init(reply);
}

/* ---- the asking thread ---- */

static struct slot *find_due(struct feed *feed, int64_t now_ns)
{
    struct slot *best = NULL;
    for (int i = 0; i < N_SLOTS; i++) {
        struct slot *slot = &feed->slots[i];
        if (!slot->target[0] || slot->held || slot->due_ns > now_ns || slot->arrived.code >= 0 ||
            now_ns - slot->read_ns > UNREAD_NS)
            continue;
        if (!best || slot->due_ns < best->due_ns)
            best = slot;
    }
    return best;
}

static void wake_screen(const struct feed *feed)
{
    uint64_t one = 1;
    if (write(feed->fd, &one, sizeof one) < 0)
        return; /* it is readable already */
}

static void serve_order(struct feed *feed)
{
    struct order *order = &feed->order;
    struct reply reply;
    reply_init(&reply);
    lock_release(&feed->lock);
    ask(feed, order->method, order->target, buffer_slice(&order->body), 0, &reply);
    lock_take(&feed->lock);
    bool done = reply.code >= 200 && reply.code < 300;
    order->state = done ? FEED_DONE : FEED_ORDER_FAILED;
    memcpy(order->why, reply.why, sizeof order->why);
    reply_free(&reply);
    wake_screen(feed);
}

static void serve_slot(struct feed *feed, struct slot *slot)
{
    char target[FEED_TARGET_SIZE];
    struct reply reply;
    int64_t now_us = feed->now_us ? feed->now_us : wall_us();
    memcpy(target, slot->target, sizeof target);
    slot->due_ns = monotonic_ns() + slot->every_ns;
    slot->asked = true;
    reply_init(&reply);
    lock_release(&feed->lock);
    ask(feed, "GET", target, slice_make("", 0), now_us, &reply);
    lock_take(&feed->lock);
    slot->asked = false;
    if (strcmp(slot->target, target) == 0) {
        reply_free(&slot->arrived);
        slot->arrived = reply;
        wake_screen(feed);
    } else {
        reply_free(&reply); /* nobody wants it any more */
    }
}

static void run_asking(void *context)
{
    struct feed *feed = context;
    lock_take(&feed->lock);
    while (!feed->ending) {
        struct slot *slot = find_due(feed, monotonic_ns());
        if (feed->order.state == FEED_ORDERED && feed->order.method[0]) {
            serve_order(feed);
            feed->order.method[0] = '\0';
        } else if (slot) {
            serve_slot(feed, slot);
        } else {
            int64_t wait_ms = LOOK_MS, now_ns = monotonic_ns();
            for (int i = 0; i < N_SLOTS; i++) {
                int64_t due_ms = (feed->slots[i].due_ns - now_ns) / 1000000 + 1;
                if (feed->slots[i].target[0] && due_ms > 0 && due_ms < wait_ms)
                    wait_ms = due_ms;
            }
            condition_wait(&feed->wake, &feed->lock, wait_ms);
        }
    }
    lock_release(&feed->lock);
}

/* ---- for the screen ---- */

enum status feed_create(const struct feed_source *source, struct feed **feed, struct error *error)
{
    struct feed *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "no memory for the screen");
    made->source = *source;
    made->fd = -1;
    lock_init(&made->lock, "feed");
    condition_init(&made->wake);
    buffer_init(&made->order.body, 1u << 20);
    for (int i = 0; i < N_SLOTS; i++) {
        reply_init(&made->slots[i].now);
        reply_init(&made->slots[i].arrived);
    }
    enum status status = STATUS_OK;
    if (!source->direct) {
        made->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        status = made->fd < 0 ? error_set(error, STATUS_IO, "no descriptor for the screen")
                              : thread_start("top-feed", run_asking, made, &made->thread, error);
    }
    if (status != STATUS_OK) {
        feed_destroy(made);
        return status;
    }
    *feed = made;
    return STATUS_OK;
}

void feed_destroy(struct feed *feed)
{
    if (!feed)
        return;
    lock_take(&feed->lock);
    feed->ending = true;
    pthread_cond_signal(&feed->wake);
    lock_release(&feed->lock);
    thread_join(feed->thread);
    for (int i = 0; i < N_SLOTS; i++) {
        reply_free(&feed->slots[i].now);
        reply_free(&feed->slots[i].arrived);
    }
    buffer_free(&feed->order.body);
    if (feed->fd >= 0)
        close(feed->fd);
    pthread_cond_destroy(&feed->wake);
    lock_destroy(&feed->lock);
    free(feed);
}

static struct slot *find_slot(struct feed *feed, const char *target)
{
    struct slot *oldest = NULL;
    for (int i = 0; i < N_SLOTS; i++) {
        struct slot *slot = &feed->slots[i];
        if (strcmp(slot->target, target) == 0)
            return slot;
        if (!slot->asked && (!oldest || slot->read_ns < oldest->read_ns))
            oldest = slot;
    }
    if (!oldest)
        return NULL;
    reply_free(&oldest->now);
    reply_free(&oldest->arrived);
    reply_init(&oldest->now);
    reply_init(&oldest->arrived);
    snprintf(oldest->target, sizeof oldest->target, "%s", target);
    oldest->state = FEED_LOADING;
    oldest->held = false;
    oldest->due_ns = 0;
    oldest->version++;
    pthread_cond_signal(&feed->wake);
    return oldest;
}

static void ask_directly(struct feed *feed, struct slot *slot)
{
    struct reply reply;
    reply_init(&reply);
    slot->due_ns = feed->source.fixed ? INT64_MAX : monotonic_ns() + slot->every_ns;
    ask(feed, "GET", slot->target, slice_make("", 0), feed->now_us ? feed->now_us : wall_us(),
        &reply);
    take_in(slot, &reply);
}

/* What came while it was held is taken in as soon as it is let go. */
static void hold(const struct feed *feed, struct slot *slot, bool held)
{
    if (slot->held && !held && slot->arrived.code >= 0)
        wake_screen(feed);
    slot->held = held;
}

struct feed_document feed_read(struct feed *feed, const char *target, int64_t every_ms)
{
    struct feed_document document = {.state = FEED_NOT_OFFERED, .why = ""};
    if (!feed || strlen(target) >= FEED_TARGET_SIZE)
        return document;
    lock_take(&feed->lock);
    struct slot *slot = find_slot(feed, target);
    if (slot) {
        hold(feed, slot, every_ms == FEED_HOLD && slot->now.json);
        slot->every_ns = (every_ms == FEED_HOLD ? LOOK_MS : every_ms) * 1000000;
        slot->read_ns = monotonic_ns();
        if (feed->source.direct && !slot->held && slot->due_ns <= slot->read_ns)
            ask_directly(feed, slot);
        document = (struct feed_document){.state = slot->state,
                                          .json = slot->now.json,
                                          .text = buffer_slice(&slot->now.text),
                                          .version = slot->version,
                                          .code = slot->code,
                                          .at_us = slot->now.at_us,
                                          .why = slot->now.why};
    }
    lock_release(&feed->lock);
    return document;
}

bool feed_collect(struct feed *feed, void (*seen)(void *context, const struct feed_arrival *),
                  void *context)
{
    bool any = false;
    uint64_t count;
    if (!feed || (feed->fd >= 0 && read(feed->fd, &count, sizeof count) < 0))
        return false;
    lock_take(&feed->lock);
    for (int i = 0; i < N_SLOTS; i++) {
        struct slot *slot = &feed->slots[i];
        if (slot->arrived.code < 0 || slot->held)
            continue;
        struct feed_arrival arrival = {slot->target, slot->arrived.code,
                                       buffer_slice(&slot->arrived.text), slot->arrived.at_us};
        if (seen)
            seen(context, &arrival);
        take_in(slot, &slot->arrived);
        any = true;
    }
    any = any || feed->order.state >= FEED_DONE;
    lock_release(&feed->lock);
    return any;
}

void feed_each(struct feed *feed, void (*seen)(void *context, const struct feed_arrival *),
               void *context)
{
    if (!feed)
        return;
    lock_take(&feed->lock);
    for (int i = 0; i < N_SLOTS; i++) {
        const struct slot *slot = &feed->slots[i];
        struct feed_arrival arrival = {slot->target, slot->now.code, buffer_slice(&slot->now.text),
                                       slot->now.at_us};
        if (slot->target[0] && slot->now.code >= 0)
            seen(context, &arrival);
    }
    lock_release(&feed->lock);
}

int feed_fd(const struct feed *feed)
{
    return feed ? feed->fd : -1;
}

void feed_set_now(struct feed *feed, int64_t now_us)
{
    if (!feed)
        return;
    lock_take(&feed->lock);
    feed->now_us = now_us;
    lock_release(&feed->lock);
}

void feed_expire(struct feed *feed)
{
    if (!feed)
        return;
    lock_take(&feed->lock);
    for (int i = 0; i < N_SLOTS; i++)
        feed->slots[i].due_ns = 0;
    pthread_cond_signal(&feed->wake);
    lock_release(&feed->lock);
}

void feed_order(struct feed *feed, const char *method, const char *target, struct slice body)
{
    if (!feed)
        return;
    lock_take(&feed->lock);
    struct order *order = &feed->order;
    snprintf(order->method, sizeof order->method, "%s", method);
    snprintf(order->target, sizeof order->target, "%s", target);
    buffer_reset(&order->body);
    buffer_append_slice(&order->body, body);
    order->state = FEED_ORDERED;
    if (feed->source.direct) {
        order->state = FEED_ORDER_FAILED;
        snprintf(order->why, sizeof order->why, "nothing can be changed here");
    }
    pthread_cond_signal(&feed->wake);
    lock_release(&feed->lock);
}

enum feed_order_state feed_order_end(struct feed *feed, char *why, size_t size)
{
    if (!feed)
        return FEED_NO_ORDER;
    lock_take(&feed->lock);
    enum feed_order_state state = feed->order.state;
    snprintf(why, size, "%s", feed->order.why);
    if (state >= FEED_DONE)
        feed->order.state = FEED_NO_ORDER;
    lock_release(&feed->lock);
    return state;
}
