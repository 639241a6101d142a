/* Takes due messages one at a time, posts them, and writes down what became of them before the next
 * one. A message that was posted but not written down, because the process was killed between the
 * two, is posted again under the same Idempotency-Key. While the disk takes nothing, what became of
 * the last one is remembered and nothing more is taken from that outbox; the one in memory goes on.
 */
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

enum fate { FATE_SENT, FATE_LATER, FATE_DEAD };

/* What became of the last message, until it is written down. */
struct settlement {
    bool pending;
    enum fate fate;
    int64_t id, due_us;
    char problem[sizeof((struct error *)0)->message];
};

struct place {
    struct outbox *outbox;
    struct settlement settlement;
    bool told; /* that it cannot be written or read */
};

#define PLACES 2 /* the one on the disk, the one in memory */

struct sender {
    struct place places[PLACES];
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

static enum status write_down(struct sender *sender, struct place *place, struct error *error)
{
    struct settlement *settlement = &place->settlement;
    int64_t now_us = clock_now_us(sender->clock);
    enum status status = STATUS_OK;
    switch (settlement->fate) {
    case FATE_SENT:
        status = outbox_sent(place->outbox, settlement->id, now_us, error);
        break;
    case FATE_LATER:
        status = outbox_retry(place->outbox, settlement->id, settlement->due_us,
                              settlement->problem, error);
        break;
    case FATE_DEAD:
        status = outbox_bury(place->outbox, settlement->id, now_us, settlement->problem, error);
        break;
    }
    settlement->pending = status != STATUS_OK;
    return status;
}

static void settle(struct sender *sender, struct place *place, enum status sent,
                   int64_t retry_after_s, const struct error *problem)
{
    const struct outbox_message *message = &sender->message;
    struct settlement *settlement = &place->settlement;
    int64_t now_us = clock_now_us(sender->clock);
    *settlement = (struct settlement){.pending = true, .fate = FATE_SENT, .id = message->id};
    if (sent == STATUS_OK)
        return;
    snprintf(settlement->problem, sizeof settlement->problem, "%s", problem->message);
    bool old = now_us - message->made_us > MAX_AGE_US;
    if (!problem->retriable || old) {
        log_write(sender->log, LOG_ERROR, "alerts", "message_given_up",
                  "channel %s: %s; the alert stays on the screens", message->channel,
                  problem->message);
        settlement->fate = FATE_DEAD;
        return;
    }
    log_write(sender->log, LOG_WARN, "alerts", "message_delayed", "channel %s: %s; trying again",
              message->channel, problem->message);
    int64_t wait_us = sender_backoff_us(message->attempts + 1, random_share());
    if (retry_after_s >= 0)
        wait_us = retry_after_s < MAX_AGE_US / US_PER_S ? retry_after_s * US_PER_S : MAX_AGE_US;
    settlement->fate = FATE_LATER;
    settlement->due_us = now_us + wait_us;
}

static enum status deliver(struct sender *sender, struct place *place, struct error *error)
{
    struct error problem = {0};
    int64_t retry_after_s = -1;
    int channel = channels_find(sender->channels, sender->message.channel);
    enum status sent =
        channel < 0 ? error_set(&problem, STATUS_NOT_FOUND, "is not configured any more")
                    : channel_post(sender->channels, channel, buffer_slice(&sender->message.body),
                                   sender->message.key, &retry_after_s, &problem);
    settle(sender, place, sent, retry_after_s, &problem);
    return write_down(sender, place, error);
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
    if (sender->pruned_us != 0 && llabs(now_us - sender->pruned_us) < PRUNE_EVERY_US)
        return;
    sender->pruned_us = now_us;
    if (outbox_prune(sender->places[0].outbox, now_us, &error) != STATUS_OK)
        log_write(sender->log, LOG_WARN, "alerts", "outbox_not_pruned", "%s", error.message);
}

static bool grace_is_over(struct sender *sender)
{
    lock_take(&sender->lock);
    bool over = sender->stopping && monotonic_ns() > sender->stop_ns;
    lock_release(&sender->lock);
    return over;
}

/* One message of one outbox. STATUS_END: none is due; *next_us is when it is worth looking again.
 */
static enum status serve(struct sender *sender, struct place *place, int64_t *next_us)
{
    struct error error;
    *next_us = INT64_MAX;
    enum status status = STATUS_OK;
    if (place->settlement.pending)
        status = write_down(sender, place, &error);
    if (status == STATUS_OK)
        status = outbox_take(place->outbox, clock_now_us(sender->clock), &sender->message, next_us,
                             &error);
    if (status == STATUS_OK)
        status = deliver(sender, place, &error);
    bool failed = status != STATUS_OK && status != STATUS_END;
    if (failed && !place->told)
        log_write(sender->log, LOG_ERROR, "alerts", "outbox_failed",
                  "%s; what waits in it is sent when it can be written again", error.message);
    place->told = failed;
    if (failed)
        *next_us = clock_now_us(sender->clock) + US_PER_S;
    return status == STATUS_OK ? STATUS_OK : STATUS_END;
}

static void run(void *context)
{
    struct sender *sender = context;
    while (!grace_is_over(sender)) {
        bool any = false;
        int64_t next_us = INT64_MAX;
        for (size_t i = 0; i < PLACES; i++) {
            int64_t due_us;
            any = serve(sender, &sender->places[i], &due_us) == STATUS_OK || any;
            next_us = due_us < next_us ? due_us : next_us;
        }
        if (any)
            continue;
        prune_now_and_then(sender);
        if (!wait_for_work(sender, next_us))
            return;
    }
}

enum status sender_start(struct outbox *outbox, struct outbox *spare,
                         const struct channels *channels, struct log *log, struct sender **sender,
                         struct error *error)
{
    *sender = NULL;
    struct sender *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->places[0].outbox = outbox;
    made->places[1].outbox = spare;
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
