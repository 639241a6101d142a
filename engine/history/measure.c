/* One table of what can be asked. A count is 0 where the service was counting and nothing came, and
 * no data where it was not; a ratio or percentile of nothing is no data. Refusals, duplicates and
 * errors are in no ledger: where the service was not there to see them they are not known, though
 * decisions of that time may be. */
#include "engine/history/measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/stats/chi_square.h"
#include "engine/stats/distance.h"

enum parameter { NO_PARAMETER, BY_COLUMN, BY_VIOLATION, BY_PERCENTILE };
/* Which arms it is told of; bits. */
enum arms { OF_DECIDERS = 1, OF_SHADOWS = 2, OF_ALL = 3 };

/* What the value is made of, and the number or the share that the row names. */
struct question {
    const struct sums *sums; /* not NULL */
    const struct point *point;
    const struct measure *series;
};

struct measure_row {
    const char *name;
    enum parameter parameter;
    const char *unit;
    unsigned sections;
    enum arms arms;
    bool is_count;  /* 0 where nothing came; else that is no data */
    bool only_live; /* cannot be had from the ledger afterwards */
    double number;  /* for the function */
    enum scalar of; /* likewise */
    double (*value)(const struct question *question);
    const char *help;
};

/* ---- values ---- */

static uint64_t scalar(const struct question *question, enum scalar which)
{
    return question->sums->cell.scalars[which];
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

/* Sums of scores are kept in millionths; what earlier releases wrote is apart, in thousandths, and
 * a range may hold both. */
static double mean_of_scores(const struct question *question, enum scalar millionths,
                             enum scalar thousandths, enum scalar n)
{
    double sum =
        (double)scalar(question, millionths) / 1e6 + (double)scalar(question, thousandths) / 1e3;
    return scalar(question, n) > 0 ? sum / (double)scalar(question, n) : (double)NAN;
}

static uint64_t all_events(const struct question *question)
{
    return scalar(question, SCALAR_ACCEPTED) + scalar(question, SCALAR_QUARANTINED) +
           scalar(question, SCALAR_DUPLICATES) + scalar(question, SCALAR_ERRORS);
}

static double events(const struct question *question)
{
    return (double)all_events(question);
}

/* Over the time that was counted: a minute that has just begun, or in which the service was
 * started, has not fewer events a second for it. Less than a second says nothing of a rate. */
static double rate(const struct question *question)
{
    double counted_s = question->point->covered_s;
    return (double)all_events(question) / (counted_s > 1 ? counted_s : 1);
}

static double number_of(const struct question *question)
{
    return (double)scalar(question, question->series->row->of);
}

static double violations(const struct question *question)
{
    return (double)question->sums->cell.scalars[SCALAR_VIOLATIONS + question->series->code];
}

static double share_of_accepted(const struct question *question)
{
    return ratio(scalar(question, question->series->row->of), scalar(question, SCALAR_ACCEPTED));
}

static double share_of_events(const struct question *question)
{
    return ratio(scalar(question, question->series->row->of), all_events(question));
}

static double latency(const struct question *question)
{
    return sums_latency(question->sums, question->series->share);
}

static double latency_mean(const struct question *question)
{
    return sums_latency_mean(question->sums);
}

static double latency_good(const struct question *question)
{
    const struct layout *layout = question->point->layout;
    return layout->n_limits > 0 ? sums_below(question->sums, layout->limits_us[0]) : (double)NAN;
}

static double measured(const struct question *question)
{
    return (double)sums_measured(question->sums);
}

static double age(const struct question *question)
{
    return ratio(scalar(question, SCALAR_AGE_S), scalar(question, SCALAR_AGED));
}

static double per_shadowed(const struct question *question, enum scalar which)
{
    return ratio(scalar(question, which), scalar(question, SCALAR_SHADOWED));
}

static double share_of_shadowed(const struct question *question)
{
    return per_shadowed(question, question->series->row->of);
}

static double shadow_distance(const struct question *question)
{
    return mean_of_scores(question, SCALAR_SHADOW_DISTANCE_MILLIONTHS,
                          SCALAR_SHADOW_DISTANCE_THOUSANDTHS, SCALAR_SHADOWED);
}

/* Beside other arms a shadow's is its own. */
static double score_mean(const struct question *question)
{
    if (question->point->by_arm && scalar(question, SCALAR_ACCEPTED) == 0)
        return mean_of_scores(question, SCALAR_SHADOW_SCORE_MILLIONTHS,
                              SCALAR_SHADOW_SCORE_THOUSANDTHS, SCALAR_SHADOWED);
    return mean_of_scores(question, SCALAR_SCORE_MILLIONTHS, SCALAR_SCORE_THOUSANDTHS,
                          SCALAR_ACCEPTED);
}

/* The middle of the step that holds the percentile. */
static double score_quantile(const struct question *question)
{
    const uint64_t *steps = question->sums->cell.scores;
    uint64_t n = 0, seen = 0;
    for (int i = 0; i < SCORE_STEPS; i++)
        n += steps[i];
    double rank = fmax(1, ceil(question->series->share * (double)n));
    for (int i = 0; i < SCORE_STEPS && n > 0; i++) {
        seen += steps[i];
        if ((double)seen >= rank)
            return ((double)i + 0.5) / SCORE_STEPS;
    }
    return (double)NAN;
}

/* The bad ones of each pair are counted beside the good ones. */
_Static_assert(SCALAR_STALE_MINUTES == SCALAR_FRESH_MINUTES + 1, "a pair");
_Static_assert(SCALAR_DRIFTED_SLICES == SCALAR_STEADY_SLICES + 1, "a pair");

static double good_of_verdicts(const struct question *question)
{
    enum scalar good = question->series->row->of;
    return ratio(scalar(question, good), scalar(question, good) + scalar(question, good + 1));
}

/* ---- distances from the reference ---- */

/* Counts of the reference and of what is asked for; false: no data on one side. */
static bool both_sides(const struct question *question, double reference[MAX_BINS],
                       double live[MAX_BINS])
{
    int column = question->series->column;
    const uint64_t *counts = column < 0 ? NULL : sums_bins(question->sums, column);
    if (!counts)
        return false;
    const uint64_t *known = question->point->layout->binnings[column].reference;
    double n = 0, m = 0;
    for (int i = 0; i < MAX_BINS; i++) {
        n += reference[i] = (double)known[i];
        m += live[i] = (double)counts[i];
    }
    return n > 0 && m > 0;
}

/* The definitions are those of the live monitor and of `drift`: PSI with half a count more in every
 * bin, the others of shares as they are. */
static double psi(const struct question *question)
{
    double reference[MAX_BINS], live[MAX_BINS], p[MAX_BINS], q[MAX_BINS];
    if (!both_sides(question, reference, live))
        return (double)NAN;
    distance_smooth(reference, live, MAX_BINS, p, q);
    return distance_of(DISTANCE_PSI, p, q, MAX_BINS, NULL);
}

static double share_distance(const struct question *question, enum distance distance)
{
    double p[MAX_BINS], q[MAX_BINS], n = 0, m = 0;
    if (!both_sides(question, p, q))
        return (double)NAN;
    for (int i = 0; i < MAX_BINS; i++) {
        n += p[i];
        m += q[i];
    }
    for (int i = 0; i < MAX_BINS; i++) {
        p[i] /= n;
        q[i] /= m;
    }
    return distance_of(distance, p, q, MAX_BINS, NULL);
}

static double jensen_shannon(const struct question *question)
{
    return share_distance(question, DISTANCE_JS_BASE_2);
}

static double total_variation(const struct question *question)
{
    return share_distance(question, DISTANCE_TVD);
}

static double chi_square(const struct question *question)
{
    double reference[MAX_BINS], live[MAX_BINS];
    return both_sides(question, reference, live)
               ? chi_square_samples(reference, live, MAX_BINS, false, NULL).statistic
               : (double)NAN;
}

static double null_ratio(const struct question *question)
{
    const uint64_t *counts =
        question->series->column < 0 ? NULL : sums_bins(question->sums, question->series->column);
    uint64_t n = 0;
    for (int i = 0; counts && i < MAX_BINS; i++)
        n += counts[i];
    return counts ? ratio(counts[MISSING_BIN], n) : (double)NAN;
}

/* ---- the table ---- */

#define SCALAR_PART SECTION_SCALARS
/* clang-format off */
static const struct measure_row rows[] = {
    {"events", NO_PARAMETER, "events", SCALAR_PART, OF_DECIDERS, true, true, 0, 0, events,
     "all that came: accepted, quarantined, duplicates and errors"},
    {"events_per_s", NO_PARAMETER, "events/s", SCALAR_PART, OF_DECIDERS, true, true, 0, 0, rate, "their rate over the time that was counted"},
    {"accepted", NO_PARAMETER, "events", SCALAR_PART, OF_DECIDERS, true, false, 0, SCALAR_ACCEPTED, number_of,
     "decided"},
    {"quarantined", NO_PARAMETER, "events", SCALAR_PART, OF_DECIDERS, true, true, 0, SCALAR_QUARANTINED,
     number_of, "not decided because the contract was broken"},
    {"duplicates", NO_PARAMETER, "events", SCALAR_PART, OF_DECIDERS, true, true, 0, SCALAR_DUPLICATES, number_of,
     "seen before"},
    {"errors", NO_PARAMETER, "events", SCALAR_PART, OF_DECIDERS, true, true, 0, SCALAR_ERRORS, number_of,
     "callers who got no decision"},
    {"error_ratio", NO_PARAMETER, "ratio", SCALAR_PART, OF_DECIDERS, false, true, 0, SCALAR_ERRORS,
     share_of_events, "errors over all events"},
    {"quarantine_ratio", NO_PARAMETER, "ratio", SCALAR_PART, OF_DECIDERS, false, true, 0, SCALAR_QUARANTINED,
     share_of_events, "quarantined over all events"},
    {"approve", NO_PARAMETER, "decisions", SCALAR_PART, OF_DECIDERS, true, false, 0, SCALAR_APPROVED, number_of,
     "approved"},
    {"review", NO_PARAMETER, "decisions", SCALAR_PART, OF_DECIDERS, true, false, 0, SCALAR_REVIEWED, number_of,
     "sent to review"},
    {"decline", NO_PARAMETER, "decisions", SCALAR_PART, OF_DECIDERS, true, false, 0, SCALAR_DECLINED, number_of,
     "declined"},
    {"approve_ratio", NO_PARAMETER, "ratio", SCALAR_PART, OF_DECIDERS, false, false, 0, SCALAR_APPROVED,
     share_of_accepted, "approved over decided"},
    {"review_ratio", NO_PARAMETER, "ratio", SCALAR_PART, OF_DECIDERS, false, false, 0, SCALAR_REVIEWED,
     share_of_accepted, "sent to review over decided"},
    {"decline_ratio", NO_PARAMETER, "ratio", SCALAR_PART, OF_DECIDERS, false, false, 0, SCALAR_DECLINED,
     share_of_accepted, "declined over decided"},
    {"latency_p50_us", NO_PARAMETER, "us", SECTION_LATENCY, OF_DECIDERS, false, false, 0.5, 0, latency,
     "half of the decisions took no longer; within 0.8 %"},
    {"latency_p90_us", NO_PARAMETER, "us", SECTION_LATENCY, OF_DECIDERS, false, false, 0.9, 0, latency,
     "90 % took no longer"},
    {"latency_p95_us", NO_PARAMETER, "us", SECTION_LATENCY, OF_DECIDERS, false, false, 0.95, 0, latency,
     "95 % took no longer"},
    {"latency_p99_us", NO_PARAMETER, "us", SECTION_LATENCY, OF_DECIDERS, false, false, 0.99, 0, latency,
     "99 % took no longer"},
    {"latency_p999_us", NO_PARAMETER, "us", SECTION_LATENCY, OF_DECIDERS, false, false, 0.999, 0, latency,
     "99.9 % took no longer; any other as latency_p75_us, latency_p9999_us (99.99 %)"},
    {"latency_p", BY_PERCENTILE, "us", SECTION_LATENCY, OF_DECIDERS, false, false, 0, 0, latency, ""},
    {"latency_mean_us", NO_PARAMETER, "us", SECTION_LATENCY, OF_DECIDERS, false, false, 0, 0,
     latency_mean, "the mean, within 0.8 %"},
    {"latency_good_ratio", NO_PARAMETER, "ratio", SECTION_LATENCY, OF_DECIDERS, false, false, 0, 0, latency_good,
     "decisions under the lowest limit of the objectives, exactly"},
    {"latency_measured", NO_PARAMETER, "decisions", SECTION_LATENCY, OF_DECIDERS, true, false, 0, 0, measured,
     "decisions whose latency is known"},
    {"age_mean_s", NO_PARAMETER, "s", SCALAR_PART, OF_DECIDERS, false, false, 0, 0, age,
     "how old events were when they were decided"},
    {"score_mean", NO_PARAMETER, "score", SCALAR_PART, OF_ALL, false, false, 0, 0, score_mean, "the mean"},
    {"score_p50", NO_PARAMETER, "score", SECTION_SCORES, OF_ALL, false, false, 0.5, 0, score_quantile,
     "half of the scores are no higher; within 0.01"},
    {"score_p90", NO_PARAMETER, "score", SECTION_SCORES, OF_ALL, false, false, 0.9, 0, score_quantile,
     "90 % are no higher"},
    {"score_p99", NO_PARAMETER, "score", SECTION_SCORES, OF_ALL, false, false, 0.99, 0, score_quantile,
     "99 % are no higher; any other as score_p75"},
    {"score_p", BY_PERCENTILE, "score", SECTION_SCORES, OF_ALL, false, false, 0, 0, score_quantile, ""},
    {"shadow_scored", NO_PARAMETER, "decisions", SCALAR_PART, OF_SHADOWS, true, true, 0, SCALAR_SHADOWED,
     number_of, "scored by a shadow too, each as often as there were shadows"},
    {"shadow_disagreement_ratio", NO_PARAMETER, "ratio", SCALAR_PART, OF_SHADOWS, false, false, 0,
     SCALAR_SHADOW_FAR, share_of_shadowed,
     "of those, the shadow's score further than 0.1 from the score that decided"},
    {"shadow_higher_ratio", NO_PARAMETER, "ratio", SCALAR_PART, OF_SHADOWS, false, false, 0,
     SCALAR_SHADOW_HIGHER, share_of_shadowed, "of those, the shadow's score above it"},
    {"shadow_distance_mean", NO_PARAMETER, "score", SCALAR_PART, OF_SHADOWS, false, false, 0, 0,
     shadow_distance, "how far the shadow's score is from it, the mean"},
    {"fresh_ratio", NO_PARAMETER, "ratio", SCALAR_PART, OF_DECIDERS, false, false, 0, SCALAR_FRESH_MINUTES,
     good_of_verdicts, "minutes whose newest event was fresh, over minutes judged"},
    {"steady_ratio", NO_PARAMETER, "ratio", SCALAR_PART, OF_DECIDERS, false, false, 0, SCALAR_STEADY_SLICES,
     good_of_verdicts, "slices of five minutes without drift, over slices judged"},
    {"quarantine.", BY_VIOLATION, "events", SCALAR_PART, OF_DECIDERS, true, true, 0, 0, violations,
     "quarantined for this reason"},
    {"psi.", BY_COLUMN, "psi", SECTION_BINS, OF_DECIDERS, false, false, 0, 0, psi,
     "population stability index against the reference"},
    {"js.", BY_COLUMN, "distance", SECTION_BINS, OF_DECIDERS, false, false, 0, 0, jensen_shannon,
     "Jensen-Shannon distance from the reference, base 2: 0 to 1"},
    {"chi_square.", BY_COLUMN, "statistic", SECTION_BINS, OF_DECIDERS, false, false, 0, 0, chi_square,
     "Pearson's statistic of both samples"},
    {"tvd.", BY_COLUMN, "distance", SECTION_BINS, OF_DECIDERS, false, false, 0, 0, total_variation,
     "total variation distance from the reference: 0 to 1"},
    {"null_ratio.", BY_COLUMN, "ratio", SECTION_BINS, OF_DECIDERS, false, false, 0, 0, null_ratio,
     "missing values"},
};
/* clang-format on */

/* ---- names ---- */

static int find_violation(struct slice word)
{
    for (int i = 0; i < VIOLATION_CODES; i++) {
        if (slice_is(word, violation_name((enum violation_code)i)))
            return i;
    }
    return -1;
}

static int find_column(const struct layout *layout, struct slice word)
{
    char name[NAME_SIZE] = "";
    if (word.size >= NAME_SIZE)
        return -1;
    memcpy(name, word.data, word.size);
    return layout_column(layout, name);
}

/* A percentile's number, at most 100: "75", "2.5"; "999" and "9999" are 99.9 and 99.99. */
static bool read_percent(struct slice text, double *share)
{
    bool nines = text.size > 2 && text.data[0] == '9' && !memchr(text.data, '.', text.size);
    bool behind_point = false;
    double digits = 0, scale = 100;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '.' && i > 0 && !behind_point) {
            behind_point = true;
            continue;
        }
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        digits = digits * 10 + (text.data[i] - '0');
        scale *= behind_point || (nines && i > 1) ? 10 : 1;
    }
    *share = digits / scale;
    return text.size > 0 && text.size < 12 && *share <= 1;
}

