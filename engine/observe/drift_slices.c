/* A ring of slices under one lock, which only rows that are sampled and the canary's decisions ask
 * for. Chance comes from xorshift64* with a seed of each place, so a replay by one worker gives the
 * same sample again. Nothing is allocated after creation. */
#include "engine/observe/drift_slices.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/thread.h"
#include "engine/observe/varint.h"

#define LEAST_ROWS 14 /* of a slice: a day of them is OBSERVE_SAMPLE */

struct slot {
    int64_t key;   /* time / SLICE_US */
    bool used;     /* false: nothing is in it */
    double rate;   /* the share of its decisions that is taken */
    size_t n;      /* rows */
    uint64_t seen; /* the canary's */
    uint64_t decisions[DECISION_COUNT];
};

/* What the next decisions of one place meet. */
struct draw {
    _Alignas(64) int64_t from_us, to_us; /* of the slice it was made for */
    double rate;                         /* then */
    uint64_t skip, random;
    unsigned rewound; /* how often the clock had been set back then */
};

struct drift_slices {
    struct draw draws[DRIFT_DRAWS];
    atomic_uint rewound; /* each time, what was drawn of slices that were emptied is void */
    int n_columns, n_slots;
    size_t capacity;  /* rows of a slice */
    struct lock lock; /* of all that follows */
    int64_t newest;   /* key; INT64_MIN: none */
    struct slot *slots;
    float *rows;                /* by slot, capacity of them, n_columns each */
    uint8_t *variants;          /* of each row */
    uint32_t (*bins)[MAX_BINS]; /* the canary's: by slot, n_columns each */
    struct bin_finder finder;
    bool finds;
};

struct drift_slices *drift_slices_create(int n_columns, int64_t window_us)
{
    struct drift_slices *slices = aligned_alloc(64, sizeof *slices);
    if (!slices)
        return NULL;
    *slices = (struct drift_slices){.n_columns = n_columns, .newest = INT64_MIN};
    slices->n_slots = (int)(window_us / SLICE_US) + 2;
    size_t n_slots = (size_t)slices->n_slots, width = (size_t)n_columns;
    slices->capacity =
        OBSERVE_SAMPLE / n_slots > LEAST_ROWS ? OBSERVE_SAMPLE / n_slots : LEAST_ROWS;
    lock_init(&slices->lock, "drift_slices");
    for (uint64_t i = 0; i < DRIFT_DRAWS; i++)
        slices->draws[i].random = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
    slices->slots = calloc(n_slots, sizeof *slices->slots);
    slices->rows = calloc(n_slots * slices->capacity * width, sizeof *slices->rows);
    slices->variants = calloc(n_slots * slices->capacity, sizeof *slices->variants);
    slices->bins = calloc(n_slots * width, sizeof *slices->bins);
    if (slices->slots && slices->rows && slices->variants && slices->bins)
        return slices;
    drift_slices_destroy(slices);
    return NULL;
}

void drift_slices_destroy(struct drift_slices *slices)
{
    if (!slices)
        return;
    free(slices->slots);
    free(slices->rows);
    free(slices->variants);
    free(slices->bins);
    lock_destroy(&slices->lock);
    free(slices);
}

/* ---- slices ---- */

static int64_t key_of(int64_t time_us)
{
    int64_t key = time_us / SLICE_US;
    return key * SLICE_US > time_us ? key - 1 : key;
}

static size_t place_of(const struct drift_slices *slices, int64_t key)
{
    int64_t place = key % slices->n_slots;
    return (size_t)(place < 0 ? place + slices->n_slots : place);
}

static uint32_t (*bins_at(const struct drift_slices *slices, size_t place))[MAX_BINS]
{
    return slices->bins + place * (size_t)slices->n_columns;
}

static void forget_bins(struct drift_slices *slices, size_t place)
{
    memset(bins_at(slices, place), 0, (size_t)slices->n_columns * sizeof *slices->bins);
}

/* The slice of a time, emptied of what was there before; NULL: it is too long ago. */
static struct slot *slot_of(struct drift_slices *slices, int64_t time_us)
{
    int64_t key = key_of(time_us);
    size_t place = place_of(slices, key);
    struct slot *slot = &slices->slots[place];
    if (slot->used && slot->key == key)
        return slot;
    if (slot->used && slot->key > key)
        return NULL;
    if (slot->used)
        forget_bins(slices, place);
    *slot = (struct slot){.key = key, .used = true, .rate = 1};
    if (key > slices->newest)
        slices->newest = key;
    return slot;
}

