/* The shapes of the API as JSON Schema, one row each. */
#include "ui/web/web_priv.h"

#define JSON "application/json"

#define LATENCY                                                                                    \
    "{\"type\":\"object\",\"description\":\"Microseconds, last minute\",\"properties\":{"          \
    "\"p50\":{\"type\":[\"number\",\"null\"]},\"p95\":{\"type\":[\"number\",\"null\"]},"           \
    "\"p99\":{\"type\":[\"number\",\"null\"]},\"n\":{\"type\":\"integer\"}}}"

const struct web_schema web_schemas[] = {
    {"Event", JSON,
     "{\"type\":\"object\",\"description\":\"One flat object with the fields of the contract; see "
     "binnacle contract schema.\",\"additionalProperties\":true}"},
    {"EventLines", "application/x-ndjson",
     "{\"description\":\"One Event a line; a line that is none has its answer, too\"}"},
    {"Reason", JSON,
     "{\"type\":\"object\",\"required\":[\"code\",\"feature\",\"value\",\"contribution\"],"
     "\"properties\":{\"code\":{\"type\":\"string\"},\"feature\":{\"type\":\"string\"},"
     "\"value\":{\"type\":[\"number\",\"null\"],\"description\":\"As served; null: missing\"},"
     "\"contribution\":{\"type\":\"number\",\"description\":\"In margin units\"}}}"},
    {"Decision", JSON,
     "{\"type\":\"object\",\"required\":[\"event_id\",\"decision\",\"score\",\"reasons\",\"rule\","
     "\"model\",\"trace_id\",\"latency_us\",\"ledger_index\",\"duplicate\"],\"properties\":{"
     "\"event_id\":{\"type\":\"string\"},"
     "\"decision\":{\"enum\":[\"approve\",\"review\",\"decline\"]},"
     "\"score\":{\"type\":\"number\"},"
     "\"reasons\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Reason\"}},"
     "\"rule\":{\"type\":\"string\"},"
     "\"model\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"
     "\"version\":{\"type\":\"string\"},\"variant\":{\"enum\":[\"champion\",\"canary\"]}}},"
     "\"trace_id\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{32}$\"},"
     "\"latency_us\":{\"type\":\"integer\"},\"ledger_index\":{\"type\":[\"integer\",\"null\"]},"
     "\"duplicate\":{\"type\":\"boolean\"}}}"},
    {"DecisionLines", "application/x-ndjson",
     "{\"type\":\"string\",\"description\":\"One line for each event, in order: a Decision, or "
     "what /v1/score would have answered instead\"}"},
    {"Label", JSON,
     "{\"type\":\"object\",\"required\":[\"event_id\",\"label\"],\"properties\":{"
     "\"event_id\":{\"type\":\"string\"},\"label\":{\"enum\":[0,1]},"
     "\"observed_at\":{\"type\":\"string\",\"format\":\"date-time\"}}}"},
    {"LabelsTaken", JSON,
     "{\"type\":\"object\",\"properties\":{\"accepted\":{\"type\":\"integer\"}}}"},
    {"Latency", JSON, LATENCY},
    {"Snapshot", JSON,
     "{\"type\":\"object\",\"required\":[\"schema\",\"seq\",\"time\",\"events_per_s\",\"latency_"
     "us\",\"decisions\",\"quarantine\",\"traffic\",\"slo\",\"drift\",\"alerts\",\"ledger\"],"
     "\"properties\":{\"schema\":{\"const\":1},\"seq\":{\"type\":\"integer\"},"
     "\"time\":{\"type\":\"string\",\"format\":\"date-time\"},"
     "\"events_per_s\":{\"type\":[\"number\",\"null\"]},"
     "\"latency_us\":{\"$ref\":\"#/components/schemas/Latency\"},"
     "\"decisions\":{\"type\":\"object\",\"description\":\"Last minute, by kind\"},"
     "\"quarantine\":{\"type\":\"object\",\"description\":\"Since the start, by reason\"},"
     "\"traffic\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"variant\":{\"type\":\"string\"},\"role\":{\"type\":\"string\"},"
     "\"model\":{\"type\":\"string\"},\"share_wanted\":{\"type\":\"number\"},"
     "\"share_measured\":{\"type\":[\"number\",\"null\"]},\"n\":{\"type\":\"integer\"}}}},"
     "\"slo\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"name\":{\"type\":\"string\"},\"target\":{\"type\":\"number\"},"
     "\"attainment\":{\"type\":[\"number\",\"null\"]},"
     "\"budget_left\":{\"type\":[\"number\",\"null\"]},\"burn\":{\"type\":\"object\"},"
     "\"state\":{\"enum\":[\"ok\",\"ticket\",\"page\",\"nodata\"]},"
     "\"pairs\":{\"type\":\"array\",\"description\":\"two windows that must both burn faster\","
     "\"items\":{\"type\":\"object\",\"properties\":{\"long\":{\"type\":\"string\"},"
     "\"short\":{\"type\":\"string\"},\"burn\":{\"type\":[\"number\",\"null\"]},"
     "\"severity\":{\"enum\":[\"page\",\"ticket\"]},\"fires\":{\"type\":\"boolean\"},"
     "\"note\":{\"type\":[\"string\",\"null\"]}}}},"
     "\"forecast\":{\"type\":\"object\",\"description\":\"when the budget is gone; null: it "
     "lasts\",\"properties\":{\"runs_out_at\":{\"type\":[\"string\",\"null\"]},"
     "\"earliest\":{\"type\":[\"string\",\"null\"]},"
     "\"latest\":{\"type\":[\"string\",\"null\"]},"
     "\"based_on_s\":{\"type\":[\"integer\",\"null\"]}}},"
     "\"sentence\":{\"type\":\"string\"}}}},"
     "\"drift\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"feature\":{\"type\":\"string\"},\"psi\":{\"type\":[\"number\",\"null\"]},"
     "\"n\":{\"type\":\"integer\"},\"threshold\":{\"type\":\"number\"},"
     "\"state\":{\"enum\":[\"ok\",\"ticket\",\"page\",\"nodata\"]},"
     "\"warm_at\":{\"type\":[\"string\",\"null\"],\"description\":\"until then windows hold less "
     "than those of the reference, and psi is not judged\"},"
     "\"p_adjusted\":{\"type\":[\"number\",\"null\"],\"description\":\"of psi, for the number of "
     "features\"}}}},\"drift_dataset\":{\"type\":\"object\"},"
     "\"alerts\":{\"type\":\"array\"},"
     "\"ledger\":{\"type\":\"object\",\"properties\":{\"tree_size\":{\"type\":\"integer\"},"
     "\"root\":{\"type\":[\"string\",\"null\"]},"
     "\"state\":{\"enum\":[\"ok\",\"retrying\",\"failed\",null],\"description\":\"whether it is "
     "written; null: there is none\"},"
     "\"problem\":{\"type\":[\"string\",\"null\"]},"
     "\"not_written_since\":{\"type\":[\"string\",\"null\"]},"
     "\"refused\":{\"type\":\"integer\",\"description\":\"events turned away undecided\"},"
     "\"unconfirmed\":{\"type\":\"integer\",\"description\":\"decided, their callers told to ask "
     "again\"},"
     "\"durability\":{\"enum\":[\"commit\",\"batch\",null]},"
     "\"may_lose_us\":{\"type\":\"integer\"},"
     "\"tiers\":{\"type\":\"object\",\"description\":"
     "\"by tier, live to deleted: {days, bytes}\"},"
     "\"tiers_behind_s\":{\"type\":\"integer\",\"description\":\"since all days could last be "
     "taken to the tier that is due\"},"
     "\"tiers_problem\":{\"type\":[\"string\",\"null\"]},"
     "\"reopened\":{\"type\":\"integer\"},"
     "\"damaged_files\":{\"type\":\"integer\",\"description\":\"day files found damaged since "
     "start; the ledger went on in the next one\"},"
     "\"lost_rows\":{\"type\":\"integer\"},\"damage\":{\"type\":[\"string\",\"null\"]}}},"
     "\"machine_clock\":{\"type\":\"object\",\"description\":\"held against the service's own "
     "count, "
     "the newest row and the events; null: they agree\",\"properties\":{"
     "\"ahead_s\":{\"type\":[\"number\",\"null\"]},"
     "\"behind_record_s\":{\"type\":[\"number\",\"null\"]},"
     "\"last_step_s\":{\"type\":[\"number\",\"null\"]},"
     "\"future_ratio\":{\"type\":[\"number\",\"null\"]}}},"
     "\"kafka\":{\"type\":\"object\",\"description\":\"only with a source of type kafka\","
     "\"properties\":{\"connected\":{\"type\":\"boolean\"},"
     "\"partitions\":{\"type\":\"integer\"},\"lag\":{\"type\":[\"number\",\"null\"]},"
     "\"paused_since\":{\"type\":[\"string\",\"null\"],\"description\":\"since when nothing is "
     "taken from the topic, because the disk or the brokers take nothing\"},"
     "\"paused_why\":{\"type\":[\"string\",\"null\"]}}},"
     "\"view\":{\"type\":\"object\",\"description\":\"The same as a person reads it\"}}}"},
    {"Performance", JSON,
     "{\"type\":\"object\",\"required\":[\"from\",\"to\",\"labels\",\"decided\",\"labelled\","
     "\"coverage_ratio\",\"all\",\"groups\",\"estimates\",\"concept_drift\"],\"properties\":{"
     "\"from\":{\"type\":[\"string\",\"null\"]},\"to\":{\"type\":[\"string\",\"null\"]},"
     "\"period_s\":{\"type\":\"number\"},"
     "\"labels\":{\"type\":\"object\",\"description\":\"since the record's beginning\","
     "\"properties\":{\"joined\":{\"type\":\"integer\"},\"repeated\":{\"type\":\"integer\"},"
     "\"corrected\":{\"type\":\"integer\"},\"unmatched\":{\"type\":\"integer\"},"
     "\"kept\":{\"type\":\"integer\"},\"evicted\":{\"type\":\"integer\"},"
     "\"rows_behind\":{\"type\":\"integer\",\"description\":\"rows of the ledger not looked at "
     "yet\"}}},"
     "\"decided\":{\"type\":\"integer\"},\"labelled\":{\"type\":\"integer\"},"
     "\"coverage_ratio\":{\"type\":[\"number\",\"null\"],\"description\":\"of whole periods\"},"
     "\"all\":{\"type\":\"object\",\"description\":\"n, positives, auc, average_precision, brier, "
     "log_loss, ece, precision, recall, f1, cost, confusion, ci, precision_at_k, label_delay_s\"},"
     "\"groups\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"description\":\"by, value, and "
     "the same\"}},"
     "\"estimates\":{\"type\":\"object\",\"properties\":{"
     "\"n_reference\":{\"type\":\"integer\"},\"calibrated\":{\"type\":[\"boolean\",\"null\"]},"
     "\"periods\":{\"type\":\"array\"},\"track_record\":{\"type\":\"array\"}}},"
     "\"concept_drift\":{\"type\":\"object\",\"properties\":{\"method\":{\"type\":\"string\"},"
     "\"n\":{\"type\":\"integer\"},\"detected\":{\"type\":\"integer\"},"
     "\"detections\":{\"type\":\"array\"}}}}}"},
    {"Traffic", JSON,
     "{\"type\":\"object\",\"required\":[\"traffic\"],\"properties\":{\"reason\":{\"type\":"
     "\"string\",\"description\":\"Why, for the record; when setting\"},\"traffic\":{\"type\":"
     "\"array\",\"minItems\":1,\"maxItems\":8,\"items\":{\"type\":\"object\",\"required\":["
     "\"variant\",\"share\"],\"properties\":"
     "{\"variant\":{\"enum\":[\"champion\",\"canary\",\"shadow\"]},"
     "\"model\":{\"type\":\"string\"},\"version\":{\"type\":\"string\"},"
     "\"share\":{\"type\":\"number\",\"minimum\":0,\"maximum\":100,\"description\":\"Percent\"}}}"
     "},\"reason\":{\"type\":\"string\",\"description\":\"why it is changed, for the list of "
     "changes\"}}}"},
    {"Reload", JSON, "{\"type\":\"object\",\"description\":\"nothing is looked at in it\"}"},
    {"Reloaded", JSON,
     "{\"type\":\"object\",\"properties\":{\"reloaded\":{\"type\":\"array\",\"items\":{"
     "\"type\":\"string\"}}}}"},
    {"Season", JSON,
     "{\"type\":[\"object\",\"null\"],\"properties\":{\"series\":{\"type\":\"string\"},\"state\":{"
     "\"type\":[\"string\",\"null\"]},\"why\":{\"type\":[\"string\",\"null\"]},"
     "\"value\":{\"type\":[\"number\",\"null\"]},\"usual\":{\"type\":[\"number\",\"null\"]},"
     "\"low\":{\"type\":[\"number\",\"null\"]},\"high\":{\"type\":[\"number\",\"null\"]},\"z\":{"
     "\"type\":[\"number\",\"null\"]},"
     "\"n\":{\"type\":\"integer\"},\"basis\":{\"enum\":[\"none\",\"hours\",\"hour_of_day\",\"hour_"
     "of_week\"]}}}"},
    {"Quality", JSON,
     "{\"type\":\"object\",\"required\":[\"state\",\"fields\",\"expectations\"],\"properties\":{"
     "\"state\":{\"enum\":[\"ok\",\"ticket\",\"page\",\"nodata\"]},\"why\":{\"type\":[\"string\","
     "\"null\"]},"
     "\"fields\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"field\":{\"type\":\"string\"},\"type\":{\"type\":\"string\"},"
     "\"state\":{\"enum\":[\"ok\",\"ticket\",\"page\",\"nodata\"]},\"why\":{\"type\":[\"string\","
     "\"null\"]},"
     "\"n\":{\"type\":\"integer\"},\"null_ratio\":{\"type\":[\"number\",\"null\"]},"
     "\"usual_null_ratio\":{\"type\":[\"number\",\"null\"]},\"invalid_ratio\":{\"type\":["
     "\"number\",\"null\"]},"
     "\"distinct\":{\"type\":[\"number\",\"null\"]},\"min\":{\"type\":[\"number\",\"null\"]},"
     "\"max\":{\"type\":[\"number\",\"null\"]},"
     "\"reasons\":{\"type\":\"object\"}}}},"
     "\"expectations\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"name\":{\"type\":\"string\"},\"check\":{\"type\":\"string\"},"
     "\"over_s\":{\"type\":\"integer\"},\"state\":{\"enum\":[\"ok\",\"failed\",\"nodata\"]}}}},"
     "\"anomalies\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Season\"}},"
     "\"volume\":{\"$ref\":\"#/components/schemas/Season\"}}}"},
    {"Explanation", JSON,
     "{\"type\":\"object\",\"required\":[\"incident\",\"since\",\"causes\",\"impact\",\"action\"],"
     "\"properties\":{\"incident\":{\"type\":[\"string\",\"null\"]},"
     "\"since\":{\"type\":[\"string\",\"null\"]},"
     "\"until\":{\"type\":[\"string\",\"null\"],\"description\":\"null: it goes on\"},"
     "\"causes\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"cause\":{\"enum\":[\"model\",\"split\",\"rules\",\"contract\",\"upstream\",\"cohort\","
     "\"source\",\"dependency\",\"resource\",\"labels\",\"volume\",\"freshness\",\"none\"]},"
     "\"slice\":{\"type\":[\"string\",\"null\"]},"
     "\"share_of_excess\":{\"type\":[\"number\",\"null\"]},"
     "\"changed_at\":{\"type\":[\"string\",\"null\"]},"
     "\"recovered_at\":{\"type\":[\"string\",\"null\"]},\"evidence\":{\"type\":\"string\"}}}},"
     "\"impact\":{\"type\":\"object\",\"description\":\"since the beginning; null: it cannot be "
     "said\",\"properties\":{\"requests\":{\"type\":[\"number\",\"null\"]},"
     "\"users\":{\"type\":[\"number\",\"null\"]},\"errors\":{\"type\":[\"number\",\"null\"]},"
     "\"money\":{\"type\":[\"number\",\"null\"]},\"money_field\":{\"type\":[\"string\",\"null\"]},"
     "\"decisions_changed\":{\"type\":[\"number\",\"null\"]}}},"
     "\"action\":{\"type\":[\"string\",\"null\"]},"
     "\"incidents\":{\"type\":\"array\",\"description\":\"opened by objectives that burned and "
     "drift that was found, newest first; kept across restarts\",\"items\":{\"type\":\"object\","
     "\"description\":\"opened_at, closed_at (null: open), triggers, and the members "
     "above\"}}}}"},
    {"Drift", JSON,
     "{\"type\":\"object\",\"required\":[\"time\",\"variant\"],\"properties\":{\"time\":{\"t"
     "ype\":\"string\"},\"variant\":{\"type\":\"string\"},\"feature\":{\"type\":\"string\"},"
     "\"state\":{\"enum\":[\"nodata\",\"ok\",\"ticket\",\"page\"]},\"since\":{\"type\":[\"st"
     "ring\",\"null\"]},\"n\":{\"type\":\"integer\"},\"n_reference\":{\"type\":\"integer\"},"
     "\"psi\":{\"type\":[\"number\",\"null\"]},\"threshold\":{\"type\":[\"number\",\"null\"]"
     "},\"p_adjusted\":{\"type\":[\"number\",\"null\"]},\"nulls_risen\":{\"type\":\"boolean\""
     "},\"methods\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"met"
     "hod\":{\"enum\":[\"psi\",\"js\",\"chisquare\",\"tvd\"]},\"statistic\":{\"type\":[\"num"
     "ber\",\"null\"]},\"expected_null\":{\"type\":[\"number\",\"null\"],\"description\":\"i"
     "ts mean when nothing has changed\"},\"p_value\":{\"type\":[\"number\",\"null\"]},\"thr"
     "eshold\":{\"type\":[\"number\",\"null\"]}}}},\"bins\":{\"type\":\"array\",\"items\":{\""
     "type\":\"object\",\"properties\":{\"label\":{\"type\":\"string\"},\"reference\":{\"typ"
     "e\":[\"number\",\"null\"],\"description\":\"share\"},\"live\":{\"type\":[\"number\",\""
     "null\"],\"description\":\"share\"},\"contribution\":{\"type\":[\"number\",\"null\"],\""
     "description\":\"to psi\"},\"reference_n\":{\"type\":\"integer\"},\"live_n\":{\"type\":"
     "[\"integer\",\"null\"]}}}},\"drift_share\":{\"type\":[\"number\",\"null\"]},\"dataset_"
     "drift\":{\"type\":\"boolean\"},\"features\":{\"type\":\"array\",\"items\":{\"type\":\""
     "object\",\"properties\":{\"feature\":{\"type\":\"string\"},\"state\":{\"enum\":[\"noda"
     "ta\",\"ok\",\"ticket\",\"page\"]},\"since\":{\"type\":[\"string\",\"null\"]},\"n\":{\""
     "type\":\"integer\"},\"n_reference\":{\"type\":\"integer\"},\"psi\":{\"type\":[\"number"
     "\",\"null\"]},\"threshold\":{\"type\":[\"number\",\"null\"]},\"p_adjusted\":{\"type\":"
     "[\"number\",\"null\"]},\"nulls_risen\":{\"type\":\"boolean\"},\"methods\":{\"type\":\""
     "array\",\"items\":{\"type\":\"object\",\"properties\":{\"method\":{\"enum\":[\"psi\",\""
     "js\",\"chisquare\",\"tvd\"]},\"statistic\":{\"type\":[\"number\",\"null\"]},\"expected"
     "_null\":{\"type\":[\"number\",\"null\"],\"description\":\"its mean when nothing has ch"
     "anged\"},\"p_value\":{\"type\":[\"number\",\"null\"]},\"threshold\":{\"type\":[\"numbe"
     "r\",\"null\"]}}}}}}}}}"},
    {"Changes", JSON,
     "{\"type\":\"object\",\"required\":[\"changes\"],\"properties\":{\"changes\":{\"type\":"
     "\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"at\":{\"type\":\"string\",\"format\":\"date-time\"},"
     "\"kind\":{\"enum\":[\"start\",\"stop\",\"split\",\"rules\",\"contract\",\"features\","
     "\"model\",\"config\",\"alert\",\"label\"]},"
     "\"what\":{\"type\":\"string\"},\"who\":{\"type\":[\"string\",\"null\"]},"
     "\"reason\":{\"type\":[\"string\",\"null\"]}}}}}}"},
    {"Decisions", JSON,
     "{\"type\":\"object\",\"required\":[\"decisions\",\"next_cursor\"],\"properties\":{"
     "\"decisions\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Row\"}},"
     "\"next_cursor\":{\"type\":[\"integer\",\"null\"]}}}"},
    {"Row", JSON,
     "{\"description\":\"A decision with what it was made from\",\"allOf\":[{\"$ref\":"
     "\"#/components/schemas/Decision\"},{\"type\":\"object\",\"properties\":{"
     "\"event_ts\":{\"type\":\"string\",\"format\":\"date-time\"},"
     "\"decided_at\":{\"type\":\"string\",\"format\":\"date-time\"},"
     "\"entity\":{\"type\":\"string\"},\"margin\":{\"type\":[\"number\",\"null\"]},"
     "\"features\":{\"type\":\"object\"},\"input\":{\"type\":\"object\"}}}]}"},
    {"Record", JSON,
     "{\"type\":\"object\",\"required\":[\"row\",\"reasons\",\"bias\",\"rules\",\"proof\"],"
     "\"properties\":{\"row\":{\"$ref\":\"#/components/schemas/Row\"},"
     "\"reasons\":{\"type\":[\"array\",\"null\"],\"items\":{\"$ref\":"
     "\"#/components/schemas/Reason\"}},\"bias\":{\"type\":[\"number\",\"null\"]},"
     "\"reasons_problem\":{\"type\":[\"string\",\"null\"]},"
     "\"rules\":{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"object\",\"properties\":{"
     "\"name\":{\"type\":\"string\"},\"when\":{\"type\":[\"string\",\"null\"]},"
     "\"decision\":{\"enum\":[\"approve\",\"review\",\"decline\"]},"
     "\"code\":{\"type\":[\"string\",\"null\"]},"
     "\"state\":{\"enum\":[\"passed\",\"fired\",\"not reached\"]}}}},"
     "\"proof\":{\"type\":[\"object\",\"null\"],\"description\":\"RFC 9162\"},"
     "\"proof_problem\":{\"type\":[\"string\",\"null\"]}}}"},
    {"Quarantine", JSON,
     "{\"type\":\"object\",\"required\":[\"quarantine\",\"next_cursor\"],\"properties\":{"
     "\"quarantine\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"quarantine_id\":{\"type\":\"integer\"},"
     "\"received_at\":{\"type\":\"string\",\"format\":\"date-time\"},"
     "\"status\":{\"enum\":[\"open\",\"retried\",\"resolved\"]},"
     "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
     "\"source\":{\"type\":\"string\"}}}},"
     "\"next_cursor\":{\"type\":[\"integer\",\"null\"]}}}"},
    {"Retry", JSON,
     "{\"type\":\"object\",\"required\":[\"ids\",\"reason\"],\"properties\":{"
     "\"ids\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":1000,\"items\":{\"type\":\"integer\","
     "\"minimum\":1}},\"reason\":{\"type\":\"string\",\"minLength\":1}}}"},
    {"Retried", JSON,
     "{\"type\":\"object\",\"properties\":{\"retried\":{\"type\":\"integer\"},"
     "\"accepted\":{\"type\":\"integer\"},\"quarantined\":{\"type\":\"integer\"},"
     "\"answers\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}}}"},
    {"AlertAct", JSON,
     "{\"type\":\"object\",\"required\":[\"alert\",\"reason\"],\"properties\":{"
     "\"alert\":{\"type\":\"string\"},\"reason\":{\"type\":\"string\",\"minLength\":1}}}"},
    {"Silence", JSON,
     "{\"type\":\"object\",\"required\":[\"alert\",\"minutes\",\"reason\"],\"properties\":{"
     "\"alert\":{\"type\":\"string\"},\"reason\":{\"type\":\"string\",\"minLength\":1},"
     "\"minutes\":{\"type\":\"number\",\"minimum\":1,\"maximum\":10080}}}"},
    {"AlertActed", JSON,
     "{\"type\":\"object\",\"properties\":{\"alert\":{\"type\":\"string\"},"
     "\"until\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}}}"},
    {"Views", JSON,
     "{\"type\":\"object\",\"required\":[\"views\"],\"properties\":{\"views\":{\"type\":\"array\","
     "\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"
     "\"title\":{\"type\":\"string\"},\"panels\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
     "\"properties\":{\"title\":{\"type\":\"string\"},\"expression\":{\"type\":\"string\"},"
     "\"kind\":{\"enum\":[\"line\",\"number\",\"heat\"]}}}}}}}}}"},
    {"Settings", JSON,
     "{\"type\":\"object\",\"required\":[\"folder\",\"settings\"],\"properties\":{"
     "\"folder\":{\"type\":\"string\"},\"settings\":{\"type\":\"array\",\"items\":{"
     "\"type\":\"object\",\"required\":[\"key\",\"value\",\"from\"],\"properties\":{"
     "\"key\":{\"type\":\"string\",\"description\":\"kafka.brokers, objectives[latency].target\"},"
     "\"value\":{\"type\":[\"string\",\"null\"]},\"secret\":{\"type\":\"boolean\"},"
     "\"from\":{\"enum\":[\"file\",\"default\",\"command line\"]},"
     "\"file\":{\"type\":[\"string\",\"null\"]},"
     "\"line\":{\"type\":[\"integer\",\"null\"]},\"column\":{\"type\":[\"integer\",\"null\"]},"
     "\"help\":{\"type\":[\"string\",\"null\"]}}}}}}"},
    {"Logs", JSON,
     "{\"type\":\"object\",\"required\":[\"lines\",\"newest\"],\"properties\":{"
     "\"newest\":{\"type\":\"integer\",\"description\":\"seq of the newest line of all\"},"
     "\"lines\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"seq\":{\"type\":\"integer\"},\"time\":{\"type\":\"string\",\"format\":\"date-time\"},"
     "\"level\":{\"enum\":[\"debug\",\"info\",\"warn\",\"error\"]},"
     "\"component\":{\"type\":\"string\"},\"event\":{\"type\":\"string\"},"
     "\"message\":{\"type\":\"string\"}}}}}}"},
    {"History", JSON,
     "{\"type\":\"object\",\"required\":[\"from\",\"to\",\"step_s\",\"series\"],\"properties\":{"
     "\"from\":{\"type\":\"string\",\"format\":\"date-time\"},"
     "\"to\":{\"type\":\"string\",\"format\":\"date-time\"},"
     "\"step_s\":{\"type\":\"integer\",\"description\":\"may be coarser than was asked for\"},"
     "\"series\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"name\":{\"type\":\"string\"},\"unit\":{\"type\":\"string\"},"
     "\"labels\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"
     "\"points\":{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{"
     "\"type\":[\"number\",\"null\"]},\"minItems\":2,\"maxItems\":2}}}}}}}"},
    {"HistorySeries", JSON,
     "{\"type\":\"object\",\"required\":[\"labels\",\"series\"],\"properties\":{"
     "\"labels\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"array\","
     "\"items\":{\"type\":\"string\"}}},"
     "\"series\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"name\":{\"type\":\"string\"},\"unit\":{\"type\":\"string\"},"
     "\"help\":{\"type\":\"string\"}}}}}}"},
    {"Heatmap", JSON,
     "{\"type\":\"object\",\"required\":[\"of\",\"step_s\",\"edges\",\"cells\"],"
     "\"properties\":{\"of\":{\"type\":\"string\"},\"unit\":{\"type\":\"string\"},"
     "\"from\":{\"type\":\"string\",\"format\":\"date-time\"},"
     "\"to\":{\"type\":\"string\",\"format\":\"date-time\"},"
     "\"step_s\":{\"type\":\"integer\"},\"missing\":{\"type\":\"boolean\"},"
     "\"edges\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}},"
     "\"cells\":{\"type\":\"array\",\"items\":{\"type\":\"array\",\"minItems\":2,"
     "\"maxItems\":2,\"items\":{\"type\":[\"integer\",\"array\",\"null\"]}}}}}"},
    {"Health", JSON,
     "{\"type\":\"object\",\"properties\":{\"status\":{\"const\":\"ok\"},"
     "\"version\":{\"type\":\"string\"}}}"},
    {"Ready", JSON, "{\"type\":\"object\",\"properties\":{\"ready\":{\"const\":true}}}"},
    {"Metrics", "text/plain", "{\"type\":\"string\"}"},
    {"OpenApi", JSON, "{\"type\":\"object\"}"},
    {"Problem", "application/problem+json",
     "{\"type\":\"object\",\"required\":[\"title\",\"status\"],\"properties\":{"
     "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},"
     "\"status\":{\"type\":\"integer\"},\"detail\":{\"type\":\"string\"}}}"},
    {"ContractProblem", "application/problem+json",
     "{\"type\":\"object\",\"required\":[\"title\",\"status\",\"errors\"],\"properties\":{"
     "\"title\":{\"type\":\"string\"},\"status\":{\"const\":422},"
     "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"field\":{\"type\":[\"string\",\"null\"]},\"reason\":{\"type\":\"string\"}}}},"
     "\"quarantine_id\":{\"type\":[\"integer\",\"string\",\"null\"]}}}"},
    {NULL, NULL, NULL},
};
