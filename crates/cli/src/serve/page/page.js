// The page of `rtckit serve`: opens the camera, calls the server, and shows what comes back.

const $ = id => document.getElementById(id);

/** How often statistics are read, in milliseconds. */
const STATISTICS_INTERVAL = 1000;

/** How long the server may take to be told that the call is over, in milliseconds. */
const GOODBYE_TIMEOUT = 2000;

/** The most lines the trace keeps. */
const MAX_TRACE = 500;

/** What is going on: the camera's stream, and the call if there is one. */
let camera = null;
let call = null;

// ---------------------------------------------------------------------------------------------- what is shown

function trace(text, isBad = false) {
  const line = document.createElement('li');
  const time = document.createElement('time');
  time.textContent = (performance.now() / 1000).toFixed(3);
  const what = document.createElement('span');
  what.textContent = text;
  if (isBad) what.className = 'bad';
  line.append(time, what);
  const list = $('trace');
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(line);
  while (list.childElementCount > MAX_TRACE) list.firstElementChild.remove();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

/** An address and port, as URLs have them: browsers do not agree on the brackets. */
function endpoint(address, port) {
  const bare = String(address).replace(/^\[|\]$/g, '');
  return bare.includes(':') ? `[${bare}]:${port}` : `${bare}:${port}`;
}

function show(state, text) {
  $('state').dataset.state = state;
  $('state').textContent = text;
}

/** Enables the buttons that make sense now, and marks the one that comes next. */
function arm() {
  const can = { start: !camera, call: camera && !call, 'hang-up': call, stop: camera };
  const next = call ? 'hang-up' : camera ? 'call' : 'start';
  for (const [id, enabled] of Object.entries(can)) {
    $(id).disabled = !enabled;
    $(id).classList.toggle('next', id === next);
  }
}

function watchSize(video, label) {
  const tell = () => {
    const isLive = Boolean(video.videoWidth && video.srcObject);
    label.textContent = isLive ? `${video.videoWidth} × ${video.videoHeight}` : '';
    video.classList.toggle('live', isLive);
  };
  for (const event of ['loadedmetadata', 'resize', 'emptied']) video.addEventListener(event, tell);
}

// ------------------------------------------------------------------------------------------- the four buttons

async function start() {
  $('start').disabled = true;
  show('busy', 'Opening the camera …');
  try {
    camera = await openMedia();
  } catch (error) {
    trace(`no camera: ${error.name}: ${error.message}`, true);
    show('failed', 'The camera or the microphone cannot be used.');
    arm();
    return;
  }
  $('local').srcObject = camera;
  for (const track of camera.getTracks()) trace(`${track.kind}: ${track.label}`);
  show('idle', 'Ready to call.');
  arm();
}

/** Camera and microphone, or the one of them that there is. */
async function openMedia() {
  const media = navigator.mediaDevices;
  try {
    return await media.getUserMedia({ audio: true, video: true });
  } catch (both) {
    // Who said no is not asked again.
    if (both.name === 'NotAllowedError' || both.name === 'SecurityError') throw both;
    for (const [only, missing] of [['video', 'microphone'], ['audio', 'camera']]) {
      try {
        const stream = await media.getUserMedia({ [only]: true });
        trace(`no ${missing}: ${both.name}: ${both.message}; goes on without`);
        return stream;
      } catch {
        // Perhaps the other.
      }
    }
    throw both;
  }
}

async function dial() {
  const connection = new RTCPeerConnection();
  const mine = { connection, resource: null, tag: null, candidates: [], isTrickling: false, timer: 0, before: new Map(), facts: '' };
  call = mine;
  arm();
  show('busy', 'Calling …');
  const started = performance.now();

  connection.onicecandidate = ({ candidate }) => {
    if (!candidate?.candidate) return;
    trace(`candidate: ${candidate.type} ${candidate.protocol} ${endpoint(candidate.address, candidate.port)}`);
    mine.candidates.push(candidate);
    trickle(mine);
  };
  connection.oniceconnectionstatechange = () => trace(`ICE: ${connection.iceConnectionState}`);
  connection.onconnectionstatechange = () => {
    if (call !== mine) return;
    trace(`connection: ${connection.connectionState}`);
    switch (connection.connectionState) {
      case 'connected': {
        const took = Math.round(performance.now() - started);
        trace(`connected after ${took} ms`);
        show('connected', 'Connected.');
        break;
      }
      case 'disconnected':
        show('busy', 'The server does not answer at the moment …');
        break;
      case 'failed':
        over('The connection failed.', true);
        break;
      case 'closed':
        over('The server hung up.', false, true);
        break;
    }
  };
  connection.ontrack = ({ track, streams }) => {
    trace(`${track.kind} comes back`);
    const remote = $('remote');
    if (streams[0]) {
      remote.srcObject = streams[0];
    } else {
      remote.srcObject ??= new MediaStream();
      remote.srcObject.addTrack(track);
    }
  };

  try {
    for (const track of camera.getTracks()) connection.addTrack(track, camera);
    await connection.setLocalDescription();
    const offer = connection.localDescription.sdp;
    trace(`offer: ${offer.length} bytes of SDP`);
    const response = await fetch('offer', {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp' },
      body: offer,
    });
    const body = await response.text();
    if (response.status !== 201) throw new Error(`${response.status}: ${body.trim()}`);
    mine.resource = response.headers.get('Location');
    mine.tag = response.headers.get('ETag');
    if (call !== mine) {
      // Hung up in the meantime.
      release(mine);
      return;
    }
    trace(`answer: ${body.length} bytes of SDP`);
    watchForTheEnd(mine);
    await connection.setRemoteDescription({ type: 'answer', sdp: body });
    trickle(mine);
    mine.timer = setInterval(() => statistics(mine), STATISTICS_INTERVAL);
    statistics(mine);
  } catch (error) {
    if (call === mine) over(`The call failed: ${error.message}`, true);
  }
}

function hangUp() {
  over('You hung up.');
}

function stop() {
  if (call) over('You hung up.');
  for (const track of camera?.getTracks() ?? []) track.stop();
  camera = null;
  $('local').srcObject = null;
  trace('camera closed');
  show('idle', 'Press Start to open the camera.');
  arm();
}

/** Ends the call on this side and, unless the server ended it, tells the server. */
function over(why, isBad = false, isKnown = false) {
  const mine = call;
  call = null;
  trace(why, isBad);
  show(isBad ? 'failed' : 'idle', why);
  clearInterval(mine.timer);
  release(mine, isKnown);
  if (mine.facts) $('facts').textContent = `The last call: ${mine.facts}`;
  $('remote').srcObject = null;
  arm();
}

/** Tells the server first: the connection's own farewell would end the call, and then there is none to delete. */
function release({ connection, resource }, isKnown = false) {
  if (!resource || isKnown) {
    connection.close();
    return;
  }
  // Outlives the page, should it be closed now.
  fetch(resource, { method: 'DELETE', keepalive: true, signal: AbortSignal.timeout(GOODBYE_TIMEOUT) })
    .catch(() => {})
    .finally(() => connection.close());
}

/** The DTLS transport closes when the server hangs up; the connection's own state may take long to say so. */
function watchForTheEnd(mine) {
  const transport = mine.connection.getSenders()[0]?.transport;
  transport?.addEventListener('statechange', () => {
    if (transport.state === 'closed' && call === mine) over('The server hung up.', false, true);
  });
}

/** Sends the candidates that were found after the offer. */
async function trickle(mine) {
  if (!mine.resource || mine.isTrickling || mine.candidates.length === 0) return;
  mine.isTrickling = true;
  const found = mine.candidates.splice(0);
  const sdp = mine.connection.localDescription.sdp;
  const line = name => sdp.match(new RegExp(`^a=${name}:.*$`, 'm'))[0].trim();
  // All media share one transport: the first section's candidates are everyone's.
  const fragment = [line('ice-ufrag'), line('ice-pwd'), sdp.match(/^m=.*$/m)[0].trim(), line('mid'),
    ...found.map(({ candidate }) => `a=${candidate}`), ''].join('\r\n');
  try {
    const response = await fetch(mine.resource, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': mine.tag },
      body: fragment,
    });
    if (!response.ok && call === mine) trace(`candidates: ${(await response.text()).trim()}`, true);
  } catch (error) {
    trace(`candidates: ${error.message}`, true);
  }
  mine.isTrickling = false;
  trickle(mine);
}

