/* Every command of the command line; the table itself is in commands.c. Each returns the
 * process's exit code. */
#ifndef BINNACLE_APP_COMMANDS_H
#define BINNACLE_APP_COMMANDS_H

#include "app/cli.h"

/* Ends with a row whose name is NULL. */
extern const struct cli_command commands[];

int command_run(const struct cli_args *args);
int command_top(const struct cli_args *args);
int command_score(const struct cli_args *args);
int command_replay(const struct cli_args *args);
int command_features(const struct cli_args *args);
int command_produce(const struct cli_args *args);
int command_train(const struct cli_args *args);
int command_predict(const struct cli_args *args);
int command_query(const struct cli_args *args);
int command_quarantine_list(const struct cli_args *args);
int command_quarantine_export(const struct cli_args *args);
int command_quarantine_retry(const struct cli_args *args);
int command_ledger_head(const struct cli_args *args);
int command_ledger_verify(const struct cli_args *args);
int command_ledger_prove(const struct cli_args *args);
int command_backup(const struct cli_args *args);
int command_restore(const struct cli_args *args);
int command_ledger_status(const struct cli_args *args);
int command_ledger_seal(const struct cli_args *args);
int command_ledger_retention(const struct cli_args *args);
int command_ledger_hold(const struct cli_args *args);
int command_ledger_release(const struct cli_args *args);
int command_ledger_archive(const struct cli_args *args);
int command_contract_check(const struct cli_args *args);
int command_contract_schema(const struct cli_args *args);
int command_contract_diff(const struct cli_args *args);
int command_traffic_show(const struct cli_args *args);
int command_drill(const struct cli_args *args);
int command_reload(const struct cli_args *args);
int command_explain(const struct cli_args *args);
int command_traffic_set(const struct cli_args *args);
int command_report(const struct cli_args *args);
int command_drift(const struct cli_args *args);
int command_detect(const struct cli_args *args);
int command_slo_rules(const struct cli_args *args);
int command_metrics(const struct cli_args *args);
int command_estimate(const struct cli_args *args);
int command_bench(const struct cli_args *args);
int command_doctor(const struct cli_args *args);
int command_completion(const struct cli_args *args);
int command_man(const struct cli_args *args);
int command_version(const struct cli_args *args);

#endif
