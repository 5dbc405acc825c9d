// Anna's phone is a page: it rings, she answers, hears the caller and is heard, and the caller hangs up.

import { check, saw } from './browser.mjs';
import { microphone, phone } from './phone.mjs';

const CALLER = 440;

await check(async (page) => {
  await phone(page, '101', 'anna-sip-password');
  saw(`registered ${await page.evaluate(() => window.phone.register())}`);
  await page.evaluate(() => window.phone.answer());
  saw('answered');
  await page.evaluate((hertz) => window.phone.hears(hertz), CALLER);
  saw('hears the caller');
  await page.evaluate(() => window.phone.isHungUp());
  saw('hung up');
}, await microphone(700));