// ---------------------------------------------------------------------------------------------- the statistics

async function statistics(mine) {
  let theirs = [];
  const ours = [...(await mine.connection.getStats()).values()];
  try {
    const response = await fetch(`${mine.resource}/stats`);
    if (response.status === 404 && call === mine) {
      over('The server hung up.', false, true);
      return;
    }
    if (response.ok) theirs = await response.json();
  } catch {
    // A server that neither answers nor sends is gone. Otherwise the connection goes on without its numbers.
    if (call === mine && mine.connection.connectionState !== 'connected') over('The server is gone.', true);
  }
  if (call !== mine) return;
  const sides = [ours, theirs].map((report, side) => summary(report, mine.before, side));
  render(sides);
  tellFacts(mine, ours, theirs);
}

/** One side's numbers. `before` remembers the counts of the last time, for rates. */
function summary(report, before, side) {
  const numbers = {};
  for (const stats of report) {
    if (stats.type !== 'inbound-rtp' && stats.type !== 'outbound-rtp') continue;
    const isIn = stats.type === 'inbound-rtp';
    const key = `${side} ${stats.type} ${stats.kind}`;
    const bytes = isIn ? stats.bytesReceived : stats.bytesSent;
    const last = before.get(key);
    before.set(key, { bytes, timestamp: stats.timestamp });
    const rate = last && stats.timestamp > last.timestamp
      ? 8 * (bytes - last.bytes) / (stats.timestamp - last.timestamp) : undefined;
    const put = (name, value) => { numbers[`${stats.kind} ${name}`] = value; };
    if (isIn) {
      put('received', stats.packetsReceived);
      put('frames in', stats.framesReceived);
      put('decoded', stats.framesDecoded);
      put('lost', stats.packetsLost);
      put('jitter', stats.jitter === undefined ? undefined : `${(1000 * stats.jitter).toFixed(1)} ms`);
      put('rate in', kilobits(rate));
      put('asked', stats.pliCount);
    } else {
      put('sent', stats.packetsSent);
      put('frames out', stats.framesSent);
      put('again', stats.retransmittedPacketsSent);
      put('rate out', kilobits(rate));
      put('was asked', stats.pliCount);
    }
  }
  return numbers;
}

