/* A list of messages in the order in which they were made. Every change has a number; what changed
 * after the last number that was written is not on the disk. What is settled and written goes. */
#include "alerts/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/thread.h"

struct entry {
    struct outbox_message message;
    uint64_t changed; /* number of its last change */
    int64_t made_ns;  /* monotonic */
    bool stored;      /* the disk knows of it */
};

struct outbox {
    struct lock lock;
    pthread_cond_t changed;
    uint64_t news;
    int64_t patience_ms; /* that messages wait for the disk */
    bool refused;        /* it takes nothing now */
    bool ending;         /* the process is about to end */
    struct entry entries[2 * OUTBOX_MOST];
    size_t n, n_waiting;
    int64_t last_id;
    int64_t taken_id;            /* that is being sent; 0: none */
    uint64_t changes;            /* so far */
    struct outbox_status counts; /* but for what waits */
};

struct outbox *outbox_create(int64_t patience_ms)
{
    struct outbox *outbox = calloc(1, sizeof *outbox);
    if (!outbox)
        return NULL;
    lock_init(&outbox->lock, "alerts.outbox");
    condition_init(&outbox->changed);
    outbox->patience_ms = patience_ms;
    return outbox;
}

void outbox_destroy(struct outbox *outbox)
{
    if (!outbox)
        return;
    for (size_t i = 0; i < outbox->n; i++)
        buffer_free(&outbox->entries[i].message.body);
    pthread_cond_destroy(&outbox->changed);
    lock_destroy(&outbox->lock);
    free(outbox);
}

/* ---- room ---- */

static void remove_entry(struct outbox *outbox, size_t i)
{
    buffer_free(&outbox->entries[i].message.body);
    outbox->n--;
    memmove(&outbox->entries[i], &outbox->entries[i + 1],
            (outbox->n - i) * sizeof outbox->entries[0]);
}

static struct entry *first_waiting(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->n; i++) {
        if (outbox->entries[i].message.fate == MESSAGE_WAITING)
            return &outbox->entries[i];
    }
    return NULL;
}

static void mark_changed(struct outbox *outbox, struct entry *entry)
{
    entry->changed = ++outbox->changes;
}

static void end(struct outbox *outbox, struct entry *entry, enum message_fate fate, int64_t at_us)
{
    entry->message.fate = fate;
    entry->message.settled_us = at_us;
    outbox->n_waiting--;
    outbox->counts.sent += fate == MESSAGE_SENT;
    outbox->counts.dead += fate == MESSAGE_DEAD;
    mark_changed(outbox, entry);
}

/* The oldest but for the one that is being sent: that may arrive, and would be recorded as given
 * up. */
static struct entry *first_to_give_up(struct outbox *outbox)
{
    for (struct entry *entry = outbox->entries;; entry++) {
        if (entry->message.fate == MESSAGE_WAITING && entry->message.id != outbox->taken_id)
            return entry; /* there is one: OUTBOX_MOST wait, and one is sent at a time */
    }
}

static void make_room(struct outbox *outbox, int64_t now_us)
{
    if (outbox->n_waiting == OUTBOX_MOST) {
        struct entry *oldest = first_to_give_up(outbox);
        snprintf(oldest->message.problem, sizeof oldest->message.problem,
                 "more than %d messages wait", OUTBOX_MOST);
        end(outbox, oldest, MESSAGE_DEAD, now_us);
        outbox->counts.no_room++;
    }
    for (size_t i = 0; outbox->n == sizeof outbox->entries / sizeof outbox->entries[0]; i++) {
        if (outbox->entries[i].message.fate != MESSAGE_WAITING)
            remove_entry(outbox, i);
    }
}

/* ---- news ---- */

/* The lock is held. */
static void tell(struct outbox *outbox)
{
    outbox->news++;
    pthread_cond_signal(&outbox->changed);
}

uint64_t outbox_news(struct outbox *outbox)
{
    lock_take(&outbox->lock);
    uint64_t news = outbox->news;
    lock_release(&outbox->lock);
    return news;
}

void outbox_wait(struct outbox *outbox, uint64_t seen, int64_t timeout_ms)
{
    lock_take(&outbox->lock);
    if (outbox->news == seen)
        condition_wait(&outbox->changed, &outbox->lock, timeout_ms);
    lock_release(&outbox->lock);
}

