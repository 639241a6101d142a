/* Sums by their labels: open addressing, half full at most. They are kept from one point of time to
 * the next, under the same number, and cleared when they are first asked for. */
#include "engine/history/groups.h"

#include <stdlib.h>

#define SLOTS (2 * MAX_GROUPS)
_Static_assert((SLOTS & (SLOTS - 1)) == 0, "a power of two");

struct groups {
    const struct layout *layout;
    struct sums *list[MAX_GROUPS]; /* by number */
    int n;
    struct sums *there[MAX_GROUPS];
    int n_there;
    bool refused;
    uint16_t slots[SLOTS]; /* number + 1; 0: free */
};

struct groups *groups_create(const struct layout *layout)
{
    struct groups *groups = calloc(1, sizeof *groups);
    if (groups)
        groups->layout = layout;
    return groups;
}

void groups_destroy(struct groups *groups)
{
    if (!groups)
        return;
    for (int i = 0; i < groups->n; i++)
        sums_destroy(groups->list[i]);
    free(groups);
}

void groups_begin(struct groups *groups)
{
    for (int i = 0; i < groups->n_there; i++)
        groups->there[i]->there = false;
    groups->n_there = 0;
}

/* Where these labels are entered, or the free place for them. */
static uint16_t *find(struct groups *groups, uint64_t labels)
{
    /* Fibonacci hashing: labels are few small bytes. */
    size_t slot = (size_t)(labels * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (SLOTS - 1);
    while (groups->slots[slot] && groups->list[groups->slots[slot] - 1]->labels != labels)
        slot = (slot + 1) & (SLOTS - 1);
    return &groups->slots[slot];
}

static struct sums *add(struct groups *groups, uint16_t *slot)
{
    groups->refused = groups->refused || groups->n == MAX_GROUPS;
    struct sums *sums = groups->n < MAX_GROUPS ? sums_create() : NULL;
    if (!sums)
        return NULL;
    sums->index = groups->n;
    groups->list[groups->n++] = sums;
    *slot = (uint16_t)groups->n;
    return sums;
}

struct sums *groups_find(struct groups *groups, uint64_t labels)
{
    uint16_t *slot = find(groups, labels);
    struct sums *sums = *slot ? groups->list[*slot - 1] : add(groups, slot);
    if (!sums || sums->there)
        return sums;
    sums_clear(sums, labels, groups->layout);
    sums->there = true;
    groups->there[groups->n_there++] = sums;
    return sums;
}

bool groups_refused(const struct groups *groups)
{
    return groups->refused;
}

struct sums *const *groups_there(const struct groups *groups, int *n)
{
    *n = groups->n_there;
    return groups->there;
}
