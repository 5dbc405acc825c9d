// Anna's phone is a page: she calls a colleague, hears him and is heard.

import { check, saw } from './browser.mjs';
import { microphone, phone } from './phone.mjs';

const BORIS = 1000;

await check(async (page) => {
  await phone(page, '101', 'anna-sip-password');
  saw(`registered ${await page.evaluate(() => window.phone.register())}`);
  saw(`called ${await page.evaluate(() => window.phone.call('102'))}`);
  await page.evaluate((hertz) => window.phone.hears(hertz), BORIS);
  saw('hears Boris');
  await page.evaluate(() => window.phone.isHungUp());
  saw('hung up');
}, await microphone(700));
