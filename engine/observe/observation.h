/* One thing that happened, as small as it gets, and who may be told of it besides the windows. */
#ifndef BINNACLE_OBSERVE_OBSERVATION_H
#define BINNACLE_OBSERVE_OBSERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/observe/bins.h"
#include "engine/observe/tally.h"

#define NO_ARM (-1)
#define NO_BIN UINT8_MAX /* no bin of any column */

/* What objectives by expression say of one decision: bits, by their place in the tally. */
struct custom_verdict {
    uint8_t counted, bad;
};
typedef struct custom_verdict outcome_judge(void *context, const struct outcome *outcome);

enum observation_kind {
    OBSERVED_OUTCOME,
    OBSERVED_QUARANTINE,
    OBSERVED_DUPLICATE,
    OBSERVED_ERROR,
    OBSERVED_SHADOW, /* a shadow's score of an outcome observed before */
};

struct observation {
    int64_t at_us;
    int64_t event_us;   /* of the event; at_us when it is not known */
    int64_t latency_us; /* <0: not measured */
    int64_t age_us;     /* of the event when it was decided; INT64_MAX: unknown */
    uint64_t labels;    /* as the sink numbered them */
    uint32_t reasons;   /* of a quarantine: a bit for each violation code */
    float score;
    float decided_score; /* of a shadow's: the score that decided */
    uint8_t kind;        /* enum observation_kind */
    uint8_t decision;
    uint8_t score_bin;
    bool coded; /* the bins of its columns are known */
    struct custom_verdict custom;
    int8_t arm; /* index, or NO_ARM */
};

/* Some in a row, in the order in which they came. */
struct observations {
    const struct observation *list;
    const uint8_t
        *codes; /* by observation, codes_width each, the bins of the coded ones; or NULL */
    size_t codes_width;
    int n;
};

/* The bins of one's columns: NO_BIN stands for the first column (the score), or for all others (the
 * features), where they are not counted. NULL: not known. */
static inline const uint8_t *observation_codes(const struct observations *all, int i)
{
    return all->codes && all->list[i].coded ? all->codes + (size_t)i * all->codes_width : NULL;
}

/* Told of everything, too. All but the labels are called with the windows locked and must neither
 * wait nor call observe. */
struct observe_sink {
    void *context; /* NULL: nobody is */
    /* What the sink tells events apart by: of n decided ones, of a refused one. Any thread. */
    void (*labels)(void *context, const struct outcome *const *outcomes, size_t n,
                   uint64_t *labels);
    uint64_t (*refused)(void *context, const struct event *event);
    /* Bins are by the cuts told last. */
    void (*take)(void *context, const struct observations *observations);
    /* Columns are cut anew; NULL: there is no reference. */
    void (*cuts)(void *context, const struct binning *binnings, int n_columns);
    /* A minute or a slice was judged. */
    void (*verdict)(void *context, int64_t at_us, const struct tally *verdict);
};

#endif
