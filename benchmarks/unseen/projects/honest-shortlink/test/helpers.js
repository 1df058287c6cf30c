import { once } from 'node:events';
import { createApp } from '../src/app.js';

/** Starts the application on a free port; stops it when the test ends. */
export async function start(t, options) {
  const server = createApp(options).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  const root = `http://127.0.0.1:${server.address().port}`;
  return {
    root,
    get: (path) => fetch(root + path, { redirect: 'manual' }),
    post: (path, body) => fetch(root + path, { method: 'POST', body: JSON.stringify(body) }),
    del: (path) => fetch(root + path, { method: 'DELETE' }),
  };
}
