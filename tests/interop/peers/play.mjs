// A browser that calls `rtckit serve --play`, watches, and misses some: it asks for a key frame and gets one.
//
//   node play.mjs BROWSER URL
import { run, sleep, until } from './browser.mjs';
import { dial, find, hangUp, statistics } from './dial.mjs';
import { heal, lose, port } from './network.mjs';

const [which, url] = process.argv.slice(2);

async function numbers(page) {
  const { ours, theirs } = await page.evaluate(statistics);
  return {
    video: find(ours, 'inbound-rtp', 'video'),
    audio: find(ours, 'inbound-rtp', 'audio'),
    sent: find(theirs, 'outbound-rtp', 'video'),
    server: find(theirs, 'transport').localAddress,
  };
}

async function watch(page) {
  await page.goto(url);
  await page.evaluate(dial, null);
  const decodes = (count, what) => until(what, async () => (await numbers(page)).video?.framesDecoded >= count, 15);
  // 25 a second
  await decodes(75, '75 frames decoded');
  const before = await numbers(page);
  if (before.audio.packetsReceived < 100) throw new Error(`${before.audio.packetsReceived} audio packets`);
  if (before.video.frameWidth !== 320) throw new Error(`the video is ${before.video.frameWidth} wide`);
  lose(`udp sport ${port(before.server)}`);
  await sleep(3000);
  heal();
  await decodes(before.video.framesDecoded + 50, 'the video goes on after a gap');
  const after = await numbers(page);
  const asked = after.sent.pliCount - before.sent.pliCount;
  const keys = after.sent.keyFramesSent - before.sent.keyFramesSent;
  const told = `${after.video.framesDecoded} frames decoded, ${after.audio.packetsReceived} audio packets; `
    + `after a gap the browser asked ${asked} times and got ${keys} key frames`;
  // The clip starts over after 4 s, with its only key frame: one more than those is one that was asked for.
  if (asked === 0 || keys === 0) throw new Error(told);
  await page.evaluate(hangUp);
  return told;
}

await run(which, null, { play: watch });
