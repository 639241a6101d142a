/* Metrics of scores against labels, from one sort. The definitions are those of scikit-learn
 * (roc_auc_score, average_precision_score, brier_score_loss, log_loss), which the tests compare
 * with, and of the Fraud Detection Handbook. */
#include "engine/model/metrics.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

struct scored {
    float score;
    bool positive;
};

static int by_score_descending(const void *a, const void *b)
{
    float x = ((const struct scored *)a)->score, y = ((const struct scored *)b)->score;
    return (x < y) - (x > y);
}

/* One pass over distinct scores from high to low. */
static void rank_metrics(const struct scored *rows, size_t n, struct metrics *out)
{
    double positives = 0, negatives = 0, pairs = 0, precision_sum = 0;
    for (size_t i = 0; i < n;) {
        double tied_positives = 0, tied_negatives = 0;
        float score = rows[i].score;
        for (; i < n && rows[i].score == score; i++) {
            tied_positives += rows[i].positive;
            tied_negatives += !rows[i].positive;
        }
        pairs += tied_negatives * (positives + 0.5 * tied_positives);
        positives += tied_positives;
        negatives += tied_negatives;
        precision_sum += tied_positives * positives / (positives + negatives);
    }
    bool both = positives > 0 && negatives > 0;
    out->positives = (size_t)positives;
    out->auc = both ? pairs / (positives * negatives) : (double)NAN;
    out->average_precision = both ? precision_sum / positives : (double)NAN;
}

static void value_metrics(const struct scored *rows, size_t n, struct metrics *out)
{
    double squares = 0, loss = 0;
    for (size_t i = 0; i < n; i++) {
        double score = (double)rows[i].score, truth = rows[i].positive ? 1 : 0;
        double clipped = fmin(fmax(score, DBL_EPSILON), 1 - DBL_EPSILON);
        squares += (score - truth) * (score - truth);
        loss -= rows[i].positive ? log(clipped) : log1p(-clipped);
    }
    out->brier = n ? squares / (double)n : (double)NAN;
    out->log_loss = n ? loss / (double)n : (double)NAN;
}

enum status metrics_compute(const float *scores, const float *labels, size_t n, struct metrics *out,
                            struct error *error)
{
    struct scored *rows = malloc((n + 1) * sizeof *rows);
    if (!rows)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = STATUS_OK;
    for (size_t i = 0; !status && i < n; i++) {
        rows[i] = (struct scored){scores[i], labels[i] > 0};
        if (isnan(scores[i]))
            status = error_set(error, STATUS_INVALID, "row %zu has no score", i + 1);
        else if (labels[i] != 0 && labels[i] != 1)
            status = error_set(error, STATUS_INVALID, "row %zu has the label %g, not 0 or 1", i + 1,
                               (double)labels[i]);
    }
    if (!status) {
        *out = (struct metrics){.n = n};
        if (n)
            qsort(rows, n, sizeof *rows, by_score_descending);
        rank_metrics(rows, n, out);
        value_metrics(rows, n, out);
    }
    free(rows);
    return status;
}

/* ---- card precision ---- */

static int by_day_and_card(const void *a, const void *b)
{
    const struct card_event *x = a, *y = b;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    return (x->card > y->card) - (x->card < y->card);
}

static int by_rank(const void *a, const void *b)
{
    const struct card_event *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->card > y->card) - (x->card < y->card);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* A day's events, sorted by card, into one event a card; cards found before are left out. */
static size_t merge_cards(struct card_event *events, size_t n, const uint64_t *found,
                          size_t n_found)
{
    size_t kept = 0;
    for (size_t i = 0; i < n;) {
        struct card_event card = events[i];
        for (i++; i < n && events[i].card == card.card; i++) {
            card.score = events[i].score > card.score ? events[i].score : card.score;
            card.fraud = card.fraud || events[i].fraud;
        }
        if (!n_found || !bsearch(&card.card, found, n_found, sizeof *found, by_number))
            events[kept++] = card;
    }
    return kept;
}

enum status metrics_card_precision(struct card_event *events, size_t n, size_t k, double *out,
                                   struct error *error)
{
    uint64_t *found = malloc((n + 1) * sizeof *found);
    if (!found)
        return error_set(error, STATUS_MEMORY, "out of memory");
    size_t n_found = 0, n_days = 0;
    double sum = 0;
    if (n)
        qsort(events, n, sizeof *events, by_day_and_card);
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first; end < n && events[end].day == events[first].day; end++)
            ;
        size_t n_cards = merge_cards(events + first, end - first, found, n_found), hits = 0;
        if (n_cards)
            qsort(events + first, n_cards, sizeof *events, by_rank);
        for (size_t i = 0; i < n_cards && i < k; i++)
            if (events[first + i].fraud) {
                found[n_found++] = events[first + i].card;
                hits++;
            }
        if (n_found)
            qsort(found, n_found, sizeof *found, by_number);
        sum += (double)hits / (double)k;
        n_days++;
    }
    *out = n_days && k ? sum / (double)n_days : (double)NAN;
    free(found);
    return STATUS_OK;
}
