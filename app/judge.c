/* One place for a snapshot, which its thread judges, and one for what came of the last. What is
 * then to be written down or read from files, by the newest of what was judged, another thread
 * does: a disk that hangs must not keep the next snapshot from being judged. judge_tick() is run by
 * the tick's. */
#include "app/judge.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/thread.h"

#define PATIENCE_MS 500
#define IDLE_MS     1000

/* What is put into a snapshot. */
struct judged {
    struct alert_status alerts[MAX_SNAPSHOT_ALERTS];
    int n_alerts;
    struct outbox_status outbox;
    struct quality_status quality;
    struct explanation explanation;
    struct incident incident;
};

struct judge {
    struct alerts *alerts;
    struct watch *watch;
    struct log *log;
    struct thread *thread;
    struct lock lock; /* of all that follows, but `seen` while it is busy: the thread's then */
    pthread_cond_t given, done;
    bool busy, closing, ended; /* ended: its thread */
    bool late;                 /* that has been told */
    uint64_t missed;           /* pictures that came while it was busy, and were not judged */
    struct snapshot seen;
    struct judged judged;
    /* The thread that writes down, and what it does that by. */
    struct thread *noting;
    pthread_cond_t noted;
    bool to_note;
    struct snapshot next_note, note; /* `note` is the thread's */
};

static void take_judged(const struct snapshot *snapshot, struct judged *judged)
{
    memcpy(judged->alerts, snapshot->alerts, sizeof judged->alerts);
    judged->n_alerts = snapshot->n_alerts;
    judged->outbox = snapshot->outbox;
    judged->quality = snapshot->quality;
    judged->explanation = snapshot->explanation;
    judged->incident = snapshot->incident;
}

static void put_judged(const struct judged *judged, struct snapshot *snapshot)
{
    memcpy(snapshot->alerts, judged->alerts, sizeof judged->alerts);
    snapshot->n_alerts = judged->n_alerts;
    snapshot->outbox = judged->outbox;
    snapshot->quality = judged->quality;
    snapshot->explanation = judged->explanation;
    snapshot->incident = judged->incident;
}

static void run(void *context)
{
    struct judge *judge = context;
    lock_take(&judge->lock);
    for (;;) {
        while (!judge->busy && !judge->closing)
            condition_wait(&judge->given, &judge->lock, IDLE_MS);
        if (!judge->busy)
            break;
        lock_release(&judge->lock);
        /* Conditions of alerts name the one, and their messages tell the other. */
        watch_quality(judge->watch, &judge->seen);
        watch_explain(judge->watch, &judge->seen);
        alerts_evaluate(judge->alerts, &judge->seen);
        alerts_fill(judge->alerts, &judge->seen);
        lock_take(&judge->lock);
        take_judged(&judge->seen, &judge->judged);
        judge->next_note = judge->seen;
        judge->to_note = true;
        pthread_cond_signal(&judge->noted);
        judge->busy = false;
        pthread_cond_broadcast(&judge->done);
    }
    lock_release(&judge->lock);
}

static void run_notes(void *context)
{
    struct judge *judge = context;
    lock_take(&judge->lock);
    for (;;) {
        while (!judge->to_note && !judge->ended)
            condition_wait(&judge->noted, &judge->lock, IDLE_MS);
        if (!judge->to_note)
            break;
        judge->note = judge->next_note;
        judge->to_note = false;
        lock_release(&judge->lock);
        watch_tick(judge->watch, &judge->note);
        lock_take(&judge->lock);
    }
    lock_release(&judge->lock);
}

static void tell_late(struct judge *judge)
{
    if (judge->busy == judge->late)
        return;
    judge->late = judge->busy;
    if (judge->late)
        log_write(judge->log, LOG_WARN, "alerts", "judging_waits",
                  "judging alerts takes long on this machine; the screens go on with those of "
                  "before");
    else
        log_write(judge->log, LOG_INFO, "alerts", "judging_goes_on", "alerts are judged again");
}

void judge_tick(struct judge *judge, struct snapshot *snapshot)
{
    lock_take(&judge->lock);
    if (judge->busy) {
        judge->missed++;
    } else {
        judge->seen = *snapshot;
        judge->busy = true;
        pthread_cond_signal(&judge->given);
        int64_t deadline_ns = monotonic_ns() + (int64_t)PATIENCE_MS * 1000000;
        for (int64_t left_ms;
             judge->busy && (left_ms = (deadline_ns - monotonic_ns()) / 1000000) > 0;)
            condition_wait(&judge->done, &judge->lock, left_ms);
    }
    tell_late(judge);
    put_judged(&judge->judged, snapshot);
    queues_add(&snapshot->queues, "judge", judge->busy, 1, judge->missed);
    queues_add(&snapshot->queues, "alert_messages", snapshot->outbox.waiting,
               snapshot->outbox.capacity, snapshot->outbox.no_room);
    lock_release(&judge->lock);
}

enum status judge_start(struct alerts *alerts, struct watch *watch, struct log *log,
                        struct judge **judge, struct error *error)
{
    struct judge *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->alerts = alerts;
    made->watch = watch;
    made->log = log;
    lock_init(&made->lock, "service.judge");
    condition_init(&made->given);
    condition_init(&made->done);
    condition_init(&made->noted);
    enum status status = thread_start("judge", run, made, &made->thread, error);
    if (status == STATUS_OK)
        status = thread_start("judge-notes", run_notes, made, &made->noting, error);
    if (status != STATUS_OK) {
        judge_stop(made);
        return status;
    }
    *judge = made;
    return STATUS_OK;
}

void judge_stop(struct judge *judge)
{
    if (!judge)
        return;
    lock_take(&judge->lock);
    judge->closing = true;
    pthread_cond_signal(&judge->given);
    lock_release(&judge->lock);
    thread_join(judge->thread);
    lock_take(&judge->lock);
    judge->ended = true; /* what was judged last is still written down */
    pthread_cond_signal(&judge->noted);
    lock_release(&judge->lock);
    thread_join(judge->noting);
    pthread_cond_destroy(&judge->noted);
    pthread_cond_destroy(&judge->given);
    pthread_cond_destroy(&judge->done);
    lock_destroy(&judge->lock);
    free(judge);
}
