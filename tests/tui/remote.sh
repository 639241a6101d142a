#!/usr/bin/env bash
# `binnacle top` against answers that no good binnacle gives: hostile names, a picture that stands
# still, a refusal, something else altogether.
. "$(dirname "$(readlink -f "$0")")/lib/terminal.bash"

# Answers with $work/code and $work/body.
python3 - "$work" <<'PY' &
import http.server, os, sys
work = sys.argv[1]
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open(work + "/body", "rb").read()
        self.send_response(int(open(work + "/code").read()))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *rest):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
open(work + "/port.new", "w").write(str(server.server_port))
os.rename(work + "/port.new", work + "/port")
server.serve_forever()
PY
server=$!
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.1; done
url=http://127.0.0.1:$(cat "$work/port")

answer() { echo "$1" >"$work/code"; cat >"$work/body.new"; mv "$work/body.new" "$work/body"; }
hostile() {
    cat <<'JSON'
{"schema":1,"seq":5,"time":"2026-01-02T14:03:22Z","started":"2026-01-02T13:00:00Z","ready":true,
 "service":"\u001b[2J\u001b]0;gotcha\u0007日本\u202ee\u0301","events_per_s":12,
 "totals":{"events":40,"quarantined":1},"quarantine":{"\u001b[31mred\n":1},
 "slo":[{"name":"\u009b31m\u0000latency","target":0.95,"attainment":0.9,"budget_left":0.4,"n":1000,
         "state":"page","burn":{"1h":16.2,"5m":17.6}}]}
JSON
}
hostile | answer 200
COLUMNS=80 LINES=24 "$binnacle" top --url "$url/" --once >"$work/once"
judge "hostile names reach the terminal without control characters" \
    sh -c "! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' '$work/once'"
judge "and what can be shown of them is shown" grep -q '?31mlatency\|?31m' "$work/once"

echo '{"detail":"no"}' | answer 401
"$binnacle" top --url "$url" --once >"$work/refused" 2>&1
judge "a refusal ends --once with 2" test $? = 2
judge "and says that it was refused" grep -q '401' "$work/refused"
echo '<html>' | answer 200
"$binnacle" top --url "$url" --once >"$work/html" 2>&1
judge "something that is no binnacle ends --once with 2" test $? = 2

echo '{}' | answer 503
terminal new-session -d -s s -n top -x 80 -y 24 \
    "stty -a >$work/before; '$binnacle' top --url $url; echo \"ended \$?\"; stty -a >$work/after; sleep 600"
check "before its first picture a peer is waited for" "waiting for the first picture of $url since"
hostile | answer 200
check "the first picture is drawn" '▲ 1 page' '16.2×' 'objective'
check "a picture that stands still is called stale, with since when" 'stale' 'the picture stands still at .* since [0-9:]+Z, '
echo '{}' | answer 403
check "a refusal is shown, and the last picture kept" "refused by $url since" '403' 'objective'
echo '{"schema":7}' | answer 200
check "another schema is shown as such" 'no snapshot of schema 1'
kill -TERM "$(pgrep -f "^$binnacle top --url $url\$")"
check "SIGTERM ends it in order" 'ended 0'
for _ in $(seq 100); do [ -s "$work/after" ] && break; sleep 0.1; done
judge "the terminal's settings are as they were" cmp "$work/before" "$work/after"

exit $failed
