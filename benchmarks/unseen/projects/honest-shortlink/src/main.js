import { parseArgs } from 'node:util';
import { createApp } from './app.js';

const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' } } });
createApp().listen(Number(values.port), '127.0.0.1', () => console.log(`listening on ${values.port}`));
