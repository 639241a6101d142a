/* Patterns such as `user-[0-9]+`: each step takes all it can get, which needs no way back as long
 * as what a step may take more of cannot begin what follows it. Read at start; any thread matches.
 */
#include "engine/base/regex_sequence.h"

#include <string.h>

#define MANY UINT32_MAX

static void add(struct sequence_step *step, unsigned char byte)
{
    step->set[byte / 64] |= UINT64_C(1) << (byte % 64);
}

static bool has(const struct sequence_step *step, unsigned char byte)
{
    return byte < 128 && (step->set[byte / 64] >> (byte % 64) & 1);
}

static bool is_literal(char c)
{
    return c >= ' ' && c < 0x7f && !strchr("\\^$.[]|()?*+{}#", c);
}

/* A class without escapes, negation or names, from after its bracket. NULL: another kind. */
static const char *read_class(const char *at, struct sequence_step *step)
{
    const char *first = at;
    for (; *at && *at != ']'; at++) {
        if (*at < ' ' || *at >= 0x7f || strchr("\\[^", *at))
            return NULL;
        if (at[1] != '-' || at[2] == ']') {
            add(step, (unsigned char)*at);
            continue;
        }
        if (*at == '-' || at[2] < ' ' || at[2] >= 0x7f || strchr("\\[^-", at[2]) || at[2] < *at)
            return NULL;
        for (unsigned c = (unsigned char)*at; c <= (unsigned char)at[2]; c++)
            add(step, (unsigned char)c);
        at += 2;
    }
    return *at == ']' && at > first ? at + 1 : NULL;
}

static const char *read_count(const char *at, uint32_t *count)
{
    const char *first = at;
    for (*count = 0; *at >= '0' && *at <= '9' && at - first < 4; at++)
        *count = *count * 10 + (uint32_t)(*at - '0');
    return at > first ? at : NULL;
}

/* {n}, {n,} or {n,m} from after its brace. */
static const char *read_counts(const char *at, struct sequence_step *step)
{
    at = read_count(at, &step->least);
    if (!at)
        return NULL;
    step->most = step->least;
    if (*at == ',') {
        step->most = MANY;
        if (*++at != '}')
            at = read_count(at, &step->most);
    }
    return at && *at == '}' ? at + 1 : NULL;
}

static const char *read_quantifier(const char *at, struct sequence_step *step)
{
    step->least = step->most = 1;
    switch (*at) {
    case '+':
        step->most = MANY;
        at++;
        break;
    case '*':
        step->least = 0;
        step->most = MANY;
        at++;
        break;
    case '?':
        step->least = 0;
        at++;
        break;
    case '{':
        at = read_counts(at + 1, step);
        break;
    default:
        return at;
    }
    /* Lazy and possessive ones are left to PCRE2. */
    return at && *at && strchr("+*?{", *at) ? NULL : at;
}

static const char *read_step(const char *at, struct sequence_step *step)
{
    *step = (struct sequence_step){.set = {0}};
    if (*at == '[') {
        at = read_class(at + 1, step);
    } else if (is_literal(*at)) {
        add(step, (unsigned char)*at++);
    } else {
        return NULL;
    }
    return at ? read_quantifier(at, step) : NULL;
}

/* Whether a step that may take more never takes what one behind it needs. */
static bool is_greedy(const struct regex_sequence *sequence, int i)
{
    const struct sequence_step *step = &sequence->steps[i];
    if (step->least == step->most)
        return true;
    for (int j = i + 1; j < sequence->n_steps; j++) {
        const struct sequence_step *behind = &sequence->steps[j];
        if ((step->set[0] & behind->set[0]) || (step->set[1] & behind->set[1]))
            return false;
        if (behind->least > 0)
            break; /* nothing further on can come directly */
    }
    return true;
}

/* The one character that the step takes, or 0. */
static char only_character(const struct sequence_step *step)
{
    if (step->least != 1 || step->most != 1 ||
        __builtin_popcountll(step->set[0]) + __builtin_popcountll(step->set[1]) != 1)
        return 0;
    return (char)(step->set[0] ? __builtin_ctzll(step->set[0])
                               : 64 + __builtin_ctzll(step->set[1]));
}

void regex_sequence_read(const char *pattern, struct regex_sequence *sequence)
{
    sequence->n_steps = 0;
    while (*pattern) {
        if (sequence->n_steps == SEQUENCE_STEPS ||
            !(pattern = read_step(pattern, &sequence->steps[sequence->n_steps]))) {
            sequence->n_steps = 0;
            return;
        }
        sequence->n_steps++;
    }
    for (int i = 0; i < sequence->n_steps; i++)
        if (!is_greedy(sequence, i)) {
            sequence->n_steps = 0;
            return;
        }
    sequence->n_fixed = 0;
    while (
        sequence->n_fixed < sequence->n_steps &&
        (sequence->fixed[sequence->n_fixed] = only_character(&sequence->steps[sequence->n_fixed])))
        sequence->n_fixed++;
}

bool regex_sequence_match(const struct regex_sequence *sequence, struct slice subject)
{
    size_t n_fixed = (size_t)sequence->n_fixed;
    if (subject.size < n_fixed ||
        (n_fixed > 0 && memcmp(subject.data, sequence->fixed, n_fixed) != 0))
        return false;
    const char *at = subject.data + n_fixed, *end = subject.data + subject.size;
    for (int i = sequence->n_fixed; i < sequence->n_steps; i++) {
        const struct sequence_step *step = &sequence->steps[i];
        uint32_t taken = 0;
        while (at < end && taken < step->most && has(step, (unsigned char)*at)) {
            at++;
            taken++;
        }
        if (taken < step->least)
            return false;
    }
    return at == end;
}
