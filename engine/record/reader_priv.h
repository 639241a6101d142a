/* The reader's inside, shared by scan, query and quarantine. */
#ifndef BINNACLE_RECORD_READER_PRIV_H
#define BINNACLE_RECORD_READER_PRIV_H

#include "engine/record/day_reader_priv.h"
#include "engine/record/reader.h"

struct reader {
    unsigned magic;
    char *dir;
    struct feature_list *lists;
    struct leaf_storage *storage;
    int64_t *days; /* files that were there at the last look, ascending */
    size_t n_days;
    struct day_reader file; /* the one that is open; db NULL: none */
    struct db_stmt *single; /* the statement that a borrowed row stands on */
};

/* Lists the day files anew. */
MUST_USE enum status reader_look(struct reader *reader, struct error *error);
/* Closes what is open and opens the file of days[i]. STATUS_NOT_FOUND: nothing committed there. */
MUST_USE enum status reader_open_day(struct reader *reader, size_t i, struct error *error);

#endif
