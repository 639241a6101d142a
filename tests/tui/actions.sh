#!/usr/bin/env bash
# What changes the service from the terminal: what is asked before, what is sent, what is said after.
. "$(dirname "$(readlink -f "$0")")/lib/terminal.bash"

sent() { judge "$1" was_sent "$2"; }
was_sent() { grep -qF -- "$1" "$work/orders" || { cat "$work/orders"; return 1; }; }

# Answers with what the recording holds, and writes orders down.
python3 "$here/lib/recording.py" burning >"$work/recording"
python3 - "$work" <<'PY' &
import http.server, json, os, sys
work = sys.argv[1]
documents = {}
for text in open(work + "/recording"):
    line = json.loads(text)
    documents[line["target"].split("?")[0]] = json.dumps(line["body"]).encode()
class Answer(http.server.BaseHTTPRequestHandler):
    def answer(self, code, body):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        body = documents.get(self.path.split("?")[0])
        self.answer(200 if body else 404, body or b"{}")
    def order(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(work + "/orders", "ab") as file:
            file.write(f"{self.command} {self.path} {self.headers['Authorization']} ".encode() + body + b"\n")
        refused = self.path.endswith("silence")
        self.answer(403 if refused else 200, b'{"detail":"not by you"}' if refused else b"{}")
    do_PUT = do_POST = order
    def log_message(self, *rest):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
open(work + "/port.new", "w").write(str(server.server_port))
os.rename(work + "/port.new", work + "/port")
server.serve_forever()
PY
server=$!
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.1; done
url=http://127.0.0.1:$(cat "$work/port")
: >"$work/orders"
(umask 077; echo "night a-token-long-enough" >"$work/token")

terminal new-session -d -s s -n top -x 100 -y 30 \
    "'$binnacle' top --url $url --token $work/token; echo \"ended \$?\"; sleep 600"
check "the picture is there" '▲ 1 page'
keys x
check "x says what will happen" 'Roll the canary back' 'canary fraud 13 goes from 25.% to 0.% ' 'champion fraud 12 gets 100.%' 'ledger gets a row' 'reason'
keys Enter
check "without a reason nothing is done" 'a reason is needed'
keys Escape
check "Esc leaves it" 'nothing was changed'
keys x
check "it asks again" 'Roll the canary back'
keys s l o w Enter
check "what was done is said" 'done: the canary is at 0.%'
sent "the split is sent with the reason" '{"variant":"canary","model":"fraud","version":"13","share":0}'
sent "with whose token it is" 'PUT /api/v1/traffic Bearer a-token-long-enough'
sent "and the reason" '"reason":"slow"'
keys t 4 0 0 Enter
check "a share that is none is refused" "'400' is no share from 0 to 100"
keys t 1 0 Enter
check "t says what will happen" 'Change the shares' 'to 10.% of the traffic'
keys '"' q u o t e d '"' Enter
check "it is done" 'done: the canary is at 10.%'
sent "reasons are escaped" '"reason":"\"quoted\""'
keys a
check "a acknowledges the alert that fires" 'Acknowledge latency-burn'
keys m i n e Enter
check "and says so" 'done: latency-burn is yours'
sent "with its name" 'POST /api/v1/alerts/acknowledge Bearer a-token-long-enough {"alert":"latency-burn","reason":"mine"}'
keys s
check "s silences it" 'Silence latency-burn' '60 minutes'
keys w h y Enter
check "a refusal is said with its reason" 'not done: not by you'
keys 5
check "5 lists what is quarantined" "is none of US"
keys r
check "r submits the events that are listed" 'Retry 40 quarantined events'
keys f i x e d Enter
check "and says so" 'done: 40 events were submitted again'
sent "by their numbers" '{"ids":[40,39,38'
keys q
check "q ends it" 'ended 0'

lines=$(wc -l <"$work/orders")
terminal kill-window -t s:top 2>/dev/null || true
terminal new-session -d -s s -n top -x 100 -y 30 "'$binnacle' top --url $url --readonly; sleep 600" 2>/dev/null ||
    terminal new-window -t s -n top "'$binnacle' top --url $url --readonly; sleep 600"
check "the picture is there, read-only" '▲ 1 page'
keys x
check "--readonly refuses" 'read-only'
[ "$(wc -l <"$work/orders")" = "$lines" ] && echo "ok - and nothing is sent" || { echo "not ok - and nothing is sent"; failed=1; }
exit $failed
