// Anna is muted when another tab takes her phone over: the talk goes on there, and nobody hears her there either.

import { check, saw } from './browser.mjs';
import { microphone } from './phone.mjs';
import { SOUND, TALK, answer, isOver, startShift } from './shift.mjs';

await check(async (page) => {
  await startShift(page);
  await answer(page);
  await page.keyboard.press('m');
  await page.getByTestId('you-are-muted').waitFor();
  saw('muted');

  const [tab] = await Promise.all([page.waitForEvent('popup'), page.evaluate(() => void window.open(location.href))]);
  await tab.getByTestId('phone-take-over').click();
  await tab.locator(TALK).waitFor();
  await tab.locator(SOUND).waitFor();
  await tab.locator('[data-testid=phone-mute][aria-pressed=true]').waitFor();
  await page.locator('[data-testid=phone][data-mode=elsewhere]').waitFor();
  saw('talks in the other tab');
  await isOver(tab);
}, await microphone(700));
