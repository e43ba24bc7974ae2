// A browser that calls POST /offer from a script of its own and gets its media back.
//
//   node offer.mjs BROWSER SETUP=URL...     SETUP: what that `rtckit serve` was given: active means it is the DTLS client
import { run, sleep, until } from './browser.mjs';
import { dial, find, hangUp, statistics } from './dial.mjs';

const [which, ...servers] = process.argv.slice(2);
const SECONDS = 5;

const offer = (setup, url) => async page => {
  await page.goto(url);
  const connected = await page.evaluate(dial, null);
  await sleep(1000 * SECONDS);
  const { ours, theirs } = await page.evaluate(statistics);
  const deleted = await page.evaluate(hangUp);
  const encoded = find(ours, 'outbound-rtp', 'video').framesEncoded;
  const decoded = find(ours, 'inbound-rtp', 'video').framesDecoded;
  const heard = find(ours, 'inbound-rtp', 'audio').packetsReceived;
  const transport = find(theirs, 'transport');
  const role = setup === 'passive' ? 'server' : 'client';
  const told = `${decoded} of ${encoded} frames, ${heard} audio packets, connected in ${Math.round(connected)} ms; `
    + `${transport.dtlsVersion}, rtckit is the ${transport.dtlsRole}, ${transport.dtlsCipher}, ${transport.srtpCipher}`;
  if (decoded < 0.8 * encoded || encoded < 30) throw new Error(told);
  if (heard < 40 * SECONDS) throw new Error(told);
  if (transport.dtlsRole !== role) throw new Error(told);
  if (which === 'firefox-dtls12' && transport.tlsVersion !== 'FEFD') throw new Error(told);
  if (deleted !== 200 && deleted !== 404) throw new Error(`DELETE: ${deleted}`);
  await until('0 peers', async () => (await (await fetch(new URL('status', url))).json()).peers === 0, 2);
  return told;
};

const tests = servers.map(server => {
  const [setup, url] = server.split('=');
  return [`offer, --setup ${setup}`, offer(setup, url)];
});
await run(which, null, Object.fromEntries(tests));
