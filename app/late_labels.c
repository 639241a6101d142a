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

static const struct late_label *label_at(const struct late_labels *labels, size_t i)
{
    return &labels->ring[(labels->first + i) % labels->capacity];
}

enum status late_labels_give(struct late_labels *labels, int64_t now_us, int most,
                             late_label_taker *taker, void *context, struct error *error)
{
    enum status round = STATUS_OK;
    for (int i = 0; i < most && labels->n > 0 && label_at(labels, 0)->due_us <= now_us; i++) {
        struct error why;
        enum status status = taker(context, label_at(labels, 0), &why);
        if (status != STATUS_OK) {
            round = status;
            *error = why;
        }
        if (status == STATUS_FULL || status == STATUS_IO)
            break;
        drop_first(labels);
        labels->given_up += status != STATUS_OK;
    }
    return round;
}

size_t late_labels_due(const struct late_labels *labels, int64_t now_us)
{
    size_t n = 0;
    while (n < labels->n && label_at(labels, n)->due_us <= now_us)
        n++;
    return n;
}

size_t late_labels_waiting(const struct late_labels *labels)
{
    return labels->n;
}

uint64_t late_labels_given_up(const struct late_labels *labels)
{
    return labels->given_up;
}
