#!/usr/bin/env bash
# /metrics of a service that has traffic, quarantine and alerts, judged by Prometheus's own promtool;
# and counters that only grow.
set -u
binnacle=${BINNACLE:-build/dev/binnacle}
command -v promtool >/dev/null || {
    echo "ok - /metrics as promtool wants it # SKIP there is no promtool (package prometheus)"
    exit 0
}
work=$(mktemp -d)
pid=
failed=0
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT

check() { # check BEHAVIOUR COMMAND...: the command's output is the detail
    local behaviour=$1 detail=$work/detail
    shift
    if "$@" >"$detail" 2>&1; then
        echo "ok - $behaviour"
    else
        echo "not ok - $behaviour"
        head -n 20 "$detail" | sed 's/^/# /'
        failed=1
    fi
}

# A producer that makes frauds and broken events often, and two alerts: one fires at once, one waits.
cp -r packaging/examples/transactions "$work/config"
sed -i 's/rate: 40 /rate: 400 /; s/bad: 0.003 /bad: 0.05 /' "$work/config/binnacle.yaml"
cat >>"$work/config/binnacle.yaml" <<'EOF'
alerts:
  - {name: broken-events, when: quarantined_total >= 5, severity: ticket, summary: broken}
  - {name: waits, when: events_total > 0, for: 1h, severity: page, summary: waits}
EOF
"$binnacle" produce --count 20000 --seed 3 --fraud 0.03 --with-labels --to "$work/events.jsonl" &&
    "$binnacle" train --config "$work/config" --data "$work/events.jsonl" -o "$work/model.json" \
        >"$work/train.log" 2>&1 || { echo "not ok - a model is trained"; exit 1; }
"$binnacle" run --config "$work/config" --model "$work/model.json" --ledger "$work/ledger" --no-tui \
    --listen 127.0.0.1:0 >"$work/log" 2>&1 </dev/null &
pid=$!
for _ in $(seq 100); do
    url=$(sed -n 's/.*\(http:\/\/[0-9.:]*\)\/ .*/\1/p' "$work/log")
    [ -n "$url" ] && break
    sleep 0.1
done
check "a service runs" grep -q 'page and API' "$work/log"
[ -n "$url" ] || { sed 's/^/# /' "$work/log"; exit 1; }

scrape() { curl -sS -o "$1" -w '%{http_code} %{content_type}\n' "$url/metrics"; }
score() { # score ID USER: the status of its answer
    printf '{"event_id":"%s","user_id":"%s","transaction_amount":12,"country":"US","device":"web","event_ts":"%s"}' \
        "$1" "$2" "$(date -u +%FT%TZ)" | curl -sS -o /dev/null -w '%{http_code}' -d @- "$url/v1/score"
}
fires() {
    for _ in $(seq 100); do
        curl -sS "$url/metrics" | grep -q '^binnacle_alert_firing{.*broken-events.*} 1$' && return
        sleep 0.1
    done
    cat "$work/log"
    return 1
}
# A ULID begins with its time in milliseconds, in Crockford's base 32.
id=$(awk -v t="$(date +%s)" 'BEGIN {
    d = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; t *= 1000
    for (i = 0; i < 10; i++) { s = substr(d, t % 32 + 1, 1) s; t = int(t / 32) }
    print s "0000000000000001" }')
check "it has answered, refused and repeated" test \
    "$(score "$id" user-1) $(score "$id" user-1) $(score "$id" user-2) $(score x y)" = "200 200 409 422"
check "an alert fires" fires
check "another site's page is refused" test 403 = \
    "$(curl -sS -o /dev/null -w '%{http_code}' -H 'Host: evil.example' "$url/metrics")"
scrape "$work/first" >"$work/head"
sleep 2
score "${id%1}2" user-1 >/dev/null
scrape "$work/second" >/dev/null

check "/metrics is answered as Prometheus's text format" grep -q '^200 text/plain; version=0.0.4' \
    "$work/head"
for name in first second; do
    check "promtool has nothing to say about it ($name)" \
        sh -c "promtool check metrics <'$work/$name' >'$work/said' 2>&1 && ! grep . '$work/said' || { cat '$work/said'; false; }"
done
for wanted in 'events_total{result="quarantined"} [1-9]' 'events_total{result="duplicate"} [1-9]' \
    'quarantine_reasons_total{reason="duplicate_id"} [1-9]' 'answer_latency_seconds_count [1-9]' \
    'alert_firing{.*waits.*} 0$' 'ledger_leaves [1-9]' 'drift_psi{' \
    'http_requests_total{listener="main"} [1-9]' 'http_refused_requests_total{listener="main"} 1$' \
    'http_turned_away_connections_total{listener="main"} 0$' \
    'http_hung_up_connections_total{listener="main"} 0$' 'http_open_connections{'; do
    check "it has binnacle_${wanted%% *}" grep -q "^binnacle_$wanted" "$work/second"
done

# Every family: HELP, TYPE, then its samples, in one piece.
check "every sample stands under the HELP and TYPE of its family" awk '
    /^# HELP / { if ($3 in helped || NF < 5) bad = bad " " $3; helped[$3]; family = $3; next }
    /^# TYPE / { if ($3 != family || $3 in type) bad = bad " " $3; type[$3] = $4; next }
    /^#/ || NF == 0 { bad = bad " line" NR; next }
    {
        name = $0; sub(/[{ ].*/, "", name)
        if (type[family] == "histogram") sub(/_(bucket|sum|count)$/, "", name)
        if (name != family || !(family in type)) bad = bad " " name
        if (seen[substr($0, 1, length($0) - length($NF))]++) bad = bad " twice:" name
        n++
    }
    END { if (bad != "" || n < 50) { print n " samples;" bad; exit 1 } }' "$work/second"
check "counters only grow, none goes away, and the busy ones have grown" awk '
    /^# TYPE / { counts = $4 == "counter" || $4 == "histogram"; next }
    /^#/ || !counts { next }
    {
        name = substr($0, 1, length($0) - length($NF))
        if (NR == FNR) { before[name] = $NF; n++; next }
        if (name in before) {
            if ($NF + 0 < before[name] + 0) bad = bad "\n" name before[name] " then " $NF
            grown += $NF + 0 > before[name] + 0
            delete before[name]
        }
    }
    END {
        for (name in before) bad = bad "\ngone: " name
        if (bad != "" || n < 40 || grown < 10) { print n " counters, " grown " grown" bad; exit 1 }
    }' "$work/first" "$work/second"
kill "$pid"
wait "$pid"
check "the service ends well" test $? = 0
pid=
exit $failed
