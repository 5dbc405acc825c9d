// Anna's page asks what its phone connects with, has a ticket in a password's place, and no way for its sound but a TURN
// server. It hears itself.

import { check, saw } from './browser.mjs';
import { microphone, phone } from './phone.mjs';

const OWN = 700;

/** Runs in the page: logs Anna in, and asks. */
async function told() {
  const post = (path, body) => fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  await post('/api/v1/login', { email: 'anna@acme.example', password: 'anna-web-password' });
  const answer = await post('/api/v1/me/phone', {});
  return answer.json();
}

await check(async (page) => {
  await page.goto(process.env.MANGROVE_URL);
  const { ticket, login, echo, ice_servers: iceServers } = await page.evaluate(told);
  saw(`told of ${iceServers.length} servers`);
  await phone(page, login, '', { ticket, rtc: { iceServers, iceTransportPolicy: 'relay' } });
  saw(`registered ${await page.evaluate(() => window.phone.register())}`);
  saw(`called ${await page.evaluate((user) => window.phone.call(user), /^sip:([^@]*)@/.exec(echo)[1])}`);
  await page.evaluate((hertz) => window.phone.hears(hertz), OWN);
  saw(`hears itself by ${await page.evaluate(() => window.phone.way())}`);
}, await microphone(OWN));
