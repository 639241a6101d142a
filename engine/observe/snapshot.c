/* The board that holds the newest snapshot, and its words. The board keeps one reference of its
 * own; each reader one more, so a snapshot lives until the last screen is done with it. Publishing
 * and acquiring take a lock for the few instructions in which the pointer changes hands. */
#include "engine/observe/snapshot.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/thread.h"

#define HELD_MAGIC 0xb15a9540u

/* A snapshot as it is really allocated. */
struct held {
    unsigned magic;
    atomic_int references;
    struct snapshot snapshot;
};

struct snapshot_board {
    struct lock lock;
    struct held *newest;
    uint64_t seq;
};

static const char *const health_names[] = {"nodata", "ok", "ticket", "page"};
static const char *const record_names[] = {"ok", "retrying", "failed"};
static const char *const burn_names[BURN_WINDOWS] = {"5m", "30m", "1h", "2h", "6h", "1d", "3d"};

const char *health_name(enum health health)
{
    return health_names[health];
}

const struct explanation *snapshot_explanation(const struct snapshot *snapshot)
{
    const struct explanation *now = &snapshot->explanation, *open = &snapshot->incident.explanation;
    bool is_open = snapshot->incident.opened_us > 0 && explanation_names(open);
    if (explanation_names(now) && (now->until_us == 0 || !is_open))
        return now;
    return is_open ? open : NULL;
}

bool snapshot_disk_answers(const struct snapshot *snapshot)
{
    return !snapshot->record.used || snapshot->ready;
}

const char *record_state_name(enum record_state state)
{
    return record_names[state];
}

const struct drift_status *drift_find(const struct drift_status *list, int n, const char *feature)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(list[i].feature, feature) == 0)
            return &list[i];
    }
    return NULL;
}

const char *drift_method_name(enum drift_method method)
{
    static const char *const names[DRIFT_METHODS] = {"psi", "js", "chisquare",
                                                     "tvd", "ks", "wasserstein"};
    return names[method];
}

double drift_method_limit(enum drift_method method, bool *of_p)
{
    *of_p = method == DRIFT_CHISQUARE || method == DRIFT_KS;
    return *of_p ? 0.05 : 0.1;
}

const char *burn_window_name(enum burn_window window)
{
    return burn_names[window];
}

static struct held *held_of(const struct snapshot *snapshot)
{
    struct held *held =
        (struct held *)((char *)(uintptr_t)snapshot - offsetof(struct held, snapshot));
    assert(held->magic == HELD_MAGIC);
    return held;
}

static void held_release(struct held *held)
{
    if (held && atomic_fetch_sub(&held->references, 1) == 1) {
        held->magic = 0;
        free(held);
    }
}

struct snapshot_board *snapshot_board_create(void)
{
    struct snapshot_board *board = calloc(1, sizeof *board);
    if (board)
        lock_init(&board->lock, "snapshot_board");
    return board;
}

void snapshot_board_destroy(struct snapshot_board *board)
{
    if (!board)
        return;
    held_release(board->newest);
    lock_destroy(&board->lock);
    free(board);
}

struct snapshot *snapshot_create(void)
{
    struct held *held = calloc(1, sizeof *held);
    if (!held)
        return NULL;
    held->magic = HELD_MAGIC;
    atomic_init(&held->references, 1);
    return &held->snapshot;
}

void snapshot_publish(struct snapshot_board *board, struct snapshot *take)
{
    struct held *held = held_of(take);
    lock_take(&board->lock);
    take->seq = ++board->seq;
    struct held *before = board->newest;
    board->newest = held;
    lock_release(&board->lock);
    held_release(before);
}

const struct snapshot *snapshot_acquire(struct snapshot_board *board)
{
    lock_take(&board->lock);
    struct held *held = board->newest;
    if (held)
        atomic_fetch_add(&held->references, 1);
    lock_release(&board->lock);
    return held ? &held->snapshot : NULL;
}

void snapshot_release(const struct snapshot *snapshot)
{
    if (snapshot)
        held_release(held_of(snapshot));
}
