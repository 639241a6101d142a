/* What a reading tells apart by labels: a sum for each combination that it meets. */
#ifndef BINNACLE_HISTORY_GROUPS_H
#define BINNACLE_HISTORY_GROUPS_H

#include "engine/history/sums.h"

#define MAX_GROUPS 2048 /* as many as an open minute tells apart */

struct groups;
/* Sums under this layout, which is borrowed; NULL: out of memory. One thread. */
struct groups *groups_create(const struct layout *layout);
void groups_destroy(struct groups *groups); /* NULL is ignored */

/* Begins a point of time: there is nothing in any group. */
void groups_begin(struct groups *groups);
/* The sums of these labels at this point. NULL: more than MAX_GROUPS, or out of memory. */
struct sums *groups_find(struct groups *groups, uint64_t labels);
bool groups_refused(const struct groups *groups); /* there would have been more than MAX_GROUPS */
/* Those found since groups_begin(); *n of them. */
struct sums *const *groups_there(const struct groups *groups, int *n);

#endif
