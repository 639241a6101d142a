/* Takes due messages one at a time, posts them, and says in the outbox what became of them before
 * the next one. Nothing here waits for a disk. When the process is killed between posting a
 * message and writing that down, the next one posts it again under the same Idempotency-Key if the
 * message itself was on the disk. If not, it was sent from memory while the disk did not answer or
 * refused, and the next process knows nothing of it: what still holds fires anew, as another
 * incident under another key. */
#include "alerts/sender.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/crypto.h"
#include "engine/base/thread.h"

#define MAX_AGE_US      (24 * US_PER_HOUR) /* nobody is helped by yesterday's page */
#define STOP_GRACE_NS   INT64_C(2000000000)
#define LONGEST_WAIT_MS 60000

struct sender {
    struct outbox *outbox;
    struct saver *saver;
    const struct channels *channels;
    struct log *log;
    struct clock *clock;
    struct thread *thread;
    struct lock lock;
    bool stopping;
    int64_t stop_ns;
    struct outbox_message message;
};

int64_t sender_backoff_us(int failures, double chance)
{
    int doublings = failures < 1 ? 0 : failures > 10 ? 9 : failures - 1;
    int64_t whole_us = US_PER_S << doublings;
    if (whole_us > 5 * US_PER_MIN)
        whole_us = 5 * US_PER_MIN;
    return whole_us / 2 + (int64_t)(chance * (double)(whole_us / 2));
}

static double random_share(void)
{
    uint32_t number = 0;
    if (crypto_random(&number, sizeof number) != STATUS_OK)
        return 0.5;
    return (double)number / (double)UINT32_MAX;
}

/* When to try again what failed. */
static int64_t next_attempt_us(const struct outbox_message *message, int64_t now_us,
                               int64_t retry_after_s)
{
    if (retry_after_s < 0)
        return now_us + sender_backoff_us(message->attempts + 1, random_share());
    return now_us + (retry_after_s < MAX_AGE_US / US_PER_S ? retry_after_s * US_PER_S : MAX_AGE_US);
}

static void settle(struct sender *sender, enum status sent, int64_t retry_after_s,
                   const struct error *problem)
{
    const struct outbox_message *message = &sender->message;
    int64_t now_us = clock_now_us(sender->clock);
    struct outbox_attempt attempt = {
        .id = message->id, .fate = MESSAGE_SENT, .at_us = now_us, .problem = problem->message};
    bool old = now_us - message->made_us > MAX_AGE_US;
    if (sent != STATUS_OK && (!problem->retriable || old)) {
        log_write(sender->log, LOG_ERROR, "alerts", "message_given_up",
                  "channel %s: %s; the alert stays on the screens", message->channel,
                  problem->message);
        attempt.fate = MESSAGE_DEAD;
    } else if (sent != STATUS_OK) {
        log_write(sender->log, LOG_WARN, "alerts", "message_delayed",
                  "channel %s: %s; trying again", message->channel, problem->message);
        attempt.fate = MESSAGE_WAITING;
        attempt.due_us = next_attempt_us(message, now_us, retry_after_s);
    }
    outbox_settle(sender->outbox, &attempt);
    saver_wake(sender->saver);
}

static void deliver(struct sender *sender)
{
    struct error problem = {0};
    int64_t retry_after_s = -1;
    int channel = channels_find(sender->channels, sender->message.channel);
    enum status sent =
        channel < 0 ? error_set(&problem, STATUS_NOT_FOUND, "is not configured any more")
                    : channel_post(sender->channels, channel, buffer_slice(&sender->message.body),
                                   sender->message.key, &retry_after_s, &problem);
    settle(sender, sent, retry_after_s, &problem);
}

static int64_t wait_ms(const struct sender *sender, int64_t next_us)
{
    if (next_us == INT64_MAX)
        return LONGEST_WAIT_MS;
    int64_t left_ms = (next_us - clock_now_us(sender->clock)) / 1000 + 1;
    return left_ms < 10 ? 10 : left_ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : left_ms;
}

static bool is_stopping(struct sender *sender, bool *too_long)
{
    lock_take(&sender->lock);
    bool stopping = sender->stopping;
    *too_long = stopping && monotonic_ns() > sender->stop_ns;
    lock_release(&sender->lock);
    return stopping;
}

static void run(void *context)
{
    struct sender *sender = context;
    for (;;) {
        bool too_long;
        uint64_t seen = outbox_news(sender->outbox);
        bool stopping = is_stopping(sender, &too_long);
        int64_t next_us;
        if (too_long)
            return;
        if (outbox_take(sender->outbox, clock_now_us(sender->clock), &sender->message, &next_us))
            deliver(sender);
        else if (stopping)
            return;
        else
            outbox_wait(sender->outbox, seen, wait_ms(sender, next_us));
    }
}

enum status sender_start(struct outbox *outbox, struct saver *saver,
                         const struct channels *channels, struct log *log, struct sender **sender,
                         struct error *error)
{
    *sender = NULL;
    struct sender *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->outbox = outbox;
    made->saver = saver;
    made->channels = channels;
    made->log = log;
    made->clock = clock_create_wall();
    buffer_init(&made->message.body, OUTBOX_BODY_BYTES);
    lock_init(&made->lock, "alerts.sender");
    enum status status = made->clock ? thread_start("alerts", run, made, &made->thread, error)
                                     : error_set(error, STATUS_MEMORY, "out of memory");
    if (status != STATUS_OK) {
        sender_stop(made);
        return status;
    }
    *sender = made;
    return STATUS_OK;
}

void sender_stop(struct sender *sender)
{
    if (!sender)
        return;
    lock_take(&sender->lock);
    sender->stopping = true;
    sender->stop_ns = monotonic_ns() + STOP_GRACE_NS;
    /* Wakes it. With the lock held, or it would see that it is to end, and what waits for the disk
     * not be due yet. */
    outbox_hurry(sender->outbox);
    lock_release(&sender->lock);
    thread_join(sender->thread);
    buffer_free(&sender->message.body);
    lock_destroy(&sender->lock);
    clock_destroy(sender->clock);
    free(sender);
}
