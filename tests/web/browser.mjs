// Debian's Chromium, and what every check of a page does with it: log in, tell the Rust test how far it is, keep
// pictures. The test that runs a check gives the page's address in MANGROVE_URL; each line a check prints is something
// it has seen, and the test waits for it. A check that fails ends with a status that is not 0.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How long anything on a page may take. */
const PATIENCE_MS = 30_000;

/** Tells the test what was seen. */
export function saw(what) {
  console.log(what);
}

/** Runs a check on a fresh page; an exception that the page lets go fails it. */
export async function check(steps, flags = []) {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(PATIENCE_MS);
  const broken = [];
  page.on('pageerror', (error) => broken.push(error));
  try {
    await steps(page);
    if (broken.length > 0) throw broken[0];
  } catch (error) {
    await picture(page, 'failed');
    throw error;
  } finally {
    await browser.close();
  }
}

export async function logIn(page, email, password) {
  await page.goto(process.env.MANGROVE_URL);
  await page.getByTestId('login-email').fill(email);
  await page.getByTestId('login-password').fill(password);
  await page.getByTestId('login-submit').click();
  await page.getByTestId('who').waitFor();
}

/** Waits until this many elements match. */
export async function counts(page, selector, wanted) {
  await page.waitForFunction(([css, count]) => document.querySelectorAll(css).length === count, [selector, wanted]);
}

/** Waits until an element says something else than now, and gives both. */
export async function changes(page, selector) {
  const before = await page.locator(selector).innerText();
  const after = await page.waitForFunction(
    ([css, text]) => {
      const now = document.querySelector(css)?.innerText;
      return now !== undefined && now !== text && now;
    },
    [selector, before],
  );
  return [before, await after.jsonValue()];
}

/** Keeps a picture of the page where MANGROVE_PICTURES names a folder. */
export async function picture(page, name) {
  const folder = process.env.MANGROVE_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
