/* The reader's inside, shared by scan, query and quarantine. */
#ifndef BINNACLE_RECORD_READER_PRIV_H
#define BINNACLE_RECORD_READER_PRIV_H

#include "engine/record/day_reader_priv.h"
#include "engine/record/reader.h"

#define OPEN_FILES 16 /* day files kept open by one reader */

struct reader {
    unsigned magic;
    char *dir;
    struct feature_list *lists;
    struct leaf_storage *storage;
    int64_t *days; /* files that were there at the last look, ascending */
    size_t n_days;
    struct day_reader files[OPEN_FILES]; /* db NULL: free */
    struct day_reader *file;             /* the one in use, one of those */
    uint64_t uses;
    struct buffer texts; /* of the row that is lent out */
};

/* Lists the day files anew. */
MUST_USE enum status reader_look(struct reader *reader, struct error *error);
/* Makes the file of days[i] the one in use. STATUS_NOT_FOUND: nothing committed there. */
MUST_USE enum status reader_open_day(struct reader *reader, size_t i, struct error *error);

#endif