/* ---- putting ---- */

static struct entry *find_key(struct outbox *outbox, const char *key)
{
    for (size_t i = 0; i < outbox->n; i++) {
        if (strcmp(outbox->entries[i].message.key, key) == 0)
            return &outbox->entries[i];
    }
    return NULL;
}

enum status outbox_copy_body(struct slice text, struct buffer *body, struct error *error)
{
    buffer_init(body, OUTBOX_BODY_BYTES);
    if (text.size > OUTBOX_BODY_BYTES)
        return error_set(error, STATUS_FULL, "its body has more than %u bytes", OUTBOX_BODY_BYTES);
    return buffer_append_slice(body, text) ? STATUS_OK
                                           : error_set(error, STATUS_MEMORY, "out of memory");
}

static bool copy_message(const struct outbox_message *from, struct outbox_message *to)
{
    struct buffer body = to->body;
    *to = *from;
    to->body = body;
    buffer_reset(&to->body);
    return buffer_append_slice(&to->body, buffer_slice(&from->body));
}

static enum status add(struct outbox *outbox, const struct outbox_message *message, bool stored,
                       struct error *error)
{
    struct entry entry = {.stored = stored, .made_ns = monotonic_ns()};
    buffer_init(&entry.message.body, OUTBOX_BODY_BYTES);
    if (!copy_message(message, &entry.message)) {
        buffer_free(&entry.message.body);
        return error_set(error, STATUS_MEMORY, "out of memory");
    }
    lock_take(&outbox->lock);
    if (find_key(outbox, message->key)) {
        buffer_free(&entry.message.body);
    } else {
        make_room(outbox, message->made_us);
        entry.message.id = ++outbox->last_id;
        outbox->n_waiting++;
        outbox->entries[outbox->n++] = entry;
        if (!stored)
            mark_changed(outbox, &outbox->entries[outbox->n - 1]);
        tell(outbox);
    }
    lock_release(&outbox->lock);
    return STATUS_OK;
}

enum status outbox_load(struct outbox *outbox, const struct outbox_message *message,
                        struct error *error)
{
    return add(outbox, message, true, error);
}

void outbox_load_counts(struct outbox *outbox, const struct outbox_status *counts)
{
    lock_take(&outbox->lock);
    outbox->counts.sent += counts->sent;
    outbox->counts.dead += counts->dead;
    outbox->counts.retried += counts->retried;
    lock_release(&outbox->lock);
}

enum status outbox_put(struct outbox *outbox, const char *key, const char *channel,
                       struct slice body, int64_t now_us, struct error *error)
{
    struct outbox_message message = {.made_us = now_us, .due_us = now_us};
    snprintf(message.key, sizeof message.key, "%s", key);
    snprintf(message.channel, sizeof message.channel, "%s", channel);
    enum status status = outbox_copy_body(body, &message.body, error);
    if (status == STATUS_OK)
        status = add(outbox, &message, false, error);
    buffer_free(&message.body);
    return status;
}

/* ---- delivery ---- */

static bool is_due(const struct outbox_message *message, int64_t now_us)
{
    /* Or the clock was set back since, and it was not tried by that clock yet. */
    return message->due_us <= now_us ||
           (message->made_us > now_us + US_PER_MIN && message->due_us >= message->made_us);
}

/* 0: it may go. */
static int64_t patience_left_us(const struct outbox *outbox, const struct entry *entry)
{
    if (outbox->refused || outbox->ending || entry->stored)
        return 0;
    int64_t left_us = outbox->patience_ms * 1000 - (monotonic_ns() - entry->made_ns) / 1000;
    return left_us > 0 ? left_us : 0;
}

static int64_t ready_us(const struct outbox *outbox, const struct entry *entry, int64_t now_us)
{
    if (!is_due(&entry->message, now_us))
        return entry->message.due_us;
    return now_us + patience_left_us(outbox, entry);
}

bool outbox_take(struct outbox *outbox, int64_t now_us, struct outbox_message *message,
                 int64_t *next_us)
{
    const struct entry *found = NULL;
    *next_us = INT64_MAX;
    lock_take(&outbox->lock);
    for (size_t i = 0; i < outbox->n; i++) {
        const struct entry *entry = &outbox->entries[i];
        if (entry->message.fate != MESSAGE_WAITING)
            continue;
        int64_t at_us = ready_us(outbox, entry, now_us);
        if (at_us < *next_us)
            *next_us = at_us;
        if (at_us <= now_us && (!found || entry->message.due_us < found->message.due_us))
            found = entry;
    }
    bool taken = found && copy_message(&found->message, message);
    if (taken)
        outbox->taken_id = found->message.id;
    lock_release(&outbox->lock);
    return taken;
}

