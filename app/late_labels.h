/* Truths that arrive a while after their events: the demo's, until they are due. One thread, but
 * for the two counts. */
#ifndef BINNACLE_APP_LATE_LABELS_H
#define BINNACLE_APP_LATE_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

struct late_label {
    int64_t due_us;
    char event_id[27];
    int8_t label;
};

struct late_labels;
/* Holds `capacity` at most: beyond that the oldest are given up, and counted. NULL: no memory. */
struct late_labels *late_labels_create(size_t capacity);
void late_labels_destroy(struct late_labels *labels); /* NULL is ignored */
/* Labels are due in the order in which they are put. */
void late_labels_put(struct late_labels *labels, const struct late_label *label);
/* Whoever labels are given to. STATUS_FULL and STATUS_IO: not now, but the same one later. */
typedef enum status late_label_taker(void *context, const struct late_label *label,
                                     struct error *error);
/* Gives what is due, the oldest first and `most` at most. One that is not taken now stays and ends
 * the round; one that never will be is given up, and counted. Returns the last of their statuses
 * that is not STATUS_OK, with its error. */
MUST_USE enum status late_labels_give(struct late_labels *labels, int64_t now_us, int most,
                                      late_label_taker *taker, void *context, struct error *error);
/* How many are due. The thread of the labels. */
size_t late_labels_due(const struct late_labels *labels, int64_t now_us);
/* How many wait, and how many were given up. Any thread. */
size_t late_labels_waiting(const struct late_labels *labels);
uint64_t late_labels_given_up(const struct late_labels *labels);

#endif
