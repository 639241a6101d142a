/* The queues between threads, for those who look: how full each one is, and how often it was too
 * full for what came. Which they are, and what each does then, is in engine/README.md. */
#ifndef BINNACLE_OBSERVE_QUEUES_H
#define BINNACLE_OBSERVE_QUEUES_H

#include <stdint.h>

#include "engine/base/json.h"

#define QUEUE_NAME_SIZE 24
#define MAX_QUEUES      16

struct queue_status {
    char name[QUEUE_NAME_SIZE];
    uint64_t depth, capacity; /* now, in what the queue holds */
    uint64_t full;   /* since start: left out, given up or refused because there was no room */
    int64_t full_us; /* when that last grew; 0: not since start */
};

struct queue_statuses {
    struct queue_status list[MAX_QUEUES];
    int n;
};

/* Adds one at the end. */
void queues_add(struct queue_statuses *queues, const char *name, uint64_t depth, uint64_t capacity,
                uint64_t full);
/* Says of each queue when its count last grew, by what `before` knows, and becomes `before`. */
void queues_follow(struct queue_statuses *queues, struct queue_statuses *before, int64_t now_us);
/* NULL: there is none of that name. */
const struct queue_status *queues_find(const struct queue_statuses *queues, const char *name);

/* "queues":[{"name","depth","capacity","full","last_full"}] */
void queues_json(const struct queue_statuses *queues, struct json_writer *json);
void queues_read(const struct json *list, struct queue_statuses *queues);

#endif
