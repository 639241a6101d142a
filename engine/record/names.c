/* Text to number and back, for one day file. One thread. */
#include "engine/record/names_priv.h"

#include <stdlib.h>

#include "engine/base/hash.h"

/* Rules, models, codes and sources: set by configuration, so more than this is a mistake. */
#define MAX_NAMES ((size_t)1 << 20)

void names_free(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free((void *)(uintptr_t)names->texts[i].data);
    free(names->texts);
    free(names->slots);
    *names = (struct names){0};
}

static size_t slot_of(const struct names *names, struct slice text)
{
    size_t slot = hash64(text.data, text.size, 0) & (names->n_slots - 1);
    while (names->slots[slot] && !slice_equal(names->texts[names->slots[slot] - 1], text))
        slot = (slot + 1) & (names->n_slots - 1);
    return slot;
}

uint32_t names_find(const struct names *names, struct slice text)
{
    return names->n_slots ? names->slots[slot_of(names, text)] : 0;
}

static void fill_slots(struct names *names)
{
    memset(names->slots, 0, names->n_slots * sizeof *names->slots);
    for (size_t i = 0; i < names->n; i++)
        names->slots[slot_of(names, names->texts[i])] = (uint32_t)i + 1;
}

static bool grow(struct names *names)
{
    size_t capacity = names->capacity ? 2 * names->capacity : 64;
    struct slice *texts = realloc(names->texts, capacity * sizeof *texts);
    if (!texts)
        return false;
    names->texts = texts;
    uint32_t *slots = realloc(names->slots, 4 * capacity * sizeof *slots);
    if (!slots)
        return false;
    names->slots = slots;
    names->n_slots = 4 * capacity;
    names->capacity = capacity;
    fill_slots(names);
    return true;
}

enum status names_add(struct names *names, struct slice text, uint32_t *id)
{
    if (names->n == MAX_NAMES)
        return STATUS_FULL;
    if (names->n == names->capacity && !grow(names))
        return STATUS_MEMORY;
    char *copy = malloc(text.size + 1);
    if (!copy)
        return STATUS_MEMORY;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    size_t slot = slot_of(names, text);
    names->texts[names->n++] = slice_make(copy, text.size);
    names->slots[slot] = (uint32_t)names->n;
    *id = (uint32_t)names->n;
    return STATUS_OK;
}

struct slice names_text(const struct names *names, int64_t id)
{
    if (id < 1 || (uint64_t)id > names->n)
        return slice_make("", 0);
    return names->texts[id - 1];
}

enum status names_load(struct names *names, struct db *db, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(db, "SELECT id, name FROM names WHERE id > ?1 ORDER BY id", &select, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(select, 1, (int64_t)names->n);
    while ((status = db_step(select, error)) == STATUS_OK) {
        uint32_t id;
        status = names_add(names, db_text(select, 1), &id);
        if (status == STATUS_OK && id != db_int(select, 0))
            status = STATUS_CORRUPT;
        if (status != STATUS_OK) {
            error_set(error, status, "the names of a ledger day cannot be read");
            break;
        }
    }
    db_finish(select);
    return status == STATUS_END ? STATUS_OK : status;
}
