/* Feeds the range's decisions through the windows that count live ones, day by day, and adds what
 * the history knows of each day. Formulas: engine/monitor/slo.h. */
#include "reports/slo_sums.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/observe/histogram.h"
#include "engine/recorded.h"
#include "reports/slo_kept.h"

#define MAX_DAYS    3653
#define ARENA_BYTES (16u << 20)

struct counter {
    const struct slo_report_options *options;
    struct slo_sums *sums;
    struct observe *observe;
    struct snapshot *scratch;
    struct slo_kept *kept;
    struct decoder *decoder; /* NULL: no objective reads events */
    struct arena *arena;
    uint64_t known_decisions; /* of the day, when the history was there */
};

bool slo_of_ledger(const struct slo *slo)
{
    return slo->indicator == SLO_LATENCY || slo->indicator == SLO_DECISIONS;
}

static int64_t day_start(int64_t time_us)
{
    return time_day(time_us) * US_PER_DAY;
}

/* ---- decisions ---- */

static enum status count_row(struct counter *counter, const struct ledger_row *row,
                             struct error *error)
{
    struct recorded_texts texts;
    struct outcome outcome;
    struct event event;
    engine_recorded_outcome(row, counter->options->observe->features, &texts, &outcome);
    outcome.n_shadows = 0; /* no objective is about them */
    if (counter->decoder) {
        arena_reset(counter->arena);
        if (engine_decode_row(counter->options->schema, counter->decoder, counter->arena, row,
                              &event) != STATUS_OK)
            return error_set(error, STATUS_MEMORY, "out of memory while reading the ledger");
    }
    observe_recorded(counter->observe, &outcome, counter->decoder ? &event : NULL, OBSERVE_WINDOWS);
    counter->known_decisions += slo_kept_knows(counter->kept, row->at_us) ? 1 : 0;
    return STATUS_OK;
}

/* ---- days ---- */

/* Callers that were refused or not answered leave no decision: they are counted only when the
 * history was, and so are the others. */
static enum status count_slo(struct counter *counter, const struct slo *slo,
                             const struct tally *decided, struct slo_counts *counts,
                             struct error *error)
{
    struct tally kept = *slo_kept_tally(counter->kept);
    kept.accepted = counter->known_decisions;
    if (slo->indicator == SLO_SLICES)
        return slo_kept_slices(counter->kept, counter->options->indicators, slo,
                               counter->options->from_us, &counts->counted, &counts->bad, error);
    slo_count(slo, slo_of_ledger(slo) ? decided : &kept, &counts->counted, &counts->bad);
    return STATUS_OK;
}

static void sum_windows(struct counter *counter, struct slo_day *day, struct tally *tally)
{
    struct histogram *latency = calloc(1, sizeof *latency);
    observe_fill(counter->observe, day->start_us + US_PER_DAY - 1, monotonic_ns(),
                 counter->scratch);
    /* A second less than the day: windows are rounded up to whole slices and hours. */
    observe_sum(counter->observe, US_PER_DAY - US_PER_S, tally);
    day->p95_us = (double)NAN;
    if (latency) {
        observe_latency(counter->observe, US_PER_DAY - US_PER_S, latency);
        day->p95_us = histogram_quantile(latency, 0.95);
    }
    free(latency);
    for (int i = 0; i < DECISION_COUNT; i++)
        day->decisions += tally->decisions[i];
    day->declined = tally->decisions[DECISION_DECLINE];
}

/* The day is over: takes its sums out of the windows and the history. */
static enum status close_day(struct counter *counter, struct slo_day *day, struct error *error)
{
    const struct slo_set *slos = counter->options->objectives;
    struct slo_sums *sums = counter->sums;
    struct tally tally = {0};
    enum status status = STATUS_OK;
    sum_windows(counter, day, &tally);
    for (int i = 0; i < slos->n && status == STATUS_OK; i++) {
        status = count_slo(counter, &slos->slos[i], &tally, &day->slos[i], error);
        sums->totals[i].counted += day->slos[i].counted;
        sums->totals[i].bad += day->slos[i].bad;
    }
    sums->minutes += day->minutes;
    sums->known_minutes += day->known_minutes;
    return status;
}

static int minutes_between(int64_t from_us, int64_t to_us)
{
    return (int)((to_us - from_us + US_PER_MIN - 1) / US_PER_MIN);
}

static enum status open_day(struct counter *counter, int64_t start_us, struct error *error)
{
    const struct slo_report_options *options = counter->options;
    struct slo_day *day = &counter->sums->days[counter->sums->n_days++];
    int64_t from_us = start_us > options->from_us ? start_us : options->from_us;
    int64_t end_us = start_us + US_PER_DAY;
    int64_t to_us = end_us < options->to_us ? end_us : options->to_us;
    enum status status = slo_kept_read(counter->kept, from_us, to_us, error);
    *day = (struct slo_day){.start_us = start_us,
                            .minutes = minutes_between(from_us, to_us),
                            .known_minutes = slo_kept_minutes(counter->kept)};
    counter->known_decisions = 0;
    return status;
}

