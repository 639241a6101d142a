/* What an objective's numbers mean, in one sentence. Nothing here keeps state. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/monitor/slo.h"

#define SHORT_SIZE 64

/* "45 min", "13 h", "4 d". */
static const char *span_words(int64_t span_us, char out[SHORT_SIZE])
{
    double minutes = (double)span_us / (double)US_PER_MIN;
    if (minutes < 90)
        snprintf(out, SHORT_SIZE, "%.0f min", fmax(minutes, 1));
    else if (minutes < 48 * 60)
        snprintf(out, SHORT_SIZE, "%.0f h", minutes / 60);
    else
        snprintf(out, SHORT_SIZE, "%.0f d", minutes / 60 / 24);
    return out;
}

/* "over" what is counted: of a window that reaches back before the first event, what there is. */
static const char *window_words(const struct slo_status *status, int64_t window_us,
                                const char *window, char out[SHORT_SIZE])
{
    char span[SHORT_SIZE];
    if (status->reach_us > 0 && status->reach_us < window_us)
        snprintf(out, SHORT_SIZE, "the %.32s there are", span_words(status->reach_us, span));
    else
        snprintf(out, SHORT_SIZE, "%.32s", window);
    return out;
}

static void say_so_far(struct slo_status *status)
{
    char span[SHORT_SIZE];
    status->so_far[0] = '\0';
    if (status->reach_us > 0 && status->reach_us < burn_window_us(BURN_3D))
        snprintf(status->so_far, sizeof status->so_far, "; there are only %.20s so far",
                 span_words(status->reach_us, span));
}

static const char *limit_words(int64_t limit_us, char out[SHORT_SIZE])
{
    if (limit_us < US_PER_S)
        snprintf(out, SHORT_SIZE, "%.4g ms", (double)limit_us / 1000);
    else if (limit_us < 2 * US_PER_MIN)
        snprintf(out, SHORT_SIZE, "%.4g s", (double)limit_us / (double)US_PER_S);
    else
        span_words(limit_us, out);
    return out;
}

const char *slo_unit(const struct slo *slo)
{
    static const char *const units[SLO_INDICATORS] = {"decisions", "events",    "slices",
                                                      "minutes",   "decisions", "slices"};
    return units[slo->indicator];
}

/* What the good ones were. */
static void good_words(const struct slo *slo, char *out, size_t size)
{
    char limit[SHORT_SIZE];
    switch (slo->indicator) {
    case SLO_LATENCY:
        snprintf(out, size, "decisions took less than %s", limit_words(slo->limit_us, limit));
        return;
    case SLO_AVAILABILITY:
        snprintf(out, size, "events were answered");
        return;
    case SLO_DRIFT:
        snprintf(out, size, "slices of five minutes showed no drift");
        return;
    case SLO_FRESHNESS:
        snprintf(out, size, "minutes had events fresher than %s",
                 limit_words(slo->limit_us, limit));
        return;
    case SLO_DECISIONS:
    case SLO_SLICES:
        snprintf(out, size, "%s were good (%.80s)", slo_unit(slo), slo->good);
        return;
    case SLO_INDICATORS:
        break;
    }
    snprintf(out, size, "%s were good", slo_unit(slo));
}

/* Percent with as many digits as tell it from the target. */
static int digits_for(double target)
{
    double allowed = 100 * (1 - target);
    return allowed >= 1 ? 1 : allowed >= 0.1 ? 2 : 3;
}

static void add(char *out, size_t size, const char *text)
{
    size_t used = strlen(out);
    snprintf(out + used, size - used, "%s", text);
}

/* The pair that says the worst, or NULL. */
static const struct slo_pair *worst_pair(const struct slo_status *status)
{
    const struct slo_pair *worst = NULL;
    for (int i = 0; i < SLO_PAIRS; i++) {
        const struct slo_pair *pair = &status->pairs[i];
        if (pair->fires && (!worst || pair->severity > worst->severity))
            worst = pair;
    }
    return worst;
}

static void say_burn(const struct slo_status *status, char *out, size_t size)
{
    char text[200], span[SHORT_SIZE];
    const struct slo_pair *pair = worst_pair(status);
    if (!pair)
        return;
    snprintf(text, sizeof text, " It burns %.3g times as fast as it may over %s: %llu of %llu bad.",
             status->burn[pair->wide],
             window_words(status, burn_window_us(pair->wide), burn_window_name(pair->wide), span),
             (unsigned long long)status->bad[pair->wide],
             (unsigned long long)status->counted[pair->wide]);
    add(out, size, text);
}

static void say_future(const struct slo_status *status, int64_t now_us, char *out, size_t size)
{
    char text[200], basis[SHORT_SIZE], when[SHORT_SIZE], early[SHORT_SIZE], late[SHORT_SIZE];
    const struct slo_forecast *forecast = &status->forecast;
    if (forecast->basis_us == 0 || status->budget_left <= 0)
        return;
    span_words(forecast->basis_us, basis);
    if (forecast->runs_out_us == 0 && forecast->earliest_us == 0)
        snprintf(text, sizeof text, " As in the last %s, it lasts.", basis);
    else if (forecast->runs_out_us == 0)
        snprintf(text, sizeof text, " As in the last %s, it probably lasts; at worst %s.", basis,
                 span_words(forecast->earliest_us - now_us, early));
    else
        snprintf(text, sizeof text, " As in the last %s, it is gone in %s (%s to %s).", basis,
                 span_words(forecast->runs_out_us - now_us, when),
                 span_words(forecast->earliest_us - now_us, early),
                 forecast->latest_us ? span_words(forecast->latest_us - now_us, late) : "never");
    add(out, size, text);
}

static void say_budget(const struct slo_status *status, char *out, size_t size)
{
    char text[120];
    if (status->budget_left > 0)
        snprintf(text, sizeof text, " %.0f %% of the error budget is left.",
                 100 * status->budget_left);
    else
        snprintf(text, sizeof text, " The error budget is used up, %.3g times over.",
                 1 - status->budget_left);
    add(out, size, text);
}

void slo_sentence(const struct slo *slo, int64_t now_us, struct slo_status *status)
{
    char good[160], window[SHORT_SIZE], last[SHORT_SIZE + 16], over[SHORT_SIZE];
    char *out = status->sentence;
    const size_t size = sizeof status->sentence;
    span_words(slo->window_us, window);
    say_so_far(status);
    if (status->n == 0) {
        snprintf(out, size, "No %s were judged in the last %s: nothing is known.", slo_unit(slo),
                 window);
        return;
    }
    good_words(slo, good, sizeof good);
    int digits = digits_for(slo->target);
    snprintf(last, sizeof last, "the last %s", window);
    snprintf(out, size, "%.*f %% of %s over %s (wanted: %.*f %%).", digits,
             100 * status->attainment, good, window_words(status, slo->window_us, last, over),
             digits, 100 * slo->target);
    if (status->counted[BURN_1H] == 0)
        add(out, size, " Nothing was judged in the last hour.");
    say_budget(status, out, size);
    say_burn(status, out, size);
    say_future(status, now_us, out, size);
}
