/* Texts counted in a hash table with open addressing; the texts lie in blocks that never move. */
#include "engine/monitor/categories.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"

#define FIRST_PLACES 64
#define BLOCK_BYTES  ((size_t)64 << 10)
#define MAX_TEXTS    UINT32_MAX

struct text_block {
    struct text_block *next;
    size_t used, size;
    char text[];
};

/* The place of a text in the table, or the empty place where it belongs. */
static size_t find_place(const struct categories *categories, struct slice text)
{
    size_t mask = categories->n_places - 1;
    size_t place = hash64(text.data, text.size, 0) & mask;
    while (categories->table[place] &&
           !slice_equal(categories->list[categories->table[place] - 1].text, text))
        place = (place + 1) & mask;
    return place;
}

static enum status grow(struct categories *categories)
{
    size_t n_places = categories->n_places ? 2 * categories->n_places : FIRST_PLACES;
    uint32_t *table = calloc(n_places, sizeof *table);
    struct category *list = realloc(categories->list, n_places / 2 * sizeof *list);
    if (list)
        categories->list = list;
    if (!table || !list) {
        free(table);
        return STATUS_MEMORY;
    }
    free(categories->table);
    categories->table = table;
    categories->n_places = n_places;
    categories->capacity = n_places / 2;
    for (size_t i = 0; i < categories->n; i++)
        table[find_place(categories, list[i].text)] = (uint32_t)i + 1;
    return STATUS_OK;
}

static char *keep(struct categories *categories, struct slice text)
{
    struct text_block *block = categories->blocks;
    if (!block || block->size - block->used < text.size) {
        size_t size = text.size > BLOCK_BYTES ? text.size : BLOCK_BYTES;
        block = malloc(sizeof *block + size);
        if (!block)
            return NULL;
        block->next = categories->blocks;
        block->used = 0;
        block->size = size;
        categories->blocks = block;
    }
    char *place = block->text + block->used;
    if (text.size)
        memcpy(place, text.data, text.size);
    block->used += text.size;
    return place;
}

enum status categories_add(struct categories *categories, struct slice text, uint64_t count)
{
    if (categories->n == categories->capacity) {
        if (categories->n >= MAX_TEXTS / 2 || grow(categories))
            return STATUS_MEMORY;
    }
    size_t place = find_place(categories, text);
    if (categories->table[place]) {
        categories->list[categories->table[place] - 1].count += count;
        return STATUS_OK;
    }
    char *kept = keep(categories, text);
    if (!kept)
        return STATUS_MEMORY;
    categories->list[categories->n++] = (struct category){slice_make(kept, text.size), count};
    categories->table[place] = (uint32_t)categories->n;
    return STATUS_OK;
}

static int by_text(const void *a, const void *b)
{
    return slice_compare(((const struct category *)a)->text, ((const struct category *)b)->text);
}

void categories_sort(struct categories *categories)
{
    free(categories->table);
    categories->table = NULL;
    categories->n_places = categories->capacity = 0;
    if (categories->n > 1)
        qsort(categories->list, categories->n, sizeof *categories->list, by_text);
}

void categories_free(struct categories *categories)
{
    while (categories->blocks) {
        struct text_block *block = categories->blocks;
        categories->blocks = block->next;
        free(block);
    }
    free(categories->table);
    free(categories->list);
    *categories = (struct categories){0};
}
