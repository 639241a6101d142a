/* Between the files of explain. */
#ifndef BINNACLE_MONITOR_EXPLAIN_PRIV_H
#define BINNACLE_MONITOR_EXPLAIN_PRIV_H

#include "engine/monitor/explain.h"
#include "engine/monitor/symptoms_priv.h"

/* A cause that could be, with how well the evidence speaks for it. */
struct candidate {
    struct explained_cause cause;
    double weight; /* 0 to 1 */
    const struct symptom *symptom;
    char incident[240];
    char action[400];
};

#define MAX_CANDIDATES 24
#define LEAST_WEIGHT   0.3 /* below, nothing is said to be wrong */

struct inquiry {
    const struct span_sums *sums;
    const struct explain_facts *facts;
    struct symptom symptoms[MAX_SYMPTOMS];
    int n_symptoms;
    struct candidate candidates[MAX_CANDIDATES];
    int n_candidates;
};

/* The strongest of this kind (and of this field, when not negative), or NULL. */
const struct symptom *inquiry_symptom(const struct inquiry *inquiry, enum symptom_kind kind,
                                      int field);
/* A new candidate seen in this symptom, or NULL when there are too many. */
struct candidate *inquiry_add(struct inquiry *inquiry, const char *cause, const char *slice,
                              const struct symptom *symptom);
int64_t inquiry_cell_us(const struct inquiry *inquiry, int cell);
int inquiry_cell_at(const struct inquiry *inquiry, int64_t at_us); /* n_cells: later than all */
/* The newest change of this kind that lies from 90 s before to a few seconds after the symptom's
 * beginning, or NULL. */
const struct explain_change *inquiry_change(const struct inquiry *inquiry,
                                            enum explain_change_kind kind,
                                            const struct symptom *symptom);

/* explain_impact.c. What the symptom has touched in its cells, into *out, and what that was
 * concluded from, into *basis. */
void inquiry_impact(const struct inquiry *inquiry, const struct symptom *symptom,
                    struct explain_basis *basis, struct explanation *out);
/* The same of an incident that goes on, as of `before` and of the cells of `rest`, which *basis
 * does not hold yet. */
void inquiry_impact_add(const struct inquiry *inquiry, const struct symptom *rest,
                        struct explain_basis *basis, const struct explanation *before,
                        struct explanation *out);

/* explain_ongoing.c. Whether the incident that the memory holds has recovered: into the memory. */
void ongoing_check(const struct inquiry *inquiry, struct explain_memory *memory);
/* *out tells what was found: where it is the incident that the memory holds, it
 * gets its beginning and impact; and it is what the memory holds from now on. `basis`: of the
 * impact that was found. */
void ongoing_tell(const struct inquiry *inquiry, const struct symptom *symptom,
                  const struct explain_basis *basis, struct explain_memory *memory,
                  struct explanation *out);
/* Nothing was found: tells the incident that the memory holds, if it goes on. */
bool ongoing_continue(const struct inquiry *inquiry, struct explain_memory *memory,
                      struct explanation *out);

/* Each looks for one kind of cause and adds what it finds. */
typedef void cause_finder(struct inquiry *inquiry);
/* causes_machine.c: what is under or around the service */
cause_finder find_slow_record, find_slow_decisions, find_errors, find_volume;
/* causes_input.c: what comes in */
cause_finder find_upstream, find_refused_cohort, find_age, find_labels;
/* causes_decision.c: what was changed here, and who it touches */
cause_finder find_split, find_rules, find_model, find_cohort;

/* What of an excess of `bad` outcomes one slice carries: its own in the window less what it would
 * have had at its rate before; where it had too few before, at the rate of all. The parts of the
 * slices of one field and the shift among them add up to the whole. */
struct contribution {
    const struct slice_series *slice;
    double excess;      /* events */
    double share;       /* of the whole excess; NaN when there is none */
    double traffic_now; /* the slice's share of the events */
    double traffic_base;
    double rate_now, rate_base;
};
/* `first` and `n`: the slice's counters that are bad. Largest first; returns how many, at most
 * `most`. field -1: the variants. */
int contributions_find(const struct span_sums *sums, const struct symptom *symptom, int field,
                       int first, int n, struct contribution *out, int most, double *excess);

#endif