/* Days without decisions stand in the report too. */
static enum status advance(struct counter *counter, int64_t start_us, struct error *error)
{
    struct slo_sums *sums = counter->sums;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && sums->days[sums->n_days - 1].start_us < start_us) {
        struct slo_day *day = &sums->days[sums->n_days - 1];
        status = close_day(counter, day, error);
        if (status == STATUS_OK)
            status = open_day(counter, day->start_us + US_PER_DAY, error);
    }
    return status;
}

static enum status count_rows(struct counter *counter, struct reader *reader, struct error *error)
{
    struct slo_sums *sums = counter->sums;
    struct query_filter filter;
    struct query *query = NULL;
    struct ledger_row row;
    query_filter_init(&filter);
    filter.from_us = counter->options->from_us;
    filter.to_us = counter->options->to_us;
    filter.limit = -1;
    enum status status = open_day(counter, day_start(filter.from_us), error);
    if (status == STATUS_OK)
        status = query_open(reader, &filter, &query, error);
    while (status == STATUS_OK && (status = query_next(query, &row, error)) == STATUS_OK) {
        status = advance(counter, day_start(row.at_us), error);
        if (status == STATUS_OK)
            status = count_row(counter, &row, error);
    }
    query_close(query);
    if (status != STATUS_END)
        return status;
    status = advance(counter, day_start(filter.to_us - 1), error);
    return status == STATUS_OK ? close_day(counter, &sums->days[sums->n_days - 1], error) : status;
}

/* ---- quarantine ---- */

static enum status count_quarantined(void *context, const struct quarantine_row *row,
                                     struct error *error)
{
    (void)error;
    struct slo_sums *sums = context;
    int64_t at = (day_start(row->received_us) - sums->days[0].start_us) / US_PER_DAY;
    if (at >= 0 && at < sums->n_days)
        sums->days[at].quarantined++;
    return STATUS_OK;
}

static enum status read_quarantine(const struct counter *counter, struct reader *reader,
                                   struct error *error)
{
    struct quarantine_filter filter;
    quarantine_filter_init(&filter);
    filter.from_us = counter->options->from_us;
    filter.to_us = counter->options->to_us;
    filter.limit = -1;
    return quarantine_scan(reader, &filter, false, count_quarantined, counter->sums, error);
}

/* ---- from start to end ---- */

static enum status judge_decisions(struct counter *counter, struct error *error)
{
    const struct slo_report_options *options = counter->options;
    if (!options->indicators)
        return STATUS_OK;
    observe_set_outcome_judge(counter->observe, indicators_outcome, options->indicators, 0);
    return decoder_create(options->schema, true, &counter->decoder, error);
}

static enum status start(struct counter *counter, struct error *error)
{
    const struct slo_report_options *options = counter->options;
    uint64_t span_us = (uint64_t)options->to_us - (uint64_t)options->from_us;
    uint64_t days = span_us / US_PER_DAY + 2;
    if (options->from_us >= options->to_us || days > MAX_DAYS)
        return error_set(
            error, STATUS_INVALID,
            "the range is empty or longer than ten years; --from must lie before --to");
    counter->sums->days = calloc(days, sizeof *counter->sums->days);
    counter->scratch = snapshot_create();
    counter->arena = arena_create(ARENA_BYTES);
    if (!counter->sums->days || !counter->scratch || !counter->arena)
        return error_set(error, STATUS_MEMORY, "out of memory for %llu days",
                         (unsigned long long)days);
    enum status status = observe_create(options->observe, &counter->observe, error);
    if (status == STATUS_OK)
        status = judge_decisions(counter, error);
    return status == STATUS_OK
               ? slo_kept_open(options->ledger_dir, options->history, &counter->kept, error)
               : status;
}

enum status slo_sums_count(const struct slo_report_options *options, struct reader *reader,
                           struct slo_sums *sums, struct error *error)
{
    struct counter counter = {.options = options, .sums = sums};
    *sums = (struct slo_sums){.days = NULL};
    enum status status = start(&counter, error);
    if (status == STATUS_OK)
        status = count_rows(&counter, reader, error);
    if (status == STATUS_OK)
        status = read_quarantine(&counter, reader, error);
    slo_kept_close(counter.kept);
    decoder_destroy(counter.decoder);
    arena_destroy(counter.arena);
    observe_destroy(counter.observe);
    if (counter.scratch)
        snapshot_release(counter.scratch);
    return status;
}
