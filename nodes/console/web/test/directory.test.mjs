// Whom a call may go to, by what is typed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { choices } = await load('../directory');

const COLLEAGUES = [
  { id: 'boris', name: 'Boris Ivanov', extension: '102', state: 'busy' },
  { id: 'anna', name: 'Anna Petrova', extension: '101', state: 'available' },
  { id: 'desk', name: 'Secretary', extension: '190', state: 'available' },
];
const GROUPS = [{ id: '200', name: 'Sales' }];

const found = (typed) => choices(typed, COLLEAGUES, GROUPS, 'anna').map((one) => one.to);

test('all but oneself are there, by name', () => {
  assert.deepEqual(found(''), ['102', '200', '190']);
  assert.deepEqual(choices('', COLLEAGUES, GROUPS, 'anna').map((one) => one.state), ['busy', null, 'available']);
});

test('names are found by a part of them, extensions by their beginning', () => {
  assert.deepEqual(found('IVAN'), ['102']);
  assert.deepEqual(found('s'), ['102', '200', '190']);
  assert.deepEqual(found('19'), ['190', '19']);
  assert.deepEqual(found('102'), ['102']);
  assert.deepEqual(found('nobody'), []);
});

test('a number of one’s own is a choice, too', () => {
  assert.deepEqual(found('+7 812 555-00-00'), ['+7 812 555-00-00']);
  assert.deepEqual(found('(812) 555'), ['(812) 555']);
  assert.deepEqual(found('12a'), []);
});
