#!/bin/bash
# Chromium and Firefox: the page of `rtckit serve` by its buttons, and calls from scripts of their own in both DTLS
# roles, Firefox also with DTLS 1.2 forced; and what `--play` sends them.
#
#   browsers.sh [DIRECTORY]    leaves screenshots of the page in the directory
source "$(dirname "$0")/lib.sh"
missing chromium chromium
missing firefox-esr firefox-esr
missing node nodejs
missing nft nftables
missing ffmpeg ffmpeg
[ -d node_modules/puppeteer-core ] || missing "" puppeteer-core
isolate "$0" "$@"

for browser in chromium firefox; do
    serve
    timeout 90 node peers/page.mjs $browser http://127.0.0.1:8080/ $server "$@" || failed=1
    # the test has done so itself, unless it failed
    hush "page, $browser"
done

serve --setup active
active=$server
serve --setup passive --listen 127.0.0.1:8081
passive=$server
for browser in chromium firefox firefox-dtls12; do
    timeout 150 node peers/offer.mjs $browser active=http://127.0.0.1:8080/ passive=http://127.0.0.1:8081/ || failed=1
done
hush "offer, --setup active" $active
hush "offer, --setup passive" $passive

# a file instead of the echo
ffmpeg -v error -f lavfi -i testsrc=size=320x240:rate=25:duration=4 -c:v libvpx -g 1000 "$work/clip.ivf" </dev/null &&
    ffmpeg -v error -f lavfi -i sine=duration=4 -c:a libopus "$work/clip.ogg" </dev/null ||
    fail "play: ffmpeg makes no clips"
serve --play "$work/clip.ivf" --play "$work/clip.ogg"
for browser in chromium firefox; do
    timeout 90 node peers/play.mjs $browser http://127.0.0.1:8080/ || failed=1
done
hush play
exit $failed
