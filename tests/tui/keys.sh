#!/usr/bin/env bash
# Every key of the screen, on a recording: moving, filtering, sorting, copying, times, orders that a
# recording refuses; and what hostile texts look like.
. "$(dirname "$(readlink -f "$0")")/lib/terminal.bash"

python3 "$here/lib/recording.py" burning >"$work/recording"
terminal new-session -d -s s -n top -x 120 -y 40 \
    "cd $work; '$binnacle' top --play recording; echo \"ended \$?\"; sleep 600"
terminal set-option -s set-clipboard on
check "a recording is shown as such" 'recorded 14:03:22Z' '▲ 1 page'
keys 6
check "6 opens the decisions" '› 01J8ZQ5V7N3K2M4P6R8T0W2Y00'
keys j
check "j is the next line" '› 01J8ZQ5V7N3K2M4P6R8T0W2Y01'
keys k
check "k the one before" '› 01J8ZQ5V7N3K2M4P6R8T0W2Y00'
keys C-d
check "ctrl-d ten lines on" '› 01J8ZQ5V7N3K2M4P6R8T0W2Y10'
keys C-u
check "ctrl-u ten lines back" '› 01J8ZQ5V7N3K2M4P6R8T0W2Y00'
keys G
check "G the last" '› 01J8ZQ5V7N3K2M4P6R8T0W2Y59'
keys g
check "g the first" '› 01J8ZQ5V7N3K2M4P6R8T0W2Y00'
keys N
check "N goes around the end" '› 01J8ZQ5V7N3K2M4P6R8T0W2Y59'
keys n
check "and n back" '› 01J8ZQ5V7N3K2M4P6R8T0W2Y00'
keys PageDown Down Up Home End PageUp g
keys / d e c l i n e Enter
check "/ shows what matches" '/decline  20 of 60' '20 of 60|20 shown'
judge "and nothing else" not grep -q ' review ' "$work/picture"
keys / C-u '!' d e c l i n e Enter
check "! turns it around" '/!decline  40 of 60'
judge "and the others are gone" not grep -q ' decline ' "$work/picture"
keys / C-u '(' Enter
check "a pattern that cannot be used is said" '/\(  60 of 60' 'all lines are shown: .*'
keys Escape
check "Esc takes the filter away" '[0-9]+ of 60'
keys o o o o
check "o sorts by a column" '↑score'
keys O g
check "O turns the order around" '↓score' '› 01J8ZQ5V7N3K2M4P6R8T0W2Y00'
keys c
check "c copies the line's name" 'copied 01J8ZQ5V7N3K2M4P6R8T0W2Y00'
for _ in $(seq 20); do copied=$(terminal show-buffer 2>/dev/null) && break; sleep 0.1; done
judge "it is on the clipboard" test "$copied" = 01J8ZQ5V7N3K2M4P6R8T0W2Y00
keys y l i s t . c s v Enter
check "y writes the list as CSV" 'the list \(60 rows\) is in list.csv'
judge "with a line of titles and one a row" test "$(wc -l <"$work/list.csv")" = 61
keys y l i s t . c s v Enter
check "and never over a file that is there" 'list.csv: File exists'
keys : d r Tab Enter
check ": goes to a view by its name" 'features over time'
keys : n i g Tab
check "and to one of one's own, which Tab completes, too" ':night'
keys Enter
check "by its name" 'Night watch' 'declined, percent'
judge "--screen takes that name" grep -q 'Night watch' <(COLUMNS=80 LINES=24 "$binnacle" top --play "$work/recording" --once --screen night)
"$binnacle" top --play "$work/recording" --once --screen nobody >"$work/said" 2>&1
judge "and refuses one that is none with 2" test $? = 2
judge "naming those there are" grep -q "there is no view 'nobody': --screen takes now, .*own" "$work/said"
keys : x y z Enter
check "a name that is none is said" "there is no view 'xyz'"
keys 2 y Tab c h a r t . c s v Enter
check "y and Tab write the chart in front" 'the chart "latency" is in chart.csv'
judge "with its times and lines" grep -qE '^2026-05-12T1[0-9:T]+Z,[0-9.]+,[0-9.]+,[0-9.]+' "$work/chart.csv"
keys 0 y o w n . c s v Enter
check "of a view of one's own the chart comes first" 'the chart "declined, percent" is in own.csv'
keys 2 +
check "+ makes charts longer" 'charts over 6 h'
keys - -
check "- makes them shorter" 'charts over 15 min'
keys Tab
check "Tab brings the next chart first" 'latency, all events'
keys u
check "u shows the machine's zone" 'recorded [0-9-]+ ?[0-9:]+ (UTC|[A-Z+0-9-]+)'
keys u Z
check "Z pauses" 'paused'
keys Z '['
check "[ and ] step through the recording" 'paused|recorded'
keys L x
check "x is refused in a recording" 'a recording cannot be changed|read-only'
keys t 5 Enter
check "so is t" 'a recording cannot be changed|read-only'
keys a
check "so is a" 'a recording cannot be changed|read-only'
keys s
check "so is s" 'a recording cannot be changed|read-only'
keys 5 r
check "so is r" 'a recording cannot be changed|read-only'
keys '?'
check "? lists the keys" 'keys and marks' 'ten lines on'
keys G
check "all of them" 'roll the canary back' 'quit'
keys '?'
check "and goes back" 'quarantine .*of all events'
keys f d e c i s i o n = d e c l i n e Enter
check "f asks the decisions" 'find decision=decline'
keys q
check "q ends it" 'ended 0'

