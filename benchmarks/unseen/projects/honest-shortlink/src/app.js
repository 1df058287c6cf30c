import { createServer } from 'node:http';
import { HttpError, readObject, send } from './http.js';
import { Store } from './store.js';

const TARGET = /^https?:\/\/[a-z0-9.-]+(\/[A-Za-z0-9._~\/-]*)?$/;

export function checkTarget(value) {
  if (typeof value !== 'string' || value.length > 500 || !TARGET.test(value)) {
    throw new HttpError(400, 'target must be an http address');
  }
  return value;
}

function onlyKnown(body, names) {
  for (const name of Object.keys(body)) {
    if (!names.includes(name)) throw new HttpError(400, `unknown member ${name}`);
  }
}

export function createApp({ store = new Store() } = {}) {
  const find = (code) => {
    const link = store.get(code);
    if (!link) throw new HttpError(404, 'no such link');
    return link;
  };

  const routes = [
    ['GET', /^\/health$/, (request, response) => send(response, 200, { status: 'ok' })],
    ['GET', /^\/links$/, (request, response) => send(response, 200, store.list())],
    ['POST', /^\/links$/, async (request, response) => {
      const body = await readObject(request);
      onlyKnown(body, ['target']);
      send(response, 201, store.add(checkTarget(body.target)));
    }],
    ['GET', /^\/links\/([^/]+)$/, (request, response, code) => send(response, 200, find(code))],
    ['DELETE', /^\/links\/([^/]+)$/, (request, response, code) => {
      find(code);
      store.remove(code);
      send(response, 204);
    }],
    ['GET', /^\/r\/([^/]+)$/, (request, response, code) => {
      send(response, 302, undefined, { location: find(code).target });
    }],
  ];

  async function handle(request, response) {
    const path = request.url.split('?')[0];
    const here = routes.filter(([, pattern]) => pattern.test(path));
    if (!here.length) throw new HttpError(404, 'no such path');
    const route = here.find(([method]) => method === request.method);
    if (!route) throw new HttpError(405, 'method not allowed', { allow: here.map(([method]) => method).join(', ') });
    await route[2](request, response, path.match(route[1])[1]);
  }

  return createServer((request, response) => {
    handle(request, response).catch((error) => {
      if (error instanceof HttpError) send(response, error.status, { error: error.message }, error.headers);
      else send(response, 500, { error: 'internal error' });
    });
  });
}