const kilobits = rate => rate === undefined ? undefined : `${rate.toFixed(0)} kbit/s`;

const ROWS = [
  ['Video'],
  ['Packets sent', 'video sent'],
  ['Packets received', 'video received'],
  ['Packets lost', 'video lost'],
  ['Packets sent again', 'video again'],
  ['Frames sent', 'video frames out'],
  ['Frames received', 'video frames in'],
  ['Frames decoded', 'video decoded'],
  ['Key frames asked for', 'video asked'],
  ['Rate out', 'video rate out'],
  ['Rate in', 'video rate in'],
  ['Jitter', 'video jitter'],
  ['Audio'],
  ['Packets sent', 'audio sent'],
  ['Packets received', 'audio received'],
  ['Packets lost', 'audio lost'],
  ['Rate out', 'audio rate out'],
  ['Rate in', 'audio rate in'],
  ['Jitter', 'audio jitter'],
];

function render(sides) {
  const body = $('statistics').tBodies[0];
  if (body.rows.length === 0) {
    for (const [title, name] of ROWS) {
      const row = body.insertRow();
      const head = document.createElement('th');
      head.textContent = title;
      row.append(head);
      if (name) {
        head.scope = 'row';
        row.insertCell();
        row.insertCell();
      } else {
        row.className = 'group';
        head.scope = 'colgroup';
        head.colSpan = 3;
      }
    }
  }
  ROWS.forEach(([, name], index) => {
    if (!name) return;
    sides.forEach((numbers, side) => {
      const value = numbers[name];
      body.rows[index].cells[side + 1].textContent = value?.toLocaleString('en') ?? '–';
    });
  });
}

const VERSIONS = { FEFD: 'DTLS 1.2', FEFC: 'DTLS 1.3' };

/** What was negotiated, in a line. */
function tellFacts(mine, ours, theirs) {
  const transport = ours.find(stats => stats.type === 'transport' && stats.srtpCipher)
    ?? theirs.find(stats => stats.type === 'transport');
  const server = theirs.find(stats => stats.type === 'transport');
  const codecs = theirs.filter(stats => stats.type === 'inbound-rtp').map(stats => stats.mimeType.replace(/^.*\//, ''));
  const facts = [
    VERSIONS[transport?.tlsVersion],
    server?.dtlsRole && `rtckit is the ${server.dtlsRole}`,
    transport?.srtpCipher,
    ...codecs,
    server?.remoteAddress && `${server.remoteAddress} to ${server.localAddress}`,
  ];
  mine.facts = facts.filter(Boolean).join(' · ');
  $('facts').textContent = mine.facts || 'Connecting …';
}

// ------------------------------------------------------------------------------------------------- the beginning

watchSize($('local'), $('local-size'));
watchSize($('remote'), $('remote-size'));
$('start').onclick = start;
$('call').onclick = dial;
$('hang-up').onclick = hangUp;
$('stop').onclick = stop;
$('mute').onchange = () => { $('remote').muted = $('mute').checked; };
$('remote').muted = $('mute').checked;
addEventListener('resize', () => { $('trace').scrollTop = $('trace').scrollHeight; });
addEventListener('pagehide', () => { if (call) over('The page is closed.'); });
render([{}, {}]);
arm();
if (!navigator.mediaDevices) {
  $('start').disabled = true;
  show('failed', 'This address is not secure, so the browser gives no camera: use --tls, or 127.0.0.1.');
}
