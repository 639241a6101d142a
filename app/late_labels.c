/* A ring of labels. */
#include "app/late_labels.h"

#include <stdatomic.h>
#include <stdlib.h>

struct late_labels {
    size_t capacity, first;
    atomic_size_t n;
    _Atomic uint64_t given_up;
    struct late_label ring[];
};

struct late_labels *late_labels_create(size_t capacity)
{
    struct late_labels *labels = calloc(1, sizeof *labels + capacity * sizeof labels->ring[0]);
    if (labels)
        labels->capacity = capacity;
    return labels;
}

void late_labels_destroy(struct late_labels *labels)
{
    free(labels);
}

static void drop_first(struct late_labels *labels)
{
    labels->first = (labels->first + 1) % labels->capacity;
    labels->n--;
}

void late_labels_put(struct late_labels *labels, const struct late_label *label)
{
    if (labels->n == labels->capacity) {
        drop_first(labels);
        labels->given_up++;
    }
    labels->ring[(labels->first + labels->n) % labels->capacity] = *label;
    labels->n++;
}

bool late_labels_take(struct late_labels *labels, int64_t now_us, struct late_label *label)
{
    if (labels->n == 0 || labels->ring[labels->first].due_us > now_us)
        return false;
    *label = labels->ring[labels->first];
    drop_first(labels);
    return true;
}

size_t late_labels_waiting(const struct late_labels *labels)
{
    return labels->n;
}

uint64_t late_labels_given_up(const struct late_labels *labels)
{
    return labels->given_up;
}
