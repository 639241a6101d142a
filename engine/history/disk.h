/* history.db: cells of minutes, slices of half an hour and hours, packed, beside the
 * ledger. One row holds the cells of one shelf's span of time, minutes those of half an hour. One
 * connection: one thread at a time. */
#ifndef BINNACLE_HISTORY_DISK_H
#define BINNACLE_HISTORY_DISK_H

#include <stdatomic.h>

#include "engine/base/status.h"
#include "engine/history/labels.h"
#include "engine/history/row.h"
#include "engine/history/span.h"

/* What is kept: how long a span of time, by which labels, which sections. The numbers are stored.
 * Minutes hold no scores and bins by labels: they would be most of the file and say little; half
 * an hour has them. Hours have everything, and once more by single labels, for panels. */
enum shelf {
    SHELF_MINUTE,
    SHELF_MINUTE_LABELS,
    SHELF_SLICE_LABELS,
    SHELF_HOUR,
    SHELF_HOUR_LABEL,
    SHELF_HOUR_LABELS,
    SHELVES
};
#define SLICE_S INT64_C(1800)
struct shelf_shape {
    int64_t width_s;
    int64_t row_s; /* what one row holds */
    unsigned sections;
};
extern const struct shelf_shape shelf_shapes[SHELVES];

static inline int64_t floor_to(int64_t time_s, int64_t width_s)
{
    int64_t rest = time_s % width_s;
    return time_s - (rest < 0 ? rest + width_s : rest);
}

/* All layouts there have ever been; grows only. */
struct layouts {
    atomic_int n; /* raised when the entry stands: reading takes no lock */
    struct layout *list[256];
};
const struct layout *layouts_get(const struct layouts *layouts, int id); /* NULL: none */

/* When the service was counting. */
struct run {
    int64_t id, from_us, to_us;
};

struct disk;
MUST_USE enum status disk_open(const char *path, bool write, struct disk **disk,
                               struct error *error);
void disk_close(struct disk *disk); /* NULL is ignored */
void disk_abandon(struct disk *disk);

/* What was stored: labels and layouts into those given (both may have it already), the newest
 * decided_at that is not contained and the newest commit's number. */
struct disk_state {
    int64_t upto_us; /* INT64_MIN: nothing was ever stored */
    uint64_t seq;
};
MUST_USE enum status disk_load(struct disk *disk, struct labels *labels, struct layouts *layouts,
                               struct disk_state *state, struct error *error);
/* Within a transaction of reading: the number of the commit that is seen. */
MUST_USE enum status disk_seq(struct disk *disk, uint64_t *seq, struct error *error);
/* Runs that touch [from, to), in order of time. Returns how many, at most `max`. */
MUST_USE enum status disk_runs(struct disk *disk, int64_t from_us, int64_t to_us, struct run *runs,
                               size_t max, size_t *n, struct error *error);

MUST_USE enum status disk_begin(struct disk *disk, bool write, struct error *error);
MUST_USE enum status disk_commit(struct disk *disk, struct error *error);
void disk_rollback(struct disk *disk);

/* Reads the row that begins at `start_s`, and with it what an earlier release kept as a row for
 * each minute of it. Nothing stored: the row is empty. */
MUST_USE enum status disk_read_row(struct disk *disk, enum shelf shelf, int64_t start_s,
                                   struct row *row, struct error *error);
/* Replaces all that disk_read_row() reads. */
MUST_USE enum status disk_write_row(struct disk *disk, enum shelf shelf, int64_t start_s,
                                    struct row *row, struct error *error);
/* Adds cells of a row to a span. */
MUST_USE enum status disk_unpack(const struct disk *disk, const struct layouts *layouts,
                                 struct row_cells cells, int64_t start_s, struct span *span,
                                 struct error *error);
/* Gives the named sections of the cells of each span of time in [from, to), in order. Within a
 * transaction, of which the last row of each shelf is remembered. The visitor may end it by a
 * status other than STATUS_OK, which is returned. */
typedef enum status disk_visitor(void *context, struct row_cells cells, struct error *error);
MUST_USE enum status disk_visit(struct disk *disk, enum shelf shelf, int64_t from_s, int64_t to_s,
                                unsigned sections, disk_visitor *visit, void *context,
                                struct error *error);

MUST_USE enum status disk_put_layout(struct disk *disk, const struct layout *layout,
                                     struct error *error);
MUST_USE enum status disk_put_label(struct disk *disk, int position, const char *name,
                                    struct error *error);
MUST_USE enum status disk_put_value(struct disk *disk, int position, int code, const char *text,
                                    struct error *error);
MUST_USE enum status disk_put_state(struct disk *disk, int64_t upto_us, uint64_t seq,
                                    struct error *error);
MUST_USE enum status disk_put_run(struct disk *disk, const struct run *run, struct error *error);
/* Forgets rows of a shelf that end before that time. */
MUST_USE enum status disk_prune(struct disk *disk, enum shelf shelf, int64_t before_s,
                                struct error *error);

#endif
