/* Whether the ledger is written, since when not, and how fast: kept for whoever asks how things
 * stand. The writer tells; any thread reads. A disk that hangs is told by the group that is being
 * written: its time counts as soon as it is longer than what groups took before. */
#include <stdio.h>

#include "engine/record/ledger_priv.h"

/* The newest group counts one part in so many: a slow one is perhaps the only one, a fast one shows
 * that the disk is well again. */
#define RISING  8
#define FALLING 2

void health_stopped(struct ledger *ledger, enum ledger_health health, const struct error *error)
{
    struct ledger_stats *stats = &ledger->stats;
    lock_assert_held(&ledger->lock);
    if (stats->health == LEDGER_OK) {
        stats->stops++;
        stats->stopped_us = clock_now_us(ledger->clock);
        ledger->stopped_ns = monotonic_ns();
    }
    stats->errors++;
    stats->health = health;
    snprintf(stats->problem, sizeof stats->problem, "%.*s", (int)sizeof stats->problem - 1,
             error->message);
}

void health_resumed(struct ledger *ledger)
{
    struct ledger_stats *stats = &ledger->stats;
    lock_assert_held(&ledger->lock);
    if (stats->health == LEDGER_OK)
        return;
    stats->not_written_us += (monotonic_ns() - ledger->stopped_ns) / 1000;
    stats->last_stop_us = stats->stopped_us;
    stats->last_resume_us = clock_now_us(ledger->clock);
    stats->stopped_us = 0;
    stats->health = LEDGER_OK;
    stats->problem[0] = '\0';
}

void health_committed(struct ledger *ledger, const struct chunk *next)
{
    struct ledger_stats *stats = &ledger->stats;
    lock_assert_held(&ledger->lock);
    if (!next)
        next = ledger->head;
    ledger->oldest_ns = next ? next->queued_ns : 0;
    int64_t began_ns = atomic_load_explicit(&ledger->group_began_ns, memory_order_relaxed);
    int64_t took_us = (monotonic_ns() - began_ns) / 1000 + 1;
    int64_t part = took_us < stats->commit_us ? FALLING : RISING;
    stats->commit_us =
        stats->commit_us ? stats->commit_us + (took_us - stats->commit_us) / part : took_us;
}

void health_lock_wanted(struct ledger *ledger)
{
    atomic_store_explicit(&ledger->lock_began_ns, monotonic_ns(), memory_order_relaxed);
}

static int64_t current_wait_us(const struct ledger *ledger)
{
    int64_t began_ns = atomic_load_explicit(&ledger->lock_began_ns, memory_order_relaxed);
    return began_ns ? (monotonic_ns() - began_ns) / 1000 : 0;
}

void health_lock_taken(struct ledger *ledger)
{
    atomic_fetch_add_explicit(&ledger->lock_waited_us, current_wait_us(ledger),
                              memory_order_relaxed);
    atomic_store_explicit(&ledger->lock_began_ns, 0, memory_order_relaxed);
}

/* The smoothed time of a group, or that of the one under way when it takes longer. */
static int64_t group_us(const struct ledger *ledger)
{
    int64_t began_ns = atomic_load_explicit(&ledger->group_began_ns, memory_order_relaxed);
    int64_t taking_us = began_ns ? (monotonic_ns() - began_ns) / 1000 : 0;
    return taking_us > ledger->stats.commit_us ? taking_us : ledger->stats.commit_us;
}

int64_t health_wait_us(const struct ledger *ledger)
{
    lock_assert_held(&ledger->lock);
    size_t groups = (ledger->rows + ledger->group_rows - 1) / ledger->group_rows;
    return (int64_t)groups * group_us(ledger);
}

void ledger_stats(struct ledger *ledger, struct ledger_stats *stats)
{
    lock_take(&ledger->lock);
    *stats = ledger->stats;
    stats->next_index = ledger->next_index;
    stats->queue_rows = ledger->rows;
    stats->subjects_waiting = ledger->n_subjects;
    stats->subjects_capacity = ledger->most_subjects;
    if (stats->health != LEDGER_OK)
        stats->current_stop_us = (monotonic_ns() - ledger->stopped_ns) / 1000;
    stats->not_written_us += stats->current_stop_us;
    stats->commit_us = group_us(ledger);
    stats->lock_waited_us = atomic_load_explicit(&ledger->lock_waited_us, memory_order_relaxed) +
                            current_wait_us(ledger);
    stats->wait_us = health_wait_us(ledger);
    lock_release(&ledger->lock);
    head_file_queue(ledger->head_file, &stats->heads_waiting, &stats->heads_capacity,
                    &stats->heads_dropped);
}
