// An agent with a desk phone sends the customer on by the page: the directory by keys, then the wrap-up that counts down.

import { check, logIn, picture, saw } from './browser.mjs';

const CALL = '[data-testid=present-call][data-state=talking]';

await check(async (page) => {
  await logIn(page, 'anna@acme.example', 'anna-web-password');
  await page.getByTestId('no-call').waitFor();
  saw('no call');

  await page.locator(CALL).waitFor();
  await page.keyboard.press('t');
  const field = page.getByTestId('transfer-to');
  const choice = page.getByTestId('transfer-choice');
  await choice.filter({ hasText: 'Boris Ivanov' }).waitFor();
  await page.keyboard.press('Escape');
  await field.waitFor({ state: 'detached' });

  await page.keyboard.press('t');
  await page.locator('[data-testid=transfer-to]:focus').waitFor();
  await page.keyboard.type('sec');
  const secretary = choice.filter({ hasText: 'Secretary' });
  await secretary.filter({ hasText: '190' }).getByText('available').waitFor();
  await picture(page, 'agent-transfer');
  await page.keyboard.press('Enter');
  await field.waitFor({ state: 'detached' });
  saw('sent on');

  await page.locator('[data-testid=my-state][data-state=wrap-up]').getByTestId('wrap-up-left').waitFor();
  saw('wrap-up');
});
