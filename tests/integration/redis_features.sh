#!/usr/bin/env bash
# The online store against a real redis-server, which the program itself starts and stops on a free
# port: instances that share entries, an outage, a restart without state.
set -u
program=build/dev/unit/engine_feature_online_test # the release build has no unit tests
server=$(command -v redis-server) || {
    echo "ok - instances share features through Redis # SKIP there is no redis-server"
    exit 0
}
BINNACLE_REDIS_SERVER=$server CMOCKA_MESSAGE_OUTPUT=STDOUT timeout 120 "$program" 2>&1 | awk '
    /\[       OK \]/ { gsub("_", " ", $4); print "ok - Redis: " $4; n++; next }
    /\[  FAILED  \] [a-z_]+$/ && !seen[$4]++ { gsub("_", " ", $4); print "not ok - Redis: " $4; bad++; next }
    { print "# " $0 }
    END { if (n + bad < 3) { print "not ok - Redis: all tests ran"; bad++ } exit bad > 0 }'
