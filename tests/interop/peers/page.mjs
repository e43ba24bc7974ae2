// The page of `rtckit serve`, used as a person does: the four buttons in order.
//
//   node page.mjs BROWSER URL [DIRECTORY]    with a directory: screenshots of before, during and after
import { run, sleep, until } from './browser.mjs';

const [which, url, directory] = process.argv.slice(2);
const WIDTHS = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

const peers = async () => (await (await fetch(new URL('status', url))).json()).peers;

async function shoot(page, moment) {
  if (!directory) return;
  for (const [name, viewport] of Object.entries(WIDTHS)) {
    await page.setViewport(viewport);
    await sleep(300);
    await page.screenshot({ path: `${directory}/${which}-${moment}-${name}.png`, fullPage: true });
  }
  await page.setViewport(WIDTHS.desktop);
}

/** What the page's own eyes see of the call. */
const seen = page => page.evaluate(() => {
  const quality = document.getElementById('remote').getVideoPlaybackQuality?.();
  const rows = Object.fromEntries([...document.querySelectorAll('#statistics tbody tr')]
    .filter(row => row.cells.length === 3)
    .map((row, index) => [`${index} ${row.cells[0].textContent}`, [1, 2].map(side => row.cells[side].textContent)]));
  return { frames: quality?.totalVideoFrames ?? 0, facts: document.getElementById('facts').textContent, rows };
});

await run(`page, ${which}`, which, WIDTHS.desktop, async page => {
  await page.goto(url);
  await shoot(page, 'before');
  const press = async id => {
    await page.waitForSelector(`#${id}:enabled`, { timeout: 10_000 });
    await page.click(`#${id}`);
  };
  await press('start');
  await press('call');
  await until('60 frames of the remote video', async () => (await seen(page)).frames >= 60, 20);
  // Two more readings of the statistics.
  await sleep(2500);
  const during = await seen(page);
  const audio = Object.entries(during.rows).filter(([name]) => name.endsWith('Packets received'))[1][1];
  for (const count of audio) {
    if (!(Number(count.replaceAll(',', '')) > 50)) throw new Error(`audio packets received: ${audio}`);
  }
  if (await peers() !== 1) throw new Error(`during the call there are ${await peers()} peers`);
  await shoot(page, 'during');
  await press('hang-up');
  const hungUp = Date.now();
  await until('0 peers', async () => await peers() === 0, 2);
  const took = Date.now() - hungUp;
  await shoot(page, 'after');
  await press('stop');
  await page.waitForSelector('#start:enabled', { timeout: 5000 });
  return `${during.frames} frames decoded, ${audio[0]} audio packets, 0 peers ${took} ms after Hang Up; ${during.facts}`;
});