void drift_slices_advance(struct drift_slices *slices, int64_t now_us)
{
    lock_take(&slices->lock);
    if (key_of(now_us) > slices->newest)
        slices->newest = key_of(now_us);
    lock_release(&slices->lock);
}

void drift_slices_rewind(struct drift_slices *slices, int64_t now_us)
{
    lock_take(&slices->lock);
    slices->newest = key_of(now_us);
    for (size_t place = 0; place < (size_t)slices->n_slots; place++) {
        if (slices->slots[place].key <= slices->newest)
            continue;
        slices->slots[place] = (struct slot){0};
        forget_bins(slices, place);
    }
    atomic_fetch_add_explicit(&slices->rewound, 1, memory_order_relaxed);
    lock_release(&slices->lock);
}

/* Whether a slice is among those that are asked for. */
static bool is_recent(const struct drift_slices *slices, const struct slot *slot)
{
    return slot->used && slot->key <= slices->newest &&
           slot->key > slices->newest - (slices->n_slots - 1);
}

/* ---- the sample ---- */

/* From (0, 1]. */
static double chance(struct draw *draw)
{
    draw->random ^= draw->random >> 12;
    draw->random ^= draw->random << 25;
    draw->random ^= draw->random >> 27;
    return (double)((draw->random * UINT64_C(0x2545f4914f6cdd1d) >> 11) + 1) * 0x1p-53;
}

static void draw_next(struct draw *draw, double rate)
{
    draw->rate = rate;
    draw->skip = rate < 1 ? (uint64_t)(log(chance(draw)) / log1p(-rate)) : 0;
}

static float *row_at(const struct drift_slices *slices, size_t place, size_t i)
{
    return slices->rows + (place * slices->capacity + i) * (size_t)slices->n_columns;
}

/* Gives up half of a slice's rows. */
static void thin(struct drift_slices *slices, struct slot *slot, struct draw *draw)
{
    size_t place = place_of(slices, slot->key), kept = 0;
    uint8_t *variants = slices->variants + place * slices->capacity;
    for (size_t i = 0; i < slot->n; i++) {
        if (chance(draw) <= 0.5)
            continue;
        if (kept != i)
            memcpy(row_at(slices, place, kept), row_at(slices, place, i),
                   (size_t)slices->n_columns * sizeof(float));
        variants[kept++] = variants[i];
    }
    slot->n = kept;
    slot->rate /= 2;
}

static void keep_row(struct drift_slices *slices, struct slot *slot, const struct outcome *outcome)
{
    size_t place = place_of(slices, slot->key), n_features = (size_t)slices->n_columns - 1;
    float *row = row_at(slices, place, slot->n);
    row[0] = outcome->score;
    for (size_t i = 0; i < n_features; i++)
        row[1 + i] = outcome->features.values ? outcome->features.values[i] : NAN;
    slices->variants[place * slices->capacity + slot->n++] = (uint8_t)outcome->variant;
}

/* The lock is held. The draw ends at this decision, or was made for another slice. */
static void meet(struct drift_slices *slices, struct draw *draw, const struct outcome *outcome)
{
    int64_t time_us = outcome->decided_at_us;
    bool other = time_us < draw->from_us || time_us >= draw->to_us;
    struct slot *slot = slot_of(slices, time_us);
    draw->from_us = key_of(time_us) * SLICE_US;
    draw->to_us = draw->from_us + SLICE_US;
    if (!slot) {
        draw->skip = UINT64_MAX;
        return;
    }
    if (other) {
        draw_next(draw, slot->rate);
        if (draw->skip > 0) {
            draw->skip--;
            return;
        }
    }
    while (slot->n == slices->capacity)
        thin(slices, slot, draw);
    /* Drawn before the slice was thinned: by then too many were taken. */
    if (chance(draw) * draw->rate <= slot->rate)
        keep_row(slices, slot, outcome);
    draw_next(draw, slot->rate);
}

/* ---- the canary ---- */

