/* Layouts: made from the configuration, stored as varints, told apart by a digest. Nothing here
 * keeps state. */
#include "engine/history/layout.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/order.h"
#include "engine/observe/snapshot.h"
#include "engine/observe/varint.h"

/* Added to the number of limits. */
#define RANGED 64  /* columns have MAX_BINS bins, not NARROW_BINS */
#define JUDGED 128 /* the digest of the expressions comes after the limits */

_Static_assert(sizeof(((struct layout *)0)->names[0]) == NAME_SIZE, "names are NAME_SIZE");

static struct layout *allocate(int n_columns)
{
    struct layout *layout = calloc(1, sizeof *layout);
    if (!layout)
        return NULL;
    layout->n_columns = n_columns;
    layout->names = calloc((size_t)n_columns + 1, sizeof *layout->names);
    layout->binnings = calloc((size_t)n_columns + 1, sizeof *layout->binnings);
    if (layout->names && layout->binnings)
        return layout;
    layout_destroy(layout);
    return NULL;
}

void layout_destroy(struct layout *layout)
{
    if (!layout)
        return;
    free(layout->names);
    free(layout->binnings);
    free(layout);
}

static void set_limits(struct layout *layout, const int64_t limits_us[MAX_LATENCY_LIMITS])
{
    for (int i = 0; i < MAX_LATENCY_LIMITS; i++) {
        if (limits_us[i] > 0)
            layout->limits_us[layout->n_limits++] = limits_us[i];
    }
    qsort(layout->limits_us, (size_t)layout->n_limits, sizeof *layout->limits_us, order_int64);
}

static bool set_digest(struct layout *layout)
{
    struct buffer bytes;
    buffer_init(&bytes, (size_t)1 << 20);
    layout_encode(layout, &bytes);
    layout->digest = hash64(bytes.data, bytes.size, 0);
    bool whole = !bytes.overflow;
    buffer_free(&bytes);
    return whole;
}

struct layout *layout_create(const int64_t limits_us[MAX_LATENCY_LIMITS], uint64_t judges,
                             int n_columns, const char *const *names,
                             const struct binning *binnings)
{
    struct layout *layout = allocate(n_columns);
    if (!layout)
        return NULL;
    set_limits(layout, limits_us);
    layout->judges = judges;
    for (int i = 0; i < n_columns; i++) {
        strncpy(layout->names[i], names[i], NAME_SIZE - 1);
        layout->binnings[i] = binnings[i];
    }
    if (set_digest(layout))
        return layout;
    layout_destroy(layout);
    return NULL;
}

/* ---- as bytes ---- */

static void put_column(const struct layout *layout, int column, struct buffer *out)
{
    const struct binning *binning = &layout->binnings[column];
    varint_put(out, strlen(layout->names[column]));
    buffer_append_text(out, layout->names[column]);
    varint_put(out, (uint64_t)binning->n_edges);
    buffer_append(out, binning->edges, (size_t)binning->n_edges * sizeof *binning->edges);
    varint_put(out, binning->n_reference);
    varint_put(out, binning->few);
    for (int i = 0; i < MAX_BINS; i++)
        varint_put(out, binning->reference[i]);
}

void layout_encode(const struct layout *layout, struct buffer *out)
{
    varint_put(out, (uint64_t)layout->n_limits + RANGED + (layout->judges ? JUDGED : 0));
    for (int i = 0; i < layout->n_limits; i++)
        varint_put(out, (uint64_t)layout->limits_us[i]);
    if (layout->judges)
        varint_put(out, layout->judges);
    varint_put(out, (uint64_t)layout->n_columns);
    for (int i = 0; i < layout->n_columns; i++)
        put_column(layout, i, out);
}

static bool take_counts(struct slice *bytes, bool narrow, uint64_t counts[MAX_BINS])
{
    int n = narrow ? NARROW_BINS : MAX_BINS;
    for (int i = 0; i < n; i++) {
        if (!varint_take(bytes, &counts[i == n - 1 ? MISSING_BIN : i]))
            return false;
    }
    return true;
}

