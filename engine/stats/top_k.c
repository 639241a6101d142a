/* Precision@k per entity, as the Fraud Detection Handbook defines it for cards. In: scored events
 * with their truth. Out: the mean over days and its standard error. Any thread. */
#include "engine/stats/top_k.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/order.h"

static int by_day_and_entity(const void *a, const void *b)
{
    const struct top_k_event *x = a, *y = b;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    return (x->entity > y->entity) - (x->entity < y->entity);
}

static int by_rank(const void *a, const void *b)
{
    const struct top_k_event *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->entity > y->entity) - (x->entity < y->entity);
}

/* Entities found positive so far, sorted. */
struct found {
    uint64_t *entities;
    size_t n;
};

/* A day's events, sorted by entity, into one event an entity; those found before are left out. */
static size_t merge_entities(struct top_k_event *events, size_t n, const struct found *found)
{
    size_t kept = 0;
    for (size_t i = 0; i < n;) {
        struct top_k_event entity = events[i];
        for (i++; i < n && events[i].entity == entity.entity; i++) {
            entity.score = events[i].score > entity.score ? events[i].score : entity.score;
            entity.positive = entity.positive || events[i].positive;
        }
        if (!found->n || !bsearch(&entity.entity, found->entities, found->n,
                                  sizeof *found->entities, order_uint64))
            events[kept++] = entity;
    }
    return kept;
}

/* One day's precision. */
static double take_day(struct top_k_event *events, size_t n, size_t k, struct found *found)
{
    size_t n_entities = merge_entities(events, n, found), before = found->n;
    if (n_entities)
        qsort(events, n_entities, sizeof *events, by_rank);
    for (size_t i = 0; i < n_entities && i < k; i++) {
        if (events[i].positive)
            found->entities[found->n++] = events[i].entity;
    }
    size_t hits = found->n - before;
    if (found->n)
        qsort(found->entities, found->n, sizeof *found->entities, order_uint64);
    return (double)hits / (double)k;
}

enum status top_k_precision(struct top_k_event *events, size_t n, size_t k, struct top_k *out,
                            struct error *error)
{
    struct found found = {.entities = malloc((n + 1) * sizeof *found.entities)};
    if (!found.entities)
        return error_set(error, STATUS_MEMORY, "out of memory");
    double sum = 0, squares = 0;
    *out = (struct top_k){.precision = (double)NAN, .standard_error = (double)NAN};
    if (n)
        qsort(events, n, sizeof *events, by_day_and_entity);
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first; end < n && events[end].day == events[first].day; end++)
            ;
        double precision = take_day(events + first, end - first, k, &found);
        sum += precision;
        squares += precision * precision;
        out->n_days++;
    }
    double days = (double)out->n_days;
    if (out->n_days)
        out->precision = sum / days;
    if (out->n_days > 1)
        out->standard_error = sqrt(fmax(squares - sum * sum / days, 0) / (days - 1) / days);
    free(found.entities);
    return STATUS_OK;
}
