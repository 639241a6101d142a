/* Between the files of ui/view. */
#ifndef BINNACLE_VIEW_VIEW_PRIV_H
#define BINNACLE_VIEW_VIEW_PRIV_H

#include "ui/view/view.h"

/* Fills view->attention from what is wrong in the snapshot. */
void view_attention_build(const struct snapshot *snapshot, struct view *view);

/* attention_item.c: the next free place, or NULL when there are more problems than anybody reads;
 * a line of evidence below it, which more than fit are not. Times are 0 when they are not known. */
struct view_attention *view_attention_add(struct view *view, const struct snapshot *snapshot,
                                          enum health severity, int64_t since_us);
void view_attention_say(struct view_attention *item, const char *label, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* queues.c: what queues had no room for lately into view->attention, and what shadows did not see
 * into view->arms_note. */
void view_queues_build(const struct snapshot *snapshot, struct view *view);

/* record.c: the ledger is not written; it is, and requests are refused all the same because that is
 * slow. */
bool view_record_stopped(const struct snapshot *snapshot);
bool view_record_slow(const struct snapshot *snapshot);
/* Fills view->durability and view->stops. */
void view_record_build(const struct snapshot *snapshot, struct view *view);

/* slo.c: burn per window with its limit, when the budget runs out, and what the history keeps.
 * `lowest_limit_us` is the lowest of all objectives on latency. */
void view_slo_build(const struct slo_status *slo, int64_t lowest_limit_us,
                    struct view_objective *row);
/* How long the rest of the budget lasts at this hour's burn rate, in microseconds; NaN when it is
 * not being used up. */
double view_slo_left_us(const struct slo_status *slo);

/* explain.c: the likely cause, the impact and the action, into the worst item of attention. */
void view_explain_build(const struct snapshot *snapshot, struct view *view);

/* drift.c: fills what the view has of drift. */
void view_drift_build(const struct snapshot *snapshot, struct view *view);

/* A name that came from a configuration, a model or an event, made safe to show. */
void view_copy_name(char *out, size_t size, const char *name);

/* "38 %", "overspent 12 %", "no data". */
/* Whether a window reaches back before there was anything to count. */
bool view_slo_is_short(const struct slo_status *slo, int64_t window_us);
void view_budget(double left, char out[WORD_SIZE]);

#endif
