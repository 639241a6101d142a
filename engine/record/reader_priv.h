/* The reader's inside, shared by scan, query and quarantine. */
#ifndef BINNACLE_RECORD_READER_PRIV_H
#define BINNACLE_RECORD_READER_PRIV_H

#include "engine/record/day_reader_priv.h"
#include "engine/record/reader.h"
#include "engine/record/tiers.h"

#define OPEN_FILES 16 /* day files kept open by one reader */

struct reader {
    unsigned magic;
    char *dir;
    struct feature_list *lists;
    struct leaf_storage *storage;
    struct tiers *tiers;
    int64_t *days; /* there at the last look, in whatever tier; ascending */
    size_t n_days;
    struct day_reader files[OPEN_FILES]; /* db NULL: free */
    struct day_reader *file;             /* the one in use, one of those */
    uint64_t uses;
    struct buffer texts; /* of the row that is lent out */
};

/* Lists the day files anew. */
MUST_USE enum status reader_look(struct reader *reader, struct error *error);
/* What is known of days[i] without opening it; NULL: it is live. */
const struct tier_day *reader_sealed(const struct reader *reader, size_t i);
/* The rows of days[i], opened only when it is live. STATUS_NOT_FOUND: nothing committed there. */
MUST_USE enum status reader_day_head(struct reader *reader, size_t i, struct day_head *head,
                                     struct error *error);
/* Makes the file of days[i] the one in use. STATUS_NOT_FOUND: nothing committed there. */
MUST_USE enum status reader_open_day(struct reader *reader, size_t i, struct error *error);

#endif
