// The page of `rtckit serve`, used as a person does: the four buttons in order. Then two calls that end on the other
// side: somebody deletes the call, and the server (process SERVER) is told to stop.
//
//   node page.mjs BROWSER URL SERVER [DIRECTORY]    with a directory: screenshots of before, during and after
import { run, schemes, sleep, until } from './browser.mjs';

const [which, url, server, directory] = process.argv.slice(2);
const WIDTHS = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

const peers = async () => (await (await fetch(new URL('status', url))).json()).peers;

async function shoot(page, moment) {
  if (!directory) return;
  for await (const scheme of schemes(page, which)) {
    for (const [name, viewport] of Object.entries(WIDTHS)) {
      await page.setViewport(viewport);
      await sleep(300);
      await page.screenshot({ path: `${directory}/${which}-${moment}-${name}-${scheme}.png`, fullPage: true });
    }
  }
  await page.setViewport(WIDTHS.desktop);
}

/** What the page shows: the rows of its table by group and title, [browser, rtckit], and its line of facts. */
const seen = page => page.evaluate(() => {
  const rows = {};
  let group = '';
  for (const row of document.querySelectorAll('#statistics tbody tr')) {
    const [title, ...values] = [...row.cells].map(cell => cell.textContent);
    if (values.length === 0) group = title;
    else rows[`${group}: ${title}`] = values.map(value => Number.parseFloat(value.replaceAll(',', '')));
  }
  const { currentTime, videoWidth, srcObject } = document.getElementById('remote');
  return {
    rows,
    facts: document.getElementById('facts').textContent,
    state: document.getElementById('state').textContent,
    plays: currentTime > 0 && videoWidth > 0 && srcObject !== null,
    isDetached: srcObject === null,
    connections: globalThis.opened.connections.map(connection => connection.connectionState),
    tracks: globalThis.opened.streams.flatMap(stream => stream.getTracks().map(track => track.readyState)),
  };
});

/** Runs in the page before its own script: remembers what that opens. */
function remember() {
  globalThis.opened = { connections: [], streams: [] };
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) {
      super(...options);
      globalThis.opened.connections.push(this);
    }
  };
  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async constraints => {
    const stream = await open(constraints);
    globalThis.opened.streams.push(stream);
    return stream;
  };
}

async function use(page) {
  await page.evaluateOnNewDocument(remember);
  let resource = null;
  page.on('response', response => {
    if (response.request().method() === 'POST') resource = response.headers().location;
  });
  await page.goto(url);
  await shoot(page, 'before');
  const press = async id => {
    await page.waitForSelector(`#${id}:enabled`, { timeout: 10_000 });
    await page.click(`#${id}`);
  };
  const decodes = count => until(`${count} frames decoded`, async () => {
    const now = await seen(page);
    return now.plays && now.rows['Video: Frames decoded'][0] >= count;
  }, 20);

  await press('start');
  await press('call');
  await decodes(60);
  const { rows, facts } = await seen(page);
  const decoded = rows['Video: Frames decoded'][0];
  const audio = rows['Audio: Packets received'];
  if (!audio.every(count => count > 50)) throw new Error(`audio packets received: ${audio}`);
  if (await peers() !== 1) throw new Error(`during the call there are ${await peers()} peers`);
  await shoot(page, 'during');
  await press('hang-up');
  const hungUp = Date.now();
  await until('0 peers', async () => await peers() === 0, 2);
  const took = Date.now() - hungUp;
  await shoot(page, 'after');

  /** Calls, lets the other side hang up, and waits until the page says so and has let go of everything. */
  const hungUpBy = async (who, hangUp) => {
    await press('call');
    await decodes(10);
    await hangUp();
    const start = Date.now();
    await until(`${who}: the page says so`, async () => (await seen(page)).state === 'The server hung up.', 5);
    const heard = Date.now() - start;
    const { isDetached, connections } = await seen(page);
    if (!isDetached) throw new Error(`${who}: the remote video is still there`);
    if (connections.some(state => state !== 'closed')) throw new Error(`${who}: connections are ${connections}`);
    await shoot(page, `hung-up-by-${who}`);
    return heard;
  };
  const deleted = await hungUpBy('another', async () => {
    const response = await fetch(new URL(resource, url), { method: 'DELETE' });
    if (response.status !== 200) throw new Error(`DELETE: ${response.status}`);
  });
  const stopped = await hungUpBy('the-server', () => process.kill(Number(server), 'SIGTERM'));
  await press('stop');
  await page.waitForSelector('#start:enabled', { timeout: 5000 });
  const { tracks } = await seen(page);
  if (tracks.some(state => state !== 'ended')) throw new Error(`after Stop the camera's tracks are ${tracks}`);
  return `${decoded} frames decoded, ${audio[0]} audio packets, 0 peers ${took} ms after Hang Up; the page knows after `
    + `${deleted} ms that another has hung up, after ${stopped} ms that the server has; ${facts}`;
}

await run(which, WIDTHS.desktop, { page: use });
