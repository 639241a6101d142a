/* The `traffic:` list of binnacle.yaml. Runs at start and reload. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "engine/traffic/traffic.h"

struct arm_config {
    const char *variant, *model, *version;
    double share;
};

#define AT(member) offsetof(struct arm_config, member)

static const struct config_key arm_keys[] = {
    {"variant", CONFIG_STRING, AT(variant), true, 0, 0, "champion, canary or shadow"},
    {"model", CONFIG_STRING, AT(model), true, 0, 0, "name of one of the models"},
    {"version", CONFIG_STRING, AT(version), true, 0, 0, "its version"},
    {"share", CONFIG_NUMBER, AT(share), false, 0, 100,
     "percent of traffic; champion: default what the canaries leave; shadow: default 100"},
    {.name = NULL},
};

static enum status copy_name(const struct yaml_node *node, const char *name,
                             char out[TRAFFIC_NAME_SIZE], struct error *error)
{
    if (snprintf(out, TRAFFIC_NAME_SIZE, "%s", name) < TRAFFIC_NAME_SIZE)
        return STATUS_OK;
    return yaml_error(node, error, "\"%.20s...\" is longer than %d bytes", name,
                      TRAFFIC_NAME_SIZE - 1);
}

static enum status read_arm(const struct yaml_node *node, struct traffic_arm *arm,
                            struct error *error)
{
    struct arm_config config = {.share = NAN};
    enum status status = config_read(node, arm_keys, &config, error);
    if (status)
        return status;
    *arm = (struct traffic_arm){.share_percent = config.share};
    const struct yaml_node *variant = yaml_get(node, "variant");
    if (!traffic_role_parse(slice_of(config.variant), &arm->role)) {
        static const char *const words[] = {"champion", "canary", "shadow"};
        return yaml_error(variant, error, "\"%.40s\" is not champion, canary or shadow%s",
                          config.variant,
                          did_you_mean(nearest_word(config.variant, words, TRAFFIC_ROLES)).text);
    }
    status = copy_name(node, config.model, arm->model, error);
    return status ? status : copy_name(node, config.version, arm->version, error);
}

enum status traffic_read(const struct yaml_node *list, struct traffic_arm *arms, size_t *n_arms,
                         struct error *error)
{
    size_t n = yaml_size(list);
    if (yaml_kind(list) != YAML_LIST || n == 0)
        return yaml_error(list, error, "a list of {variant, model, version, share} was expected");
    if (n > TRAFFIC_MAX_ARMS)
        return yaml_error(list, error, "%zu models are more than the %d of a split", n,
                          TRAFFIC_MAX_ARMS);
    for (size_t i = 0; i < n; i++) {
        enum status status = read_arm(yaml_item(list, i), &arms[i], error);
        if (status)
            return status;
    }
    struct error reason;
    if (traffic_check(arms, n, &reason))
        return yaml_error(list, error, "%s", reason.message);
    *n_arms = n;
    return STATUS_OK;
}
