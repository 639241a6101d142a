/* The exact set of ids within a span. Sixteen shards by a keyed hash of the id, each with a lock:
 *
 *   entries  a queue in order of time, in blocks: an id leaves at the front when its span is over,
 *            so expiry is one step per arrival and never a sweep
 *   table    open addressing with linear probing and backward-shift deletion (D. E. Knuth, The Art
 *            of Computer Programming 3, 6.4, algorithm R); a slot holds 32 bits of the hash and the
 *            low 32 bits of the entry's number in the queue
 *   bytes    a second queue for ids that do not fit into their entry
 *
 * A ULID is packed into its 128 bits, an id of up to 16 bytes stands in the entry as it is, a
 * longer one in the byte queue: in each case all of it is compared. An id costs 60 to 70 bytes.
 * Time within a shard does not go back: a late `now` counts as the latest seen. Any thread. */
#include "engine/contract/unique.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/crypto.h"
#include "engine/base/hash.h"
#include "engine/contract/contract.h"
#include "engine/contract/unique_priv.h"

#define DEFAULT_MAX_BYTES (UINT64_C(4) << 30)
#define MAX_ID_SIZE       65535
#define ENTRIES_PER_BLOCK 512
#define BYTES_PER_BLOCK   (MAX_ID_SIZE + 1)
#define FIRST_SLOTS       256

#define EMPTY UINT64_MAX

/* An id as it is looked for. */
struct key {
    struct slice id;
    enum id_kind kind;
    uint64_t ulid[2];
    uint32_t hash;
};

static uint64_t first_number(const struct shard *shard)
{
    return shard->entries.head / sizeof(struct entry);
}

static struct entry *entry_at(const struct shard *shard, uint64_t number)
{
    return (struct entry *)(void *)fifo_at(&shard->entries, number * sizeof(struct entry));
}

/* The number whose low 32 bits a slot holds; fewer than 2^32 are alive at once. */
static uint64_t number_of(const struct shard *shard, uint64_t slot)
{
    uint64_t first = first_number(shard);
    return first + (uint32_t)((uint32_t)slot - (uint32_t)first);
}

static bool entry_is(const struct shard *shard, const struct entry *entry, const struct key *key)
{
    if (entry->kind != key->kind || entry->size != key->id.size)
        return false;
    switch (key->kind) {
    case ID_ULID:
        return entry->ulid[0] == key->ulid[0] && entry->ulid[1] == key->ulid[1];
    case ID_INLINE:
        return memcmp(entry->text, key->id.data, key->id.size) == 0;
    case ID_POOLED:
        return memcmp(fifo_at(&shard->bytes, entry->place), key->id.data, key->id.size) == 0;
    }
    return false;
}

