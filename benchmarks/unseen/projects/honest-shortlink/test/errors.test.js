import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from './helpers.js';

for (const target of ['ftp://a.test/', 'nothing', 7, null, 'https://a.test/ x']) {
  test(`target ${target} is refused`, async (t) => {
    const app = await start(t);
    assert.equal((await app.post('/links', { target })).status, 400);
  });
}

test('unknown members are refused', async (t) => {
  const app = await start(t);
  assert.equal((await app.post('/links', { target: 'https://a.test/', colour: 'red' })).status, 400);
});

test('a body that is no JSON', async (t) => {
  const app = await start(t);
  const answer = await fetch(`${app.root}/links`, { method: 'POST', body: '{' });
  assert.equal(answer.status, 400);
});

test('wrong method names the right ones', async (t) => {
  const app = await start(t);
  const answer = await fetch(`${app.root}/links`, { method: 'PUT' });
  assert.equal(answer.status, 405);
  assert.equal(answer.headers.get('allow'), 'GET, POST');
});

test('unknown path', async (t) => {
  const app = await start(t);
  assert.equal((await app.get('/nothing')).status, 404);
});
