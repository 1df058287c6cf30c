// Small house rules, without packages: strict mode, no tabs, no long lines, files parse.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

const problems = [];
for (const folder of ['lib', 'bin', 'test']) {
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.js'))) {
    const file = `${folder}/${name}`;
    const text = readFileSync(file, 'utf8');
    if (!text.includes("'use strict';")) problems.push(`${file}: strict mode is missing`);
    text.split('\n').forEach((line, i) => {
      if (/\t|\s$/.test(line) || line.length > 125) problems.push(`${file}:${i + 1}: blanks or length`);
    });
    const done = spawnSync(process.execPath, ['--check', file]);
    if (done.status !== 0) problems.push(`${file}: ${done.stderr}`);
  }
}
console.log(problems.join('\n') || 'clean');
process.exit(problems.length ? 1 : 0);
