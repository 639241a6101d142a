/* A customer is known from the first fraud that counts: one in the training days is known on every
 * test day, one on a later day d from the test day d + delay + 1 on. So it is enough to know each
 * customer's earliest fraud since training began. */
#include "engine/model/holdout.h"

#include <stdlib.h>

struct first_fraud {
    uint64_t card;
    int64_t day;
};

static int by_card_and_day(const void *a, const void *b)
{
    const struct first_fraud *x = a, *y = b;
    if (x->card != y->card)
        return x->card < y->card ? -1 : 1;
    return (x->day > y->day) - (x->day < y->day);
}

/* Sorts and keeps each card's first. */
static size_t keep_first(struct first_fraud *frauds, size_t n)
{
    if (n == 0)
        return 0;
    size_t kept = 0;
    qsort(frauds, n, sizeof *frauds, by_card_and_day);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || frauds[i].card != frauds[i - 1].card)
            frauds[kept++] = frauds[i];
    return kept;
}

static const struct first_fraud *find(const struct first_fraud *frauds, size_t n, uint64_t card)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (frauds[middle].card < card)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && frauds[low].card == card ? &frauds[low] : NULL;
}

enum status holdout_split(struct holdout_row *rows, size_t n, int64_t first_day, int64_t train_days,
                          int64_t delay_days, int64_t test_days, struct error *error)
{
    struct first_fraud *frauds = malloc((n + 1) * sizeof *frauds);
    if (!frauds)
        return error_set(error, STATUS_MEMORY, "out of memory");
    size_t n_frauds = 0;
    for (size_t i = 0; i < n; i++)
        if (rows[i].fraud && rows[i].day >= first_day)
            frauds[n_frauds++] = (struct first_fraud){rows[i].card, rows[i].day};
    n_frauds = keep_first(frauds, n_frauds);
    int64_t train_end = first_day + train_days, test_first = train_end + delay_days;
    for (size_t i = 0; i < n; i++) {
        struct holdout_row *row = &rows[i];
        row->part = HOLDOUT_NEITHER;
        if (row->day >= first_day && row->day < train_end)
            row->part = HOLDOUT_TRAIN;
        if (row->day < test_first || row->day >= test_first + test_days)
            continue;
        const struct first_fraud *fraud = find(frauds, n_frauds, row->card);
        bool known = fraud && (fraud->day < train_end || fraud->day <= row->day - delay_days - 1);
        row->part = known ? HOLDOUT_NEITHER : HOLDOUT_TEST;
    }
    free(frauds);
    return STATUS_OK;
}
