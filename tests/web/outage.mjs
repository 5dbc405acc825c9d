// The node is killed and started again under an open page: the page says so, refuses in the reader's language, and
// comes back by itself with the call that still waits.

import { changes, check, counts, logIn, saw } from './browser.mjs';

const WAITING = '[data-testid=waiting-row]';

await check(async (page) => {
  await logIn(page, 'vera@acme.example', 'vera-web-password');
  await page.getByTestId('language').click();
  await page.locator(WAITING).waitFor();
  const call = await page.locator(WAITING).getAttribute('data-call');
  saw('waiting');

  const lost = page.getByTestId('connection-lost');
  await lost.getByText('Связь потеряна').waitFor();
  await page.getByTestId('cdr-filter-number').fill('1');
  await page.getByRole('alert').getByText('Сервер не отвечает').waitFor();
  saw('connection lost');

  await lost.waitFor({ state: 'detached' });
  await page.locator(`${WAITING}[data-call="${call}"]`).waitFor();
  const [before, after] = await changes(page, `${WAITING} [data-testid=waiting-time]`);
  saw(`still waiting ${before}, then ${after}`);
  await counts(page, WAITING, 0);
  saw('gone');
});
