/* Does a new version of a contract break those who read its data, or those who write it? */
#ifndef BINNACLE_CONTRACT_COMPAT_H
#define BINNACLE_CONTRACT_COMPAT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"
#include "engine/contract/contract.h"

/* The words of schema registries. */
enum compat_mode {
    COMPAT_BACKWARD, /* the new version accepts what was written under the last */
    COMPAT_FORWARD,  /* consumers of the last version can read what is written under the new */
    COMPAT_FULL,     /* both */
};
/* "backward", "forward", "full". */
const char *compat_mode_name(enum compat_mode mode);
/* False when the word is none of them. */
bool compat_mode_parse(const char *word, enum compat_mode *mode);

#define COMPAT_TEXT_SIZE 256

struct compat_finding {
    char field[64];              /* "" for the contract as a whole */
    char change[32];             /* "field_removed", "range_narrowed", ...; stable words */
    char text[COMPAT_TEXT_SIZE]; /* for people: what was, what is */
    bool breaks_backward;        /* data of the last version is refused by the new one */
    bool breaks_forward;         /* data of the new version surprises consumers of the last */
};

#define MAX_COMPAT_FINDINGS 512

struct compat_report {
    struct compat_finding
        *findings; /* the whole first, then in order of the fields, new ones last */
    size_t n_findings;
};

/* STATUS_MEMORY is the only failure. The caller frees the report's content. */
MUST_USE enum status compat_compare(const struct contract *last, const struct contract *next,
                                    struct compat_report *report, struct error *error);
void compat_free(struct compat_report *report);
/* How many findings break under this mode. 0: compatible. */
size_t compat_breaks(const struct compat_report *report, enum compat_mode mode);
/* Whether this one does. */
bool compat_finding_breaks(const struct compat_finding *finding, enum compat_mode mode);

#endif
