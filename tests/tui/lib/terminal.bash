# What the scripts of this folder share: a tmux server of their own, looked at and typed into.
# A script may set `main`, the window that is looked at, and `server`, a process that is to end with
# it; it ends with `exit $failed`.
set -u
export LC_ALL=C.UTF-8
unset NO_COLOR TMUX
here=$(dirname "$(readlink -f "$0")")
binnacle=$(readlink -f "${BINNACLE:-build/dev/binnacle}")
work=$(mktemp -d)
server=
main=top
failed=0

terminal() { tmux -S "$work/tmux" -f /dev/null "$@"; }
cleanup() {
    terminal kill-server 2>/dev/null
    [ -z "$server" ] || kill "$server" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT

picture() { terminal capture-pane -p -t "s:${1:-$main}"; }
keys() { terminal send-keys -t "s:$main" "$@"; }

# shown WINDOW NAME PATTERN...: all of the patterns are on its screen within PATIENCE tries
shown() {
    local window=$1 name=$2 pattern missing
    shift 2
    for _ in $(seq "${PATIENCE:-60}"); do
        picture "$window" >"$work/picture"
        missing=
        for pattern in "$@"; do grep -qE -- "$pattern" "$work/picture" || missing="$missing /$pattern/"; done
        [ -z "$missing" ] && { echo "ok - $name"; return 0; }
        sleep 0.2
    done
    echo "not ok - $name"
    echo "# not seen:$missing"
    sed 's/^/# /' "$work/picture"
    failed=1
    return 1
}
check() { shown "$main" "$@"; }

# judge NAME COMMAND...: the command succeeds
judge() {
    local name=$1
    shift
    "$@" >"$work/judged" 2>&1 && { echo "ok - $name"; return 0; }
    echo "not ok - $name"
    sed 's/^/# /' "$work/judged"
    failed=1
    return 1
}
not() { ! "$@"; }
