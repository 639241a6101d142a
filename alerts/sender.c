/* Takes due messages one at a time, posts them, and writes down what became of them before the next
 * one. A message that was posted but not written down, because the process was killed between the
 * two, is posted again under the same Idempotency-Key. */
#include "alerts/sender.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/crypto.h"
#include "engine/base/thread.h"

#define MAX_AGE_US      (24 * US_PER_HOUR) /* nobody is helped by yesterday's page */
#define STOP_GRACE_NS   INT64_C(2000000000)
#define BODY_BYTES      (1u << 20)
#define LONGEST_WAIT_MS 60000
#define PRUNE_EVERY_US  US_PER_HOUR

struct sender {
    struct outbox *outbox;
    const struct channels *channels;
    struct log *log;
    struct clock *clock;
    struct thread *thread;
    struct lock lock;
    pthread_cond_t changed;
    bool woken, stopping;
    int64_t stop_ns;
    int64_t pruned_us; /* 0: not yet */
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

static enum status settle(struct sender *sender, enum status sent, int64_t retry_after_s,
                          const struct error *problem, struct error *error)
{
    const struct outbox_message *message = &sender->message;
    int64_t now_us = clock_now_us(sender->clock);
    if (sent == STATUS_OK)
        return outbox_sent(sender->outbox, message->id, now_us, error);
    bool old = now_us - message->made_us > MAX_AGE_US;
    if (!problem->retriable || old) {
        log_write(sender->log, LOG_ERROR, "alerts", "message_given_up",
                  "channel %s: %s; the alert stays on the screens", message->channel,
                  problem->message);
        return outbox_bury(sender->outbox, message->id, now_us, problem->message, error);
    }
    log_write(sender->log, LOG_WARN, "alerts", "message_delayed", "channel %s: %s; trying again",
              message->channel, problem->message);
    int64_t wait_us = sender_backoff_us(message->attempts + 1, random_share());
    if (retry_after_s >= 0)
        wait_us = retry_after_s < MAX_AGE_US / US_PER_S ? retry_after_s * US_PER_S : MAX_AGE_US;
    return outbox_retry(sender->outbox, message->id, now_us + wait_us, problem->message, error);
}

static enum status deliver(struct sender *sender, struct error *error)
{
    struct error problem = {0};
    int64_t retry_after_s = -1;
    int channel = channels_find(sender->channels, sender->message.channel);
    enum status sent =
        channel < 0 ? error_set(&problem, STATUS_NOT_FOUND, "is not configured any more")
                    : channel_post(sender->channels, channel, buffer_slice(&sender->message.body),
                                   sender->message.key, &retry_after_s, &problem);
    return settle(sender, sent, retry_after_s, &problem, error);
}

/* False when it is time to end. */
static bool wait_for_work(struct sender *sender, int64_t next_us)
{
    int64_t wait_ms = LONGEST_WAIT_MS;
    if (next_us != INT64_MAX)
        wait_ms = (next_us - clock_now_us(sender->clock)) / 1000 + 1;
    wait_ms = wait_ms < 10 ? 10 : wait_ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : wait_ms;
    lock_take(&sender->lock);
    if (!sender->woken && !sender->stopping)
        condition_wait(&sender->changed, &sender->lock, wait_ms);
    /* Woken and told to end since it last looked: what it was woken for is still to be sent. */
    bool go_on = sender->woken || !sender->stopping;
    sender->woken = false;
    lock_release(&sender->lock);
    return go_on;
}

static void prune_now_and_then(struct sender *sender)
{
    struct error error;
    int64_t now_us = clock_now_us(sender->clock);
    if (sender->pruned_us != 0 && now_us - sender->pruned_us < PRUNE_EVERY_US)
        return;
    sender->pruned_us = now_us;
    if (outbox_prune(sender->outbox, now_us, &error) != STATUS_OK)
        log_write(sender->log, LOG_WARN, "alerts", "outbox_not_pruned", "%s", error.message);
}

static bool grace_is_over(struct sender *sender)
{
    lock_take(&sender->lock);
    bool over = sender->stopping && monotonic_ns() > sender->stop_ns;
    lock_release(&sender->lock);
    return over;
}

static void run(void *context)
{
    struct sender *sender = context;
    struct error error;
    while (!grace_is_over(sender)) {
        int64_t next_us = INT64_MAX;
        enum status status = outbox_take(sender->outbox, clock_now_us(sender->clock),
                                         &sender->message, &next_us, &error);
        if (status == STATUS_OK)
            status = deliver(sender, &error);
        if (status == STATUS_OK)
            continue;
        prune_now_and_then(sender);
        if (status != STATUS_END) {
            log_write(sender->log, LOG_ERROR, "alerts", "outbox_failed", "%s", error.message);
            next_us = clock_now_us(sender->clock) + US_PER_S;
        }
        if (!wait_for_work(sender, next_us))
            return;
    }
}

enum status sender_start(struct outbox *outbox, const struct channels *channels, struct log *log,
                         struct sender **sender, struct error *error)
{
    *sender = NULL;
    struct sender *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->outbox = outbox;
    made->channels = channels;
    made->log = log;
    made->clock = clock_create_wall();
    buffer_init(&made->message.body, BODY_BYTES);
    lock_init(&made->lock, "alerts.sender");
    condition_init(&made->changed);
    enum status status = made->clock ? thread_start("alerts", run, made, &made->thread, error)
                                     : error_set(error, STATUS_MEMORY, "out of memory");
    if (status != STATUS_OK) {
        sender_stop(made);
        return status;
    }
    *sender = made;
    return STATUS_OK;
}

void sender_wake(struct sender *sender)
{
    lock_take(&sender->lock);
    sender->woken = true;
    pthread_cond_signal(&sender->changed);
    lock_release(&sender->lock);
}

void sender_stop(struct sender *sender)
{
    if (!sender)
        return;
    lock_take(&sender->lock);
    sender->stopping = true;
    sender->stop_ns = monotonic_ns() + STOP_GRACE_NS;
    pthread_cond_signal(&sender->changed);
    lock_release(&sender->lock);
    thread_join(sender->thread);
    buffer_free(&sender->message.body);
    pthread_cond_destroy(&sender->changed);
    lock_destroy(&sender->lock);
    clock_destroy(sender->clock);
    free(sender);
}
