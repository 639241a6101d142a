/* Which slice carries how much of an excess. */
#include <math.h>
#include <stdlib.h>

#include "engine/monitor/explain_priv.h"

#define LEAST_BASE 30 /* events of a slice before: below, its own rate is not known */

struct rate {
    uint64_t bad, all;
};

static struct rate rate_over(const struct span_sums *sums, const struct slice_series *slice,
                             int first, int n, int from, int to, bool usual)
{
    struct rate rate = {0, 0};
    for (int i = 0; i < SLICE_SCORE; i++) { /* every event is one decision, or quarantined */
        uint64_t count = usual ? span_usual(sums, slice->first + i, from, to)
                               : span_count(sums, slice->first + i, from, to);
        rate.all += count;
        rate.bad += i >= first && i < first + n ? count : 0;
    }
    return rate;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static int larger_first(const void *a, const void *b)
{
    const struct contribution *x = a, *y = b;
    return (x->excess < y->excess) - (x->excess > y->excess);
}

static bool is_slice_of(const struct slice_series *series, int field)
{
    return series->kind == SERIES_SLICE && series->field == field;
}

int contributions_find(const struct span_sums *sums, const struct symptom *symptom, int field,
                       int first, int n, struct contribution *out, int most, double *excess)
{
    const struct slices_view *view = sums->view;
    struct rate now[MAX_SERIES], base[MAX_SERIES], all_now = {0, 0}, all_base = {0, 0};
    int found = 0, before = span_baseline_from(symptom->from);
    for (int i = 0; i < view->n_series; i++) {
        if (!is_slice_of(&view->series[i], field))
            continue;
        now[i] = rate_over(sums, &view->series[i], first, n, symptom->from, symptom->to, false);
        base[i] = rate_over(sums, &view->series[i], first, n, before, symptom->from, true);
        all_now.bad += now[i].bad;
        all_now.all += now[i].all;
        all_base.bad += base[i].bad;
        all_base.all += base[i].all;
    }
    double usual = ratio(all_base.bad, all_base.all);
    *excess = (double)all_now.bad - usual * (double)all_now.all;
    for (int i = 0; i < view->n_series && found < most; i++) {
        if (!is_slice_of(&view->series[i], field) || now[i].all == 0)
            continue;
        double own = base[i].all >= LEAST_BASE ? ratio(base[i].bad, base[i].all) : usual;
        double extra = (double)now[i].bad - own * (double)now[i].all;
        out[found++] = (struct contribution){.slice = &view->series[i],
                                             .excess = extra,
                                             .share = *excess > 0 ? extra / *excess : NAN,
                                             .traffic_now = ratio(now[i].all, all_now.all),
                                             .traffic_base = ratio(base[i].all, all_base.all),
                                             .rate_now = ratio(now[i].bad, now[i].all),
                                             .rate_base = own};
    }
    qsort(out, (size_t)found, sizeof *out, larger_first);
    return found;
}
