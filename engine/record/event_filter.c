/* Which sealed days may hold an event, so that looking for one does not unpack or fetch them all.
 *
 * A Bloom filter per day (B. H. Bloom, "Space/time trade-offs in hash coding with allowable
 * errors", Communications of the ACM 13, 1970) in blocks of 4 KiB, of which a key uses one (F.
 * Putze, P. Sanders and J. Singler, "Cache-, hash- and space-efficient Bloom filters", 2007): one
 * small row is read per day. At 12 bits and 7 probes per event about one foreign event in 200
 * passes. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/record/tiers_priv.h"

#define BLOCK_BYTES    UINT64_C(4096)
#define BITS_PER_EVENT 12
#define PROBES         7
#define FILTER_SEED    0x66696c746572u

static uint64_t block_of(struct hash128 hash, uint64_t n_blocks)
{
    return (hash.high >> 32) * n_blocks >> 32;
}

static size_t bit_of(struct hash128 hash, int probe)
{
    uint64_t step = hash.high << 1 | 1;
    return (size_t)((hash.low + (uint64_t)probe * step) >> 40) % (8 * BLOCK_BYTES);
}

static void add_event(uint8_t *blocks, uint64_t n_blocks, struct slice event_id)
{
    struct hash128 hash = hash128(event_id.data, event_id.size, FILTER_SEED);
    uint8_t *block = blocks + block_of(hash, n_blocks) * BLOCK_BYTES;
    for (int i = 0; i < PROBES; i++)
        block[bit_of(hash, i) / 8] |= (uint8_t)(1u << bit_of(hash, i) % 8);
}

static enum status fill(struct db *file, uint8_t *blocks, uint64_t n_blocks, struct error *error)
{
    struct db_stmt *select;
    enum status status = db_prepare(file, "SELECT event_id FROM decisions", &select, error);
    if (status != STATUS_OK)
        return status;
    while ((status = db_step(select, error)) == STATUS_OK)
        add_event(blocks, n_blocks, db_text(select, 0));
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

static enum status store(struct tiers *tiers, int64_t day, const uint8_t *blocks, uint64_t n_blocks,
                         struct error *error)
{
    struct db_stmt *insert;
    enum status status = db_prepare(
        tiers_db(tiers), "INSERT OR REPLACE INTO filters VALUES(?1, ?2, ?3)", &insert, error);
    for (uint64_t i = 0; status == STATUS_OK && i < n_blocks; i++) {
        db_bind_int(insert, 1, day);
        db_bind_int(insert, 2, (int64_t)i);
        db_bind_blob(insert, 3, slice_make(blocks + i * BLOCK_BYTES, BLOCK_BYTES));
        status = db_run(insert, error);
    }
    db_finish(insert);
    return status;
}

static enum status ask(struct db *db, const char *sql, int64_t parameter, int64_t *answer,
                       struct error *error)
{
    struct db_stmt *select;
    enum status status = db_prepare(db, sql, &select, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(select, 1, parameter);
    status = db_step(select, error);
    *answer = status == STATUS_OK ? db_int(select, 0) : 0;
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status event_filter_build(struct tiers *tiers, int64_t day, struct db *file,
                               struct error *error)
{
    int64_t n = 0, dropped;
    enum status status = ask(file, "SELECT count(*) + 0 * ?1 FROM decisions", 0, &n, error);
    if (status == STATUS_OK)
        status = ask(tiers_db(tiers), "DELETE FROM filters WHERE day = ?1", day, &dropped, error);
    if (status != STATUS_OK)
        return status;
    uint64_t n_blocks = (uint64_t)n * BITS_PER_EVENT / (8 * BLOCK_BYTES) + 1;
    uint8_t *blocks = calloc(n_blocks, BLOCK_BYTES);
    if (!blocks)
        return error_set(error, STATUS_MEMORY, "out of memory for a day's filter");
    status = fill(file, blocks, n_blocks, error);
    if (status == STATUS_OK)
        status = store(tiers, day, blocks, n_blocks, error);
    free(blocks);
    return status;
}

enum status event_filter_remove(struct tiers *tiers, int64_t day, struct error *error)
{
    int64_t none;
    return ask(tiers_db(tiers), "DELETE FROM filters WHERE day = ?1", day, &none, error);
}

static bool has_event(struct slice block, struct hash128 hash)
{
    if (block.size != BLOCK_BYTES)
        return true;
    for (int i = 0; i < PROBES; i++)
        if (!((uint8_t)block.data[bit_of(hash, i) / 8] >> bit_of(hash, i) % 8 & 1))
            return false;
    return true;
}

enum status tiers_may_hold(struct tiers *tiers, int64_t day, struct slice event_id, bool *may,
                           struct error *error)
{
    struct hash128 hash = hash128(event_id.data, event_id.size, FILTER_SEED);
    struct db_stmt *select;
    int64_t n_blocks = 0;
    *may = true;
    if (!tiers_db(tiers))
        return STATUS_OK;
    enum status status = ask(tiers_db(tiers), "SELECT max(block) + 1 FROM filters WHERE day = ?1",
                             day, &n_blocks, error);
    if (status != STATUS_OK || n_blocks == 0)
        return status;
    status = db_prepare(tiers_db(tiers), "SELECT bits FROM filters WHERE day = ?1 AND block = ?2",
                        &select, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(select, 1, day);
    db_bind_int(select, 2, (int64_t)block_of(hash, (uint64_t)n_blocks));
    status = db_step(select, error);
    if (status == STATUS_OK)
        *may = has_event(db_blob(select, 0), hash);
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}
