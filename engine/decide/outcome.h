/* What was decided on one event, and everything needed to prove and repeat it. */
#ifndef BINNACLE_DECIDE_OUTCOME_H
#define BINNACLE_DECIDE_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/event/event.h"
#include "engine/feature/vector.h"

enum decision { DECISION_APPROVE, DECISION_REVIEW, DECISION_DECLINE, DECISION_COUNT };
/* "approve", "review", "decline". */
const char *decision_name(enum decision decision);

enum variant { VARIANT_CHAMPION, VARIANT_CANARY, VARIANT_SHADOW, VARIANT_COUNT };
/* "champion", "canary", "shadow". */
const char *variant_name(enum variant variant);
/* The one of this name, VARIANT_COUNT: none. */
enum variant variant_find(const char *name);

/* Why: one feature's share of the margin. */
struct reason {
    const char *code;   /* "R-AMOUNT"; lives with the rules */
    int feature;        /* index in the feature schema; -1: the rule that fired */
    float value;        /* as served; NaN: missing */
    float contribution; /* margin units; NaN: a rule has none */
};

#define MAX_SHADOWS 4

struct shadow_score {
    const char *model;
    const char *version;
    float score;
};

struct outcome {
    const struct event *event; /* accepted */
    struct feature_vector features;
    float margin;
    float score;
    enum decision decision;
    const char *rule;      /* the rule that fired, or "default" */
    const char *rule_code; /* its reason code; NULL: it has none */
    /* The rule's code, when it has one, then by largest absolute contribution; may be none. */
    const struct reason *reasons;
    int n_reasons;
    const char *model;
    const char *model_version;
    enum variant variant; /* champion or canary */
    struct shadow_score shadows[MAX_SHADOWS];
    int n_shadows;
    uint8_t trace_id[16];
    int64_t decided_at_us; /* engine's clock */
    int64_t latency_us;    /* from received to decided, monotonic */
    uint64_t ledger_index; /* the row's leaf; set by the ledger */
};

#endif
