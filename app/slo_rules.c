/* `slo-rules`: the objectives of a configuration as rules for Prometheus. */
#include "app/commands.h"
#include "app/config.h"
#include "app/output.h"
#include "engine/monitor/monitor.h"
#include "engine/monitor/slo_rules.h"

#define RULES_BYTES ((size_t)1 << 20)

static enum status read_objectives(const struct config *config, struct slo_set *set,
                                   struct error *error)
{
    return slo_read(config ? config->objectives : NULL, set, error);
}

int command_slo_rules(const struct cli_args *args)
{
    struct config *config = NULL;
    struct slo_set set;
    struct buffer rules;
    struct output output = {0};
    struct error error;
    const char *path = cli_text(args, "output");
    buffer_init(&rules, RULES_BYTES);
    enum status status = STATUS_OK;
    if (cli_has(args, "config"))
        status = config_load(cli_text(args, "config"), &config, &error);
    if (status == STATUS_OK)
        status = read_objectives(config, &set, &error);
    if (status == STATUS_OK)
        status = output_open(path, &output, &error);
    if (status == STATUS_OK) {
        slo_rules_yaml(&set, &rules);
        status = output_write(output.file, path, buffer_slice(&rules), &error);
    }
    if (status == STATUS_OK)
        status = output_commit(&output, &error);
    output_discard(&output);
    buffer_free(&rules);
    config_destroy(config);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
