// The language is switched, kept over a reload, and pages are chosen by digits.

import { check, logIn, saw } from './browser.mjs';

await check(async (page) => {
  await logIn(page, 'vera@acme.example', 'vera-web-password');
  const tab = (name) => page.getByTestId(`tab-${name}`);
  await tab('live').getByText('Supervisor').waitFor();
  await page.getByTestId('language').click();
  await tab('live').getByText('Супервизор').waitFor();
  await page.getByText('Никто не ждёт').waitFor();
  await page.locator('html[lang=ru]').waitFor({ state: 'attached' });
  saw('Russian');

  await page.reload();
  await tab('live').getByText('Супервизор').waitFor();
  for (const [key, name] of [['2', 'desk'], ['3', 'calls'], ['1', 'live']]) {
    await page.keyboard.press(key);
    await page.locator(`[data-testid=tab-${name}][aria-current=page]`).waitFor();
  }
  saw('Russian after a reload');
});
