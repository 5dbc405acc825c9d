// A past call on the supervisor's page: names instead of ids, the recording plays, the story is told, the list is
// filtered by number.

import { check, counts, logIn, picture, saw } from './browser.mjs';

const ROW = '[data-testid=cdr-row]';

// An open player has its sound: the list may be read again as often as calls end.
async function staysWhileTheListIsRead(page) {
  const fetched = [];
  page.on('request', (request) => {
    if (request.resourceType() === 'fetch' && request.url().includes('/recordings/')) fetched.push(request.url());
  });
  const isRead = (response) => response.url().includes('/cdrs?') && response.url().includes('party=916111');
  const read = page.waitForResponse(isRead);
  await page.getByTestId('cdr-filter-number').fill('916 111');
  await (await read).finished();
  // The new rows are drawn, and what follows from them has begun.
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  if (fetched.length > 0) throw new Error(`the sound is fetched again: ${fetched}`);
  const again = page.waitForResponse((response) => response.url().includes('/cdrs?') && !isRead(response));
  await page.getByTestId('cdr-filter-number').fill('');
  await again;
}

await check(async (page) => {
  await logIn(page, 'vera@acme.example', 'vera-web-password');
  const row = page.locator(ROW);
  await row.filter({ hasText: 'Sales' }).filter({ hasText: 'Anna Petrova' }).waitFor();
  saw('names');

  await row.getByTestId('listen').click();
  const player = page.getByTestId('player');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=waveform] path').length === 2);
  await player.getByTestId('player-toggle').click();
  const plays = (past) =>
    page.waitForFunction((at) => document.querySelector('[data-testid=player] audio').currentTime > at, past);
  await plays(0.2);
  await plays(0.5);
  await player.getByTestId('side-caller').click();
  await player.locator('[data-testid=side-caller][aria-pressed=true]').waitFor();
  await picture(page, 'player');
  await staysWhileTheListIsRead(page);
  saw('plays');

  await row.getByTestId('story-open').click();
  const story = page.getByTestId('story');
  await story.getByText('INVITE').first().waitFor();
  await story.getByTestId('story-line').first().click();
  await story.locator('pre').waitFor();
  await picture(page, 'story');
  await page.keyboard.press('Escape');
  await story.waitFor({ state: 'detached' });
  saw('story');

  await page.keyboard.press('/');
  await page.keyboard.type('499');
  await counts(page, ROW, 0);
  await page.getByTestId('cdr-filter-number').fill('916 111');
  await counts(page, ROW, 1);
  saw('filtered');
});