static struct entry *find_id(struct outbox *outbox, int64_t id)
{
    for (size_t i = 0; i < outbox->n; i++) {
        if (outbox->entries[i].message.id == id)
            return &outbox->entries[i];
    }
    return NULL;
}

void outbox_settle(struct outbox *outbox, const struct outbox_attempt *attempt)
{
    lock_take(&outbox->lock);
    struct entry *entry = find_id(outbox, attempt->id);
    if (attempt->id == outbox->taken_id)
        outbox->taken_id = 0;
    /* One that was given up before stays that. */
    if (entry && entry->message.fate == MESSAGE_WAITING) {
        struct outbox_message *message = &entry->message;
        bool failed = attempt->fate != MESSAGE_SENT;
        message->attempts += failed;
        snprintf(message->problem, sizeof message->problem, "%s", failed ? attempt->problem : "");
        if (attempt->fate == MESSAGE_WAITING) {
            message->due_us = attempt->due_us;
            outbox->counts.retried++;
            mark_changed(outbox, entry);
        } else {
            end(outbox, entry, attempt->fate, attempt->at_us);
        }
    }
    lock_release(&outbox->lock);
}

void outbox_refused(struct outbox *outbox, bool refused)
{
    lock_take(&outbox->lock);
    outbox->refused = refused;
    tell(outbox);
    lock_release(&outbox->lock);
}

void outbox_hurry(struct outbox *outbox)
{
    lock_take(&outbox->lock);
    outbox->ending = true;
    tell(outbox);
    lock_release(&outbox->lock);
}

/* ---- the disk ---- */

void outbox_free(struct outbox_message *messages, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buffer_free(&messages[i].body);
    free(messages);
}

static bool is_unwritten(const struct entry *entry)
{
    return entry->changed > 0;
}

static enum status copy_changes(struct outbox *outbox, struct outbox_message *messages, size_t *n,
                                struct error *error)
{
    for (size_t i = 0; i < outbox->n; i++) {
        if (!is_unwritten(&outbox->entries[i]))
            continue;
        buffer_init(&messages[*n].body, OUTBOX_BODY_BYTES);
        if (!copy_message(&outbox->entries[i].message, &messages[(*n)++]))
            return error_set(error, STATUS_MEMORY, "out of memory");
    }
    return STATUS_OK;
}

enum status outbox_changes(struct outbox *outbox, struct outbox_message **messages, size_t *n,
                           uint64_t *mark, struct error *error)
{
    size_t most = 0;
    *n = 0;
    lock_take(&outbox->lock);
    *mark = outbox->changes;
    for (size_t i = 0; i < outbox->n; i++)
        most += is_unwritten(&outbox->entries[i]);
    *messages = calloc(most + 1, sizeof **messages);
    enum status status = *messages ? copy_changes(outbox, *messages, n, error)
                                   : error_set(error, STATUS_MEMORY, "out of memory");
    lock_release(&outbox->lock);
    if (status != STATUS_OK) {
        outbox_free(*messages, *n);
        *messages = NULL;
        *n = 0;
    }
    return status;
}

void outbox_stored(struct outbox *outbox, uint64_t mark)
{
    lock_take(&outbox->lock);
    for (size_t i = outbox->n; i-- > 0;) {
        struct entry *entry = &outbox->entries[i];
        if (entry->changed > mark)
            continue;
        entry->changed = 0;
        entry->stored = true;
        if (entry->message.fate != MESSAGE_WAITING)
            remove_entry(outbox, i);
    }
    tell(outbox);
    lock_release(&outbox->lock);
}

void outbox_count(struct outbox *outbox, struct outbox_status *status)
{
    lock_take(&outbox->lock);
    *status = outbox->counts;
    status->capacity = OUTBOX_MOST;
    status->waiting = outbox->n_waiting;
    const struct entry *oldest = first_waiting(outbox);
    status->oldest_us = oldest ? oldest->message.made_us : 0;
    lock_release(&outbox->lock);
}
