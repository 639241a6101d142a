/* From what is unusual to why: candidate causes, each with the evidence that ties it to a slice,
 * ranked. Looks at counts by slice and at the list of changes, and at nothing else. */
#ifndef BINNACLE_MONITOR_EXPLAIN_H
#define BINNACLE_MONITOR_EXPLAIN_H

#include "engine/base/status.h"
#include "engine/monitor/symptoms.h"
#include "engine/observe/explanation.h"

enum explain_change_kind { EXPLAIN_SPLIT, EXPLAIN_RULES, EXPLAIN_CONTRACT, EXPLAIN_MODEL };

/* A change that could be a cause. */
struct explain_change {
    enum explain_change_kind kind;
    int64_t at_us;
    char what[240];
};

struct explain_facts {
    int64_t now_us;
    const struct explain_change *changes; /* of the last half hour, oldest first */
    int n_changes;
    int entity;          /* the field that says whose event it is; -1: not known */
    bool shared_store;   /* the online store is another process */
    bool source_stalled; /* the source says that it takes nothing, or is away */
    const char *source;  /* "kafka", ... */
    const char *problem; /* why the record is not written; "" */
};

/* What became of the events of some time. */
struct explain_counts {
    uint64_t events[SLICED_KINDS], decisions[DECISION_COUNT];
    double amount; /* sum over those accepted */
};

/* What the impact is concluded from: the minutes before trouble, and all since it began. */
struct explain_basis {
    struct explain_counts usual, since;
};

/* What is kept from one call to the next: spans of trouble, which are not what is usual, and the
 * last incident, which goes on until its symptom has recovered, however long that takes. Zero it
 * once; one thread at a time. */
#define EXPLAIN_TROUBLES 32
struct explain_memory {
    struct trouble troubles[EXPLAIN_TROUBLES];
    int n_troubles;
    struct explanation last; /* n_causes 0: none yet; until_us: when it recovered */
    struct symptom symptom;  /* of its first cause; the series is the one of this name */
    char series[NAME_SIZE];  /* of the symptom */
    int64_t counted_us;      /* up to there the impact is counted */
    struct explain_basis basis;
};

/* Always fills *out: where nothing is wrong, or nothing is known yet, with the one cause "none",
 * whose evidence says which. */
void explain(const struct slices_view *view, const struct explain_facts *facts,
             struct explain_memory *memory, struct explanation *out);

/* What both need over a restart, in one file: slices and memory. Any thread while no explanation is
 * made. */
MUST_USE enum status explain_save(struct slices *slices, const struct explain_memory *memory,
                                  int64_t now_us, const char *path, struct error *error);
/* Into slices that have counted nothing and a memory of zeros, which stay so after an error.
 * STATUS_NOT_FOUND: there is no file. */
MUST_USE enum status explain_load(struct slices *slices, struct explain_memory *memory,
                                  int64_t now_us, const char *path, struct error *error);

#endif
