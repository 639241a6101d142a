/* A list of queues as they stand, made once a tick by those who own them. Plain values; any thread.
 */
#include "engine/observe/queues.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"

void queues_add(struct queue_statuses *queues, const char *name, uint64_t depth, uint64_t capacity,
                uint64_t full)
{
    assert(queues->n < MAX_QUEUES);
    struct queue_status *queue = &queues->list[queues->n++];
    *queue = (struct queue_status){.depth = depth, .capacity = capacity, .full = full};
    snprintf(queue->name, sizeof queue->name, "%s", name);
}

const struct queue_status *queues_find(const struct queue_statuses *queues, const char *name)
{
    for (int i = 0; i < queues->n; i++) {
        if (strcmp(queues->list[i].name, name) == 0)
            return &queues->list[i];
    }
    return NULL;
}

void queues_follow(struct queue_statuses *queues, struct queue_statuses *before, int64_t now_us)
{
    for (int i = 0; i < queues->n; i++) {
        struct queue_status *queue = &queues->list[i];
        const struct queue_status *old = queues_find(before, queue->name);
        queue->full_us = queue->full > (old ? old->full : 0) ? now_us : old ? old->full_us : 0;
    }
    *before = *queues;
}

void queues_json(const struct queue_statuses *queues, struct json_writer *json)
{
    json_array(json, "queues");
    for (int i = 0; i < queues->n; i++) {
        const struct queue_status *queue = &queues->list[i];
        json_object(json, NULL);
        json_text(json, "name", queue->name);
        json_int(json, "depth", (int64_t)queue->depth);
        json_int(json, "capacity", (int64_t)queue->capacity);
        json_int(json, "full", (int64_t)queue->full);
        json_time_or_null(json, "last_full", queue->full_us);
        json_object_end(json);
    }
    json_array_end(json);
}

static uint64_t read_count(const struct json *from, const char *key)
{
    double number = json_as_number(json_get(from, key), 0);
    return number > 0 && number < 0x1p63 ? (uint64_t)number : 0;
}

void queues_read(const struct json *list, struct queue_statuses *queues)
{
    queues->n = 0;
    for (const struct json *from = json_first(list); from && queues->n < MAX_QUEUES;
         from = json_next(from)) {
        struct queue_status *queue = &queues->list[queues->n];
        queues_add(queues, json_as_text(json_get(from, "name"), ""), read_count(from, "depth"),
                   read_count(from, "capacity"), read_count(from, "full"));
        const char *at = json_as_text(json_get(from, "last_full"), "");
        if (!time_parse(slice_of(at), &queue->full_us))
            queue->full_us = 0;
    }
}