/* Behind the number of one of latencies stands their unit. */
static bool read_percentile(struct slice text, const char *unit, double *share)
{
    static const char us[] = "_us";
    size_t size = strcmp(unit, "us") == 0 ? sizeof us - 1 : 0;
    return text.size > size && memcmp(text.data + text.size - size, us, size) == 0 &&
           read_percent(slice_make(text.data, text.size - size), share);
}

static bool matches(const struct measure_row *row, struct slice name, struct slice *rest)
{
    size_t size = strlen(row->name);
    if (name.size < size || memcmp(name.data, row->name, size) != 0)
        return false;
    *rest = slice_make(name.data + size, name.size - size);
    return row->parameter == NO_PARAMETER ? rest->size == 0 : rest->size > 0;
}

static bool read_parameter(const struct layout *layout, struct slice text, struct measure *series)
{
    switch (series->row->parameter) {
    case BY_COLUMN:
        series->column = find_column(layout, text);
        return series->column >= 0;
    case BY_VIOLATION:
        series->code = find_violation(text);
        return series->code >= 0;
    case BY_PERCENTILE:
        return read_percentile(text, series->row->unit, &series->share);
    case NO_PARAMETER:
        break;
    }
    return true;
}

enum status measure_find(const struct layout *layout, struct slice name, struct measure *series,
                         struct error *error)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows && name.size < sizeof series->name; i++) {
        struct slice rest;
        if (!matches(&rows[i], name, &rest))
            continue;
        *series = (struct measure){.row = &rows[i], .column = -1, .share = rows[i].number};
        memcpy(series->name, name.data, name.size);
        if (read_parameter(layout, rest, series))
            return STATUS_OK;
    }
    return error_set(error, STATUS_INVALID,
                     "there is no series \"%.*s\"; /api/v1/history/series lists those there are",
                     (int)(name.size < 80 ? name.size : 80), name.size ? name.data : "");
}

