#!/bin/bash
# Chromium and Firefox: the page of `rtckit serve` by its buttons, and calls from scripts of their own in both DTLS
# roles, Firefox also with DTLS 1.2 forced.
#
#   browsers.sh [DIRECTORY]    leaves screenshots of the page in the directory
source "$(dirname "$0")/lib.sh"
missing chromium chromium
missing firefox-esr firefox-esr
missing node nodejs
[ -d node_modules/puppeteer-core ] || missing "" puppeteer-core
isolate "$0" "$@"

for browser in chromium firefox; do
    serve
    timeout 90 node peers/page.mjs $browser http://127.0.0.1:8080/ $server "$@" || failed=1
    # unless the page's test has
    kill -TERM "$server" 2>/dev/null
    wait "$server" || fail "page, $browser: rtckit serve ended with $?"
done
for setup in active passive; do
    serve --setup $setup
    for browser in chromium firefox firefox-dtls12; do
        timeout 90 node peers/offer.mjs $browser http://127.0.0.1:8080/ $setup || failed=1
    done
    hush "offer, --setup $setup"
done
exit $failed
