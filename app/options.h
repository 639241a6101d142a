/* The options of each command, for the table of commands. Each ends with a row without a name. */
#ifndef BINNACLE_APP_OPTIONS_H
#define BINNACLE_APP_OPTIONS_H

#include "app/cli.h"

extern const struct cli_option options_run[];
extern const struct cli_option options_score[];
extern const struct cli_option options_replay[];
extern const struct cli_option options_features[];
extern const struct cli_option options_produce[];
extern const struct cli_option options_train[];
extern const struct cli_option options_predict[];
extern const struct cli_option options_drift[];
extern const struct cli_option options_query[];
extern const struct cli_option options_quarantine_list[];
extern const struct cli_option options_quarantine_export[];
extern const struct cli_option options_quarantine_retry[];
extern const struct cli_option options_contract_check[];
extern const struct cli_option options_contract_diff[];
extern const struct cli_option options_top[];
extern const struct cli_option options_traffic[];
extern const struct cli_option options_traffic_set[];
extern const struct cli_option options_drill[];
extern const struct cli_option options_reload[];
extern const struct cli_option options_explain[];
extern const struct cli_option options_report[];
extern const struct cli_option options_ledger_head[];
extern const struct cli_option options_ledger_verify[];
extern const struct cli_option options_ledger_prove[];
extern const struct cli_option options_backup[];
extern const struct cli_option options_ledger_status[];
extern const struct cli_option options_ledger_seal[];
extern const struct cli_option options_restore[];
extern const struct cli_option options_ledger_archive[];
extern const struct cli_option options_ledger_retention[];
extern const struct cli_option options_ledger_hold[];
extern const struct cli_option options_doctor[];
extern const struct cli_option options_slo_rules[];
extern const struct cli_option options_detect[];
extern const struct cli_option options_metrics[];
extern const struct cli_option options_estimate[];
extern const struct cli_option options_bench[];
extern const struct cli_option options_none[];

#endif