/* The slot that holds the key, or the empty one where it would go. */
static uint64_t find_slot(const struct shard *shard, const struct key *key)
{
    uint64_t mask = shard->n_slots - 1;
    uint64_t slot = key->hash & mask;
    while (shard->table[slot] != EMPTY) {
        uint64_t held = shard->table[slot];
        if (held >> 32 == key->hash &&
            entry_is(shard, entry_at(shard, number_of(shard, held)), key))
            break;
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void clear_slot(struct shard *shard, uint64_t hole)
{
    uint64_t mask = shard->n_slots - 1;
    uint64_t slot = hole;
    for (;;) {
        slot = (slot + 1) & mask;
        uint64_t held = shard->table[slot];
        if (held == EMPTY)
            break;
        uint64_t home = (held >> 32) & mask;
        if (((slot - home) & mask) >= ((slot - hole) & mask)) { /* its home is not after the hole */
            shard->table[hole] = held;
            hole = slot;
        }
    }
    shard->table[hole] = EMPTY;
}

static void clear_entry(struct shard *shard, uint64_t number)
{
    uint64_t mask = shard->n_slots - 1;
    uint64_t wanted = (uint64_t)entry_at(shard, number)->hash << 32 | (uint32_t)number;
    uint64_t slot = (wanted >> 32) & mask;
    while (shard->table[slot] != wanted)
        slot = (slot + 1) & mask;
    clear_slot(shard, slot);
    shard->n_ids--;
}

/* Room for one more at a load of at most three quarters. */
static bool table_room(struct shard *shard)
{
    if (4 * (shard->n_ids + 1) <= 3 * shard->n_slots)
        return true;
    uint64_t n_slots = shard->n_slots ? 2 * shard->n_slots : FIRST_SLOTS;
    if (!memory_take(&shard->memory, (n_slots - shard->n_slots) * sizeof *shard->table))
        return false;
    uint64_t *table = malloc(n_slots * sizeof *table);
    if (!table) {
        memory_give(&shard->memory, (n_slots - shard->n_slots) * sizeof *table);
        return false;
    }
    memset(table, 0xFF, n_slots * sizeof *table);
    for (uint64_t i = 0; i < shard->n_slots; i++) {
        uint64_t held = shard->table[i];
        uint64_t slot = (held >> 32) & (n_slots - 1);
        if (held == EMPTY)
            continue;
        while (table[slot] != EMPTY)
            slot = (slot + 1) & (n_slots - 1);
        table[slot] = held;
    }
    free(shard->table);
    unique_take_table(shard, table, n_slots);
    return true;
}

/* Takes the first entry out of the queue, dead or alive. */
static void leave(struct shard *shard)
{
    uint64_t number = first_number(shard);
    struct entry *entry = entry_at(shard, number);
    if (!entry->dead)
        clear_entry(shard, number);
    if (entry->kind == ID_POOLED)
        fifo_drop(&shard->bytes, entry->place + entry->size, &shard->memory);
    fifo_drop(&shard->entries, (number + 1) * sizeof *entry, &shard->memory);
}

static void expire(struct shard *shard, int64_t now_us, int64_t span_us)
{
    if (now_us > shard->now_us)
        shard->now_us = now_us;
    while (shard->entries.head < shard->entries.tail) {
        const struct entry *first = entry_at(shard, first_number(shard));
        int64_t age_us;
        if (!first->dead && !__builtin_sub_overflow(shard->now_us, first->at_us, &age_us) &&
            age_us < span_us)
            break;
        leave(shard);
    }
}

static bool add(struct shard *shard, const struct key *key, uint64_t content, uint64_t index)
{
    uint64_t place;
    uint64_t text = 0;
    bool pooled = key->kind == ID_POOLED;
    if (!table_room(shard) ||
        !fifo_room(&shard->entries, sizeof(struct entry), &shard->memory, &place) ||
        (pooled && !fifo_room(&shard->bytes, key->id.size, &shard->memory, &text)))
        return false;
    struct entry *entry = (struct entry *)(void *)fifo_at(&shard->entries, place);
    *entry = (struct entry){.content = content,
                            .ledger_index = index,
                            .at_us = shard->now_us,
                            .hash = key->hash,
                            .size = (uint16_t)key->id.size,
                            .kind = (uint8_t)key->kind};
    if (pooled) {
        entry->place = text;
        memcpy(fifo_at(&shard->bytes, text), key->id.data, key->id.size);
        shard->bytes.tail = text + key->id.size;
    } else if (key->kind == ID_ULID) {
        memcpy(entry->ulid, key->ulid, sizeof entry->ulid);
    } else if (key->id.size > 0) {
        memcpy(entry->text, key->id.data, key->id.size);
    }
    shard->entries.tail = place + sizeof *entry;
    shard->table[find_slot(shard, key)] =
        (uint64_t)key->hash << 32 | (uint32_t)(place / sizeof *entry);
    shard->n_ids++;
    return true;
}

static struct entry *find(const struct shard *shard, const struct key *key, uint64_t *number)
{
    if (shard->n_slots == 0)
        return NULL;
    uint64_t held = shard->table[find_slot(shard, key)];
    if (held == EMPTY)
        return NULL;
    *number = number_of(shard, held);
    return entry_at(shard, *number);
}

static void shard_init(struct shard *shard, uint64_t max_memory)
{
    lock_init(&shard->lock, "unique");
    shard->entries.block_size = ENTRIES_PER_BLOCK * sizeof(struct entry);
    shard->bytes.block_size = BYTES_PER_BLOCK;
    shard->memory.maximum = max_memory;
    shard->now_us = INT64_MIN;
}

void unique_clear_shard(struct shard *shard)
{
    fifo_free(&shard->entries);
    fifo_free(&shard->bytes);
    free(shard->table);
    unique_take_table(shard, NULL, 0);
    shard->n_ids = 0;
    shard->memory.used = 0;
    shard->now_us = INT64_MIN;
}

enum status unique_create(const struct unique_options *options, struct unique **out,
                          struct error *error)
{
    *out = NULL;
    if (options->span_us <= 0)
        return error_set(error, STATUS_INVALID, "ids must be remembered for some time");
    struct unique *unique = calloc(1, sizeof *unique);
    if (!unique)
        return error_set(error, STATUS_MEMORY, "no memory for the set of ids");
    unique->magic = UNIQUE_MAGIC;
    unique->span_us = options->span_us;
    atomic_init(&unique->newest_us, INT64_MIN);
    unique->max_bytes = options->max_bytes ? options->max_bytes : DEFAULT_MAX_BYTES;
    for (int i = 0; i < SHARDS; i++)
        shard_init(&unique->shards[i], unique->max_bytes / SHARDS);
    enum status status = crypto_random(&unique->seed, sizeof unique->seed);
    if (status != STATUS_OK) {
        unique_destroy(unique);
        return error_set(error, status, "no random numbers for the set of ids");
    }
    *out = unique;
    return STATUS_OK;
}

void unique_destroy(struct unique *unique)
{
    if (!unique)
        return;
    assert(unique->magic == UNIQUE_MAGIC);
    unique->magic = 0;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &unique->shards[i];
        unique_clear_shard(shard);
        lock_destroy(&shard->lock);
    }
    free(unique);
}

/* Its place in a table: a slot is never all ones, which is EMPTY. */
static uint32_t table_hash(uint64_t hash)
{
    return (uint32_t)hash >> 1;
}

void unique_prefetch(const struct unique *unique, struct slice id)
{
    uint64_t hash = hash64(id.data, id.size, unique->seed);
    const struct shard *shard = &unique->shards[(hash >> 32) % SHARDS];
    uint64_t mask = atomic_load_explicit(&shard->table_mask, memory_order_relaxed);
    uintptr_t table = atomic_load_explicit(&shard->table_at, memory_order_relaxed);
    /* An address, not an access: nothing happens when the table has moved meanwhile. */
    __builtin_prefetch((const void *)(table + (table_hash(hash) & mask) * sizeof(uint64_t)));
}

/* Prepares the key and takes the lock of its shard. */
static struct shard *enter(struct unique *unique, struct slice id, struct key *key)
{
    assert(unique->magic == UNIQUE_MAGIC);
    uint64_t hash = hash64(id.data, id.size, unique->seed);
    key->id = id;
    key->hash = table_hash(hash);
    if (ulid_pack(id, key->ulid))
        key->kind = ID_ULID;
    else
        key->kind = id.size <= INLINE_SIZE ? ID_INLINE : ID_POOLED;
    struct shard *shard = &unique->shards[(hash >> 32) % SHARDS];
    lock_take(&shard->lock);
    return shard;
}

/* A clock that is set back must not let an id expire before its time by the clock of before, in
 * whichever shard it is. Written once a second, so that threads do not take the line from each
 * other. */
static int64_t latest(struct unique *unique, int64_t now_us)
{
    int64_t newest_us = atomic_load_explicit(&unique->newest_us, memory_order_relaxed), ahead_us;
    if (now_us <= newest_us)
        return newest_us;
    if (__builtin_sub_overflow(now_us, newest_us, &ahead_us) || ahead_us >= US_PER_S)
        atomic_store_explicit(&unique->newest_us, now_us, memory_order_relaxed);
    return now_us;
}

enum unique_result unique_reserve(struct unique *unique, struct slice id, uint64_t content,
                                  int64_t now_us, uint64_t *ledger_index)
{
    struct key key;
    uint64_t number;
    enum unique_result result = UNIQUE_NEW;
    struct shard *shard = enter(unique, id, &key);
    expire(shard, latest(unique, now_us), unique->span_us);
    const struct entry *known = id.size <= MAX_ID_SIZE ? find(shard, &key, &number) : NULL;
    if (known) {
        *ledger_index = known->ledger_index;
        result = known->content == content ? UNIQUE_SAME : UNIQUE_CONFLICT;
    } else if (id.size > MAX_ID_SIZE || !add(shard, &key, content, UNIQUE_PENDING)) {
        shard->refused++;
        result = UNIQUE_FULL;
    }
    lock_release(&shard->lock);
    return result;
}

void unique_assign(struct unique *unique, struct slice id, uint64_t ledger_index)
{
    struct key key;
    uint64_t number;
    struct shard *shard = enter(unique, id, &key);
    struct entry *known = find(shard, &key, &number);
    if (known)
        known->ledger_index = ledger_index;
    lock_release(&shard->lock);
}

void unique_forget(struct unique *unique, struct slice id)
{
    struct key key;
    uint64_t number;
    struct shard *shard = enter(unique, id, &key);
    struct entry *known = find(shard, &key, &number);
    if (known) {
        clear_entry(shard, number);
        known->dead = true;
    }
    lock_release(&shard->lock);
}

enum status unique_restore(struct unique *unique, struct slice id, uint64_t content, int64_t at_us,
                           uint64_t ledger_index)
{
    uint64_t known_index;
    switch (unique_reserve(unique, id, content, at_us, &known_index)) {
    case UNIQUE_NEW:
        unique_assign(unique, id, ledger_index);
        return STATUS_OK;
    case UNIQUE_SAME:
        return known_index == ledger_index ? STATUS_OK : STATUS_CONFLICT;
    case UNIQUE_CONFLICT:
        return STATUS_CONFLICT;
    case UNIQUE_FULL:
        break;
    }
    return STATUS_FULL;
}

void unique_stats(struct unique *unique, struct unique_stats *stats)
{
    *stats = (struct unique_stats){.max_bytes = unique->max_bytes, .bytes = sizeof *unique};
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &unique->shards[i];
        lock_take(&shard->lock);
        stats->n_ids += shard->n_ids;
        stats->bytes += shard->memory.used;
        stats->refused += shard->refused;
        lock_release(&shard->lock);
    }
}
