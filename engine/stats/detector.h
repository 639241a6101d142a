/* Concept drift: detectors that read a stream of numbers, such as the errors of a classifier, and
 * say at which one its mean has changed. Definitions, defaults and behaviour after a detection are
 * those of River 0.26, whose positions they give; where that departs from the paper a parameter
 * asks for the paper's way. */
#ifndef BINNACLE_STATS_DETECTOR_H
#define BINNACLE_STATS_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

enum detector_method {
    /* Adaptive windowing. Bifet and Gavalda 2007, with the buckets of ADWIN2. */
    DETECTOR_ADWIN,
    /* Drift detection method, on errors of 0 and 1. Gama, Medas, Castillo and Rodrigues 2004. */
    DETECTOR_DDM,
    /* Early drift detection method, on the distance between errors. Baena-Garcia et al. 2006. */
    DETECTOR_EDDM,
    /* Hoeffding's bound on moving averages. Frias-Blanco et al. 2014, test A. */
    DETECTOR_HDDM_A,
    /* Page-Hinkley. Page 1954; with fading sums as Sebastiao and Fernandes 2017. */
    DETECTOR_PAGE_HINKLEY,
    /* Kolmogorov-Smirnov windowing. Raab, Heusinger and Schleif 2020. */
    DETECTOR_KSWIN,
    DETECTOR_COUNT,
};

enum detector_kind { DETECTOR_NUMBER, DETECTOR_INTEGER, DETECTOR_BOOL, DETECTOR_WORD };

struct detector_parameter {
    const char *name;
    enum detector_kind kind;
    double fallback;
    double minimum, maximum;  /* both allowed */
    const char *const *words; /* DETECTOR_WORD: the value is an index into these; ends with NULL */
    const char *help;
};

#define DETECTOR_MAX_PARAMETERS 8

/* "adwin", "ddm", "eddm", "hddm_a", "ph", "kswin". */
const char *detector_name(enum detector_method method);
/* False when no method has this name. */
bool detector_find(const char *name, enum detector_method *method);
/* The parameters of a method in the order of its values; ends with a row whose name is NULL. */
const struct detector_parameter *detector_parameters(enum detector_method method);
void detector_defaults(enum detector_method method, double values[DETECTOR_MAX_PARAMETERS]);
/* Takes "name=value" into `values`. STATUS_INVALID names the unknown parameter or the range. */
MUST_USE enum status detector_set(enum detector_method method, struct slice assignment,
                                  double values[DETECTOR_MAX_PARAMETERS], struct error *error);

struct detector;
/* `values` as detector_defaults() and detector_set() leave them; STATUS_INVALID where two of them
 * contradict each other. All memory is taken here: an update takes none. */
MUST_USE enum status detector_create(enum detector_method method,
                                     const double values[DETECTOR_MAX_PARAMETERS],
                                     struct detector **detector, struct error *error);
void detector_destroy(struct detector *detector);
/* As it was made. */
void detector_restart(struct detector *detector);
/* The next number of the stream; *fired when a change was found at it, after which the detector
 * starts afresh with the number that follows. STATUS_INVALID when the number is not finite, or is
 * none that the method can read (ddm: errors are from 0 to 1). One thread at a time. */
MUST_USE enum status detector_update(struct detector *detector, double number, bool *fired,
                                     struct error *error);

#endif
