/* The pictures kept in memory: as many of the last seconds as there is room for, and of the time
 * before every second, fourth, eighth: whenever the tape is full, each other picture of its older
 * half goes. The drawing thread's. */
#include "ui/tui/tape.h"

#include <string.h>

void tape_free(struct tape *tape)
{
    for (int i = 0; i < tape->n; i++)
        snapshot_release(tape->pictures[i]);
    tape->n = 0;
}

static void thin_out(struct tape *tape)
{
    int kept = 0;
    for (int i = 0; i < tape->n; i++) {
        if (i < tape->n / 2 && i % 2 == 1)
            snapshot_release(tape->pictures[i]);
        else
            tape->pictures[kept++] = tape->pictures[i];
    }
    tape->n = kept;
}

void tape_add(struct tape *tape, struct snapshot_board *board)
{
    const struct snapshot *snapshot = snapshot_acquire(board);
    if (!snapshot)
        return;
    if (tape->n > 0 && tape->pictures[tape->n - 1]->time_us >= snapshot->time_us) {
        snapshot_release(snapshot);
        return;
    }
    if (tape->n == TAPE_PICTURES)
        thin_out(tape);
    tape->pictures[tape->n++] = snapshot;
}

int tape_find(const struct tape *tape, int64_t time_us)
{
    int found = -1;
    for (int i = 0; i < tape->n && tape->pictures[i]->time_us <= time_us; i++)
        found = i;
    return found;
}