static bool take_column(struct slice *bytes, bool narrow, char name[NAME_SIZE],
                        struct binning *binning)
{
    uint64_t n_edges, few = 0;
    if (!varint_take_text(bytes, name, NAME_SIZE) || !varint_take(bytes, &n_edges) ||
        n_edges > (narrow ? NARROW_BINS - 2 : MAX_EDGES) ||
        !varint_take_bytes(bytes, binning->edges, n_edges * sizeof *binning->edges))
        return false;
    binning->n_edges = (int)n_edges;
    if (!varint_take(bytes, &binning->n_reference) || (!narrow && !varint_take(bytes, &few)))
        return false;
    binning->few = few == 1;
    return take_counts(bytes, narrow, binning->reference);
}

static bool take_limits(struct slice *bytes, int64_t limits_us[MAX_LATENCY_LIMITS],
                        uint64_t *judges, bool *narrow)
{
    uint64_t n, limit, flags;
    if (!varint_take(bytes, &n))
        return false;
    flags = n & (RANGED | JUDGED);
    n -= flags;
    *narrow = (flags & RANGED) == 0;
    if (n > MAX_LATENCY_LIMITS)
        return false;
    for (uint64_t i = 0; i < n; i++) {
        if (!varint_take(bytes, &limit) || limit > INT64_MAX)
            return false;
        limits_us[i] = (int64_t)limit;
    }
    *judges = 0;
    return (flags & JUDGED) == 0 || varint_take(bytes, judges);
}

struct layout *layout_decode(struct slice bytes)
{
    int64_t limits_us[MAX_LATENCY_LIMITS] = {0};
    uint64_t n_columns, judges;
    bool narrow;
    if (!take_limits(&bytes, limits_us, &judges, &narrow) || !varint_take(&bytes, &n_columns) ||
        n_columns > MAX_COLUMNS)
        return NULL;
    struct layout *layout = allocate((int)n_columns);
    if (!layout)
        return NULL;
    set_limits(layout, limits_us);
    layout->narrow = narrow;
    layout->judges = judges;
    bool whole = true;
    for (int i = 0; whole && i < (int)n_columns; i++)
        whole = take_column(&bytes, narrow, layout->names[i], &layout->binnings[i]);
    if (whole && set_digest(layout))
        return layout;
    layout_destroy(layout);
    return NULL;
}

/* ---- asked ---- */

int layout_latency(const struct layout *layout, int64_t latency_us)
{
    size_t bucket = histogram_bucket(latency_us);
    int place = (int)bucket;
    for (int i = 0; i < layout->n_limits; i++) {
        if (latency_us >= layout->limits_us[i] && histogram_bucket(layout->limits_us[i]) == bucket)
            place = HISTOGRAM_BUCKETS + i;
    }
    return place;
}

static bool is_edge(const struct layout *layout, int64_t limit_us)
{
    if (histogram_low(histogram_bucket(limit_us)) == limit_us)
        return true;
    for (int i = 0; i < layout->n_limits; i++) {
        if (layout->limits_us[i] == limit_us)
            return true;
    }
    return false;
}

bool layout_below(const struct layout *layout, const uint64_t counts[LATENCY_COUNTS],
                  int64_t limit_us, uint64_t *below)
{
    size_t bucket = histogram_bucket(limit_us);
    uint64_t inside = counts[bucket]; /* of the bucket that the limit is in */
    *below = 0;
    for (size_t i = 0; i < bucket; i++)
        *below += counts[i];
    for (int i = 0; i < layout->n_limits; i++) {
        uint64_t count = counts[HISTOGRAM_BUCKETS + i];
        size_t at = histogram_bucket(layout->limits_us[i]);
        if (at < bucket)
            *below += count;
        else if (at == bucket && layout->limits_us[i] < limit_us)
            *below += count;
        inside += at == bucket ? count : 0;
    }
    if (inside == 0)
        return true;
    if (histogram_low(bucket) != limit_us)
        *below += counts[bucket];
    return is_edge(layout, limit_us);
}

int layout_column(const struct layout *layout, const char *name)
{
    for (int i = 0; i < layout->n_columns; i++) {
        if (strcmp(layout->names[i], name) == 0)
            return i;
    }
    return -1;
}

bool layout_same_column(const struct layout *a, int column_a, const struct layout *b, int column_b)
{
    const struct binning *x = &a->binnings[column_a], *y = &b->binnings[column_b];
    return a == b || (x->n_edges == y->n_edges && x->n_reference == y->n_reference &&
                      memcmp(x->edges, y->edges, (size_t)x->n_edges * sizeof *x->edges) == 0 &&
                      memcmp(x->reference, y->reference, sizeof x->reference) == 0);
}
