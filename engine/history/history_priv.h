/* The history from the inside: counting (history.c), writing (keep.c), reading (range.c). */
#ifndef BINNACLE_HISTORY_HISTORY_PRIV_H
#define BINNACLE_HISTORY_HISTORY_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/clock.h"
#include "engine/base/thread.h"
#include "engine/history/answer.h"
#include "engine/history/disk.h"
#include "engine/history/history.h"

#define MAX_CELLS      ((size_t)2048) /* of an open minute: what would be one more ends it early */
#define MAX_ROW_CELLS  ((size_t)65536)
#define MAX_WAITING    64
#define SECOND_SLOTS   330
#define MINUTE_S       INT64_C(60)
#define MINUTE_SHELVES 2              /* the first ones */
#define SEAL_GRACE_US  (2 * US_PER_S) /* until then every worker has poured what it held back */
#define READERS        4
#define NOT_KNOWN      INT64_MIN
#define SECOND_SECTION (SECTION_SCALARS | SECTION_SCORES | SECTION_LATENCY)

/* What was counted between two times of the engine's clock, on its way to the disk. Nothing in it
 * changes any more. */
struct epoch {
    atomic_int users;
    struct span *span;
    int64_t upto_us; /* all that was decided before is in this epoch or those before */
    uint64_t seq;
    struct epoch *next;
};

struct second {
    int64_t start_s;
    struct buffer cells; /* packed, not compressed */
};

struct history_store {
    struct history_options options;
    struct labels *labels;
    char *path;
    char columns[MAX_COLUMNS][NAME_SIZE];
    const char *column_names[MAX_COLUMNS];

    struct lock lock; /* of all that follows, up to the writer's own */
    pthread_cond_t changed;
    struct layouts layouts;
    const struct layout *layout; /* that is counted by now */
    struct span *open, *coming;  /* of the open epoch, and of what came after its end */
    struct span *spare;
    int64_t open_end_us; /* INT64_MIN: nothing was counted yet */
    bool recovering;
    int64_t upto_us; /* stored at the start */
    struct epoch *first, *last;
    int n_waiting;
    uint64_t seq;
    struct run run; /* this one; to_us follows the clock */
    bool running;
    struct span *second; /* the open one; NULL in event time */
    int64_t second_s;
    struct second seconds[SECOND_SLOTS];
    struct history_stats stats;
    bool writing; /* the oldest epochs: they stay where they are */
    bool stopping;

    struct thread *writer;
    struct disk *disk;                         /* the writer's */
    struct row *minutes[MINUTE_SHELVES], *row; /* of half an hour; for one use */
    struct span *minute, *slice, *hour;
    int64_t minutes_s, slice_s, hour_s; /* what is in them; INT64_MIN: nothing */
    int n_layouts_stored, n_labels_stored, n_values_stored[MAX_LABELS];
    int n_layouts_writing, n_values_writing[MAX_LABELS];
    int64_t pruned_us;

    struct history_derived derived;

    struct lock reading; /* of who has which reader */
    pthread_cond_t returned;
    struct reader {
        struct disk *disk; /* NULL: not opened yet */
        bool taken;
    } readers[READERS];
};

void epoch_release(struct epoch *epoch);

/* What of a cell belongs into a sum whose cells are told apart by the labels of `apart`: scores of
 * shadows are none of decisions, and count only where arms are told apart. */
static inline unsigned sections_for(const struct shadow_keys *shadow, uint64_t key, uint64_t apart,
                                    unsigned sections)
{
    bool strange = shadow_is(shadow, key) && (apart & shadow->mask) == 0;
    return strange ? sections & ~(unsigned)SECTION_SCORES : sections;
}

/* keep.c: the writer's thread. */
void history_keep(void *context);

#endif
