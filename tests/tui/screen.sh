#!/usr/bin/env bash
# The terminal screen against the running program, in tmux: what is on it, keys, resizing, and that
# the terminal is given back.
. "$(dirname "$(readlink -f "$0")")/lib/terminal.bash"
main=run
export XDG_STATE_HOME=$work/state
port=$((20000 + RANDOM % 20000))

keys() { local window=$1; shift; terminal send-keys -t "s:$window" "$@"; }

# check NAME WINDOW PATTERN...
check() {
    local name=$1 window=$2
    shift 2
    shown "$window" "$name" "$@"
}

terminal new-session -d -s s -n run -x 80 -y 24 \
    "stty -a >$work/before; '$binnacle' run --demo --listen 127.0.0.1:$port 2>$work/stderr; \
     echo \"ended \$?\"; stty -a >$work/after; sleep 600"
PATIENCE=900 check "run opens the screen and events are decided" run 'live [0-9:]+Z' 'decided % approve [0-9]' 'rate +[0-9]'
check "an 80x24 screen shows objectives, drift, contract and keys" run \
    'objective .*want .*budget left' 'latency' 'availability' 'drift ' 'contract +[0-9]' '1Now 2SLO 3Traffic .*8Settings .*:go'
judge "nothing is wider than 80 columns or cut at the key bar" not grep -qE '.{81}|…$' <(picture | tail -1)
judge "no log line reaches the screen" not grep -qE '^20[0-9]{2}-' "$work/picture"

keys run 2
check "2 shows objectives, their burn and its limits" run 'budget left' 'burn +5m +30m' 'limit +14\.4×' 'throughput|p99|latency'
keys run 3
check "3 shows the arms and the decisions" run 'wanted +measured +p50' 'champion' 'decided +last minute' 'changes|p95 by arm'
keys run 4
check "4 shows drift" run 'drift .*watched|drift .*moved' 'no drift'
keys run 5
check "5 shows fields and quarantine" run 'missing +usual +invalid' 'transaction_amount' 'quarantine'
keys run Tab
check "Tab brings how good the model is" run 'performance +of the model' 'AUC'
keys run Tab Tab
check "and what was recorded" run 'since the start' 'root +[0-9a-f]{32}'
keys run 6
check "6 lists decisions" run 'decided +decision +score' '[0-9A-Z]{26}'
keys run Enter
check "Enter opens one with its reasons" run 'by rule' 'reasons' '[+-][0-9]\.[0-9]{3}'
keys run Escape 7
check "7 shows the log" run 'log +newest first'
keys run 8
check "8 shows settings with file and line" run 'source.rate +40 +binnacle.yaml:[0-9]+'
keys run / w o r k e r s
check "/ filters as one types" run '/workers' 'of [0-9]+' 'workers +160 +default'
keys run Enter Enter
check "Enter opens the one that is left" run 'meaning +connections of'
keys run Escape Escape : s l Tab Enter
check ": goes to a view, Tab completes its name" run 'burn +5m +30m'
keys run 1 j Enter
check "Enter opens the evidence of the selected line" run 'wanted +9' 'method ' 'burn '
keys run Escape
check "Escape goes back" run 'objective .*want'
keys run '?'
check "? lists the keys" run 'keys and marks' 'show only lines that match'
keys run '?' p
check "p pauses the picture and counts what waits" run 'paused [0-9:]+Z, [0-9 ]+ events wait'
first=$(picture | sed -n '5,22p')
sleep 2.2
judge "a paused picture stands still" test "$first" = "$(picture | sed -n '5,22p')"
keys run '['
check "[ goes back to pictures kept" run 'as of .* ago' 'L is live'
keys run L
check "L is live again" run 'live [0-9:]+Z'
keys run u
check "u shows the machine's zone" run 'live [0-9:]+ (UTC|[A-Z+0-9-]+)'
keys run u

terminal resize-window -t s:run -x 200 -y 60
check "200x60 has a second column" run '│ scores' '│ decided' '│ quarantine|│ +last decisions' 'p99 .*top'
terminal resize-window -t s:run -x 60 -y 20
check "60x20 keeps what matters" run 'live' 'objective' 'rate +[0-9]' '1 2 3 4'
terminal resize-window -t s:run -x 20 -y 5
check "a terminal too small says so" run 'needs 40 x 10'
terminal resize-window -t s:run -x 80 -y 24
check "growing again brings the page back" run 'objective .*want'

# ---- top, against the same program ----
url=http://127.0.0.1:$port
COLUMNS=80 LINES=24 "$binnacle" top --url "$url" --once >"$work/once" 2>&1
code=$?
judge "top --once prints one screen and ends with 0" test $code = 0
judge "it holds the headline and the objectives" grep -qE 'objective .*want' "$work/once"
judge "it has 24 lines" test "$(wc -l <"$work/once")" = 24
judge "--ascii prints ASCII only" not grep -qP '[^\x00-\x7F]' <("$binnacle" top --url "$url" --once --ascii)
LC_ALL=C "$binnacle" top --url "$url" --once >"$work/plain"
judge "so does a locale without UTF-8" not grep -qP '[^\x00-\x7F]' "$work/plain"
"$binnacle" top --url "$url" --once --screen slo --record "$work/seen" >"$work/slo"
judge "top --once --record writes what the screen was drawn from" grep -q '"target":"/api/v1/snapshot","code":200' "$work/seen"
"$binnacle" top --play "$work/seen" --once --screen slo >"$work/played"
judge "and it plays" cmp <(grep -E '^ .*(latency|availability)' "$work/slo") <(grep -E '^ .*(latency|availability)' "$work/played")
"$binnacle" top --url "$url" --record "$work/nothing" >"$work/pipe" 2>"$work/why" </dev/null
judge "without a terminal top fails with 2" test $? = 2
judge "names the way out" grep -q -- '--once' "$work/why"
judge "and writes nothing: no escape code, no recording" test ! -s "$work/pipe" -a ! -e "$work/nothing"
"$binnacle" top --url http://127.0.0.1:1 --once >"$work/away" 2>&1
judge "top --once on nothing fails with 2" test $? = 2
judge "and names the address" grep -q '127.0.0.1:1' "$work/away"

terminal new-window -t s -n top "'$binnacle' top --url $url; echo \"ended \$?\"; sleep 600"
check "top shows the same screen" top 'live' 'objective .*want' 'rate +[0-9]'
terminal new-window -t s -n vt "TERM=vt100 '$binnacle' top --url $url; echo \"ended \$?\"; sleep 600"
check "a vt100 without colours shows it, too" vt 'live' 'objective .*want'
terminal new-window -t s -n bad "TERM=nonsense '$binnacle' top --url $url; echo \"ended \$?\"; sleep 600"
check "an unknown terminal is refused with a way out" bad 'nonsense' '\-\-once' 'ended 2'
keys vt C-c
check "Ctrl-C ends it" vt 'ended 0'

# ---- the end ----
keys run q
check "q ends the run in order" run 'draining and committing' 'ended 0'
for _ in $(seq 100); do [ -s "$work/after" ] && break; sleep 0.1; done
judge "the terminal's settings are as they were" cmp "$work/before" "$work/after"
check "the cursor is shown again and lines echo" run 'ended 0'
judge "the cursor is visible" test "$(terminal display-message -p -t s:run '#{cursor_flag}')" = 1
check "top says since when it has no answer, and keeps the last picture" top 'stale' 'no answer from .*since [0-9:]+Z' 'objective'
keys top q
check "q ends top" top 'ended 0'

exit $failed
