/* The table of commands: what each is called, what help says of it, and what runs. Everything that
 * describes the command line is made from here and from the tables of options. */
#include "app/commands.h"

#include "app/options.h"

const struct cli_command commands[] = {
    {"run", "", "Score events, watch, alert and serve until interrupted",
     "Serves the page, the API and /live until SIGINT or SIGTERM, then drains, commits and exits\n"
     "0. In a terminal it opens the screen of `binnacle top`; elsewhere it prints a status line.",
     "binnacle run --demo", options_run, 0, 0, command_run},
    {"top", "", "The screen of a running binnacle, from anywhere that reaches it",
     "What hurts, objectives, traffic, drift, quality, decisions, logs and settings, once a\n"
     "second; ? lists the keys. [ and ] go through what was seen and the recorded history, L is\n"
     "live again. What changes the service says what will happen, asks for a reason and leaves a\n"
     "row in the ledger. NO_COLOR leaves colours out; without a UTF-8 locale it draws with ASCII.\n"
     "--once takes its size from COLUMNS and LINES.",
     "binnacle top --url http://127.0.0.1:8420 --screen slo", options_top, 0, 0, command_top},
    {"score", "IN...", "Decide on the events of files; JSON lines in input order",
     "Each line is the answer of POST /v1/score, or the event's id with why it was quarantined.\n"
     "Without --ledger nothing is written anywhere.",
     "binnacle score --config packaging/examples/transactions --model fraud.json events.jsonl",
     options_score, 1, -1, command_score},
    {"replay", "IN...", "Run files through the live path on their own clock, into a ledger",
     "Time is the highest event time accepted so far. Started again on the same ledger it goes on\n"
     "where it stopped. The last line of stdout is a JSON summary. Nobody waits for these answers, "
     "so\n"
     "latency is not measured: latency_us is null, and the latency objective has no data.",
     "binnacle replay --config packaging/examples/card-fraud --model m.json --ledger l tx.csv.gz",
     options_replay, 1, -1, command_replay},
    {"features", "IN...", "Compute the features of events as CSV", NULL,
     "binnacle features --config packaging/examples/card-fraud tx.csv.gz", options_features, 1, -1,
     command_features},
    {"produce", "", "Make synthetic events", NULL,
     "binnacle produce --count 10000 --seed 7 --bad 0.01 --to events.jsonl", options_produce, 0, 0,
     command_produce},
    {"train", "[FILE...]", "Train an XGBoost model on the features of events",
     "Events before --train-from only fill the windows. With a test range, area under the ROC\n"
     "curve, average precision and card precision@K of that range are printed; entities known\n"
     "compromised by then are taken out of it.",
     "binnacle train --config packaging/examples/card-fraud --data tx.csv.gz -o model.json",
     options_train, 0, -1, command_train},
    {"predict", "[IN.csv]", "Apply a model to a numeric CSV",
     "The model is XGBoost's JSON or UBJSON, of any version since 1.0. Columns are found by the\n"
     "model's feature names, else by position. An empty cell, nan or NA is missing, as are\n"
     "null, None and the other words that pandas takes for it; inf and -inf compare like numbers "
     "beyond all others, and go left where a split is by categories, as "
     "every\n"
     "code does that the split does not know.",
     "binnacle predict --model model.json features.csv", options_predict, 0, 1, command_predict},
    {"drift", "", "Has a CSV file drifted from another?",
     "Exit 1: at least one feature has. A column is numeric when all its cells are numbers or "
     "missing,\n"
     "else categorical; missing is empty, NA, nan, null, None and their like. psi is used unless "
     "--method\n"
     "names another; one that does not fit a feature's type gives way to psi (ztest to "
     "chisquare).\n"
     "psi and kl: ten bins at the reference's quantiles, what lies outside its range and what is "
     "missing\n"
     "apart, half a count added to each; js (base 2, root), hellinger, tvd, linf and chisquare "
     "over the\n"
     "same bins; ks and wasserstein (in standard deviations of the reference) by value; ztest by\n"
     "shares of two values, else by means. Limits: 0.1 of a distance, 0.05 of a p-value. A feature "
     "drifts\n"
     "when the limit is reached and chance does not explain it: p is adjusted for the number of "
     "features\n"
     "(Benjamini-Hochberg) and must be 0.05 or less. Unseen categories, vanished columns and a "
     "share of\n"
     "missing values that rises by half a percent or more are drift, too. --reference may be a\n"
     "profile made by --profile-out (2,000 values of each feature with how many lie up to them), "
     "or a\n"
     "model of binnacle train, which carries such a profile of all its rows: memory then does not\n"
     "grow with the current file. Each of both may be .gz, and one of them - for standard input.\n"
     "--compat gives the numbers and verdicts of Evidently 0.7 or NannyML 0.13.",
     "binnacle drift --reference train.csv --current today.csv --json", options_drift, 0, 0,
     command_drift},
    {"query", "", "Decisions out of the ledger, as JSON lines", NULL,
     "binnacle query --ledger state --decision decline --limit 10", options_query, 0, 0,
     command_query},
    {"quarantine list", "", "What broke the contract, and why", NULL,
     "binnacle quarantine list --ledger state --reason range", options_quarantine_list, 0, 0,
     command_quarantine_list},
    {"quarantine export", "", "The raw bytes of quarantined events, one a line", NULL,
     "binnacle quarantine export --ledger state -o broken.jsonl", options_quarantine_export, 0, 0,
     command_quarantine_export},
    {"quarantine retry", "[ID...]", "Submit quarantined events again, after a fix", NULL,
     "binnacle quarantine retry --config DIR --ledger state 17", options_quarantine_retry, 0, -1,
     command_quarantine_retry},
    {"ledger head", "", "The newest signed head of the ledger's tree",
     "The head says how many rows there are and what their hashes add up to, signed. Kept where\n"
     "nobody who can write the ledger can write, it proves later that nothing was changed or "
     "taken\n"
     "out: `ledger verify --head FILE`.",
     "binnacle ledger head --ledger state --json -o head.json", options_ledger_head, 0, 0,
     command_ledger_head},
    {"ledger verify", "", "Check that the record is what was recorded",
     "Every row against its hash, the hash tree against every group of rows and every signed "
     "head,\n"
     "everything else against the digests of its group, the files against SQLite's own check,\n"
     "what is sealed of people against the ledger's key. Reads only, also beside a running\n"
     "service. With --head it is found as well when rows were taken off the end, or an older copy\n"
     "of the folder was put back. Exit 1: something is wrong, and each finding says in which "
     "file,\n"
     "table and column.",
     "binnacle ledger verify --ledger state --head head.json", options_ledger_verify, 0, 0,
     command_ledger_verify},
    {"ledger prove", "[EVENT_ID]", "A proof that a decision is in the ledger, as JSON",
     "With EVENT_ID or --index: the row's bytes and the path from its hash to the newest signed\n"
     "head. With --from and --to: that the later tree goes on from the earlier one.\n"
     "packaging/examples/ledger_check.py checks both without binnacle.",
     "binnacle ledger prove 01J5ZC3D2M8N4P6Q7R9S0T1V2W --ledger state", options_ledger_prove, 0, 1,
     command_ledger_prove},
    {"backup", "", "Copy the ledger while it is written, and verify the copy",
     "The copy ends at a signed head and is verified up to it before it takes the place of the\n"
     "backup before; whatever happens in between, one whole backup is there. Days that are over\n"
     "and in the backup already are compared by SHA-256 and not copied again. The folder can be\n"
     "read by `ledger verify` and `query` as it is. Keys are left out unless --with-keys is "
     "given:\n"
     "keep them apart. Exit 1: the ledger is not as it was recorded, or is another one than in "
     "the\n"
     "backup, which stays as it is.",
     "binnacle backup --ledger state --to /mnt/backup/state --json", options_backup, 0, 0,
     command_backup},
    {"restore", "", "Put a backup of the ledger in place",
     "Every file is compared with what was noted when it was backed up, and the rows are verified\n"
     "up to the backup's head, and to heads kept elsewhere with --head; then the folder takes its\n"
     "place in one step. A ledger that is there is replaced with --replace only, stays beside as\n"
     "DIR.before-TIME, and must not be in use. Keys: of --keys, else of the backup, else those in\n"
     "place. Exit 1: the backup is not as it was, and nothing was changed. A source that has sent\n"
     "more to Kafka than the backup holds refuses to go on and says from which offset.",
     "binnacle restore --from /mnt/backup/state --ledger state --head head.json", options_restore,
     0, 0, command_restore},
    {"ledger status", "", "Every day of the ledger: where it is, its rows, bytes and SHA-256",
     "A day is live while it is written to and until it is sealed: then it is one read-only "
     "SQLite\n"
     "file with indexes, known by its SHA-256. Older days are compressed (`zstd -d` gives the "
     "file\n"
     "back). `query`, `ledger prove`, `ledger verify` and reports read all of them.",
     "binnacle ledger status --ledger state", options_ledger_status, 0, 0, command_ledger_status},
    {"ledger seal", "", "Seal the days that are over",
     "A running service does it by itself; this is for a ledger that no service has open. The "
     "bytes\n"
     "of quarantined events are sealed in with their day, however old: `ledger retention` is what\n"
     "deletes them.",
     "binnacle ledger seal --ledger state", options_ledger_seal, 0, 0, command_ledger_seal},
    {"ledger archive", "", "Compress the days that are old, and move them to the archive",
     "A running service does it by itself; this is for a ledger that no service has open. What is\n"
     "compressed is unpacked again and compared before the sealed file goes. With --config and an\n"
     "archive in it (`ledger: {tiers: {archive: ...}}`) compressed days are then moved there: "
     "sent,\n"
     "fetched again whole and compared before the local file goes.",
     "binnacle ledger archive --ledger state --before 2026-01-01", options_ledger_archive, 0, 0,
     command_ledger_archive},
    {"ledger retention", "", "Do with every day what the policy says: seal, compress, move, delete",
     "A running service does it by itself; this is for a ledger that no service has open, and "
     "with\n"
     "--dry-run to see what would be done, now or at another time. Only whole days are deleted, "
     "the\n"
     "oldest first; a row of the ledger says which, with their root and SHA-256, so that `ledger\n"
     "verify` and proofs of what is left go on.",
     "binnacle ledger retention --config DIR --ledger state --dry-run --at 2030-01-01",
     options_ledger_retention, 0, 0, command_ledger_retention},
    {"ledger hold", "", "Stop all deletion from the ledger, for a legal hold",
     "Takes effect at once, also beside a running service, and is put into the record.",
     "binnacle ledger hold --ledger state --reason 'case 17'", options_ledger_hold, 0, 0,
     command_ledger_hold},
    {"ledger release", "", "End a hold: deletion goes on as the policy says", NULL,
     "binnacle ledger release --ledger state --reason 'case 17 is closed'", options_ledger_hold, 0,
     0, command_ledger_release},
    {"contract check", "CONTRACT [FILE]", "Check a contract, and a file of events against it", NULL,
     "binnacle contract check packaging/examples/transactions/contract.yaml events.jsonl",
     options_contract_check, 1, 2, command_contract_check},
    {"contract schema", "CONTRACT", "A contract as JSON Schema", NULL, NULL, options_none, 1, 1,
     command_contract_schema},
    {"contract diff", "OLD NEW", "Whether a new version breaks the consumers of the old one", NULL,
     NULL, options_contract_diff, 2, 2, command_contract_diff},
    {"traffic", "", "Who gets which model", NULL, NULL, options_traffic, 0, 0,
     command_traffic_show},
    {"traffic set", "ARM=SHARE...", "Change the split of a running binnacle",
     "ARM is champion, canary or shadow; SHARE is in percent of the traffic.",
     "binnacle traffic set canary=5", options_traffic_set, 1, -1, command_traffic_set},
    {"reload", "", "Have a running binnacle read its rules file again", NULL, NULL, options_reload,
     0, 0, command_reload},
    {"drill", "FAULT", "Put a fault into a demo or staging instance, to see what is made of it",
     "FAULT is latency, errors, drift, freshness, nulls, canary, labels, volume, rules, cohort or\n"
     "none. It comes from outside, through the door that a real one would come through: events\n"
     "and labels posted over HTTP, the split, the rules file, a lock on the ledger's database "
     "that\n"
     "holds commits up (latency, errors; on the service's machine, as its user). What was changed\n"
     "is put back at the end, on Ctrl-C, too. An instance that is neither a demo nor configured\n"
     "with `staging: true` is left alone. Prints {drill, seed, from, to}.",
     "binnacle drill nulls --for 30 --seed 7; binnacle explain", options_drill, 1, 1,
     command_drill},
    {"explain", "", "What is wrong with a running binnacle, why, and what to do",
     "Prints the incident, its causes with their evidence, best first, what it has touched and a\n"
     "command to begin with. --json prints {incident, since, until, causes: [{cause, slice,\n"
     "share_of_excess, changed_at, recovered_at, evidence}], impact: {requests, users, errors,\n"
     "money, money_field, decisions_changed}, action, incidents, firing}. incidents: what\n"
     "objectives that burned and drift that was found have opened, newest first: the same members\n"
     "after opened_at, closed_at and triggers, kept across restarts. firing: the alerts that fire\n"
     "now, also on what is over by now. cause is one of model, split, rules, contract, upstream,\n"
     "cohort, source, dependency, resource, labels, volume, freshness, none.",
     "binnacle explain", options_explain, 0, 0, command_explain},
    {"report", "KIND", "A report out of the ledger: slo, performance",
     "slo: what each objective attained, day by day, out of the ledger and history.db beside it;\n"
     "covered_ratio says how much of the range that knows. performance: how good decisions turned\n"
     "out to be by the labels that came (with intervals; by variant, cohort and time; coverage\n"
     "and label delay), and what was expected without labels beside it. --config: the service's\n"
     "objectives, contract and `performance:`.",
     "binnacle report slo --ledger state --from 2026-01-01 --to 2026-02-01 --format pdf -o slo.pdf",
     options_report, 1, 1, command_report},
    {"slo-rules", "", "The objectives as rules for Prometheus: burn rates, attainment, alerts",
     "Recording rules (binnacle:slo_burn:1h and so on, binnacle:slo_attainment) from the counters "
     "of\n"
     "/metrics, and an alert for each pair of windows, with the rates and least counts that the\n"
     "service itself goes by. Without --config: the default objectives.",
     "binnacle slo-rules --config DIR -o binnacle.rules.yaml", options_slo_rules, 0, 0,
     command_slo_rules},
    {"detect", "[FILE]", "Find where the mean of a stream changes: concept drift",
     "One number per line in, such as 1 for an error of the classifier and 0 for none; the "
     "zero-based\n"
     "positions at which the detector fired out. It starts afresh with the number after each.\n"
     "Positions, defaults and parameters are those of River 0.26:\n"
     "adwin   delta=0.002 clock=32 max_buckets=5 min_window_length=5 grace_period=10 restart=true\n"
     "ddm     warm_start=30 warning_threshold=2 drift_threshold=3 (errors, 0 to 1)\n"
     "eddm    warm_start=30 alpha=0.95 beta=0.9 (errors are exactly 1, the rest 0 to 1)\n"
     "hddm_a  drift_confidence=0.001 warning_confidence=0.005 two_sided_test=false (0 to 1)\n"
     "ph      min_instances=30 delta=0.005 threshold=50 alpha=0.9999 mode=both (up, down)\n"
     "kswin   alpha=0.005 window_size=100 stat_size=30 seed=42 restart=true\n"
     "restart=false keeps the newest part of the window after a detection, as the papers of adwin\n"
     "and kswin do. kswin draws from its window by a seed; River without one gives other "
     "positions\n"
     "each time. --json: {method, parameters, n (numbers read), positions}. Positions found are "
     "an\n"
     "answer, not a fault: the exit status is 0 with them and without.",
     "binnacle detect --method adwin --set delta=0.01 errors.txt", options_detect, 0, 1,
     command_detect},
    {"metrics", "FILE", "How good scores are against the truth, with confidence intervals",
     "FILE is CSV with a header. auc (ties count half), average_precision, brier, log_loss,\n"
     "precision, recall and f1 are scikit-learn's; ece is the calibration error over bins of "
     "equal\n"
     "width (lo, hi], each weighted by its rows. Intervals (--confidence): DeLong for auc, logit "
     "for\n"
     "average_precision, Wilson for precision and recall and, through tp of tp + fp + fn, for f1,\n"
     "normal for brier, log_loss, cost and precision_at_k, bootstrap over the bins for ece.\n"
     "What is not defined (no rows, one class only, scores beyond 0 to 1 where probabilities are\n"
     "needed) is null. Rows without a label are left out and counted (unlabelled); a row without "
     "a\n"
     "score is an error. cost is the mean per row of --cost-fp for each false positive and "
     "--cost-fn,\n"
     "times --amount, for each false negative. precision_at_k ranks entities by their highest "
     "score\n"
     "of a day; those found on an earlier day are left out (Fraud Detection Handbook).",
     "binnacle metrics --score score --label is_fraud scored.csv --json", options_metrics, 1, 1,
     command_metrics},
    {"estimate", "", "How good the model is before labels are there: CBPE as NannyML defines it",
     "Learns from --reference whether isotonic calibration improves the scores, and takes each\n"
     "calibrated score as the probability that the row is positive: fractional confusion counts "
     "per\n"
     "chunk give the estimate. lower and upper are three sampling errors around it; thresholds "
     "are\n"
     "the mean of the reference's chunks and three standard deviations; an estimate beyond one is "
     "an\n"
     "alert. realized is the truth where labels are there. start and end are rows, both included.\n"
     "Values are those of NannyML 0.13; its sampling error of average_precision is drawn at "
     "random:\n"
     "--seed N gives what it gives after numpy.random.seed(N).\n"
     "--json: {n_reference, n_current, calibrated, chunks [{start, end, n, metric, estimated,\n"
     "realized, sampling_error, lower, upper, lower_threshold, upper_threshold, alert}]}. The "
     "exit\n"
     "status is 0 with alerts, too.",
     "binnacle estimate --reference test.csv --current week.csv --score score --pred decision "
     "--label fraud --chunk-size 1000 --json",
     options_estimate, 0, 0, command_estimate},
    {"doctor", "", "Look at the machine, the configuration, the ledger and the broker", NULL, NULL,
     options_doctor, 0, 0, command_doctor},
    {"bench", "[IN]", "What each stage of a decision costs on this machine",
     "Takes synthetic events, or those of the file IN, through the pipeline in batches, into a\n"
     "ledger in a temporary folder that is removed afterwards, and prints what each stage needs "
     "of\n"
     "one core per event: medians of five runs. Without --config it takes the demo's "
     "configuration;\n"
     "where no model is configured it trains one of 100 trees, 6 deep, in place. Synthetic events\n"
     "are of the contract `transactions`; other contracts need a file, which should hold eleven\n"
     "times --events.\n\n"
     "Stages, in their order: parse, contract, identity (ids and pseudonyms), features, route,\n"
     "score, shadow, rules, reasons, record, ledger_writer (the ledger's own thread) and observe.\n"
     "Reasons are the top three of review and decline; beside each rate stands what it is with\n"
     "all reasons of every decision in line, from runs in between.\n\n"
     "--json prints one object: machine {cpu, cores, vectors}, model {name, trees, features,\n"
     "kernel, one_row_ns, batch_rows, batch_row_ns, contributions_row_ns}, runs, events (of a\n"
     "run), batch, accepted_ratio, stages_ns {one member a stage}, total_ns (their sum),\n"
     "core_events_per_s (1e9 / total_ns), durable_events_per_s (by the wall clock, until all are\n"
     "on the disk) and all_reasons_in_line {total_ns, core_events_per_s, durable_events_per_s}.\n"
     "Times are nanoseconds; what could not be measured is null.",
     "binnacle bench --config packaging/examples/card-fraud --model m.json tx.csv.gz",
     options_bench, 0, 1, command_bench},
    {"completion", "", "Shell completion for bash", NULL, "source <(binnacle completion)",
     options_none, 0, 0, command_completion},
    {"man", "", "This manual as a man page", NULL, "binnacle man | man -l -", options_none, 0, 0,
     command_man},
    {"version", "", "Version of binnacle and of the libraries it runs with", NULL, NULL,
     options_none, 0, 0, command_version},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL},
};
