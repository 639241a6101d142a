/* Causes under and around the service: the record's database and disk, the shared store, the
 * processor, the amount of traffic. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/monitor/explain_priv.h"

#define LOCKED_SHARE 0.2 /* of a window for which the writer waited for others' locks */
#define UNFELT       0.6
#define FELT_US      250000 /* a commit that holds a caller up for so long */

static double seconds_of(const struct symptom *symptom)
{
    return (symptom->to - symptom->from) * (SLICE_CELL_US / 1e6);
}

/* Which share of the window the writer waited for a lock that somebody else held. */
static double locked_share(const struct inquiry *inquiry, const struct symptom *symptom)
{
    const struct slice_series *record = slices_find(inquiry->sums->view, SERIES_RECORD, -1);
    uint64_t ms =
        span_count(inquiry->sums, record->first + RECORD_LOCKED_MS, symptom->from, symptom->to);
    return (double)ms / 1e3 / seconds_of(symptom);
}

static const struct symptom *strongest(const struct inquiry *inquiry,
                                       const enum symptom_kind *kinds, int n)
{
    const struct symptom *best = NULL;
    for (int i = 0; i < n; i++) {
        const struct symptom *symptom = inquiry_symptom(inquiry, kinds[i], -1);
        if (symptom && (!best || symptom->strength > best->strength))
            best = symptom;
    }
    return best;
}

static void tell_record(struct candidate *candidate, const struct symptom *answer,
                        const struct symptom *commit, const struct symptom *record)
{
    if (record)
        snprintf(candidate->incident, sizeof candidate->incident,
                 "the record is not written: events are refused or wait");
    else if (answer)
        snprintf(candidate->incident, sizeof candidate->incident,
                 "%.0f %% of the answers take over a quarter of a second", 100 * answer->now);
    else
        snprintf(candidate->incident, sizeof candidate->incident,
                 "a commit takes %.0f ms, before %.1f ms", commit->now / 1e3, commit->base / 1e3);
}

/* Callers wait for the commit: what holds that up, holds up all of them alike. */
void find_slow_record(struct inquiry *inquiry)
{
    static const enum symptom_kind kinds[] = {SYMPTOM_RECORD, SYMPTOM_COMMIT, SYMPTOM_ANSWER};
    const struct symptom *seen = strongest(inquiry, kinds, 3);
    const struct symptom *commit = inquiry_symptom(inquiry, SYMPTOM_COMMIT, -1);
    const struct symptom *record = inquiry_symptom(inquiry, SYMPTOM_RECORD, -1);
    const struct symptom *answer = inquiry_symptom(inquiry, SYMPTOM_ANSWER, -1);
    double locked = seen ? locked_share(inquiry, seen) : 0;
    if (!commit && !record && !(answer && locked >= LOCKED_SHARE))
        return;
    bool others = locked >= LOCKED_SHARE || strstr(inquiry->facts->problem, "locked");
    bool hurts = others || record || answer;
    if (!hurts && commit->now < FELT_US)
        return;
    struct candidate *candidate = inquiry_add(inquiry, others ? "dependency" : "resource",
                                              others ? "ledger lock" : "ledger disk", seen);
    if (!candidate)
        return;
    /* A disk that is slow and that nobody waits for is worth telling, behind what hurts. */
    candidate->weight = (0.6 + 0.4 * seen->strength) * (hurts ? 1 : UNFELT);
    candidate->cause.share_of_excess = others ? fmin(locked, 1) : NAN;
    tell_record(candidate, answer, commit, record);
    if (others)
        snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
                 "for %.0f %% of the time the writer waited for a lock on the ledger's database "
                 "that another process held; every variant and every cohort waits alike",
                 100 * fmin(locked, 1));
    else
        snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
                 "commits take %.0f ms, before %.1f ms, and nobody else holds the database: the "
                 "disk is slow; every variant and every cohort waits alike",
                 commit ? commit->now / 1e3 : NAN, commit ? commit->base / 1e3 : NAN);
    snprintf(candidate->action, sizeof candidate->action, "%s",
             others ? "end the process that holds it: fuser -v LEDGER/*.db (the ledger's folder)"
                    : "look at the disk: iostat -x 1; binnacle doctor --ledger LEDGER");
}

static bool record_is_slow(const struct inquiry *inquiry)
{
    return inquiry_symptom(inquiry, SYMPTOM_COMMIT, -1) ||
           inquiry_symptom(inquiry, SYMPTOM_RECORD, -1);
}

