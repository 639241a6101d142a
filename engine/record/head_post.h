/* Signed heads sent to a place that may be slow or away, such as a webhook or a topic: the newest
 * one, now and then. A later head speaks for all rows that an earlier one speaks for, so that those
 * in between need not be sent. */
#ifndef BINNACLE_RECORD_HEAD_POST_H
#define BINNACLE_RECORD_HEAD_POST_H

#include "engine/base/log.h"
#include "engine/record/head.h"

/* Hands over one head; `json` is head_json() without an end of line. Called by the post's thread
 * alone, and may take its time. Any failure is tried again with the newest head. */
typedef enum status head_deliver(void *context, const struct signed_head *head, struct slice json,
                                 struct error *error);

struct head_post_options {
    const char *name; /* for log and metrics: "webhook"; copied */
    head_deliver *deliver;
    void *context;
    int64_t every_ms; /* at least so far apart, except when a day or the ledger ends */
    struct log *log;  /* may be NULL */
};

struct head_post_stats {
    const char *name;                /* lives as long as the post */
    uint64_t sent, failed;           /* since start; failed: attempts */
    uint64_t rows_sent, rows_signed; /* of the last head that was taken, and of the newest */
};

struct head_post;
/* Starts the thread. */
MUST_USE enum status head_post_open(const struct head_post_options *options,
                                    struct head_post **post, struct error *error);
/* Never waits. `now`: it is sent at once, as the last of a day is. Any thread. NULL: nothing. */
void head_post_add(struct head_post *post, const struct signed_head *head, bool now);
void head_post_stats(struct head_post *post, struct head_post_stats *stats); /* any thread */
/* Sends the newest head if it was not sent, once, and ends the thread. NULL is ignored. */
void head_post_close(struct head_post *post);

#endif
