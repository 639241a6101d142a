/* What each command may be given: one table a command, those that several share as one macro. */
#include "app/options.h"

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

const struct cli_option options_run[] = {
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

const struct cli_option options_score[] = {
    CONFIG_OPTION, MODEL_OPTION,
    LEDGER_OPTION, {"reasons", OPTION_TEXT, "N|all", "reasons per decision", "3", 0, 0},
    END_OPTION,
};

const struct cli_option options_replay[] = {
    CONFIG_OPTION,
    MODEL_OPTION,
    LEDGER_OPTION,
    {"speed", OPTION_TEXT, "max|N", "N times as fast as the events happened", "max", 0, 0},
    END_OPTION,
};

const struct cli_option options_features[] = {CONFIG_OPTION, OUTPUT_OPTION, END_OPTION};

const struct cli_option options_produce[] = {
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

const struct cli_option options_train[] = {
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

const struct cli_option options_predict[] = {
    {"model", OPTION_TEXT, "FILE", "the XGBoost model", NULL, 0, 0},
    {"margin", OPTION_FLAG, NULL, "print margins instead of probabilities", NULL, 0, 0},
    {"contribs", OPTION_FLAG, NULL, "print each feature's contribution and the bias as CSV", NULL,
     0, 0},
    {"best-iteration", OPTION_FLAG, NULL, "use the trees up to the best iteration only", NULL, 0,
     0},
    END_OPTION,
};

const struct cli_option options_drift[] = {
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

const struct cli_option options_query[] = {
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

const struct cli_option options_quarantine_list[] = {
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

const struct cli_option options_quarantine_export[] = {
    LEDGER_OPTION,
    FROM_OPTION,
    TO_OPTION,
    {"reason", OPTION_TEXT, "REASON", "with this reason", NULL, 0, 0},
    {"field", OPTION_TEXT, "FIELD", "about this field", NULL, 0, 0},
    {"all", OPTION_FLAG, NULL, "those already retried, too", NULL, 0, 0},
    OUTPUT_OPTION,
    END_OPTION,
};

const struct cli_option options_quarantine_retry[] = {
    CONFIG_OPTION,
    MODEL_OPTION,
    LEDGER_OPTION,
    {"reason", OPTION_TEXT, "REASON", "with this reason", NULL, 0, 0},
    {"field", OPTION_TEXT, "FIELD", "about this field", NULL, 0, 0},
    END_OPTION,
};

const struct cli_option options_contract_check[] = {
    JSON_OPTION,
    END_OPTION,
};

const struct cli_option options_contract_diff[] = {
    {"mode", OPTION_TEXT, "MODE", "backward, forward or full", "backward", 0, 0},
    JSON_OPTION,
    END_OPTION,
};

const struct cli_option options_top[] = {
    URL_OPTION,
    {"once", OPTION_FLAG, NULL, "print one screen as text and end", NULL, 0, 0},
    {"screen", OPTION_TEXT, "NAME",
     "begin with this view: now, slo, traffic, drift, quality, decisions, logs, settings, help, "
     "own, or one of your own by its name",
     NULL, 0, 0},
    {"readonly", OPTION_FLAG, NULL, "nothing can be changed from here", NULL, 0, 0},
    {"token", OPTION_TEXT, "FILE", "file with the access token, when one is asked for", NULL, 0, 0},
    {"record", OPTION_TEXT, "FILE", "write what is seen into a new file", NULL, 0, 0},
    {"play", OPTION_TEXT, "FILE", "show a recording instead of a service", NULL, 0, 0},
    {"charts", OPTION_TEXT, "KIND",
     "braille, blocks or ascii, or auto: blocks where TERM is known to have no braille", "auto", 0,
     0},
    {"ground", OPTION_TEXT, "G", "colours for a dark or a light ground, or auto: by COLORFGBG",
     "auto", 0, 0},
    {"mouse", OPTION_FLAG, NULL, "clicks select and open, the wheel moves", NULL, 0, 0},
    {"ascii", OPTION_FLAG, NULL, "draw with ASCII characters only", NULL, 0, 0},
    END_OPTION,
};

const struct cli_option options_traffic[] = {URL_OPTION, JSON_OPTION, END_OPTION};

const struct cli_option options_traffic_set[] = {
    URL_OPTION,
    {"token", OPTION_TEXT, "FILE", "file with the access token, when one is asked for", NULL, 0, 0},
    {"reason", OPTION_TEXT, "TEXT", "why, for the list of changes", NULL, 0, 0},
    END_OPTION,
};

const struct cli_option options_drill[] = {
    {"for", OPTION_NUMBER, "S", "how long, in seconds", "30", 1, 3600},
    {"seed", OPTION_INT, "N", "which variation of the fault", "1", 0, 1e15},
    URL_OPTION,
    {"innocent", OPTION_TEXT, "CHANGE",
     "a second change that does no harm, beside the fault: split or rules", NULL, 0, 0},
    {"token", OPTION_TEXT, "FILE", "file with the access token, when one is asked for", NULL, 0, 0},
    END_OPTION,
};

const struct cli_option options_reload[] = {
    URL_OPTION,
    {"reason", OPTION_TEXT, "TEXT", "why, for the record and the list of changes", NULL, 0, 0},
    {"token", OPTION_TEXT, "FILE", "file with the access token, when one is asked for", NULL, 0, 0},
    END_OPTION,
};

const struct cli_option options_explain[] = {
    URL_OPTION,
    JSON_OPTION,
    END_OPTION,
};

const struct cli_option options_report[] = {
    LEDGER_OPTION,
    CONFIG_OPTION,
    FROM_OPTION,
    TO_OPTION,
    {"format", OPTION_TEXT, "FORMAT", "pdf, csv (a zip of tables) or json", "json", 0, 0},
    OUTPUT_OPTION,
    END_OPTION,
};

const struct cli_option options_ledger_head[] = {
    LEDGER_OPTION,
    {"public-key", OPTION_FLAG, NULL, "print the public key that heads are checked with, as PEM",
     NULL, 0, 0},
    OUTPUT_OPTION,
    JSON_OPTION,
    END_OPTION,
};

const struct cli_option options_ledger_verify[] = {
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

const struct cli_option options_ledger_prove[] = {
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

const struct cli_option options_backup[] = {
    LEDGER_OPTION,
    {"to", OPTION_TEXT, "DIR", "folder of the backup: empty, or an earlier backup of this ledger",
     NULL, 0, 0},
    {"with-keys", OPTION_FLAG, NULL, "the ledger's keys, too: guard the backup like them then",
     NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

const struct cli_option options_ledger_status[] = {LEDGER_OPTION, JSON_OPTION, END_OPTION};

const struct cli_option options_ledger_seal[] = {
    LEDGER_OPTION,
    {"before", OPTION_TIME, "TIME", "only days that began before", NULL, 0, 0},
    {"dry-run", OPTION_FLAG, NULL, "only say what would be done", NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

const struct cli_option options_restore[] = {
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

const struct cli_option options_ledger_archive[] = {
    LEDGER_OPTION,
    CONFIG_OPTION,
    {"before", OPTION_TIME, "TIME",
     "days that began before, whatever their age; without it what the policy says", NULL, 0, 0},
    {"dry-run", OPTION_FLAG, NULL, "only say what would be done", NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

const struct cli_option options_ledger_retention[] = {
    LEDGER_OPTION,
    CONFIG_OPTION,
    {"at", OPTION_TIME, "TIME", "with --dry-run: as if it were this time", NULL, 0, 0},
    {"before", OPTION_TIME, "TIME", "only days that began before", NULL, 0, 0},
    {"dry-run", OPTION_FLAG, NULL, "only say what would be done", NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

const struct cli_option options_ledger_hold[] = {
    LEDGER_OPTION,
    {"who", OPTION_TEXT, "NAME", "who says so (the user's name)", NULL, 0, 0},
    {"reason", OPTION_TEXT, "TEXT", "why, for the record", NULL, 0, 0},
    END_OPTION,
};

const struct cli_option options_doctor[] = {
    CONFIG_OPTION,
    LEDGER_OPTION,
    {"kafka", OPTION_TEXT, "BROKERS", "look at this cluster instead of the configured one", NULL, 0,
     0},
    JSON_OPTION,
    END_OPTION,
};

const struct cli_option options_slo_rules[] = {
    {"config", OPTION_TEXT, "DIR", "the configuration folder", NULL, 0, 0},
    {"output", OPTION_TEXT, "FILE", "where to", "-", 0, 'o'},
    END_OPTION,
};

const struct cli_option options_detect[] = {
    {"method", OPTION_TEXT, "METHOD", "adwin, ddm, eddm, hddm_a, ph or kswin", NULL, 0, 0},
    {"set", OPTION_TEXT, "NAME=VALUE", "a parameter of the method; may be given several times",
     NULL, 0, 0},
    JSON_OPTION,
    END_OPTION,
};

const struct cli_option options_metrics[] = {
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

const struct cli_option options_estimate[] = {
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

const struct cli_option options_bench[] = {
    CONFIG_OPTION,
    MODEL_OPTION,
    {"events", OPTION_INT, "N", "events in each of five runs", "32768", 1, 1e6},
    JSON_OPTION,
    END_OPTION,
};

const struct cli_option options_none[] = {END_OPTION};
