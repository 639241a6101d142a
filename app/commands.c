/* The table of commands: names, options, help and what runs. Everything that describes the
 * command line is made from here. */
#include "app/commands.h"

#define CONFIG_OPTION                                                                              \
    {                                                                                              \
        "config", OPTION_TEXT, "DIR",                                                              \
            "folder with binnacle.yaml, contract, features, rules and models", NULL, 0, 0          \
    }
#define MODEL_OPTION                                                                               \
    {                                                                                              \
        "model", OPTION_TEXT, "FILE",                                                              \
            "XGBoost model that takes the place of the configured champion", NULL, 0, 0            \
    }
#define LEDGER_OPTION                                                                              \
    {                                                                                              \
        "ledger", OPTION_TEXT, "DIR", "folder of the ledger", NULL, 0, 0                           \
    }
#define JSON_OPTION                                                                                \
    {                                                                                              \
        "json", OPTION_FLAG, NULL, "print JSON", NULL, 0, 0                                        \
    }
#define URL_OPTION                                                                                 \
    {                                                                                              \
        "url", OPTION_TEXT, "URL", "the running binnacle", "http://127.0.0.1:8420", 0, 0           \
    }
#define FROM_OPTION                                                                                \
    {                                                                                              \
        "from", OPTION_TIME, "TIME", "not before this time", NULL, 0, 0                            \
    }
#define TO_OPTION                                                                                  \
    {                                                                                              \
        "to", OPTION_TIME, "TIME", "before this time", NULL, 0, 0                                  \
    }
#define OUTPUT_OPTION                                                                              \
    {                                                                                              \
        "output", OPTION_TEXT, "FILE", "write here instead of stdout; -o FILE for short", "-", 0,  \
            0                                                                                      \
    }
#define LOG_OPTION                                                                                 \
    {                                                                                              \
        "log-level", OPTION_TEXT, "LEVEL", "debug, info, warn or error", "info", 0, 0              \
    }
#define END_OPTION                                                                                 \
    {                                                                                              \
        NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0                                                  \
    }

static const struct cli_option run_options[] = {
    CONFIG_OPTION,
    MODEL_OPTION,
    LEDGER_OPTION,
    {"listen", OPTION_TEXT, "HOST:PORT", "address of the page and the API", NULL, 0, 0},
    {"listen-score", OPTION_TEXT, "HOST:PORT",
     "a second address for scoring only, made for load: one loop for all connections, "
     "requests that arrive together decided and committed together",
     NULL, 0, 0},
    {"demo", OPTION_FLAG, NULL,
     "embedded configuration, built-in producer, a model trained in place", NULL, 0, 0},
    {"input", OPTION_TEXT, "FILE", "score this file's events on their own clock while serving",
     NULL, 0, 0},
    {"speed", OPTION_TEXT, "max|N", "with --input: N times as fast as the events happened", NULL, 0,
     0},
    {"no-tui", OPTION_FLAG, NULL, "do not open the terminal screen", NULL, 0, 0},
    LOG_OPTION,
    END_OPTION,
};

static const struct cli_option score_options[] = {
    CONFIG_OPTION, MODEL_OPTION,
    LEDGER_OPTION, {"reasons", OPTION_TEXT, "N|all", "reasons per decision", "3", 0, 0},
    END_OPTION,
};

static const struct cli_option replay_options[] = {
    CONFIG_OPTION,
    MODEL_OPTION,
    LEDGER_OPTION,
    {"speed", OPTION_TEXT, "max|N", "N times as fast as the events happened", "max", 0, 0},
    END_OPTION,
};

static const struct cli_option features_options[] = {CONFIG_OPTION, OUTPUT_OPTION, END_OPTION};

static const struct cli_option produce_options[] = {
    {"config", OPTION_TEXT, "DIR",
     "with kafka://: the cluster's settings, of the folder's `kafka` map", NULL, 0, 0},
    {"seed", OPTION_INT, "N", "the same seed gives the same events", "1", 0, 1e15},
    {"count", OPTION_INT, "N", "events to make; 0: until interrupted", "1000", 0, 1e12},
    {"rate", OPTION_NUMBER, "N", "events per second of event time", "50", 0.001, 1e6},
    {"pace", OPTION_TEXT, "live|max", "send at the rate, or as fast as possible", "max", 0, 0},
    {"start", OPTION_TIME, "TIME", "event time of the first event (so that the last one is past)",
     NULL, 0, 0},
    {"users", OPTION_INT, "N", "how many users there are", "2000", 1, 1e7},
    {"fraud", OPTION_NUMBER, "RATIO", "share of fraudulent events", "0.01", 0, 1},
    {"bad", OPTION_NUMBER, "RATIO", "share of events that break the contract", "0", 0, 1},
    {"with-labels", OPTION_FLAG, NULL, "put the truth into the label field", NULL, 0, 0},
    {"to", OPTION_TEXT, "TARGET", "- or FILE, http://HOST:PORT, or kafka://BROKER/TOPIC", "-", 0,
     0},
    END_OPTION,
};

