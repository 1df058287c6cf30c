import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const target = process.argv[2] ?? 'size.json';
const sizes = readdirSync('lib').map((name) => statSync(join('lib', name)).size);
const total = sizes.reduce((a, b) => a + b, 0);
writeFileSync(target, JSON.stringify({ total: { kb: total / 1024, files: sizes.length }, largest: { kb: Math.max(...sizes) / 1024 } }));
