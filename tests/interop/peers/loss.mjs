// A browser's call over a network that loses datagrams: what is lost is repaired by retransmission (RTX), and what
// cannot be repaired by key frames that both sides ask for (PLI, or FIR where that is all that was agreed on).
//
//   node loss.mjs BROWSER URL     in a network namespace of its own, whose packet filter it may set
import { run, sleep, until } from './browser.mjs';
import { dial, find, hangUp, statistics } from './dial.mjs';
import { heal, lose, port } from './network.mjs';

const [which, url] = process.argv.slice(2);
const LOSS = 5;

/** The numbers of a call's video. */
async function video(page) {
  const { ours, theirs } = await page.evaluate(statistics);
  const [out, back] = ['outbound-rtp', 'inbound-rtp'].map(type => find(ours, type, 'video'));
  const [echo, came] = ['outbound-rtp', 'inbound-rtp'].map(type => find(theirs, type, 'video'));
  return { out, back, echo, came, transport: find(theirs, 'transport') };
}

/** How many key frames the browser has made. Firefox does not say, so there it is how many have come. */
const keyFrames = ({ out, came }) => out.keyFramesEncoded ?? came.keyFramesReceived;

async function repair(page) {
  await page.goto(url);
  await page.evaluate(dial, null);
  await until('30 frames decoded', async () => (await video(page)).back?.framesDecoded >= 30, 15);
  const before = await video(page);

  lose(`meta l4proto udp numgen random mod 100 < ${LOSS}`);
  await sleep(6000);
  heal();
  await sleep(500);
  const after = await video(page);
  const encoded = after.out.framesEncoded - before.out.framesEncoded;
  const decoded = after.back.framesDecoded - before.back.framesDecoded;
  // Firefox does not say how much came again, so there it is what was sent again.
  const again = {
    browser: after.back.retransmittedPacketsReceived ?? after.echo.retransmittedPacketsSent,
    rtckit: after.came.retransmittedPacketsReceived,
  };
  const told = [`with ${LOSS} % lost ${decoded} of ${encoded} frames, sent again: ${again.browser} to the browser, `
    + `${again.rtckit} to rtckit`];
  if (!(again.browser > 0 && again.rtckit > 0)) throw new Error(told[0]);
  if (decoded < 0.8 * encoded) throw new Error(told[0]);

  // Longer than anything is kept for retransmission.
  const silence = async (who, side, asked) => {
    const start = await video(page);
    lose(`udp sport ${port(start.transport[side])}`);
    await sleep(3000);
    heal();
    await until(`${who} has asked for a key frame, and video goes on`, async () => {
      const now = await video(page);
      return asked(now) > asked(start)
        && keyFrames(now) > keyFrames(start)
        && now.back.framesDecoded > start.back.framesDecoded + 30;
    }, 15);
    const now = await video(page);
    told.push(`${who} asks ${asked(now) - asked(start)} times, `
      + `${keyFrames(now) - keyFrames(start)} key frames encoded`);
  };
  // What one side sends as a PLI, the other counts as one that came.
  await silence('the browser', 'localAddress', ({ echo }) => echo.pliCount);
  await silence('rtckit', 'remoteAddress', ({ out }) => out.pliCount);
  await page.evaluate(hangUp);
  return told.join('; ');
}

async function fullIntraRequest(page) {
  await page.goto(url);
  await page.evaluate(dial, 'nack pli');
  await until('30 frames decoded', async () => (await video(page)).back?.framesDecoded >= 30, 15);
  const start = await video(page);
  lose(`udp sport ${port(start.transport.remoteAddress)}`);
  await sleep(3000);
  heal();
  await until('rtckit has asked by FIR, and video goes on', async () => {
    const now = await video(page);
    return now.out.firCount > start.out.firCount
      && keyFrames(now) > keyFrames(start)
      && now.back.framesDecoded > start.back.framesDecoded + 30;
  }, 15);
  const now = await video(page);
  await page.evaluate(hangUp);
  return `FIR ${now.out.firCount - start.out.firCount}, PLI ${now.out.pliCount - start.out.pliCount} came to the browser, `
    + `${keyFrames(now) - keyFrames(start)} key frames encoded; `
    + `FIR ${now.echo.firCount}, PLI ${now.echo.pliCount} came to rtckit`;
}

await run(which, null, { loss: repair, 'loss, FIR': fullIntraRequest });
