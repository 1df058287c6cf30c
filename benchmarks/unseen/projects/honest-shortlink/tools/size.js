// Writes how large the product is: node tools/size.js report.json
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const files = readdirSync('src').filter((name) => name.endsWith('.js'));
const bytes = files.reduce((sum, name) => sum + statSync(join('src', name)).size, 0);
const report = { source_kb: Math.round(bytes / 102.4) / 10, files: files.length };
writeFileSync(process.argv[2], JSON.stringify(report));
console.log(report);