/* The lock is held. */
static void count_canary(struct drift_slices *slices, const struct outcome *outcome)
{
    struct slot *slot = slot_of(slices, outcome->decided_at_us);
    float row[MAX_COLUMNS + BIN_FINDER_STEP] = {0};
    uint8_t codes[MAX_COLUMNS + BIN_FINDER_STEP];
    if (!slot)
        return;
    slot->seen++;
    slot->decisions[outcome->decision]++;
    if (!slices->finds)
        return;
    const float *values = outcome->features.values;
    row[0] = outcome->score;
    if (values)
        memcpy(row + 1, values, ((size_t)slices->n_columns - 1) * sizeof *values);
    bin_finder_row(&slices->finder, row, codes);
    uint32_t(*bins)[MAX_BINS] = bins_at(slices, place_of(slices, slot->key));
    for (int i = 0; i < (values ? slices->n_columns : 1); i++)
        bins[i][codes[i]]++;
}

void drift_slices_outcomes(struct drift_slices *slices, int place,
                           const struct outcome *const *outcomes, size_t n)
{
    struct draw *draw = &slices->draws[place];
    unsigned rewound = atomic_load_explicit(&slices->rewound, memory_order_relaxed);
    if (draw->rewound != rewound)
        draw->from_us = draw->to_us = 0;
    draw->rewound = rewound;
    for (size_t i = 0; i < n; i++) {
        const struct outcome *outcome = outcomes[i];
        bool canary = outcome->variant != VARIANT_CHAMPION;
        bool passed = outcome->decided_at_us >= draw->from_us &&
                      outcome->decided_at_us < draw->to_us && draw->skip > 0;
        draw->skip -= passed;
        if (passed && !canary)
            continue;
        lock_take(&slices->lock);
        if (!passed)
            meet(slices, draw, outcome);
        if (canary)
            count_canary(slices, outcome);
        lock_release(&slices->lock);
    }
}

void drift_slices_set_binnings(struct drift_slices *slices, const struct binning *binnings,
                               bool keep)
{
    lock_take(&slices->lock);
    slices->finds = binnings != NULL;
    if (binnings)
        bin_finder_make(&slices->finder, binnings, slices->n_columns);
    for (size_t i = 0; i < (size_t)slices->n_slots && !keep; i++)
        forget_bins(slices, i);
    lock_release(&slices->lock);
}

/* ---- asked ---- */

size_t drift_slices_values(struct drift_slices *slices, int column, enum variant variant,
                           struct observed_value values[OBSERVE_SAMPLE])
{
    size_t n = 0;
    lock_take(&slices->lock);
    for (size_t place = 0; place < (size_t)slices->n_slots; place++) {
        const struct slot *slot = &slices->slots[place];
        const uint8_t *variants = slices->variants + place * slices->capacity;
        for (size_t i = 0; is_recent(slices, slot) && i < slot->n && n < OBSERVE_SAMPLE; i++) {
            float value = row_at(slices, place, i)[column];
            if ((variant == VARIANT_COUNT || variants[i] == variant) && !isnan(value))
                values[n++] = (struct observed_value){(double)value, 1 / slot->rate};
        }
    }
    lock_release(&slices->lock);
    return n;
}

void drift_slices_bins(struct drift_slices *slices, int column, uint64_t counts[MAX_BINS])
{
    memset(counts, 0, MAX_BINS * sizeof *counts);
    lock_take(&slices->lock);
    for (size_t place = 0; place < (size_t)slices->n_slots; place++) {
        bool recent = is_recent(slices, &slices->slots[place]);
        for (int i = 0; recent && i < MAX_BINS; i++)
            counts[i] += bins_at(slices, place)[column][i];
    }
    lock_release(&slices->lock);
}

void drift_slices_decisions(struct drift_slices *slices, uint64_t counts[DECISION_COUNT])
{
    memset(counts, 0, DECISION_COUNT * sizeof *counts);
    lock_take(&slices->lock);
    for (int place = 0; place < slices->n_slots; place++) {
        bool recent = is_recent(slices, &slices->slots[place]);
        for (int i = 0; recent && i < DECISION_COUNT; i++)
            counts[i] += slices->slots[place].decisions[i];
    }
    lock_release(&slices->lock);
}

/* ---- as bytes: each slice that holds something after a one, then 0 ---- */

