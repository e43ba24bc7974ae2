// The descriptions of a browser.
//
//   node browser.mjs BROWSER DIRECTORY             its own offers, and its answers to them
//   node browser.mjs BROWSER DIRECTORY OFFER...    its answers to the offers of others
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { launch } from '../peers/browser.mjs';

const [which, directory, ...offers] = process.argv.slice(2);

// Runs in the page.
const inPage = async offers => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 480 } });
  const described = async pc => {
    if (pc.iceGatheringState !== 'complete') {
      await Promise.race([
        new Promise(resolve => pc.addEventListener('icegatheringstatechange',
          () => pc.iceGatheringState === 'complete' && resolve())),
        new Promise(resolve => setTimeout(resolve, 3000)),
      ]);
    }
    return pc.localDescription.sdp;
  };
  const taken = {};
  if (offers) {
    for (const [name, sdp] of Object.entries(offers)) {
      const pc = new RTCPeerConnection();
      try {
        for (const track of stream.getTracks()) pc.addTrack(track, stream);
        await pc.setRemoteDescription({ type: 'offer', sdp });
        await pc.setLocalDescription();
        taken[name] = await described(pc);
      } catch (error) {
        taken[name] = { error: error.message };
      }
      pc.close();
    }
    return taken;
  }
  const negotiate = async (scenario, from, to, options) => {
    await from.setLocalDescription(await from.createOffer(options));
    taken[`${scenario}-offer`] = await described(from);
    await to.setRemoteDescription(from.localDescription);
    await to.setLocalDescription(await to.createAnswer());
    taken[`${scenario}-answer`] = await described(to);
    await from.setRemoteDescription(to.localDescription);
  };
  const caller = new RTCPeerConnection();
  const callee = new RTCPeerConnection();
  for (const pc of [caller, callee]) for (const track of stream.getTracks()) pc.addTrack(track, stream);
  caller.createDataChannel('data');
  await negotiate('media', caller, callee);
  await negotiate('restart', caller, callee, { iceRestart: true });
  caller.getTransceivers().find(transceiver => transceiver.receiver.track.kind === 'video').stop();
  await negotiate('stopped', caller, callee);
  const sender = new RTCPeerConnection();
  const receiver = new RTCPeerConnection();
  const encodings = [
    { rid: 'h', maxBitrate: 1_200_000 },
    { rid: 'm', maxBitrate: 600_000, scaleResolutionDownBy: 2 },
    { rid: 'l', maxBitrate: 300_000, scaleResolutionDownBy: 4 },
  ];
  sender.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', streams: [stream], sendEncodings: encodings });
  await negotiate('simulcast', sender, receiver);
  return taken;
};

const server = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'));
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
const browser = await launch(which);
console.log(`${which}: ${await browser.version()}`);
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const named = offers.map(file => [path.basename(file, '-offer.sdp'), fs.readFileSync(file, 'utf8')]);
const taken = await page.evaluate(inPage, offers.length > 0 ? Object.fromEntries(named) : null);
for (const [name, sdp] of Object.entries(taken)) {
  const file = offers.length > 0 ? `${name}-answer-by-${which}.sdp` : `${which}-${name}.sdp`;
  if (typeof sdp === 'string') fs.writeFileSync(path.join(directory, file), sdp);
  else console.log(`      ${file} is not to be had: ${sdp.error}`);
}
await browser.close();
server.close();
