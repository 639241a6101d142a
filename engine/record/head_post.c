/* One place, one thread, one head that waits: the newest. After a failure the next attempt comes
 * after a second, then twice as long each time up to a minute, always with the head that is newest
 * then. The caller only ever copies a head under a lock that nobody holds while sending. */
#include "engine/record/head_post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/thread.h"

#define FIRST_RETRY_MS 1000
#define LAST_RETRY_MS  60000
#define NS_PER_MS      1000000

struct head_post {
    struct head_post_options options;
    char name[32];
    struct thread *thread;
    struct lock lock; /* everything below; never held while sending */
    pthread_cond_t changed;
    struct signed_head newest;
    bool known, hurried, closing;
    uint64_t sent, failed, rows_sent;
    int64_t due_ns;   /* not before */
    int64_t retry_ms; /* of the next failure; 0: the last attempt went well */
};

/* Milliseconds until something is to be sent; -1: there is nothing. */
static int64_t wait_ms(const struct head_post *post)
{
    lock_assert_held(&post->lock);
    if (!post->known || (post->sent > 0 && post->newest.tree_size == post->rows_sent))
        return -1;
    if (post->closing || (post->hurried && post->retry_ms == 0))
        return 0;
    int64_t left_ns = post->due_ns - monotonic_ns();
    return left_ns > 0 ? left_ns / NS_PER_MS + 1 : 0;
}

/* The newest head, when it is due. False: closing, and there is nothing to send. */
static bool take(struct head_post *post, struct signed_head *head, bool *last)
{
    lock_take(&post->lock);
    int64_t left_ms;
    while ((left_ms = wait_ms(post)) != 0 && !post->closing)
        condition_wait(&post->changed, &post->lock, left_ms);
    *head = post->newest;
    *last = post->closing;
    post->hurried = false;
    lock_release(&post->lock);
    return left_ms == 0;
}

static void settle(struct head_post *post, const struct signed_head *head, enum status status,
                   const struct error *error)
{
    lock_take(&post->lock);
    bool was_failing = post->retry_ms > 0;
    if (status == STATUS_OK) {
        post->sent++;
        post->rows_sent = head->tree_size;
        post->retry_ms = 0;
        post->due_ns = monotonic_ns() + post->options.every_ms * NS_PER_MS;
    } else {
        post->failed++;
        post->retry_ms = was_failing ? 2 * post->retry_ms : FIRST_RETRY_MS;
        if (post->retry_ms > LAST_RETRY_MS)
            post->retry_ms = LAST_RETRY_MS;
        post->due_ns = monotonic_ns() + post->retry_ms * NS_PER_MS;
    }
    lock_release(&post->lock);
    if (status != STATUS_OK && !was_failing)
        log_write(post->options.log, LOG_WARN, "record", "head_not_sent",
                  "%s: %s; it is tried again with the newest head", post->name, error->message);
    if (status == STATUS_OK && was_failing)
        log_write(post->options.log, LOG_INFO, "record", "head_sent", "%s: heads are taken again",
                  post->name);
}

static void run(void *context)
{
    struct head_post *post = context;
    struct signed_head head;
    struct buffer json;
    bool last = false;
    buffer_init(&json, 4096);
    while (!last && take(post, &head, &last)) {
        struct json_writer writer;
        struct error error = {.message = ""};
        buffer_reset(&json);
        json_begin(&writer, &json);
        head_json(&head, &writer, NULL);
        enum status status =
            post->options.deliver(post->options.context, &head, buffer_slice(&json), &error);
        settle(post, &head, status, &error);
    }
    buffer_free(&json);
}

enum status head_post_open(const struct head_post_options *options, struct head_post **post,
                           struct error *error)
{
    struct head_post *opened = calloc(1, sizeof *opened);
    if (!opened)
        return error_set(error, STATUS_MEMORY, "out of memory");
    opened->options = *options;
    snprintf(opened->name, sizeof opened->name, "%s", options->name);
    lock_init(&opened->lock, "head_post");
    condition_init(&opened->changed);
    enum status status = thread_start("ledger-post", run, opened, &opened->thread, error);
    if (status != STATUS_OK) {
        head_post_close(opened);
        return status;
    }
    *post = opened;
    return STATUS_OK;
}

void head_post_add(struct head_post *post, const struct signed_head *head, bool now)
{
    if (!post)
        return;
    lock_take(&post->lock);
    post->newest = *head;
    post->known = true;
    post->hurried = post->hurried || now;
    pthread_cond_signal(&post->changed);
    lock_release(&post->lock);
}

void head_post_stats(struct head_post *post, struct head_post_stats *stats)
{
    lock_take(&post->lock);
    *stats = (struct head_post_stats){.name = post->name,
                                      .sent = post->sent,
                                      .failed = post->failed,
                                      .rows_sent = post->rows_sent,
                                      .rows_signed = post->known ? post->newest.tree_size : 0};
    lock_release(&post->lock);
}

void head_post_close(struct head_post *post)
{
    if (!post)
        return;
    lock_take(&post->lock);
    post->closing = true;
    pthread_cond_signal(&post->changed);
    lock_release(&post->lock);
    thread_join(post->thread);
    pthread_cond_destroy(&post->changed);
    lock_destroy(&post->lock);
    free(post);
}
