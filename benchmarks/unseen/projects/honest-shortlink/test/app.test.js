import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from './helpers.js';

test('health', async (t) => {
  const app = await start(t);
  assert.deepEqual(await (await app.get('/health')).json(), { status: 'ok' });
});

test('a new link has a code and the target, nothing else', async (t) => {
  const app = await start(t);
  const answer = await app.post('/links', { target: 'https://a.test/x' });
  assert.equal(answer.status, 201);
  assert.deepEqual(Object.keys(await answer.json()), ['code', 'target']);
});

test('redirect', async (t) => {
  const app = await start(t);
  const { code } = await (await app.post('/links', { target: 'https://a.test/x' })).json();
  const answer = await app.get(`/r/${code}`);
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.get('location'), 'https://a.test/x');
});

test('delete', async (t) => {
  const app = await start(t);
  const { code } = await (await app.post('/links', { target: 'https://a.test/x' })).json();
  assert.equal((await app.del(`/links/${code}`)).status, 204);
  assert.equal((await app.get(`/links/${code}`)).status, 404);
});
