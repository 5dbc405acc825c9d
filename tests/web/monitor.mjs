// The supervisor's page beside a talk: a press listens, keys whisper and leave. A key that is held down takes nothing over.

import { check, counts, logIn, picture, saw } from './browser.mjs';

const MONITOR = '[data-testid=call-row] [data-testid=monitor]';
const vera = (mode) => `${MONITOR}[data-employee=vera][data-mode=${mode}][data-answered=true]`;

await check(async (page) => {
  await logIn(page, 'vera@acme.example', 'vera-web-password');
  await page.getByTestId('monitor-listen').click();
  await page.locator(vera('listen')).waitFor();
  await picture(page, 'supervisor-listens');
  saw('listens');

  await page.keyboard.press('w');
  await page.locator(vera('whisper')).waitFor();
  saw('whispers');

  await page.keyboard.down('t');
  // The browser says it again while the key is down.
  await page.keyboard.down('t');
  await page.keyboard.up('t');
  await page.keyboard.press('Escape');
  await page.keyboard.press('l');
  await page.locator(vera('listen')).waitFor();
  saw('has taken nothing over');

  await page.keyboard.press('s');
  await counts(page, MONITOR, 0);
  saw('has left');
});
