/* Values to pseudonyms by HMAC-SHA256, with a cache in front.
 *
 * The cache is 16 shards of sets of four entries; a value's set is chosen by a hash under a random
 * seed, so that nobody can aim at one set, and its full bytes are compared, so that two values can
 * never share a pseudonym. Within a set entries are replaced in turn. Values longer than an entry
 * holds are computed every time. Any thread. */
#include "engine/record/pseudonym.h"

#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/thread.h"

#define SHARDS     16
#define WAYS       4
#define VALUE_SIZE 55

struct entry {
    uint64_t hash;
    char pseudonym[PSEUDONYM_LENGTH];
    uint8_t size; /* 0: free; the empty value is never kept */
    char value[VALUE_SIZE];
};

struct shard {
    struct lock lock;
    struct entry *entries; /* n_sets * WAYS */
    uint8_t *turn;         /* per set: which entry goes next */
};

struct pseudonyms {
    uint8_t key[KEY_SIZE];
    uint64_t seed;
    size_t n_sets; /* per shard, a power of two */
    pseudonym_listener *listener;
    void *context;
    struct shard shards[SHARDS];
};

static size_t sets_for(size_t cache)
{
    size_t sets = 1;
    while (sets * SHARDS * WAYS < cache && sets < (size_t)1 << 24)
        sets *= 2;
    return sets;
}

enum status pseudonyms_create(const uint8_t key[KEY_SIZE], size_t cache,
                              pseudonym_listener *listener, void *context,
                              struct pseudonyms **pseudonyms, struct error *error)
{
    struct pseudonyms *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for the pseudonym cache");
    memcpy(made->key, key, KEY_SIZE);
    made->n_sets = sets_for(cache);
    made->listener = listener;
    made->context = context;
    enum status status = crypto_random(&made->seed, sizeof made->seed);
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &made->shards[i];
        lock_init(&shard->lock, "pseudonyms");
        shard->entries = calloc(made->n_sets * WAYS, sizeof *shard->entries);
        shard->turn = calloc(made->n_sets, 1);
        if (!shard->entries || !shard->turn)
            status = STATUS_MEMORY;
    }
    if (status != STATUS_OK) {
        pseudonyms_destroy(made);
        return error_set(error, status, "cannot set up the pseudonym cache of %zu entries", cache);
    }
    *pseudonyms = made;
    return STATUS_OK;
}

void pseudonyms_destroy(struct pseudonyms *pseudonyms)
{
    if (!pseudonyms)
        return;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &pseudonyms->shards[i];
        lock_destroy(&shard->lock);
        free(shard->entries);
        free(shard->turn);
    }
    explicit_bzero(pseudonyms->key, KEY_SIZE);
    free(pseudonyms);
}

static struct entry *set_of(struct pseudonyms *pseudonyms, uint64_t hash, struct shard **shard,
                            size_t *set)
{
    *shard = &pseudonyms->shards[hash % SHARDS];
    *set = hash / SHARDS & (pseudonyms->n_sets - 1);
    return &(*shard)->entries[*set * WAYS];
}

static bool look_up(struct pseudonyms *pseudonyms, uint64_t hash, struct slice value,
                    char out[PSEUDONYM_SIZE])
{
    struct shard *shard;
    size_t set;
    struct entry *entries = set_of(pseudonyms, hash, &shard, &set);
    bool found = false;
    lock_take(&shard->lock);
    for (int i = 0; i < WAYS && !found; i++) {
        const struct entry *entry = &entries[i];
        if (entry->hash == hash && entry->size == value.size &&
            memcmp(entry->value, value.data, value.size) == 0) {
            memcpy(out, entry->pseudonym, PSEUDONYM_LENGTH);
            found = true;
        }
    }
    lock_release(&shard->lock);
    return found;
}

static void keep(struct pseudonyms *pseudonyms, uint64_t hash, struct slice value,
                 const char pseudonym[PSEUDONYM_SIZE])
{
    struct shard *shard;
    size_t set;
    struct entry *entries = set_of(pseudonyms, hash, &shard, &set);
    lock_take(&shard->lock);
    struct entry *entry = &entries[shard->turn[set]++ % WAYS];
    entry->hash = hash;
    entry->size = (uint8_t)value.size;
    memcpy(entry->value, value.data, value.size);
    memcpy(entry->pseudonym, pseudonym, PSEUDONYM_LENGTH);
    lock_release(&shard->lock);
}

enum status pseudonym_of(struct pseudonyms *pseudonyms, struct slice value,
                         char out[PSEUDONYM_SIZE])
{
    bool cacheable = value.size > 0 && value.size <= VALUE_SIZE;
    uint64_t hash = hash64(value.data, value.size, pseudonyms->seed);
    out[PSEUDONYM_LENGTH] = '\0';
    if (cacheable && look_up(pseudonyms, hash, value, out))
        return STATUS_OK;
    uint8_t digest[SHA256_SIZE];
    enum status status = crypto_hmac_sha256(pseudonyms->key, value, digest);
    if (status != STATUS_OK)
        return status;
    memcpy(out, "p-", 2);
    hex_encode(digest, 16, out + 2);
    if (pseudonyms->listener)
        status = pseudonyms->listener(pseudonyms->context, out, value);
    /* Only what the listener has taken may be answered from the cache from now on. */
    if (status == STATUS_OK && cacheable)
        keep(pseudonyms, hash, value, out);
    return status;
}

void pseudonym_prefetch(const struct pseudonyms *pseudonyms, struct slice value)
{
    uint64_t hash = hash64(value.data, value.size, pseudonyms->seed);
    const struct shard *shard = &pseudonyms->shards[hash % SHARDS];
    size_t set = hash / SHARDS & (pseudonyms->n_sets - 1);
    const char *entries = (const char *)&shard->entries[set * WAYS];
    for (size_t at = 0; at < WAYS * sizeof *shard->entries; at += 64)
        __builtin_prefetch(entries + at);
}

void pseudonym_forget(struct pseudonyms *pseudonyms, const char pseudonym[PSEUDONYM_SIZE])
{
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &pseudonyms->shards[i];
        lock_take(&shard->lock);
        for (size_t j = 0; j < pseudonyms->n_sets * WAYS; j++) {
            struct entry *entry = &shard->entries[j];
            if (entry->size > 0 && memcmp(entry->pseudonym, pseudonym, PSEUDONYM_LENGTH) == 0)
                explicit_bzero(entry, sizeof *entry);
        }
        lock_release(&shard->lock);
    }
}
