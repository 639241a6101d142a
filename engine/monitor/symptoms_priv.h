/* Between the search of windows and the judges of one. */
#ifndef BINNACLE_MONITOR_SYMPTOMS_PRIV_H
#define BINNACLE_MONITOR_SYMPTOMS_PRIV_H

#include "engine/monitor/symptoms.h"

/* The cells [from, to) of a series, held against what is usual in [base, usual_to). */
struct window {
    const struct span_sums *sums;
    const struct slice_series *series;
    int base, from, to, usual_to;
    bool since_change; /* it begins where something was changed that decides */
};

struct finding {
    double z, strength, base, now;
    uint64_t n_base, n_now;
};

/* Which series a kind of symptom is looked for in. */
enum series_kind symptom_series(enum symptom_kind kind);
/* Whether the window shows it. The finding is filled in either case, but for a window with too few
 * observations to say, where it stays as it is. */
bool symptom_judge(enum symptom_kind kind, const struct window *window, struct finding *finding);
/* The window against trouble that was found, whose cells are the window's usual ones. */
void symptom_hold(const struct symptom *symptom, const struct window *window,
                  struct finding *finding);

#endif