bool measure_told_of(const struct measure *series, bool shadow)
{
    return (series->row->arms & (shadow ? OF_SHADOWS : OF_DECIDERS)) != 0;
}

const char *measure_unit(const struct measure *series)
{
    return series->row->unit;
}

unsigned measure_sections(const struct measure *series)
{
    return series->row->sections;
}

double measure_value(const struct measure *series, const struct point *point,
                     const struct sums *sums)
{
    static const struct sums nothing;
    const struct measure_row *row = series->row;
    struct question question = {sums ? sums : &nothing, point, series};
    bool known = point->covered || (!row->only_live && sums);
    double value = row->value(&question);
    if (!isfinite(value))
        return (double)NAN;
    return known || (row->is_count && value > 0) ? value : (double)NAN;
}

static void list_columns(const struct measure_row *row, const struct layout *layout,
                         measure_visitor *visit, void *context)
{
    char name[2 * NAME_SIZE];
    for (int i = 0; i < layout->n_columns; i++) {
        snprintf(name, sizeof name, "%s%s", row->name, layout->names[i]);
        visit(context, name, row->unit, row->help);
    }
}

static void list_violations(const struct measure_row *row, measure_visitor *visit, void *context)
{
    char name[2 * NAME_SIZE];
    for (int i = 0; i < VIOLATION_CODES; i++) {
        snprintf(name, sizeof name, "%s%s", row->name, violation_name((enum violation_code)i));
        visit(context, name, row->unit, row->help);
    }
}

void measure_list(const struct layout *layout, measure_visitor *visit, void *context)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].parameter == BY_COLUMN)
            list_columns(&rows[i], layout, visit, context);
        else if (rows[i].parameter == BY_VIOLATION)
            list_violations(&rows[i], visit, context);
        else if (rows[i].parameter == NO_PARAMETER)
            visit(context, rows[i].name, rows[i].unit, rows[i].help);
    }
}
