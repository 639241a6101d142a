/* What is said of the ledger's writing: how durable an answer is, and since when nothing is
 * written, or was not. Pure functions. */
#include <stdio.h>

#include "engine/base/number.h"
#include "ui/view/view_priv.h"

bool view_record_stopped(const struct snapshot *snapshot)
{
    return snapshot->record.used && snapshot->record.state != RECORD_WRITES;
}

bool view_record_slow(const struct snapshot *snapshot)
{
    return snapshot->record.used && snapshot->record.state == RECORD_WRITES && !snapshot->ready &&
           snapshot->record.wait_us > 0;
}

void view_record_build(const struct snapshot *snapshot, struct view *view)
{
    const struct record_status *record = &snapshot->record;
    char from[WORD_SIZE], long_us[WORD_SIZE], refused[WORD_SIZE];
    if (!record->used) {
        snprintf(view->durability, sizeof view->durability, "no ledger: nothing is recorded");
        return;
    }
    if (record->batch_us > 0)
        snprintf(view->durability, sizeof view->durability, "batch: a crash may lose %s of answers",
                 words_latency((double)record->batch_us, from));
    else
        snprintf(view->durability, sizeof view->durability,
                 "commit: what is answered is on the disk");
    if (record->state != RECORD_WRITES)
        snprintf(view->stops, sizeof view->stops, "not written since %s",
                 words_time(record->since_us, snapshot->time_us, true, from));
    else if (record->stops > 0)
        snprintf(view->stops, sizeof view->stops,
                 "not written %s from %s; %s %s refused since the start",
                 words_duration(record->last_to_us - record->last_from_us, long_us),
                 words_time(record->last_from_us, snapshot->time_us, true, from),
                 words_count(record->refused, refused),
                 number_noun(record->refused, "event", "events"));
}
