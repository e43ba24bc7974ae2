// A call from a script of its own in a browser. All of these run in the page.

/** Opens the camera and calls; waits for the connection. `without` names a kind of feedback to do without. */
export async function dial(without) {
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
  const lines = connection.localDescription.sdp.split('\r\n');
  const offer = lines.filter(line => !without || !(line.startsWith('a=rtcp-fb:') && line.endsWith(` ${without}`)));
  const headers = { 'Content-Type': 'application/sdp' };
  const response = await fetch('/offer', { method: 'POST', headers, body: offer.join('\r\n') });
  if (response.status !== 201) throw new Error(await response.text());
  globalThis.call = { connection, resource: response.headers.get('Location') };
  await connection.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  const started = performance.now();
  while (connection.connectionState !== 'connected') {
    if (performance.now() - started > 10_000) throw new Error(`the connection is ${connection.connectionState}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  return performance.now() - started;
}

/** Both sides' statistics. */
export async function statistics() {
  const { connection, resource } = globalThis.call;
  const theirs = await (await fetch(`${resource}/stats`)).json();
  return { ours: [...(await connection.getStats()).values()].map(stats => ({ ...stats })), theirs };
}

/** Ends the call; the status of the answer to DELETE. */
export async function hangUp() {
  const { connection, resource } = globalThis.call;
  connection.close();
  return (await fetch(resource, { method: 'DELETE' })).status;
}

/** The dictionary of a report of this type and kind. */
export const find = (report, type, kind) => report.find(stats => stats.type === type && (!kind || stats.kind === kind));