/* Decisions themselves take longer, whoever they are for. */
void find_slow_decisions(struct inquiry *inquiry)
{
    const struct symptom *seen = inquiry_symptom(inquiry, SYMPTOM_LATENCY, -1);
    bool shared = inquiry->facts->shared_store;
    if (!seen)
        return;
    struct candidate *candidate = inquiry_add(inquiry, shared ? "dependency" : "resource",
                                              shared ? "online store" : "processor", seen);
    if (!candidate)
        return;
    /* A machine that is busy elsewhere delays a few: that is noise until it is many. */
    candidate->weight = shared ? 0.5 + 0.5 * seen->strength : 0.6 * seen->strength;
    snprintf(candidate->incident, sizeof candidate->incident,
             "%.0f %% of the decisions are slow, before %.1f %%", 100 * seen->now,
             100 * seen->base);
    snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
             "the time of a decision grew for every variant and every cohort alike, %s",
             shared ? "and the features come from a shared online store"
                    : "and the features lie in this process: it waits for the processor");
    snprintf(candidate->action, sizeof candidate->action, "%s",
             shared ? "look at the store: redis-cli --latency; redis-cli slowlog get"
                    : "look at the machine: top; binnacle bench tells what a decision costs here");
}

void find_errors(struct inquiry *inquiry)
{
    const struct symptom *seen = inquiry_symptom(inquiry, SYMPTOM_ERRORS, -1);
    if (!seen)
        return;
    double locked = locked_share(inquiry, seen);
    bool others = locked >= LOCKED_SHARE || inquiry->facts->shared_store ||
                  strstr(inquiry->facts->problem, "locked");
    const char *slice = inquiry->facts->shared_store && locked < LOCKED_SHARE ? "online store"
                        : others                                              ? "ledger lock"
                                                                              : "ledger queue";
    struct candidate *candidate =
        inquiry_add(inquiry, others ? "dependency" : "resource", slice, seen);
    if (!candidate)
        return;
    candidate->weight = 0.6 + 0.4 * seen->strength;
    candidate->cause.share_of_excess = record_is_slow(inquiry) ? 1 : NAN;
    snprintf(candidate->incident, sizeof candidate->incident,
             "%.1f %% of the events get no decision, before %.1f %%", 100 * seen->now,
             100 * seen->base);
    snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
             "events are turned away before anything of theirs is looked at; for %.0f %% of the "
             "time the writer waited for a lock on the ledger's database",
             100 * fmin(locked, 1));
    snprintf(candidate->action, sizeof candidate->action, "%s",
             others ? "end the process that holds it: fuser -v LEDGER/*.db (the ledger's folder)"
                    : "look at the disk of the ledger: binnacle doctor --ledger LEDGER");
}

/* While the record waits events wait as well, and come at once when it goes on. A disk that is slow
 * because more is to be written is no reason for more: only somebody's lock is. */
static bool is_held_up(const struct inquiry *inquiry, const struct symptom *volume)
{
    return inquiry_symptom(inquiry, SYMPTOM_RECORD, -1) ||
           inquiry_symptom(inquiry, SYMPTOM_ERRORS, -1) ||
           (record_is_slow(inquiry) &&
            (volume->now < volume->base || locked_share(inquiry, volume) >= LOCKED_SHARE));
}

/* No amount of traffic makes a field null, an event old or a label positive. */
static bool has_what_volume_cannot_bring(const struct inquiry *inquiry)
{
    static const enum symptom_kind kinds[] = {SYMPTOM_MISSING, SYMPTOM_INVALID, SYMPTOM_REFUSED,
                                              SYMPTOM_COHORT,  SYMPTOM_AGE,     SYMPTOM_LABELS};
    return strongest(inquiry, kinds, sizeof kinds / sizeof *kinds) != NULL;
}

void find_volume(struct inquiry *inquiry)
{
    const struct symptom *seen = inquiry_symptom(inquiry, SYMPTOM_VOLUME, -1);
    if (!seen)
        return;
    bool fewer = seen->now < seen->base;
    bool stalled = fewer && inquiry->facts->source_stalled;
    struct candidate *candidate = inquiry_add(inquiry, stalled ? "source" : "volume",
                                              stalled ? inquiry->facts->source : "", seen);
    if (!candidate)
        return;
    candidate->weight = seen->strength * (is_held_up(inquiry, seen)               ? 0.3
                                          : has_what_volume_cannot_bring(inquiry) ? 0.5
                                                                                  : 0.8);
    candidate->cause.share_of_excess = 1;
    snprintf(candidate->incident, sizeof candidate->incident,
             "%.1f events a second come, usually %.1f", seen->now, seen->base);
    snprintf(candidate->cause.evidence, sizeof candidate->cause.evidence,
             "%.2g times the median of the minutes before, in all cohorts alike%s",
             seen->base > 0 ? seen->now / seen->base : NAN,
             stalled ? "; the source says that nothing is taken from it" : "");
    snprintf(candidate->action, sizeof candidate->action, "%s",
             fewer
                 ? "ask who sends: callers, topic and network; binnacle doctor looks at the broker"
                 : "ask who sends so much; binnacle bench tells how much this machine takes");
}