static void put_rows(const struct drift_slices *slices, size_t place, struct buffer *out)
{
    const struct slot *slot = &slices->slots[place];
    buffer_append(out, &slot->rate, sizeof slot->rate);
    varint_put(out, slot->n);
    buffer_append(out, row_at(slices, place, 0),
                  slot->n * (size_t)slices->n_columns * sizeof(float));
    buffer_append(out, slices->variants + place * slices->capacity, slot->n);
}

static void put_slot(const struct drift_slices *slices, size_t place, struct buffer *out)
{
    const struct slot *slot = &slices->slots[place];
    varint_put_signed(out, slot->key);
    put_rows(slices, place, out);
    varint_put(out, slot->seen);
    for (int i = 0; i < DECISION_COUNT; i++)
        varint_put(out, slot->decisions[i]);
    for (int column = 0; column < slices->n_columns; column++) {
        for (int i = 0; i < MAX_BINS; i++)
            varint_put(out, bins_at(slices, place)[column][i]);
    }
}

void drift_slices_encode(struct drift_slices *slices, struct buffer *out)
{
    lock_take(&slices->lock);
    for (size_t place = 0; place < (size_t)slices->n_slots; place++) {
        const struct slot *slot = &slices->slots[place];
        if (!slot->used || (slot->seen == 0 && slot->n == 0))
            continue;
        varint_put(out, 1);
        put_slot(slices, place, out);
    }
    lock_release(&slices->lock);
    varint_put(out, 0);
}

/* Rows of a slice that had more room, since less time was asked for when they were written: as many
 * as there is room for are kept, at equal distances. */
static void keep_rows(struct drift_slices *slices, struct slot *slot, const char *rows, size_t n)
{
    size_t place = place_of(slices, slot->key), width = (size_t)slices->n_columns * sizeof(float);
    size_t step = n > slices->capacity ? (n + slices->capacity - 1) / slices->capacity : 1;
    const char *variants = rows + n * width;
    slot->n = 0;
    for (size_t i = 0; i < n; i += step) {
        memcpy(row_at(slices, place, slot->n), rows + i * width, width);
        slices->variants[place * slices->capacity + slot->n++] = (uint8_t)variants[i];
    }
    if (step > 1)
        slot->rate *= (double)slot->n / (double)n;
}

/* The rows of a slice that is too long ago are passed over. */
static bool take_rows(struct drift_slices *slices, struct slice *bytes, struct slot *slot,
                      bool recent)
{
    uint64_t n;
    size_t size = (size_t)slices->n_columns * sizeof(float) + 1; /* with the variant */
    if (!varint_take_bytes(bytes, &slot->rate, sizeof slot->rate) ||
        !(slot->rate > 0 && slot->rate <= 1) || !varint_take(bytes, &n) || n > bytes->size / size)
        return false;
    if (recent)
        keep_rows(slices, slot, bytes->data, n);
    *bytes = slice_make(bytes->data + n * size, bytes->size - n * size);
    return true;
}

static bool take_slot(struct drift_slices *slices, struct slice *bytes)
{
    int64_t key;
    uint64_t count;
    if (!varint_take_signed(bytes, &key) || key > INT64_MAX / SLICE_US ||
        key < INT64_MIN / SLICE_US)
        return false;
    struct slot scratch = {.key = key}, *slot = slot_of(slices, key * SLICE_US);
    bool recent = slot != NULL;
    slot = recent ? slot : &scratch;
    bool whole = take_rows(slices, bytes, slot, recent) && varint_take(bytes, &slot->seen);
    for (int i = 0; whole && i < DECISION_COUNT; i++)
        whole = varint_take(bytes, &slot->decisions[i]);
    uint32_t(*bins)[MAX_BINS] = bins_at(slices, place_of(slices, key));
    for (int i = 0; whole && i < slices->n_columns * MAX_BINS; i++) {
        whole = varint_take(bytes, &count) && count <= UINT32_MAX;
        if (whole && recent)
            bins[i / MAX_BINS][i % MAX_BINS] = (uint32_t)count;
    }
    return whole;
}

bool drift_slices_decode(struct drift_slices *slices, struct slice *bytes)
{
    uint64_t more = 1;
    bool whole = true;
    lock_take(&slices->lock);
    while (whole && (whole = varint_take(bytes, &more)) && more)
        whole = take_slot(slices, bytes);
    lock_release(&slices->lock);
    return whole;
}