static const struct cli_option train_options[] = {
    CONFIG_OPTION,
    {"data", OPTION_TEXT, "FILE", "events to train on; further files as arguments", NULL, 0, 0},
    {"label", OPTION_TEXT, "COL", "field with the label, if not the contract's", NULL, 0, 0},
    {"train-from", OPTION_TIME, "TIME",
     "first event that is trained on; earlier ones only fill windows", NULL, 0, 0},
    {"train-to", OPTION_TIME, "TIME", "end of the training range", NULL, 0, 0},
    {"test-from", OPTION_TIME, "TIME", "start of a test range whose figures are printed", NULL, 0,
     0},
    {"test-to", OPTION_TIME, "TIME", "end of the test range", NULL, 0, 0},
    {"top", OPTION_INT, "K", "entities a day for card precision", "100", 1, 1e6},
    JSON_OPTION,
    {"output", OPTION_TEXT, "MODEL", "the model file to write; -o MODEL for short", NULL, 0, 0},
    END_OPTION,
};

static const struct cli_option predict_options[] = {
    {"model", OPTION_TEXT, "FILE", "the XGBoost model", NULL, 0, 0},
    {"margin", OPTION_FLAG, NULL, "print margins instead of probabilities", NULL, 0, 0},
    {"contribs", OPTION_FLAG, NULL, "print each feature's contribution and the bias as CSV", NULL,
     0, 0},
    {"best-iteration", OPTION_FLAG, NULL, "use the trees up to the best iteration only", NULL, 0,
     0},
    END_OPTION,
};

