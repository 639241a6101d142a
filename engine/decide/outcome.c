/* The words for decisions and variants, as they stand in answers, the record and metrics. */
#include "engine/decide/outcome.h"

#include <string.h>

const char *decision_name(enum decision decision)
{
    static const char *const names[DECISION_COUNT] = {
        [DECISION_APPROVE] = "approve",
        [DECISION_REVIEW] = "review",
        [DECISION_DECLINE] = "decline",
    };
    return (unsigned)decision < DECISION_COUNT ? names[decision] : "unknown";
}

const char *variant_name(enum variant variant)
{
    static const char *const names[VARIANT_COUNT] = {
        [VARIANT_CHAMPION] = "champion",
        [VARIANT_CANARY] = "canary",
        [VARIANT_SHADOW] = "shadow",
    };
    return (unsigned)variant < VARIANT_COUNT ? names[variant] : "unknown";
}

enum variant variant_find(const char *name)
{
    int found = 0;
    while (found < VARIANT_COUNT && strcmp(name, variant_name((enum variant)found)) != 0)
        found++;
    return (enum variant)found;
}
