/* Words in a table by a fingerprint, which of words up to eight bytes is all of the word, so that
 * the usual question is answered without touching any text but the one asked for. */
#include "engine/contract/words_priv.h"

#include <stdbool.h>
#include <stdlib.h>

#define WHOLE_SIZE 8 /* words that their fingerprint tells whole, given their size */

struct word {
    uint64_t fingerprint;
    struct slice text; /* data NULL: a free slot */
    uint32_t number;   /* among the different ones, from 1; 0: a free slot */
};

struct words {
    size_t mask; /* slots less one; at most a quarter is taken */
    struct word slots[];
};

/* The first eight bytes and the last eight, which overlap in shorter words. */
static uint64_t fingerprint(struct slice text)
{
    uint64_t first = slice_head(text), last;
    if (text.size <= WHOLE_SIZE)
        return first;
    memcpy(&last, text.data + text.size - WHOLE_SIZE, WHOLE_SIZE);
    return first ^ last * UINT64_C(0x9e3779b97f4a7c15);
}

static size_t home_of(const struct words *words, uint64_t print, size_t size)
{
    return (size_t)((print + size) * UINT64_C(0x9e3779b97f4a7c15) >> 40) & words->mask;
}

static bool is_same(const struct word *word, uint64_t print, struct slice text)
{
    if (word->fingerprint != print || word->text.size != text.size)
        return false;
    return text.size <= WHOLE_SIZE || memcmp(word->text.data, text.data, text.size) == 0;
}

/* The slot of the word, or the free one where it would be. */
static size_t find(const struct words *words, uint64_t print, struct slice text)
{
    size_t at = home_of(words, print, text.size);
    while (words->slots[at].text.data && !is_same(&words->slots[at], print, text))
        at = (at + 1) & words->mask;
    return at;
}

struct words *words_create(const char *const *words, size_t n)
{
    size_t n_slots = 4;
    while (n_slots < 4 * n)
        n_slots *= 2;
    struct words *made = calloc(1, sizeof *made + n_slots * sizeof made->slots[0]);
    if (!made)
        return NULL;
    made->mask = n_slots - 1;
    uint32_t n_met = 0;
    for (size_t i = 0; i < n; i++) {
        struct slice text = slice_of(words[i]);
        uint64_t print = fingerprint(text);
        struct word *word = &made->slots[find(made, print, text)];
        if (!word->text.data)
            *word = (struct word){print, text, ++n_met};
    }
    return made;
}

void words_destroy(struct words *words)
{
    free(words);
}

uint32_t words_find(const struct words *words, struct slice text)
{
    return words->slots[find(words, fingerprint(text), text)].number;
}
