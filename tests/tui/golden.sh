#!/usr/bin/env bash
# Every view at three sizes against the pictures in golden/, from a recording: the clock stands
# still. GOLDEN=write makes the pictures anew; look at each of them before it is kept.
. "$(dirname "$(readlink -f "$0")")/lib/terminal.bash"

picture() { terminal capture-pane -p -t s:top | sed 's/ *$//'; }

# golden NAME: the screen is as the picture of that name within some seconds
golden() {
    local file=$here/golden/$1.txt
    if [ "${GOLDEN:-}" = write ]; then
        sleep 0.4
        picture >"$file"
        return
    fi
    for _ in $(seq "${PATIENCE:-40}"); do
        picture >"$work/picture"
        cmp -s "$work/picture" "$file" && { echo "ok - $1"; return; }
        sleep 0.1
    done
    echo "not ok - $1"
    diff "$file" "$work/picture" | sed 's/^/# /' | head -40
    failed=1
}

mkdir -p "$here/golden"
python3 "$here/lib/recording.py" burning >"$work/recording"
terminal new-session -d -s s -n top -x 80 -y 24 \
    "COLORTERM= '$binnacle' top --play $work/recording; echo \"ended \$?\"; sleep 600"
for size in 80x24 120x40 200x60; do
    terminal resize-window -t s:top -x "${size%x*}" -y "${size#*x}"
    keys 1 g
    golden "now-$size"
    keys Enter
    golden "now-opened-$size"
    keys Escape 2 g
    golden "slo-$size"
    keys Enter
    golden "slo-opened-$size"
    keys Escape 3 g
    golden "traffic-$size"
    keys Enter
    golden "traffic-opened-$size"
    keys Escape 4 g j j j j j # the first of the inputs
    golden "drift-$size"
    keys Enter
    golden "drift-opened-$size"
    keys Escape 5 g
    golden "quality-$size"
    keys Enter
    golden "quality-opened-$size"
    keys Escape 6 g
    golden "decisions-$size"
    keys Enter
    golden "decisions-opened-$size"
    keys Escape 7 g
    golden "logs-$size"
    keys 8 g
    golden "settings-$size"
    keys 9 g
    golden "help-$size"
    keys 0 g
    golden "own-$size"
done
exit $failed
