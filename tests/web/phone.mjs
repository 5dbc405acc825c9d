// A phone in the browser, as small as one can be: SIP over the node's own WebSocket (RFC 7118), written by hand so that
// nobody else's library is tested, and sound by the browser itself. The microphone is a file with a tone.

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RATE = 48_000;
const SECONDS = 2;

/** A file in which a tone of a whole number of periods goes on without an end. */
async function toneFile(hertz) {
  const bytes = Buffer.alloc(44 + 2 * RATE * SECONDS);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(2 * RATE, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(bytes.length - 44, 40);
  for (let at = 0; at < RATE * SECONDS; at += 1) {
    bytes.writeInt16LE(Math.round(8000 * Math.sin((2 * Math.PI * hertz * at) / RATE)), 44 + 2 * at);
  }
  const file = join(await mkdtemp(join(tmpdir(), 'microphone-')), 'tone.wav');
  await writeFile(file, bytes);
  return file;
}

/** What a browser must be started with to have a microphone that says a tone, on a machine that may have no network. */
export async function microphone(hertz) {
  return [
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${await toneFile(hertz)}`,
    '--autoplay-policy=no-user-gesture-required',
    '--allow-loopback-in-peer-connection',
  ];
}

/**
 * Opens the node's page, which may use the microphone, and puts a phone into it: `window.phone`. A ticket stands in the
 * password's place; `rtc` is how the browser finds a way for its sound.
 */
export async function phone(page, user, password, { ticket, rtc } = {}) {
  await page.goto(process.env.MANGROVE_URL);
  await page.evaluate(install, { user, password, ticket, rtc });
}

/** Runs in the page. */
async function install({ user, password, ticket, rtc }) {
  const domain = 'acme.example';
  const host = 'page.invalid';
  const word = () => Math.random().toString(36).slice(2, 12);
  const contact = `<sip:${user}@${host};transport=ws>`;
  const heard = [];
  const waiting = [];
  let cseq = 0;

  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/sip`, ticket ? ['sip', `ticket.${ticket}`] : 'sip');
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error('no WebSocket'));
  });

  function parse(text) {
    const [head, body] = [text.slice(0, text.indexOf('\r\n\r\n')), text.slice(text.indexOf('\r\n\r\n') + 4)];
    const [first, ...lines] = head.split('\r\n');
    const headers = lines.map((line) => [line.slice(0, line.indexOf(':')).trim().toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
    const all = (name) => headers.filter(([known]) => known === name.toLowerCase()).map(([, value]) => value);
    const status = first.startsWith('SIP/2.0') ? Number(first.split(' ')[1]) : 0;
    const method = (all('cseq')[0] ?? '').split(' ')[1];
    return { first, status, method, all, get: (name) => all(name)[0] ?? '', body };
  }

  function look() {
    for (const one of [...waiting]) {
      const at = heard.findIndex(one.matches);
      if (at >= 0) {
        waiting.splice(waiting.indexOf(one), 1);
        one.resolve(heard.splice(at, 1)[0]);
      }
    }
  }

  socket.onmessage = async ({ data }) => {
    const message = parse(typeof data === 'string' ? data : await data.text());
    if (message.first.startsWith('BYE')) reply(message, 200);
    heard.push(message);
    look();
  };

  const hears = (matches) => new Promise((resolve) => {
    waiting.push({ matches, resolve });
    look();
  });

  function say(first, headers, body = '') {
    const type = body ? ['Content-Type: application/sdp'] : [];
    const lines = [first, ...headers, ...type, `Content-Length: ${new TextEncoder().encode(body).length}`];
    socket.send(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  function reply(request, status, body, tag = '') {
    const same = (name) => request.all(name).map((value) => `${name}: ${value}`);
    const to = request.get('to').includes('tag=') ? request.get('to') : `${request.get('to')};tag=${tag}`;
    const headers = [...same('Via'), ...same('Record-Route'), ...same('From'), `To: ${to}`, ...same('Call-ID'), ...same('CSeq')];
    say(`SIP/2.0 ${status} X`, [...headers, `Contact: ${contact}`], body);
  }

  async function digest(text) {
    const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
    return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** The header that proves who we are, to whoever asked (RFC 8760). */
  async function proof(refused, method, uri) {
    const challenge = refused.all('www-authenticate').find((one) => /algorithm="?SHA-256"?/i.test(one));
    if (!challenge) throw new Error(`no challenge with SHA-256: ${refused.first}`);
    const said = (name) => new RegExp(`[ ,]${name}="?([^",]*)"?`).exec(challenge)?.[1] ?? '';
    const [realm, nonce, cnonce, nc] = [said('realm'), said('nonce'), word(), '00000001'];
    const [a1, a2] = [await digest(`${user}:${realm}:${password}`), await digest(`${method}:${uri}`)];
    const response = await digest(`${a1}:${nonce}:${nc}:${cnonce}:auth:${a2}`);
    const opaque = said('opaque') ? `, opaque="${said('opaque')}"` : '';
    return `Authorization: Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=SHA-256, qop=auth, cnonce="${cnonce}", nc=${nc}${opaque}`;
  }

  /** A request outside of a dialog, said again with proof when it is asked for; the final answer, and what was said. */
  async function asks(method, uri, to, more, body) {
    const names = { id: word(), tag: word() };
    let proofs = [];
    for (;;) {
      cseq += 1;
      const [number, branch] = [cseq, `z9hG4bK${word()}`];
      const headers = [
        `Via: SIP/2.0/WS ${host};branch=${branch}`,
        'Max-Forwards: 70',
        `From: <sip:${user}@${domain}>;tag=${names.tag}`,
        `To: <${to}>`,
        `Call-ID: ${names.id}`,
        `CSeq: ${number} ${method}`,
      ];
      say(`${method} ${uri} SIP/2.0`, [...headers, ...more, ...proofs], body);
      const answer = await hears((one) => one.status >= 200 && one.get('call-id') === names.id && one.get('cseq') === `${number} ${method}`);
      if (method === 'INVITE' && answer.status >= 300) {
        const ack = headers.map((line) => (line.startsWith('To:') ? `To: ${answer.get('to')}` : line.replace(' INVITE', ' ACK')));
        say(`ACK ${uri} SIP/2.0`, ack);
      }
      if (answer.status !== 401 || proofs.length > 0) return { answer, number, names };
      proofs = [await proof(answer, method, uri)];
    }
  }

  /** A connection with the microphone in it. What it plays is measured. */
  async function connection() {
    const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: raw });
    const peer = new RTCPeerConnection(rtc);
    stream.getTracks().forEach((track) => peer.addTrack(track, stream));
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 16_384, smoothingTimeConstant: 0 });
    peer.ontrack = ({ track }) => {
      const played = new MediaStream([track]);
      // Chromium gives remote sound to nobody before an element plays it.
      const element = new Audio();
      Object.assign(element, { srcObject: played, muted: true });
      element.play();
      context.createMediaStreamSource(played).connect(analyser);
    };
    const loudest = () => {
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      const at = bins.indexOf(Math.max(...bins));
      return { hertz: (at * context.sampleRate) / analyser.fftSize, decibel: bins[at] };
    };
    return { peer, loudest };
  }

  async function described(peer, description) {
    await peer.setLocalDescription(description);
    while (peer.iceGatheringState !== 'complete') {
      await new Promise((resolve) => peer.addEventListener('icegatheringstatechange', resolve, { once: true }));
    }
    return peer.localDescription.sdp;
  }

  let line = null;

  window.phone = {
    async register() {
      const ice = `Contact: ${contact};+sip.ice;expires=600`;
      const { answer } = await asks('REGISTER', `sip:${domain}`, `sip:${user}@${domain}`, [ice]);
      return answer.status;
    },
    /** Waits for a call and takes it. */
    async answer() {
      const invite = await hears((one) => one.first.startsWith('INVITE'));
      const tag = word();
      reply(invite, 180, '', tag);
      line = await connection();
      await line.peer.setRemoteDescription({ type: 'offer', sdp: invite.body });
      reply(invite, 200, await described(line.peer, await line.peer.createAnswer()), tag);
      await hears((one) => one.first.startsWith('ACK'));
    },
    /** Calls somebody; the status of the answer. */
    async call(number) {
      line = await connection();
      const offer = await described(line.peer, await line.peer.createOffer());
      const uri = `sip:${number}@${domain}`;
      const { answer, number: asked, names } = await asks('INVITE', uri, uri, [`Contact: ${contact}`], offer);
      if (answer.status !== 200) return answer.status;
      await line.peer.setRemoteDescription({ type: 'answer', sdp: answer.body });
      const target = /<([^>]*)>/.exec(answer.get('contact'))[1];
      say(`ACK ${target} SIP/2.0`, [
        `Via: SIP/2.0/WS ${host};branch=z9hG4bK${word()}`,
        'Max-Forwards: 70',
        `From: <sip:${user}@${domain}>;tag=${names.tag}`,
        `To: ${answer.get('to')}`,
        `Call-ID: ${names.id}`,
        `CSeq: ${asked} ACK`,
      ]);
      return answer.status;
    },
    /** Waits until the loudest of what it hears is this tone. */
    async hears(hertz) {
      for (;;) {
        const loudest = line.loudest();
        if (Math.abs(loudest.hertz - hertz) < 15 && loudest.decibel > -60) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async isHungUp() {
      await hears((one) => one.first.startsWith('BYE'));
      line.peer.close();
    },
    /** The kind of the way by which its sound goes: host, srflx or relay. */
    async way() {
      const stats = [...(await line.peer.getStats()).values()];
      const pair = stats.find((one) => one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded');
      return stats.find((one) => one.id === pair?.localCandidateId)?.candidateType;
    },
    state: () => [line?.peer.iceConnectionState, line?.peer.connectionState, line?.loudest()],
  };
}
