// Anna's phone is her page: she starts her shift, takes a call by key, and loads the page anew in the middle of it. Then she
// hears herself, and hangs up.

import { check, picture, saw } from './browser.mjs';
import { microphone } from './phone.mjs';
import { SOUND, TALK, answer, isOver, startShift } from './shift.mjs';

await check(async (page) => {
  await startShift(page);
  await answer(page);
  await picture(page, 'agent-phone');

  await page.reload();
  await page.locator(TALK).waitFor();
  await page.locator(SOUND).waitFor();
  saw('talks after a reload');
  await isOver(page);

  await page.keyboard.press('e');
  await page.locator(`${TALK}[data-kind=echo]`).waitFor();
  await page.locator(SOUND).waitFor();
  saw('hears herself');
  await page.keyboard.press('x');
  await page.getByTestId('phone-talk').waitFor({ state: 'detached' });
}, await microphone(700));
