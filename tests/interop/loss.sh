#!/bin/bash
# Chromium and Firefox call `rtckit serve` over a network that loses datagrams: retransmission (RTX), PLI, FIR.
source "$(dirname "$0")/lib.sh"
missing chromium chromium
missing firefox-esr firefox-esr
missing node nodejs
missing nft nftables
[ -d node_modules/puppeteer-core ] || missing "" puppeteer-core
isolate "$0" "$@"

for browser in chromium firefox; do
    serve
    timeout 150 node peers/loss.mjs $browser http://127.0.0.1:8080/ || failed=1
    hush "loss, $browser"
done
exit $failed
