// What the phone in the page decides, without a page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { afterRefusal, readTalk, replacing } = await load('dialog');
const { DIGITS, digitOf } = await load('digits');
const { CEILING, RATIO, THRESHOLD, clip, factor, makeup } = await load('limit');
const { judge, read } = await load('quality');
const { Silence } = await load('silence');
const { Speech, decibels, loudness } = await load('speech');

const TALK = { call: 'a1@b', ours: 'page', theirs: 'acme.7-x', caller: '79161112233', muted: true, held: true };

test('a talk is replaced by its tags as the server sees them', () => {
  assert.deepEqual(replacing(TALK), ['Replaces: a1@b;to-tag=acme.7-x;from-tag=page', 'Require: replaces']);
});

test('a talk outlives being written down, and nothing else is taken for one', () => {
  assert.deepEqual(readTalk(JSON.stringify(TALK)), TALK);
  const { call, ours, theirs } = TALK;
  assert.deepEqual(readTalk(JSON.stringify({ call, ours, theirs })), { call, ours, theirs, caller: '', muted: false, held: false });
  const broken = [null, '', '{', '7', 'null', '{}', JSON.stringify({ ...TALK, ours: '' }), JSON.stringify({ ...TALK, theirs: 7 })];
  for (const text of broken) assert.equal(readTalk(text), null, String(text));
  for (const split of ['a\r\nVia: x', 'a;early-only', 'a b', 'a,b']) {
    assert.equal(readTalk(JSON.stringify({ ...TALK, call: split })), null, split);
  }
});

test('a refusal that says the call is over is believed, one of the moment is not', () => {
  for (const status of [400, 403, 481, 486, 488, 603]) assert.equal(afterRefusal(status), 'over', String(status));
  assert.equal(afterRefusal(491), 'soon');
  for (const status of [0, 408, 500, 503]) assert.equal(afterRefusal(status), 'when-registered', String(status));
});

test('every key of a phone can be pressed, and nothing else is one', () => {
  for (const digit of DIGITS) assert.equal(digitOf(digit), digit);
  assert.equal(digitOf('№'), '#');
  for (const key of ['a', 'Enter', ' ', '', '12']) assert.equal(digitOf(key), null);
});

test('what a compressor adds is taken back, so that a quiet voice stays as it is', () => {
  assert.ok(Math.abs(makeup(-12, 20) - 6.84) < 0.01);
  assert.ok(Math.abs(factor(makeup(THRESHOLD, RATIO)) * factor(-makeup(THRESHOLD, RATIO)) - 1) < 1e-9);
});

test('nothing passes the ceiling, and what is below it is not touched', () => {
  const curve = clip(CEILING);
  const at = (sample) => curve[Math.round(((sample + 1) / 2) * (curve.length - 1))];
  assert.equal(Math.max(...curve), CEILING);
  assert.equal(Math.min(...curve), -CEILING);
  for (const sample of [-0.125, 0, 0.0625, 0.25]) assert.equal(at(sample), sample);
});

test('who is silent is asked, and who does not answer has gone', () => {
  const silence = new Silence(0);
  assert.equal(silence.look(4999), null);
  assert.equal(silence.look(5000), 'ask');
  assert.equal(silence.look(9999), null);
  silence.heard(9999);
  assert.equal(silence.look(10_000), null);
  assert.equal(silence.look(15_000), 'ask');
  assert.equal(silence.look(20_000), 'gone');
});

test('a page that slept asks before it gives up', () => {
  const silence = new Silence(0);
  assert.equal(silence.look(600_000), 'ask');
  assert.equal(silence.look(600_001), null);
});

test('speech is loud for a while, a knock is not', () => {
  const quiet = 0.001;
  const loud = 0.1;
  const knock = new Speech();
  assert.deepEqual([loud, quiet, loud, quiet, quiet, quiet].map((level, at) => knock.hear(level, 100 * at)), Array(6).fill(false));
  const voice = new Speech();
  assert.deepEqual([loud, loud, loud].map((level, at) => voice.hear(level, 100 * at)), [false, false, true]);
  for (const now of [300, 400, 500]) voice.hear(quiet, now);
  assert.equal(voice.hear(quiet, 2000), true, 'the words stay to be read');
  assert.equal(voice.hear(quiet, 3000), false);
});

test('loudness is the square mean', () => {
  assert.equal(loudness(Float32Array.of(0.5, -0.5)), 0.5);
  assert.equal(loudness(new Float32Array()), 0);
  assert.equal(decibels(0.1), -20);
  assert.equal(decibels(0), -Infinity);
});

test('a network is as good as its worst figure', () => {
  const fine = { rtt_ms: 40, jitter_ms: 5, loss: 0 };
  assert.equal(judge(fine), 'good');
  assert.equal(judge({ ...fine, rtt_ms: 250 }), 'fair');
  assert.equal(judge({ ...fine, jitter_ms: 31 }), 'fair');
  assert.equal(judge({ ...fine, rtt_ms: 250, loss: 0.06 }), 'bad');
});

test('figures are read out of what a browser reports, once something has come', () => {
  const heard = { type: 'inbound-rtp', kind: 'audio', packetsReceived: 98, packetsLost: 2, jitter: 0.01 };
  const way = { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.05 };
  assert.deepEqual(read([way, heard]), { rtt_ms: 50, jitter_ms: 10, loss: 0.02 });
  assert.equal(read([way]), null);
  assert.equal(read([{ ...heard, packetsLost: -3 }])?.loss, 0, 'what came twice was not lost');
});
