/* What the screen reads beside the snapshot: documents of the API, fetched again and again for as
 * long as somebody looks at them, and the answers to what a person orders. One thread draws and
 * calls all of these; where the source is slow, a thread of the feed's own asks. */
#ifndef BINNACLE_TUI_FEED_H
#define BINNACLE_TUI_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/json.h"
#include "engine/base/status.h"

#define FEED_TARGET_SIZE 480
#define FEED_SNAPSHOT    "/api/v1/snapshot"

/* Where documents come from: this process, another one over HTTP, a recording. */
struct feed_source {
    /* Asks for `target` and gives the HTTP status, or 0 with *error when nobody answered. */
    int (*ask)(void *context, const char *method, const char *target, struct slice body,
               struct buffer *reply, struct error *error);
    void *context;
    bool direct; /* answers at once: asked while drawing, without a thread */
    bool fixed;  /* a recording: documents never grow old, and are asked for as they were named */
};

enum feed_state {
    FEED_LOADING,
    FEED_READY,
    FEED_NOT_OFFERED, /* this instance does not have it: 404, 501 */
    FEED_REFUSED,     /* 401, 403 */
    FEED_FAILED,      /* anything else that is no answer to show */
    FEED_AWAY,        /* nobody answered */
};

/* Lives until the next feed_collect() or feed_read(). */
struct feed_document {
    enum feed_state state;
    const struct json *json; /* the last that came, also while newer ones fail; NULL: none yet */
    struct slice text;       /* of the snapshot only, which is not parsed here */
    int code;                /* HTTP status of the last answer; 0: nobody answered */
    uint64_t version;        /* changes when another document came */
    int64_t at_us;           /* wall clock, when it came */
    const char *why;         /* what went wrong, "" when nothing did */
};

struct feed;
MUST_USE enum status feed_create(const struct feed_source *source, struct feed **feed,
                                 struct error *error);
void feed_destroy(struct feed *feed); /* waits for a question under way; NULL is ignored */

#define FEED_HOLD (-1) /* for every_ms: what there is stays, until it is read otherwise */
/* The document at `target`, asked for at once and then every `every_ms` while it is read.
 * "{now}" and "{now-3600}" (seconds) in the target become milliseconds when it is asked for, seen
 * from feed_set_now(). */
struct feed_document feed_read(struct feed *feed, const char *target, int64_t every_ms);
/* Takes in what has arrived; true when anything did. `seen` (may be NULL) is told of each document
 * that came. */
struct feed_arrival {
    const char *target;
    int code;
    struct slice text;
    int64_t at_us;
};
bool feed_collect(struct feed *feed, void (*seen)(void *context, const struct feed_arrival *),
                  void *context);
/* Tells of each document that there is: what a direct source gave, which feed_collect() never has.
 */
void feed_each(struct feed *feed, void (*seen)(void *context, const struct feed_arrival *),
               void *context);
/* Readable when feed_collect() has something; -1 for a direct source. */
int feed_fd(const struct feed *feed);
void feed_set_now(struct feed *feed, int64_t now_us);
/* Everything is asked for again. */
void feed_expire(struct feed *feed);

/* Orders something: one at a time, the answer comes with a later feed_collect(). */
void feed_order(struct feed *feed, const char *method, const char *target, struct slice body);
enum feed_order_state { FEED_NO_ORDER, FEED_ORDERED, FEED_DONE, FEED_ORDER_FAILED };
/* FEED_DONE and FEED_ORDER_FAILED are told once; `why` gets what the answer says is wrong. */
enum feed_order_state feed_order_end(struct feed *feed, char *why, size_t size);

#endif
