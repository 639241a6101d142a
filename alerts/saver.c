/* Attempts to write are numbered by what was asked for when they began, so that whoever waits knows
 * which one has seen what they changed. Each writes all that is not on the disk, so one that
 * succeeds also answers those whose own attempt failed before, and one that fails later takes
 * nothing back. */
#include "alerts/saver.h"

#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/thread.h"

#define RETRY_MS       1000
#define PRUNE_EVERY_US US_PER_HOUR
#define IDLE_MS        60000

struct saver {
    struct store *store;
    struct saver_source source;
    struct log *log;
    struct clock *clock;
    struct thread *thread;
    int64_t pruned_us; /* the thread's; 0: not yet */
    struct lock lock;  /* of all that follows; never held while writing */
    pthread_cond_t wanted, finished;
    /* What is to be written, what the last attempt has seen, and the last one that succeeded. */
    uint64_t asked, tried, stored;
    bool stopping;
    enum status status; /* of the last attempt */
    struct error error;
};

static enum status save(struct saver *saver, struct error *error)
{
    struct store_changes changes = {.n_rules = 0};
    enum status status = saver->source.collect(saver->source.context, &changes, error);
    if (status == STATUS_OK && changes.n_rules + changes.n_messages > 0)
        status = store_write(saver->store, &changes, error);
    saver->source.done(saver->source.context, status == STATUS_OK);
    return status;
}

static void prune_now_and_then(struct saver *saver)
{
    struct error error;
    int64_t now_us = clock_now_us(saver->clock);
    if (saver->pruned_us != 0 && llabs(now_us - saver->pruned_us) < PRUNE_EVERY_US)
        return;
    saver->pruned_us = now_us;
    if (store_prune(saver->store, now_us, &error) != STATUS_OK)
        log_write(saver->log, LOG_WARN, "alerts", "messages_not_pruned", "%s", error.message);
}

static void tell(struct saver *saver, enum status before, enum status now,
                 const struct error *error)
{
    if (now != STATUS_OK && before == STATUS_OK)
        log_write(saver->log, LOG_ERROR, "alerts", "state_not_written",
                  "%s; messages are sent from memory until it can be written", error->message);
    else if (now == STATUS_OK && before != STATUS_OK)
        log_write(saver->log, LOG_INFO, "alerts", "state_written", "alerts.db is written again");
}

/* The lock is held. True: it is time to end. */
static bool wait_for_work(struct saver *saver)
{
    bool again = saver->status != STATUS_OK;
    if (saver->asked == saver->tried && !saver->stopping)
        condition_wait(&saver->wanted, &saver->lock, again ? RETRY_MS : IDLE_MS);
    return saver->stopping;
}

static void run(void *context)
{
    struct saver *saver = context;
    struct error error = {0};
    bool last = false;
    lock_take(&saver->lock);
    while (!last) {
        last = wait_for_work(saver);
        uint64_t asked = saver->asked;
        enum status before = saver->status;
        lock_release(&saver->lock);
        enum status status = save(saver, &error);
        tell(saver, before, status, &error);
        if (status == STATUS_OK)
            prune_now_and_then(saver);
        lock_take(&saver->lock);
        saver->tried = asked;
        if (status == STATUS_OK)
            saver->stored = asked;
        saver->status = status;
        saver->error = error;
        pthread_cond_broadcast(&saver->finished);
    }
    lock_release(&saver->lock);
}

enum status saver_start(struct store *store, const struct saver_source *source, struct log *log,
                        struct saver **saver, struct error *error)
{
    *saver = NULL;
    struct saver *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->store = store;
    made->source = *source;
    made->log = log;
    made->clock = clock_create_wall();
    lock_init(&made->lock, "alerts.saver");
    condition_init(&made->wanted);
    condition_init(&made->finished);
    enum status status = made->clock ? thread_start("alerts-saver", run, made, &made->thread, error)
                                     : error_set(error, STATUS_MEMORY, "out of memory");
    if (status != STATUS_OK) {
        saver_stop(made);
        return status;
    }
    *saver = made;
    return STATUS_OK;
}

void saver_stop(struct saver *saver)
{
    if (!saver)
        return;
    lock_take(&saver->lock);
    saver->stopping = true;
    pthread_cond_signal(&saver->wanted);
    lock_release(&saver->lock);
    thread_join(saver->thread);
    pthread_cond_destroy(&saver->finished);
    pthread_cond_destroy(&saver->wanted);
    lock_destroy(&saver->lock);
    clock_destroy(saver->clock);
    free(saver);
}

void saver_wake(struct saver *saver)
{
    if (!saver)
        return;
    lock_take(&saver->lock);
    saver->asked++;
    pthread_cond_signal(&saver->wanted);
    lock_release(&saver->lock);
}

enum status saver_await(struct saver *saver, int64_t deadline_ns, struct error *error)
{
    if (!saver)
        return STATUS_OK;
    lock_take(&saver->lock);
    uint64_t wanted = ++saver->asked;
    pthread_cond_signal(&saver->wanted);
    while (saver->tried < wanted && monotonic_ns() < deadline_ns)
        condition_wait_until(&saver->finished, &saver->lock, deadline_ns);
    enum status status = STATUS_OK;
    if (saver->tried < wanted) {
        status = error_set(error, STATUS_UNAVAILABLE,
                           "alerts.db is not written in time: the disk does not answer; "
                           "see whether it was done before asking again");
    } else if (saver->stored < wanted) {
        status = saver->status;
        *error = saver->error;
    }
    lock_release(&saver->lock);
    return status;
}
