// The descriptions of werift.
//
//   node werift.mjs DIRECTORY             its own offers, and its answers to them
//   node werift.mjs DIRECTORY OFFER...    its answers to the offers of others
import fs from 'node:fs';
import path from 'node:path';
import { MediaStreamTrack, RTCPeerConnection, useSdesMid, useSdesRTPStreamId } from 'werift';

const [directory, ...offers] = process.argv.slice(2);
const { version } = JSON.parse(fs.readFileSync(new URL('node_modules/werift/package.json', import.meta.url)));
console.log(`werift: ${version}`);

const keep = (name, pc) => fs.writeFileSync(path.join(directory, name), pc.localDescription.sdp);

/** Tries a scenario; what a peer cannot do is said, and the rest goes on. */
const attempt = async (name, scenario) => {
  try {
    await scenario();
  } catch (error) {
    console.log(`      ${name} is not to be had: ${error.message}`);
  }
};

const negotiate = async (scenario, from, to, options) => {
  await from.setLocalDescription(await from.createOffer(options));
  keep(`werift-${scenario}-offer.sdp`, from);
  await to.setRemoteDescription(from.localDescription);
  await to.setLocalDescription(await to.createAnswer());
  keep(`werift-${scenario}-answer.sdp`, to);
  await from.setRemoteDescription(to.localDescription);
};

const connection = () => new RTCPeerConnection({ iceServers: [] });
const withTracks = () => {
  const pc = connection();
  for (const kind of ['audio', 'video']) pc.addTransceiver(new MediaStreamTrack({ kind }), { direction: 'sendrecv' });
  return pc;
};

if (offers.length > 0) {
  for (const offer of offers) {
    const name = `${path.basename(offer, '-offer.sdp')}-answer-by-werift.sdp`;
    await attempt(name, async () => {
      const pc = withTracks();
      await pc.setRemoteDescription({ type: 'offer', sdp: fs.readFileSync(offer, 'utf8') });
      await pc.setLocalDescription(await pc.createAnswer());
      keep(name, pc);
    });
  }
} else {
  const caller = withTracks();
  const callee = withTracks();
  caller.createDataChannel('data');
  await attempt('media', () => negotiate('media', caller, callee));
  await attempt('restart', () => negotiate('restart', caller, callee, { iceRestart: true }));
  // A stopped transceiver goes on in its descriptions.
  await attempt('inactive', async () => {
    caller.getTransceivers().find(transceiver => transceiver.kind === 'video').setDirection('inactive');
    await negotiate('inactive', caller, callee);
  });
  await attempt('simulcast', async () => {
    const extensions = [useSdesMid(), useSdesRTPStreamId()];
    const receiver = new RTCPeerConnection({ iceServers: [], headerExtensions: { video: extensions } });
    const simulcast = ['h', 'm', 'l'].map(rid => ({ rid, direction: 'recv' }));
    receiver.addTransceiver('video', { direction: 'recvonly', simulcast });
    await receiver.setLocalDescription(await receiver.createOffer());
    keep('werift-simulcast-offer.sdp', receiver);
  });
}
process.exit(0);
