#!/usr/bin/env bash
# The terminal is given back however the screen ends: crashes, signals, a terminal that goes away,
# storms of resizing.
. "$(dirname "$(readlink -f "$0")")/lib/terminal.bash"

shows() {
    for _ in $(seq 60); do
        picture "$1" | grep -qE -- "$2" && return 0
        sleep 0.1
    done
    picture "$1"
    return 1
}

python3 "$here/lib/recording.py" burning >"$work/recording"
terminal new-session -d -s s -n main -x 80 -y 24 "sleep 600"
for signal in SEGV ABRT BUS FPE TERM INT HUP; do
    window=$(echo $signal | tr '[:upper:]' '[:lower:]')
    terminal new-window -t s -n "$window" "stty -a >$work/before; \
        sh -c 'echo \$\$ >$work/pid; exec \"$binnacle\" top --play $work/recording --mouse'; \
        echo \"over\"; stty -a >$work/after; sleep 600"
    judge "$signal: the screen is up" shows "$window" '▲ 1 page'
    kill -s $signal "$(cat "$work/pid")"
    if judge "$signal: the shell goes on" shows "$window" '^over|over$'; then
        sleep 0.2
        judge "$signal: the settings are as they were" cmp "$work/before" "$work/after"
        judge "$signal: the cursor is visible" test "$(terminal display-message -p -t "s:$window" '#{cursor_flag}')" = 1
        judge "$signal: it is the ordinary screen" test "$(terminal display-message -p -t "s:$window" '#{alternate_on}')" = 0
        judge "$signal: the mouse is the terminal's" test "$(terminal display-message -p -t "s:$window" '#{mouse_any_flag}')" = 0
    fi
    terminal kill-window -t "s:$window"
done

terminal new-window -t s -n storm "sh -c 'echo \$\$ >$work/pid; exec \"$binnacle\" top --play $work/recording'; echo over; sleep 600"
judge "the screen is up" shows storm '▲ 1 page'
for i in $(seq 60); do
    terminal resize-window -t s:storm -x $((20 + i * 37 % 180)) -y $((5 + i * 13 % 55))
    kill -s WINCH "$(cat "$work/pid")"
done
terminal resize-window -t s:storm -x 20 -y 5
judge "20x5 says what it needs" shows storm 'needs 40 x 10'
terminal resize-window -t s:storm -x 80 -y 24
judge "after a storm of sizes the picture is whole" shows storm 'objective +now +want'
pid=$(cat "$work/pid")
terminal kill-window -t s:storm
for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
judge "without its terminal it ends" sh -c "! kill -0 $pid 2>/dev/null"
judge "a dumb terminal is refused with a way out" sh -c \
    "TERM=dumb script -qec '\"$binnacle\" top --play $work/recording' /dev/null </dev/null | grep -q -- --once"
exit $failed
