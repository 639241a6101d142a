/* PCRE2 patterns compiled once with JIT; the simplest are matched without it. A match needs a block
 * of working memory: a pattern keeps a few of them for whoever comes next, so that matching
 * allocates nothing once warm. The work of one match is bounded. Any thread may match. */
#include "engine/base/regex.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "engine/base/regex_sequence.h"

#define MATCH_LIMIT    100000 /* steps; each pattern of a contract needs a few per byte */
#define HEAP_LIMIT_KIB 1024

#define N_SPARE 8

struct regex {
    struct regex_sequence sequence; /* the pattern again, when it is as simple as that */
    pcre2_code *code;
    pcre2_match_context *limits;
    _Atomic(pcre2_match_data *) spare[N_SPARE];
};

enum status regex_compile(const char *pattern, struct regex **regex, struct error *error)
{
    *regex = NULL;
    int code = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern, strlen(pattern),
                      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C,
                      &code, &offset, NULL);
    if (!compiled) {
        PCRE2_UCHAR message[160] = "";
        pcre2_get_error_message(code, message, sizeof message);
        return error_set(error, STATUS_INVALID, "pattern \"%.200s\": at offset %zu: %s", pattern,
                         (size_t)offset, (const char *)message);
    }
    struct regex *made = calloc(1, sizeof *made);
    if (made) {
        made->code = compiled;
        made->limits = pcre2_match_context_create(NULL);
    }
    if (!made || !made->limits) {
        pcre2_code_free(compiled);
        free(made);
        return error_set(error, STATUS_MEMORY, "pattern \"%.200s\": out of memory", pattern);
    }
    pcre2_set_match_limit(made->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(made->limits, MATCH_LIMIT);
    pcre2_set_heap_limit(made->limits, HEAP_LIMIT_KIB);
    /* Where the machine allows no JIT the interpreter matches, slower and with the same result. */
    pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
    regex_sequence_read(pattern, &made->sequence);
    *regex = made;
    return STATUS_OK;
}

void regex_destroy(struct regex *regex)
{
    if (!regex)
        return;
    for (size_t i = 0; i < N_SPARE; i++)
        pcre2_match_data_free(atomic_load(&regex->spare[i]));
    pcre2_match_context_free(regex->limits);
    pcre2_code_free(regex->code);
    free(regex);
}

static pcre2_match_data *borrow(struct regex *regex)
{
    for (size_t i = 0; i < N_SPARE; i++) {
        pcre2_match_data *data = atomic_exchange(&regex->spare[i], NULL);
        if (data)
            return data;
    }
    return pcre2_match_data_create(1, NULL);
}

static void give_back(struct regex *regex, pcre2_match_data *data)
{
    for (size_t i = 0; i < N_SPARE; i++) {
        pcre2_match_data *none = NULL;
        if (atomic_compare_exchange_strong(&regex->spare[i], &none, data))
            return;
    }
    pcre2_match_data_free(data);
}

bool regex_match(const struct regex *regex, struct slice subject)
{
    if (regex->sequence.n_steps > 0)
        return regex_sequence_match(&regex->sequence, subject);
    /* Matching changes nothing but which blocks are spare. */
    struct regex *pool = (struct regex *)regex;
    pcre2_match_data *data = borrow(pool);
    if (!data)
        return false;
    int result = pcre2_match(regex->code, (PCRE2_SPTR)(subject.data ? subject.data : ""),
                             subject.size, 0, 0, data, regex->limits);
    give_back(pool, data);
    return result >= 0;
}