# ---- hostile texts ----
python3 "$here/lib/recording.py" hostile >"$work/hostile"
for view in now slo traffic drift quality decisions logs settings; do
    COLUMNS=100 LINES=30 "$binnacle" top --play "$work/hostile" --once --screen $view >"$work/once" 2>&1
    judge "hostile texts are text in $view" sh -c "test -s '$work/once' && ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' '$work/once'"
    judge "and stay in their lines in $view" test "$(wc -l <"$work/once")" = 30
done
for charts in blocks ascii; do
    COLUMNS=120 LINES=40 "$binnacle" top --play "$work/recording" --once --screen slo --charts $charts >"$work/once"
    judge "charts of $charts have no braille" not grep -qP '[\x{2800}-\x{28ff}]' "$work/once"
done
judge "the Linux console, which has no braille, gets blocks" not grep -qP '[\x{2800}-\x{28ff}]' <(TERM=linux COLUMNS=120 LINES=40 "$binnacle" top --play "$work/recording" --once --screen slo)
judge "others get braille" grep -qP '[\x{2800}-\x{28ff}]' <(COLUMNS=120 LINES=40 "$binnacle" top --play "$work/recording" --once --screen slo)
judge "ASCII is ASCII" not grep -qP '[^\x00-\x7F]' <(COLUMNS=120 LINES=40 "$binnacle" top --play "$work/recording" --once --screen slo --ascii)
judge "TERM=dumb prints once all the same" env TERM=dumb COLUMNS=80 LINES=24 "$binnacle" top --play "$work/recording" --once
echo '{"at":1' >"$work/broken"
"$binnacle" top --play "$work/broken" --once >"$work/said" 2>&1
judge "a broken recording is refused with 2" test $? = 2
judge "and the line is named" grep -q 'line 1' "$work/said"
head -c -100 "$work/recording" >"$work/cut"
"$binnacle" top --play "$work/cut" --once >"$work/said" 2>&1
judge "one that ends within a line plays" test $? = 0
judge "and says so" grep -q 'ends within a line, which is left out' "$work/said"
sed '2s/.*/{"at":1/' "$work/recording" >"$work/broken"
"$binnacle" top --play "$work/broken" --once >"$work/said" 2>&1
judge "one with a broken line amidst does not" grep -q 'line 2' "$work/said"
echo '{"at":1,"target":"/api/v1/snapshot","code":200,"body":[]}' >"$work/broken"
"$binnacle" top --play "$work/broken" --once >"$work/said" 2>&1
judge "one whose picture is none is refused with 2" test $? = 2
exit $failed
