// A browser that calls POST /offer from a script of its own and gets its media back.
//
//   node offer.mjs BROWSER URL SETUP     SETUP: what `rtckit serve` was given, so active means it is the DTLS client
import { run, until } from './browser.mjs';

const [which, url, setup] = process.argv.slice(2);
const SECONDS = 6;

/** Runs in the browser. */
async function call(seconds) {
  const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const connection = new RTCPeerConnection();
  for (const track of camera.getTracks()) connection.addTrack(track, camera);
  connection.ontrack = ({ track }) => {
    const element = document.createElement(track.kind);
    element.autoplay = true;
    element.srcObject = new MediaStream([track]);
    document.body.append(element);
  };
  await connection.setLocalDescription();
  await new Promise(resolve => {
    if (connection.iceGatheringState === 'complete') resolve();
    connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && resolve();
    setTimeout(resolve, 3000);
  });
  const headers = { 'Content-Type': 'application/sdp' };
  const response = await fetch('/offer', { method: 'POST', headers, body: connection.localDescription.sdp });
  if (response.status !== 201) throw new Error(await response.text());
  const resource = response.headers.get('Location');
  await connection.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  const started = performance.now();
  while (connection.connectionState !== 'connected') {
    if (performance.now() - started > 10_000) throw new Error(`the connection is ${connection.connectionState}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  const connected = performance.now() - started;
  await new Promise(resolve => setTimeout(resolve, 1000 * seconds));
  const theirs = await (await fetch(`${resource}/stats`)).json();
  const ours = [...(await connection.getStats()).values()].map(stats => ({ ...stats }));
  connection.close();
  const gone = await fetch(resource, { method: 'DELETE' });
  return { connected, ours, theirs, deleted: gone.status };
}

await run(`offer, ${which}, --setup ${setup}`, which, null, async page => {
  await page.goto(url);
  const { connected, ours, theirs, deleted } = await page.evaluate(call, SECONDS);
  const find = (report, type, kind) => report.find(stats => stats.type === type && (!kind || stats.kind === kind));
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
});
