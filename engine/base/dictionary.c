/* Open addressing, a quarter full at most. A word's key stands before its slot names it, so that
 * whoever finds the slot finds the word. */
#include "engine/base/dictionary.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/base/hash.h"

#define FIRST_BITS 4
#define SHORT_TEXT 7
#define LONG_TEXT  (UINT64_C(1) << 63)

struct word {
    uint64_t key;
    struct slice text;
};

struct dictionary {
    size_t n, most; /* n is the adding thread's */
    unsigned shift; /* from a key's hash to its slot */
    size_t mask;
    struct word *list;
    atomic_uint *slots; /* number + 1; 0: free */
};

struct dictionary *dictionary_create(size_t most)
{
    unsigned bits = FIRST_BITS;
    struct dictionary *dictionary = most <= DICTIONARY_MAX ? calloc(1, sizeof *dictionary) : NULL;
    if (!dictionary)
        return NULL;
    while ((size_t)1 << bits < 4 * most)
        bits++;
    dictionary->most = most;
    dictionary->shift = 64 - bits;
    dictionary->mask = ((size_t)1 << bits) - 1;
    dictionary->list = calloc(most + 1, sizeof *dictionary->list);
    dictionary->slots = calloc(dictionary->mask + 1, sizeof *dictionary->slots);
    if (dictionary->list && dictionary->slots)
        return dictionary;
    dictionary_destroy(dictionary);
    return NULL;
}

void dictionary_destroy(struct dictionary *dictionary)
{
    if (!dictionary)
        return;
    free(dictionary->list);
    free(dictionary->slots);
    free(dictionary);
}

/* A short text's bytes and size; of a longer one the hash. */
static uint64_t key_of(struct slice text)
{
    return text.size <= SHORT_TEXT ? slice_head(text) | (uint64_t)text.size << 56
                                   : hash64(text.data, text.size, 0) | LONG_TEXT;
}

/* Fibonacci hashing (Knuth, The Art of Computer Programming, volume 3, 6.4). */
static size_t first_slot(const struct dictionary *dictionary, uint64_t key)
{
    return (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> dictionary->shift);
}

static bool is_word(const struct word *word, uint64_t key, struct slice text)
{
    return word->key == key && (!(key & LONG_TEXT) || slice_equal(word->text, text));
}

int dictionary_find(const struct dictionary *dictionary, struct slice text)
{
    uint64_t key = key_of(text);
    for (size_t slot = first_slot(dictionary, key);; slot = (slot + 1) & dictionary->mask) {
        int number = (int)atomic_load_explicit(&dictionary->slots[slot], memory_order_acquire) - 1;
        if (number < 0 || is_word(&dictionary->list[number], key, text))
            return number;
    }
}

bool dictionary_add(struct dictionary *dictionary, struct slice text)
{
    if (dictionary->n == dictionary->most)
        return false;
    struct word *word = &dictionary->list[dictionary->n];
    *word = (struct word){key_of(text), text};
    size_t slot = first_slot(dictionary, word->key);
    while (atomic_load_explicit(&dictionary->slots[slot], memory_order_relaxed))
        slot = (slot + 1) & dictionary->mask;
    dictionary->n++;
    atomic_store_explicit(&dictionary->slots[slot], (unsigned)dictionary->n, memory_order_release);
    return true;
}
