/* Arms: which model decided, as what. A shard finds them in a copy of its own; a new arm is the
 * rare case that takes the lock. */
#include <math.h>
#include <string.h>

#include "engine/observe/observe_priv.h"

static bool arm_is(const struct arm *arm, enum variant variant, const char *model,
                   const char *version)
{
    return arm->used && arm->variant == variant && strcmp(arm->model, model) == 0 &&
           strcmp(arm->version, version) == 0;
}

static void copy_name(char out[NAME_SIZE], const char *name)
{
    size_t size = strnlen(name, NAME_SIZE - 1);
    memcpy(out, name, size);
    out[size] = '\0';
}

/* A place that is free, or held by an arm that is not configured and had no traffic for a day. */
static int arm_place(struct observe *observe)
{
    struct tally day;
    windows_sum(observe->windows, INT64_C(86400) * 1000000, &day);
    for (int i = 0; i < MAX_ARMS; i++) {
        if (!observe->arms[i].used)
            return i;
    }
    for (int i = 0; i < MAX_ARMS; i++) {
        if (isnan(observe->arms[i].share_wanted) && day.arms[i] == 0)
            return i;
    }
    return NO_ARM;
}

static int arm_find(struct observe *observe, enum variant variant, const char *model,
                    const char *version)
{
    lock_assert_held(&observe->lock);
    char model_name[NAME_SIZE], version_name[NAME_SIZE];
    copy_name(model_name, model);
    copy_name(version_name, version);
    for (int i = 0; i < MAX_ARMS; i++) {
        if (arm_is(&observe->arms[i], variant, model_name, version_name))
            return i;
    }
    int place = arm_place(observe);
    if (place == NO_ARM)
        return NO_ARM;
    windows_clear_arm(observe->windows, place);
    struct arm *arm = &observe->arms[place];
    *arm = (struct arm){.variant = variant, .share_wanted = NAN, .used = true};
    memcpy(arm->model, model_name, sizeof model_name);
    memcpy(arm->version, version_name, sizeof version_name);
    atomic_fetch_add(&observe->generation, 1);
    return place;
}

/* Where the judged shadow's arm is. observe->lock is held. */
static void place_shadow(struct observe *observe)
{
    const struct arm *shadow = &observe->shadow;
    int place = NO_ARM;
    for (int i = 0; i < MAX_ARMS && shadow->used && place == NO_ARM; i++) {
        if (arm_is(&observe->arms[i], VARIANT_SHADOW, shadow->model, shadow->version))
            place = i;
    }
    atomic_store(&observe->shadow_arm, place);
}

/* Several shadows are several distributions: the first of the split is judged, and afresh when it
 * is another. observe->lock is held. */
static void choose_shadow(struct observe *observe, const struct observe_arm *arms, int n_arms)
{
    struct arm chosen = {.used = false};
    for (int i = 0; i < n_arms && !chosen.used; i++) {
        if (arms[i].variant != VARIANT_SHADOW)
            continue;
        chosen = (struct arm){.variant = VARIANT_SHADOW, .used = true};
        copy_name(chosen.model, arms[i].model);
        copy_name(chosen.version, arms[i].version);
    }
    if (!arm_is(&chosen, VARIANT_SHADOW, observe->shadow.model, observe->shadow.version))
        drift_slices_rewind(observe->shadow_slices, 0);
    observe->shadow = chosen;
    place_shadow(observe);
}

void arms_restore(struct observe *observe, const struct arm saved[MAX_ARMS])
{
    lock_assert_held(&observe->lock);
    struct arm configured[MAX_ARMS];
    memcpy(configured, observe->arms, sizeof configured);
    memcpy(observe->arms, saved, sizeof observe->arms);
    for (int i = 0; i < MAX_ARMS; i++) {
        const struct arm *arm = &configured[i];
        int place = arm->used && !isnan(arm->share_wanted)
                        ? arm_find(observe, arm->variant, arm->model, arm->version)
                        : NO_ARM;
        if (place != NO_ARM)
            observe->arms[place].share_wanted = arm->share_wanted;
    }
    place_shadow(observe);
    atomic_fetch_add(&observe->generation, 1);
}

int8_t observe_shard_arm(struct observe *observe, struct shard *shard, enum variant variant,
                         const char *model, const char *version)
{
    if (!model)
        return NO_ARM;
    version = version ? version : "";
    for (int i = 0; i < MAX_ARMS; i++) {
        if (arm_is(&shard->arms[i], variant, model, version))
            return (int8_t)i;
    }
    lock_take(&observe->lock);
    int place = arm_find(observe, variant, model, version);
    if (place != NO_ARM)
        shard->arms[place] = observe->arms[place];
    lock_release(&observe->lock);
    return (int8_t)place;
}

void observe_set_arms(struct observe *observe, const struct observe_arm *arms, int n_arms)
{
    observe_assert(observe);
    lock_take(&observe->lock);
    for (int i = 0; i < MAX_ARMS; i++)
        observe->arms[i].share_wanted = NAN;
    for (int i = 0; i < n_arms; i++) {
        int place = arm_find(observe, arms[i].variant, arms[i].model, arms[i].version);
        if (place != NO_ARM)
            observe->arms[place].share_wanted = arms[i].share_wanted;
    }
    choose_shadow(observe, arms, n_arms);
    atomic_fetch_add(&observe->generation, 1);
    lock_release(&observe->lock);
}