static const struct cli_option drift_options[] = {
    {"reference", OPTION_TEXT, "A.csv",
     "what the data should look like: CSV, a profile, or a model", NULL, 0, 0},
    {"current", OPTION_TEXT, "B.csv", "the data to judge", NULL, 0, 0},
    {"profile-out", OPTION_TEXT, "FILE",
     "write what the reference looks like, to compare with later", NULL, 0, 0},
    {"features", OPTION_TEXT, "a,b", "only these columns, without their labels, say", NULL, 0, 0},
    {"method", OPTION_TEXT, "METHOD",
     "psi, js, ks, wasserstein, chisquare, tvd, hellinger, kl, linf or ztest", NULL, 0, 0},
    {"compat", OPTION_TEXT, "TOOL", "judge as evidently or nannyml does", NULL, 0, 0},
    {"threshold", OPTION_NUMBER, "T", "limit of the statistic, or of the p-value of a test", NULL,
     0, 1e9},
    {"share", OPTION_NUMBER, "RATIO", "of drifted features from which the data set has drifted",
     "0.5", 0, 1},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option query_options[] = {
    LEDGER_OPTION,
    CONFIG_OPTION,
    MODEL_OPTION,
    FROM_OPTION,
    TO_OPTION,
    {"event-id", OPTION_TEXT, "ID", "this event", NULL, 0, 0},
    {"entity", OPTION_TEXT, "VALUE", "this entity, in clear or as its pseudonym", NULL, 0, 0},
    {"decision", OPTION_TEXT, "D", "approve, review or decline", NULL, 0, 0},
    {"reason", OPTION_TEXT, "CODE", "with this reason code", NULL, 0, 0},
    {"min-score", OPTION_NUMBER, "S", "score at least", NULL, 0, 0},
    {"max-score", OPTION_NUMBER, "S", "score at most", NULL, 0, 0},
    {"variant", OPTION_TEXT, "V", "champion or canary", NULL, 0, 0},
    {"reasons", OPTION_TEXT, "N|all",
     "so many reasons of each decision, computed by the models of --config and --model", NULL, 0,
     0},
    {"limit", OPTION_INT, "N", "rows at most", "100", 1, 1e9},
    {"cursor", OPTION_TEXT, "C", "go on after this row", NULL, 0, 0},
    END_OPTION,
};

static const struct cli_option quarantine_list_options[] = {
    LEDGER_OPTION,
    FROM_OPTION,
    TO_OPTION,
    {"reason", OPTION_TEXT, "REASON", "with this reason", NULL, 0, 0},
    {"field", OPTION_TEXT, "FIELD", "about this field", NULL, 0, 0},
    {"limit", OPTION_INT, "N", "rows at most", "100", 1, 1e9},
    {"all", OPTION_FLAG, NULL, "those already retried, too", NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option quarantine_export_options[] = {
    LEDGER_OPTION,
    FROM_OPTION,
    TO_OPTION,
    {"reason", OPTION_TEXT, "REASON", "with this reason", NULL, 0, 0},
    {"field", OPTION_TEXT, "FIELD", "about this field", NULL, 0, 0},
    {"all", OPTION_FLAG, NULL, "those already retried, too", NULL, 0, 0},
    OUTPUT_OPTION,
    END_OPTION,
};

static const struct cli_option quarantine_retry_options[] = {
    CONFIG_OPTION,
    MODEL_OPTION,
    LEDGER_OPTION,
    {"reason", OPTION_TEXT, "REASON", "with this reason", NULL, 0, 0},
    {"field", OPTION_TEXT, "FIELD", "about this field", NULL, 0, 0},
    END_OPTION,
};

static const struct cli_option contract_check_options[] = {
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option contract_diff_options[] = {
    {"mode", OPTION_TEXT, "MODE", "backward, forward or full", "backward", 0, 0},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option top_options[] = {
    URL_OPTION,
    {"once", OPTION_FLAG, NULL, "print one screen as text and end", NULL, 0, 0},
    {"screen", OPTION_TEXT, "NAME",
     "begin with this view: now, slo, traffic, drift, quality, decisions, logs, settings", NULL, 0,
     0},
    {"readonly", OPTION_FLAG, NULL, "nothing can be changed from here", NULL, 0, 0},
    {"token", OPTION_TEXT, "FILE", "file with the access token, when one is asked for", NULL, 0, 0},
    {"record", OPTION_TEXT, "FILE", "write what is seen into a new file", NULL, 0, 0},
    {"play", OPTION_TEXT, "FILE", "show a recording instead of a service", NULL, 0, 0},
    {"charts", OPTION_TEXT, "KIND", "braille, blocks or ascii", "braille", 0, 0},
    {"ground", OPTION_TEXT, "G", "colours for a dark or a light ground, or auto: by COLORFGBG",
     "auto", 0, 0},
    {"mouse", OPTION_FLAG, NULL, "clicks select and open, the wheel moves", NULL, 0, 0},
    {"ascii", OPTION_FLAG, NULL, "draw with ASCII characters only", NULL, 0, 0},
    END_OPTION,
};

static const struct cli_option traffic_options[] = {URL_OPTION, JSON_OPTION, END_OPTION};

static const struct cli_option traffic_set_options[] = {
    URL_OPTION,
    {"token", OPTION_TEXT, "FILE", "file with the access token, when one is asked for", NULL, 0, 0},
    {"reason", OPTION_TEXT, "TEXT", "why, for the list of changes", NULL, 0, 0},
    END_OPTION,
};

static const struct cli_option drill_options[] = {
    {"for", OPTION_NUMBER, "S", "how long, in seconds", "30", 1, 3600},
    {"seed", OPTION_INT, "N", "which variation of the fault", "1", 0, 1e15},
    URL_OPTION,
    {"innocent", OPTION_TEXT, "CHANGE",
     "a second change that does no harm, beside the fault: split or rules", NULL, 0, 0},
    {"token", OPTION_TEXT, "FILE", "file with the access token, when one is asked for", NULL, 0, 0},
    END_OPTION,
};

static const struct cli_option reload_options[] = {
    URL_OPTION,
    {"token", OPTION_TEXT, "FILE", "file with the access token, when one is asked for", NULL, 0, 0},
    END_OPTION,
};

static const struct cli_option explain_options[] = {
    URL_OPTION,
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option report_options[] = {
    LEDGER_OPTION,
    CONFIG_OPTION,
    FROM_OPTION,
    TO_OPTION,
    {"format", OPTION_TEXT, "FORMAT", "pdf, csv (a zip of tables) or json", "json", 0, 0},
    OUTPUT_OPTION,
    END_OPTION,
};

static const struct cli_option ledger_head_options[] = {
    LEDGER_OPTION,
    {"public-key", OPTION_FLAG, NULL, "print the public key that heads are checked with, as PEM",
     NULL, 0, 0},
    OUTPUT_OPTION,
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option ledger_verify_options[] = {
    LEDGER_OPTION,
    {"head", OPTION_TEXT, "FILE",
     "check against heads kept elsewhere, too: JSON of `ledger head`, one or one a line", NULL, 0,
     0},
    {"public-key", OPTION_TEXT, "FILE", "PEM of the key that heads must be signed with", NULL, 0,
     0},
    {"limit", OPTION_INT, "N", "findings listed at most; all are counted", "1000", 1, 1e6},
    {"threads", OPTION_INT, "N", "threads that read; 0: one per core, at most 8", "0", 0, 8},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option ledger_prove_options[] = {
    LEDGER_OPTION,
    {"index", OPTION_INT, "N", "the row with this ledger_index, also a label or an action", NULL, 0,
     9e15},
    {"from", OPTION_INT, "N", "with --to: prove that the first M rows begin with the first N", NULL,
     1, 9e15},
    {"to", OPTION_INT, "M", "number of rows of the later tree", NULL, 1, 9e15},
    OUTPUT_OPTION,
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option backup_options[] = {
    LEDGER_OPTION,
    {"to", OPTION_TEXT, "DIR", "folder of the backup: empty, or an earlier backup of this ledger",
     NULL, 0, 0},
    {"with-keys", OPTION_FLAG, NULL, "the ledger's keys, too: guard the backup like them then",
     NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option ledger_status_options[] = {LEDGER_OPTION, JSON_OPTION, END_OPTION};

static const struct cli_option ledger_seal_options[] = {
    LEDGER_OPTION,
    {"before", OPTION_TIME, "TIME", "only days that began before", NULL, 0, 0},
    {"dry-run", OPTION_FLAG, NULL, "only say what would be done", NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option restore_options[] = {
    {"from", OPTION_TEXT, "DIR", "folder of the backup", NULL, 0, 0},
    LEDGER_OPTION,
    {"head", OPTION_TEXT, "FILE",
     "check against heads kept elsewhere, too: JSON of `ledger head`, one or one a line", NULL, 0,
     0},
    {"public-key", OPTION_TEXT, "FILE", "PEM of the key that heads must be signed with", NULL, 0,
     0},
    {"keys", OPTION_TEXT, "DIR", "take the ledger's keys from this folder", NULL, 0, 0},
    {"replace", OPTION_FLAG, NULL, "put a ledger that is there aside", NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option ledger_archive_options[] = {
    LEDGER_OPTION,
    CONFIG_OPTION,
    {"before", OPTION_TIME, "TIME",
     "days that began before, whatever their age; without it what the policy says", NULL, 0, 0},
    {"dry-run", OPTION_FLAG, NULL, "only say what would be done", NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option ledger_retention_options[] = {
    LEDGER_OPTION,
    CONFIG_OPTION,
    {"at", OPTION_TIME, "TIME", "with --dry-run: as if it were this time", NULL, 0, 0},
    {"before", OPTION_TIME, "TIME", "only days that began before", NULL, 0, 0},
    {"dry-run", OPTION_FLAG, NULL, "only say what would be done", NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option ledger_hold_options[] = {
    LEDGER_OPTION,
    {"who", OPTION_TEXT, "NAME", "who says so (the user's name)", NULL, 0, 0},
    {"reason", OPTION_TEXT, "TEXT", "why, for the record", NULL, 0, 0},
    END_OPTION,
};

static const struct cli_option doctor_options[] = {
    CONFIG_OPTION,
    LEDGER_OPTION,
    {"kafka", OPTION_TEXT, "BROKERS", "look at this cluster instead of the configured one", NULL, 0,
     0},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option slo_rules_options[] = {
    {"config", OPTION_TEXT, "DIR", "the configuration folder", NULL, 0, 0},
    {"output", OPTION_TEXT, "FILE", "where to", "-", 0, 'o'},
    END_OPTION,
};

static const struct cli_option detect_options[] = {
    {"method", OPTION_TEXT, "METHOD", "adwin, ddm, eddm, hddm_a, ph or kswin", NULL, 0, 0},
    {"set", OPTION_TEXT, "NAME=VALUE", "a parameter of the method; may be given several times",
     NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option metrics_options[] = {
    {"score", OPTION_TEXT, "COL", "column with the scores", NULL, 0, 0},
    {"label", OPTION_TEXT, "COL", "column with the truth, 0 or 1; empty: not known yet", NULL, 0,
     0},
    {"threshold", OPTION_NUMBER, "S", "a score from here on is a predicted positive", "0.5", 0, 0},
    {"confidence", OPTION_NUMBER, "SHARE", "of the confidence intervals", "0.95", 0.01, 0.9999},
    {"bins", OPTION_INT, "N", "bins of equal width of the calibration error", "10", 1, 1000},
    {"cost-fp", OPTION_NUMBER, "COST", "of a false positive", NULL, 0, 1e15},
    {"cost-fn", OPTION_NUMBER, "COST", "of a false negative", NULL, 0, 1e15},
    {"amount", OPTION_TEXT, "COL", "column that the cost of a false negative is multiplied by",
     NULL, 0, 0},
    {"entity", OPTION_TEXT, "COL", "column of the entity, for precision@k", NULL, 0, 0},
    {"k", OPTION_INT, "K", "entities a day that can be looked into", "100", 1, 1e9},
    {"time", OPTION_TEXT, "COL", "column with times, for the days of precision@k; without: one day",
     NULL, 0, 0},
    {"by", OPTION_TEXT, "COL", "the same for each value of this column", NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option estimate_options[] = {
    {"reference", OPTION_TEXT, "FILE", "CSV whose truth is known, such as the test set", NULL, 0,
     0},
    {"current", OPTION_TEXT, "FILE", "CSV to estimate on, in the order of time", NULL, 0, 0},
    {"score", OPTION_TEXT, "COL", "column with the scores, 0 to 1", NULL, 0, 0},
    {"pred", OPTION_TEXT, "COL", "column with the decisions, 0 or 1", NULL, 0, 0},
    {"label", OPTION_TEXT, "COL", "column with the truth, 0 or 1; may be absent from --current",
     NULL, 0, 0},
    {"chunk-size", OPTION_INT, "N", "rows of a chunk; what is left over is one, too", NULL, 1,
     1e12},
    {"metric", OPTION_TEXT, "M,...",
     "roc_auc, average_precision, f1, precision, recall, specificity, accuracy, confusion_matrix, "
     "business_value; without: all but the last",
     NULL, 0, 0},
    {"business-value", OPTION_TEXT, "TN,FP,FN,TP", "what each kind of decision is worth", NULL, 0,
     0},
    {"seed", OPTION_INT, "N", "of the resampling behind average_precision's sampling error", "42",
     0, 4294967295.0},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option bench_options[] = {
    CONFIG_OPTION,
    MODEL_OPTION,
    {"events", OPTION_INT, "N", "events in each of five runs", "32768", 1, 1e6},
    JSON_OPTION,
    END_OPTION,
};

static const struct cli_option no_options[] = {END_OPTION};

const struct cli_command commands[] = {
    {"run", "", "Score events, watch, alert and serve until interrupted",
     "Serves the page, the API and /live until SIGINT or SIGTERM, then drains, commits and exits\n"
     "0. In a terminal it opens the screen of `binnacle top`; elsewhere it prints a status line.",
     "binnacle run --demo", run_options, 0, 0, command_run},
    {"top", "", "The screen of a running binnacle, from anywhere that reaches it",
     "What hurts, objectives, traffic, drift, quality, decisions, logs and settings, once a\n"
     "second; ? lists the keys. [ and ] go through what was seen and the recorded history, L is\n"
     "live again. What changes the service says what will happen, asks for a reason and leaves a\n"
     "row in the ledger. NO_COLOR leaves colours out; without a UTF-8 locale it draws with ASCII.\n"
     "--once takes its size from COLUMNS and LINES.",
     "binnacle top --url http://127.0.0.1:8420 --screen slo", top_options, 0, 0, command_top},
    {"score", "IN...", "Decide on the events of files; JSON lines in input order",
     "Each line is the answer of POST /v1/score, or the event's id with why it was quarantined.\n"
     "Without --ledger nothing is written anywhere.",
     "binnacle score --config packaging/examples/transactions --model fraud.json events.jsonl",
     score_options, 1, -1, command_score},
    {"replay", "IN...", "Run files through the live path on their own clock, into a ledger",
     "Time is the highest event time accepted so far. Started again on the same ledger it goes on\n"
     "where it stopped. The last line of stdout is a JSON summary. Nobody waits for these answers, "
     "so\n"
     "latency is not measured: latency_us is null, and the latency objective has no data.",
     "binnacle replay --config packaging/examples/card-fraud --model m.json --ledger l tx.csv.gz",
     replay_options, 1, -1, command_replay},
    {"features", "IN...", "Compute the features of events as CSV", NULL,
     "binnacle features --config packaging/examples/card-fraud tx.csv.gz", features_options, 1, -1,
     command_features},
    {"produce", "", "Make synthetic events", NULL,
     "binnacle produce --count 10000 --seed 7 --bad 0.01 --to events.jsonl", produce_options, 0, 0,
     command_produce},
    {"train", "[FILE...]", "Train an XGBoost model on the features of events",
     "Events before --train-from only fill the windows. With a test range, area under the ROC\n"
     "curve, average precision and card precision@K of that range are printed; entities known\n"
     "compromised by then are taken out of it.",
     "binnacle train --config packaging/examples/card-fraud --data tx.csv.gz -o model.json",
     train_options, 0, -1, command_train},
    {"predict", "[IN.csv]", "Apply a model to a numeric CSV",
     "The model is XGBoost's JSON or UBJSON, of any version since 1.0. Columns are found by the\n"
     "model's feature names, else by position. An empty cell, nan or NA is missing, as are\n"
     "null, None and the other words that pandas takes for it; inf and -inf compare like numbers "
     "beyond all others, and go left where a split is by categories, as "
     "every\n"
     "code does that the split does not know.",
     "binnacle predict --model model.json features.csv", predict_options, 0, 1, command_predict},
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
     "binnacle drift --reference train.csv --current today.csv --json", drift_options, 0, 0,
     command_drift},
    {"query", "", "Decisions out of the ledger, as JSON lines", NULL,
     "binnacle query --ledger state --decision decline --limit 10", query_options, 0, 0,
     command_query},
    {"quarantine list", "", "What broke the contract, and why", NULL,
     "binnacle quarantine list --ledger state --reason range", quarantine_list_options, 0, 0,
     command_quarantine_list},
    {"quarantine export", "", "The raw bytes of quarantined events, one a line", NULL,
     "binnacle quarantine export --ledger state -o broken.jsonl", quarantine_export_options, 0, 0,
     command_quarantine_export},
    {"quarantine retry", "[ID...]", "Submit quarantined events again, after a fix", NULL,
     "binnacle quarantine retry --config DIR --ledger state 17", quarantine_retry_options, 0, -1,
     command_quarantine_retry},
    {"ledger head", "", "The newest signed head of the ledger's tree",
     "The head says how many rows there are and what their hashes add up to, signed. Kept where\n"
     "nobody who can write the ledger can write, it proves later that nothing was changed or "
     "taken\n"
     "out: `ledger verify --head FILE`.",
     "binnacle ledger head --ledger state --json -o head.json", ledger_head_options, 0, 0,
     command_ledger_head},
    {"ledger verify", "", "Check that the record is what was recorded",
     "Every row against its hash, the hash tree against every group of rows and every signed "
     "head,\n"
     "everything else against the digests of its group, the files against SQLite's own check.\n"
     "Reads only, also beside a running service. With --head it is found as well when rows were\n"
     "taken off the end, or an older copy of the folder was put back. Exit 1: something is wrong,\n"
     "and each finding says in which file, table and column.",
     "binnacle ledger verify --ledger state --head head.json", ledger_verify_options, 0, 0,
     command_ledger_verify},
    {"ledger prove", "[EVENT_ID]", "A proof that a decision is in the ledger, as JSON",
     "With EVENT_ID or --index: the row's bytes and the path from its hash to the newest signed\n"
     "head. With --from and --to: that the later tree goes on from the earlier one.\n"
     "packaging/examples/ledger_check.py checks both without binnacle.",
     "binnacle ledger prove 01J5ZC3D2M8N4P6Q7R9S0T1V2W --ledger state", ledger_prove_options, 0, 1,
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
     "binnacle backup --ledger state --to /mnt/backup/state --json", backup_options, 0, 0,
     command_backup},
    {"restore", "", "Put a backup of the ledger in place",
     "Every file is compared with what was noted when it was backed up, and the rows are verified\n"
     "up to the backup's head, and to heads kept elsewhere with --head; then the folder takes its\n"
     "place in one step. A ledger that is there is replaced with --replace only, stays beside as\n"
     "DIR.before-TIME, and must not be in use. Keys: of --keys, else of the backup, else those in\n"
     "place. Exit 1: the backup is not as it was, and nothing was changed. A source that has sent\n"
     "more to Kafka than the backup holds refuses to go on and says from which offset.",
     "binnacle restore --from /mnt/backup/state --ledger state --head head.json", restore_options,
     0, 0, command_restore},
    {"ledger status", "", "Every day of the ledger: where it is, its rows, bytes and SHA-256",
     "A day is live while it is written to and until it is sealed: then it is one read-only "
     "SQLite\n"
     "file with indexes, known by its SHA-256. Older days are compressed (`zstd -d` gives the "
     "file\n"
     "back). `query`, `ledger prove`, `ledger verify` and reports read all of them.",
     "binnacle ledger status --ledger state", ledger_status_options, 0, 0, command_ledger_status},
    {"ledger seal", "", "Seal the days that are over",
     "A running service does it by itself; this is for a ledger that no service has open. The "
     "bytes\n"
     "of quarantined events are sealed in with their day, however old: `ledger retention` is what\n"
     "deletes them.",
     "binnacle ledger seal --ledger state", ledger_seal_options, 0, 0, command_ledger_seal},
    {"ledger archive", "", "Compress the days that are old, and move them to the archive",
     "A running service does it by itself; this is for a ledger that no service has open. What is\n"
     "compressed is unpacked again and compared before the sealed file goes. With --config and an\n"
     "archive in it (`ledger: {tiers: {archive: ...}}`) compressed days are then moved there: "
     "sent,\n"
     "fetched again whole and compared before the local file goes.",
     "binnacle ledger archive --ledger state --before 2026-01-01", ledger_archive_options, 0, 0,
     command_ledger_archive},
    {"ledger retention", "", "Do with every day what the policy says: seal, compress, move, delete",
     "A running service does it by itself; this is for a ledger that no service has open, and "
     "with\n"
     "--dry-run to see what would be done, now or at another time. Only whole days are deleted, "
     "the\n"
     "oldest first; a row of the ledger says which, with their root and SHA-256, so that `ledger\n"
     "verify` and proofs of what is left go on.",
     "binnacle ledger retention --config DIR --ledger state --dry-run --at 2030-01-01",
     ledger_retention_options, 0, 0, command_ledger_retention},
    {"ledger hold", "", "Stop all deletion from the ledger, for a legal hold",
     "Takes effect at once, also beside a running service, and is put into the record.",
     "binnacle ledger hold --ledger state --reason 'case 17'", ledger_hold_options, 0, 0,
     command_ledger_hold},
    {"ledger release", "", "End a hold: deletion goes on as the policy says", NULL,
     "binnacle ledger release --ledger state --reason 'case 17 is closed'", ledger_hold_options, 0,
     0, command_ledger_release},
    {"contract check", "CONTRACT [FILE]", "Check a contract, and a file of events against it", NULL,
     "binnacle contract check packaging/examples/transactions/contract.yaml events.jsonl",
     contract_check_options, 1, 2, command_contract_check},
    {"contract schema", "CONTRACT", "A contract as JSON Schema", NULL, NULL, no_options, 1, 1,
     command_contract_schema},
    {"contract diff", "OLD NEW", "Whether a new version breaks the consumers of the old one", NULL,
     NULL, contract_diff_options, 2, 2, command_contract_diff},
    {"traffic", "", "Who gets which model", NULL, NULL, traffic_options, 0, 0,
     command_traffic_show},
    {"traffic set", "ARM=SHARE...", "Change the split of a running binnacle",
     "ARM is champion, canary or shadow; SHARE is in percent of the traffic.",
     "binnacle traffic set canary=5", traffic_set_options, 1, -1, command_traffic_set},
    {"reload", "", "Have a running binnacle read its rules file again", NULL, NULL, reload_options,
     0, 0, command_reload},
    {"drill", "FAULT", "Put a fault into a demo or staging instance, to see what is made of it",
     "FAULT is latency, errors, drift, freshness, nulls, canary, labels, volume, rules, cohort or\n"
     "none. It comes from outside, through the door that a real one would come through: events\n"
     "and labels posted over HTTP, the split, the rules file, a lock on the ledger's database "
     "that\n"
     "holds commits up (latency, errors; on the service's machine, as its user). What was changed\n"
     "is put back at the end, on Ctrl-C, too. An instance that is neither a demo nor configured\n"
     "with `staging: true` is left alone. Prints {drill, seed, from, to}.",
     "binnacle drill nulls --for 30 --seed 7; binnacle explain", drill_options, 1, 1,
     command_drill},
    {"explain", "", "What is wrong with a running binnacle, why, and what to do",
     "Prints the incident, its causes with their evidence, best first, what it has touched and a\n"
     "command to begin with. --json prints {incident, since, until, causes: [{cause, slice,\n"
     "share_of_excess, changed_at, recovered_at, evidence}], impact: {requests, users, errors,\n"
     "money, money_field, decisions_changed}, action, incidents}. incidents: what objectives\n"
     "that burned and drift that was found have opened, newest first: the same members after\n"
     "opened_at, closed_at and triggers, kept across restarts. cause is one of model, split,\n"
     "rules, contract, upstream, cohort, source, dependency, resource, labels, volume, freshness,\n"
     "none.",
     "binnacle explain", explain_options, 0, 0, command_explain},
    {"report", "KIND", "A report out of the ledger: slo", NULL,
     "binnacle report slo --ledger state --from 2026-01-01 --to 2026-02-01 --format pdf -o slo.pdf",
     report_options, 1, 1, command_report},
    {"slo-rules", "", "The objectives as rules for Prometheus: burn rates, attainment, alerts",
     "Recording rules (binnacle:slo_burn:1h and so on, binnacle:slo_attainment) from the counters "
     "of\n"
     "/metrics, and an alert for each pair of windows, with the rates and least counts that the\n"
     "service itself goes by. Without --config: the default objectives.",
     "binnacle slo-rules --config DIR -o binnacle.rules.yaml", slo_rules_options, 0, 0,
     command_slo_rules},
    {"detect", "[FILE]", "Find where the mean of a stream changes: concept drift",
     "One number per line in, such as 1 for an error of the classifier and 0 for none; the "
     "zero-based\n"
     "positions at which the detector fired out. It starts afresh with the number after each.\n"
     "Positions, defaults and parameters are those of River 0.26:\n"
     "adwin   delta=0.002 clock=32 max_buckets=5 min_window_length=5 grace_period=10 restart=true\n"
     "ddm     warm_start=30 warning_threshold=2 drift_threshold=3 (errors, 0 to 1)\n"
     "eddm    warm_start=30 alpha=0.95 beta=0.9 (errors are exactly 1)\n"
     "hddm_a  drift_confidence=0.001 warning_confidence=0.005 two_sided_test=false\n"
     "ph      min_instances=30 delta=0.005 threshold=50 alpha=0.9999 mode=both (up, down)\n"
     "kswin   alpha=0.005 window_size=100 stat_size=30 seed=42 restart=true\n"
     "restart=false keeps the newest part of the window after a detection, as the papers of adwin\n"
     "and kswin do. kswin draws from its window by a seed; River without one gives other "
     "positions\n"
     "each time. --json: {method, parameters, n (numbers read), positions}.",
     "binnacle detect --method adwin --set delta=0.01 errors.txt", detect_options, 0, 1,
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
     "binnacle metrics --score score --label is_fraud scored.csv --json", metrics_options, 1, 1,
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
     "realized, sampling_error, lower, upper, lower_threshold, upper_threshold, alert}]}.",
     "binnacle estimate --reference test.csv --current week.csv --score score --pred decision "
     "--label fraud --chunk-size 1000 --json",
     estimate_options, 0, 0, command_estimate},
    {"doctor", "", "Look at the machine, the configuration, the ledger and the broker", NULL, NULL,
     doctor_options, 0, 0, command_doctor},
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
     bench_options, 0, 1, command_bench},
    {"completion", "", "Shell completion for bash", NULL, "source <(binnacle completion)",
     no_options, 0, 0, command_completion},
    {"man", "", "This manual as a man page", NULL, "binnacle man | man -l -", no_options, 0, 0,
     command_man},
    {"version", "", "Version of binnacle and of the libraries it runs with", NULL, NULL, no_options,
     0, 0, command_version},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL},
};
