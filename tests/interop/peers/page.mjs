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

/** What the page shows: the rows of its table by group and title, [browser, rtckit], and its line of facts. */
const seen = page => page.evaluate(() => {
  const rows = {};
  let group = '';
  for (const row of document.querySelectorAll('#statistics tbody tr')) {
    const [title, ...values] = [...row.cells].map(cell => cell.textContent);
    if (values.length === 0) group = title;
    else rows[`${group}: ${title}`] = values.map(value => Number.parseFloat(value.replaceAll(',', '')));
  }
  const { currentTime, videoWidth } = document.getElementById('remote');
  return { rows, facts: document.getElementById('facts').textContent, plays: currentTime > 0 && videoWidth > 0 };
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
  await until('60 frames decoded', async () => (await seen(page)).rows['Video: Frames decoded'][0] >= 60, 20);
  const { rows, facts, plays } = await seen(page);
  const decoded = rows['Video: Frames decoded'][0];
  const audio = rows['Audio: Packets received'];
  if (!audio.every(count => count > 50)) throw new Error(`audio packets received: ${audio}`);
  if (!plays) throw new Error('the remote video does not play');
  if (await peers() !== 1) throw new Error(`during the call there are ${await peers()} peers`);
  await shoot(page, 'during');
  await press('hang-up');
  const hungUp = Date.now();
  await until('0 peers', async () => await peers() === 0, 2);
  const took = Date.now() - hungUp;
  await shoot(page, 'after');
  await press('stop');
  await page.waitForSelector('#start:enabled', { timeout: 5000 });
  return `${decoded} frames decoded, ${audio[0]} audio packets, 0 peers ${took} ms after Hang Up; ${facts}`;
});
