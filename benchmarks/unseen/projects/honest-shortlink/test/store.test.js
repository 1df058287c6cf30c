import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store, codeOf } from '../src/store.js';

test('codes are six characters and differ', () => {
  const codes = new Set(Array.from({ length: 500 }, (_, i) => codeOf(i)));
  assert.equal(codes.size, 500);
  for (const code of codes) assert.match(code, /^[2-9a-z]{6}$/);
});

test('add, get, remove', () => {
  const store = new Store();
  const link = store.add('https://a.test/');
  assert.deepEqual(store.get(link.code), link);
  assert.equal(store.remove(link.code), true);
  assert.equal(store.remove(link.code), false);
});

test('the list holds the last hundred', () => {
  const store = new Store();
  for (let i = 0; i < 120; i++) store.add(`https://a.test/${i}`);
  assert.equal(store.list().length, 100);
  assert.equal(store.list().at(-1).target, 'https://a.test/119');
});
