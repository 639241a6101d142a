/* Reads history.db, opened without writing. Runs say when a service was counting: what lies outside
 * of them nobody knows. A minute counts where it begins, so that spans that touch add. One thread.
 */
#include "reports/slo_kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/history/range.h"

#define HISTORY_NAME      "history.db"
#define MINUTES_OF_DAY    1440
#define SECONDS_OF_MINUTE INT64_C(60)

struct slo_kept {
    struct history_store *history;          /* NULL: there is none */
    int64_t from_us, to_us;                 /* read last; whole minutes */
    int64_t end_us;                         /* as it was asked for */
    bool known[MINUTES_OF_DAY + 1];         /* by minute, the one after the last as well */
    int n_known;                            /* without that one */
    int64_t minutes_from_us, hours_from_us; /* since when each is there */
    struct tally tally;
};

/* What is older was forgotten, though it is known that there was a service. */
static void note_reach(struct slo_kept *kept, const struct history_options *options)
{
    int64_t newest_us = history_upto_us(kept->history);
    bool any = newest_us != INT64_MIN;
    kept->minutes_from_us = any ? newest_us - options->minutes_us : INT64_MAX;
    kept->hours_from_us = any ? newest_us - options->hours_us : INT64_MAX;
}

enum status slo_kept_open(const char *ledger_dir, const struct history_options *options,
                          struct slo_kept **kept, struct error *error)
{
    struct history_options to_read = *options;
    char *path = NULL;
    struct slo_kept *made = calloc(1, sizeof *made);
    *kept = NULL;
    if (!made || asprintf(&path, "%s/" HISTORY_NAME, ledger_dir) < 0) {
        free(made);
        return error_set(error, STATUS_MEMORY, "out of memory");
    }
    to_read.path = path;
    to_read.read_only = true;
    enum status status = STATUS_OK;
    if (access(path, F_OK) == 0)
        status = history_create(&to_read, &made->history, error);
    if (status == STATUS_OK && made->history)
        note_reach(made, options);
    free(path);
    if (status == STATUS_OK)
        *kept = made;
    else
        slo_kept_close(made);
    return status;
}

void slo_kept_close(struct slo_kept *kept)
{
    if (!kept)
        return;
    history_destroy(kept->history);
    free(kept);
}

/* ---- reading ---- */

static int64_t next_minute_us(int64_t time_us)
{
    int64_t rest_us = time_us % US_PER_MIN;
    return rest_us > 0 ? time_us - rest_us + US_PER_MIN : time_us - rest_us;
}

static void note_minute(void *context, const struct point *point)
{
    struct slo_kept *kept = context;
    int64_t start_us = point->start_s * US_PER_S;
    bool known = point->covered && start_us >= kept->hours_from_us;
    kept->known[(start_us - kept->from_us) / US_PER_MIN] = known;
    kept->n_known += known && start_us < kept->to_us ? 1 : 0;
}

static void add_counts(void *context, const struct point *point)
{
    struct tally *tally = context;
    for (int i = 0; i < point->n_groups; i++) {
        const uint64_t *scalars = point->groups[i]->cell.scalars;
        tally->quarantined += scalars[SCALAR_QUARANTINED];
        tally->duplicates += scalars[SCALAR_DUPLICATES];
        tally->errors += scalars[SCALAR_ERRORS];
        tally->fresh_minutes += scalars[SCALAR_FRESH_MINUTES];
        tally->stale_minutes += scalars[SCALAR_STALE_MINUTES];
        tally->steady_slices += scalars[SCALAR_STEADY_SLICES];
        tally->drifted_slices += scalars[SCALAR_DRIFTED_SLICES];
    }
}

enum status slo_kept_read(struct slo_kept *kept, int64_t from_us, int64_t to_us,
                          struct error *error)
{
    kept->from_us = next_minute_us(from_us);
    kept->to_us = next_minute_us(to_us);
    kept->end_us = to_us;
    kept->n_known = 0;
    memset(kept->known, 0, sizeof kept->known);
    kept->tally = (struct tally){0};
    if (!kept->history || kept->from_us >= kept->to_us)
        return STATUS_OK;
    /* No counts are asked for: whether there was a service is all. */
    struct range minutes = {.from_s = kept->from_us / US_PER_S,
                            .to_s = kept->to_us / US_PER_S + SECONDS_OF_MINUTE,
                            .step_s = SECONDS_OF_MINUTE};
    struct range whole = {
        .from_s = minutes.from_s, .to_s = kept->to_us / US_PER_S, .sections = SECTION_SCALARS};
    enum status status = range_read(kept->history, &minutes, note_minute, kept, error);
    if (status == STATUS_OK)
        status = range_read(kept->history, &whole, add_counts, &kept->tally, error);
    /* Outside of any run, as in a replay, some may have been noted: not all. */
    if (kept->n_known == 0)
        kept->tally.quarantined = kept->tally.duplicates = kept->tally.errors = 0;
    return status;
}

/* ---- asking ---- */

int slo_kept_minutes(const struct slo_kept *kept)
{
    return kept->n_known;
}

bool slo_kept_knows(const struct slo_kept *kept, int64_t time_us)
{
    int64_t minute = (time_us - kept->from_us) / US_PER_MIN;
    return time_us >= kept->from_us && minute <= MINUTES_OF_DAY && kept->known[minute];
}

const struct tally *slo_kept_tally(const struct slo_kept *kept)
{
    return &kept->tally;
}

struct slice_count {
    const struct slo_kept *kept;
    int64_t width_us;
    uint64_t *counted, *bad;
};

/* Only what ends while a service counts is judged live. */
static void count_slice(void *context, int64_t start_us, bool bad)
{
    struct slice_count *count = context;
    bool by_hour = count->width_us % US_PER_HOUR == 0;
    int64_t reach_us = by_hour ? count->kept->hours_from_us : count->kept->minutes_from_us;
    if (start_us < reach_us || !slo_kept_knows(count->kept, start_us + count->width_us))
        return;
    ++*count->counted;
    *count->bad += bad ? 1 : 0;
}

enum status slo_kept_slices(const struct slo_kept *kept, const struct indicators *indicators,
                            const struct slo *slo, int64_t since_us, uint64_t *counted,
                            uint64_t *bad, struct error *error)
{
    struct slice_count count = {kept, slo->slice_us, counted, bad};
    *counted = *bad = 0;
    if (!kept->history || !indicators)
        return STATUS_OK;
    /* One that ends with the first minute belongs to what was read before. */
    int64_t from_us = kept->from_us - slo->slice_us + 1;
    if (from_us < since_us)
        from_us = since_us;
    return indicators_look(indicators, slo, kept->history, from_us, kept->end_us, count_slice,
                           &count, error);
}
